/* SPDX-License-Identifier: MIT */
/*
 * The list of nouns, and finding one in it. A noun is known here only by its row; what it can do is
 * in its own file under nouns/, or comes from the kinds' table (nouns/record_nouns.c).
 */
#include "dispatchctl/registry.h"

#include "base/nearest.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/record_nouns.h"

#include <string.h>
#include <sysexits.h>

/* Nouns with a file of their own; those of the record kinds are listed between the office's and
 * the daemon's. */
static const struct noun *const office[] = {
        &noun_customer,
        &noun_hours,
};
static const struct noun *const daemon_side[] = {
        &noun_job,    &noun_proof,   &noun_mail,   &noun_bounce,   &noun_breaker,
        &noun_dead,   &noun_status,  &noun_event,  &noun_explain,  &noun_gate,
        &noun_hold,   &noun_check,   &noun_replay, &noun_template, &noun_config,
        &noun_backup, &noun_restore, &noun_reload, &noun_relay,
};
/* Short forms of commands of other nouns. */
static const struct noun *const short_forms[] = {&noun_suspend, &noun_resume, &noun_suspensions};

enum { NOUNS_MAX = 64 };

const struct noun *const *nouns_all(size_t *ret_n)
{
	static const struct noun *all[NOUNS_MAX];
	static size_t n;
	if (n == 0) {
		size_t records;
		const struct noun *kinds = record_nouns(&records);
		for (size_t i = 0; i < sizeof office / sizeof *office; i++)
			all[n++] = office[i];
		for (size_t i = 0; i < records; i++)
			all[n++] = &kinds[i];
		for (size_t i = 0; i < sizeof daemon_side / sizeof *daemon_side; i++)
			all[n++] = daemon_side[i];
		for (size_t i = 0; i < sizeof short_forms / sizeof *short_forms; i++)
			all[n++] = short_forms[i];
	}
	*ret_n = n;
	return all;
}

const struct noun *noun_find(const char *name, struct error *err)
{
	struct nearest nearest = {.typed = name};
	size_t n;
	const struct noun *const *all = nouns_all(&n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
		nearest_try(&nearest, all[i]->name);
	}
	if (nearest.name != NULL)
		error_set(err, EX_USAGE, "unknown command \"%s\"; did you mean \"%s\"?", name,
		          nearest.name);
	else
		error_set(err, EX_USAGE, "unknown command \"%s\"; see dispatchctl --help", name);
	return NULL;
}
