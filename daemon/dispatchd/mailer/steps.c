/* SPDX-License-Identifier: MIT */
#include "dispatchd/mailer/steps.h"

#include "common/clock_ms.h"

#include <stdio.h>
#include <string.h>

void steps_start(struct steps *steps)
{
	if (steps)
		steps->since_ms = clock_mono_ms();
}

void steps_begin(struct steps *steps, const char *name)
{
	if (steps && steps->n_waiting < STEPS_WAITING_MAX)
		steps->waiting[steps->n_waiting++] = name;
}

static void steps_add(struct steps *steps, const char *name, bool failed, const char *reply)
{
	int64_t now_ms = clock_mono_ms();

	if (steps->n < STEPS_MAX) {
		struct step *step = &steps->rows[steps->n++];
		*step = (struct step){
		        .name = name, .ms = now_ms - steps->since_ms, .failed = failed};
		snprintf(step->reply, sizeof step->reply, "%s", reply);
	}
	steps->since_ms = now_ms;
}

void steps_end(struct steps *steps, bool failed, const char *reply)
{
	if (!steps || steps->n_waiting == 0)
		return;
	const char *name = steps->waiting[0];
	steps->n_waiting--;
	memmove(steps->waiting, steps->waiting + 1, steps->n_waiting * sizeof steps->waiting[0]);
	steps_add(steps, name, failed, reply);
}

/* An address that couldn't be connected to says nothing where another could. */
static bool has_failed(const struct steps *steps)
{
	bool failed = false;

	for (size_t i = 0; i < steps->n; i++) {
		bool connects = strcmp(steps->rows[i].name, "connect") == 0;
		failed = connects ? steps->rows[i].failed : failed || steps->rows[i].failed;
	}
	return failed;
}

void steps_give_up(struct steps *steps, const char *name, const char *why)
{
	if (!steps || has_failed(steps))
		return;
	if (steps->n_waiting > 0)
		steps_end(steps, true, why);
	else
		steps_add(steps, name, true, why);
}
