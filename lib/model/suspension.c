/* SPDX-License-Identifier: MIT */
/* Rule 7 and the gate ask here; a customer has few suspensions, so that each question walks them
 * all. */
#include "model/suspension.h"

struct instant suspension_start(const struct suspension *suspension, const struct zone *zone)
{
	return zone_day_start(zone, suspension->from);
}

struct instant suspension_end(const struct suspension *suspension, const struct zone *zone)
{
	return day_is_none(suspension->until) ? INSTANT_NEVER
	                                      : zone_day_start(zone, suspension->until);
}

bool suspension_holds(const struct suspension *suspension, const struct zone *zone,
                      struct instant at)
{
	return !instant_before(at, suspension_start(suspension, zone)) &&
	       instant_before(at, suspension_end(suspension, zone));
}

const struct suspension *suspension_find(const struct customer *customer, unsigned scopes,
                                         const struct zone *zone, struct instant at)
{
	const struct customer *chain[CUSTOMER_DEPTH_MAX];
	size_t n = customer_chain(customer, chain);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < chain[i]->n_suspensions; j++) {
			const struct suspension *suspension = &chain[i]->suspensions[j];
			if (suspension->scopes & scopes && suspension_holds(suspension, zone, at))
				return suspension;
		}
	return NULL;
}

/* Each turn of the loop goes to the end of one that holds, which then doesn't hold anymore: it
 * ends. */
struct instant suspension_clear(const struct customer *customer, unsigned scopes,
                                const struct zone *zone, struct instant at)
{
	const struct suspension *holding;
	while (instant_before(at, INSTANT_NEVER) &&
	       (holding = suspension_find(customer, scopes, zone, at)) != NULL)
		at = suspension_end(holding, zone);
	return at;
}

static struct instant later_min(struct instant best, struct instant candidate, struct instant at)
{
	return instant_before(at, candidate) ? instant_min(best, candidate) : best;
}

struct instant suspension_next_change(const struct customer *customer, const struct zone *zone,
                                      struct instant at)
{
	const struct customer *chain[CUSTOMER_DEPTH_MAX];
	struct instant best = INSTANT_NEVER;
	size_t n = customer_chain(customer, chain);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < chain[i]->n_suspensions; j++) {
			best = later_min(best, suspension_start(&chain[i]->suspensions[j], zone),
			                 at);
			best = later_min(best, suspension_end(&chain[i]->suspensions[j], zone), at);
		}
	return best;
}
