/* SPDX-License-Identifier: MIT */
#include "dispatchd/mailer/pace.h"

void pace_note(struct pace *pace, int64_t now_ms)
{
	int64_t passed_ms = now_ms - pace->since_ms;
	if (passed_ms >= PACE_MS) {
		pace->before = passed_ms < 2 * PACE_MS ? pace->n : 0;
		pace->n = 0;
		pace->since_ms = now_ms;
	}
	pace->n++;
}

size_t pace_mails(const struct pace *pace, int64_t now_ms)
{
	if (now_ms - pace->since_ms >= 2 * PACE_MS)
		return 0;
	return pace->before < PACE_MAX ? pace->before : PACE_MAX;
}
