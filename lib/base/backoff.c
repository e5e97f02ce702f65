/* SPDX-License-Identifier: MIT */
/* Pure: the chance is passed in, so that a test can turn it. Used for relays, mails and Redis
 * alike. */
#include "base/backoff.h"

int64_t backoff_ms(struct backoff backoff, unsigned failures, uint32_t random)
{
	int64_t base = backoff.min_ms;
	for (unsigned i = 1; i < failures && base < backoff.max_ms; i++)
		base = base > backoff.max_ms / 2 ? backoff.max_ms : base * 2;
	if (base > backoff.max_ms)
		base = backoff.max_ms;
	int64_t low = base - base / 5, high = base + base / 5;
	/* At the ceiling only the lower half is left; it is still a spread, not one value. */
	if (high > backoff.max_ms)
		high = backoff.max_ms;
	double share = (double)random / (double)UINT32_MAX;
	return low + (int64_t)((double)(high - low) * share);
}
