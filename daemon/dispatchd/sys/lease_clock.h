/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_SYS_LEASE_CLOCK_H
#define DISPATCHD_SYS_LEASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Until when this machine holds the cluster's lease, for whatever acts on its behalf. One for the
 * process, as the lease is; without a cluster it never ends. From any thread.
 */
enum { LEASE_SPARE_MS = 3000 }; /* with less than this left, nothing is begun */

/* By a clock that nobody sets, and that goes on while the machine is suspended. */
int64_t lease_clock_now(void);
/* CLOCK_NEVER_MS without a cluster. */
void lease_clock_set(int64_t until_ms);
int64_t lease_clock_until(void);
/* Whether something may be begun: a mail, an acknowledgment, a publication. */
bool lease_clock_allows(void);

#endif
