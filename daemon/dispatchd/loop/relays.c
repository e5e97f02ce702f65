/* SPDX-License-Identifier: MIT */
#include "dispatchd/loop/relays.h"

#include "dispatchd/sys/log.h"

#include <inttypes.h>
#include <string.h>

/* Its place, made where there is none; RELAYS_MAX where there are too many, as names come and go
 * with reloads. */
static size_t relays_find(struct relays *relays, const struct pool_relay *relay)
{
	for (size_t i = 0; i < relays->n; i++)
		if (!strcmp(relays->seen[i].name, relay->name))
			return i;
	if (relays->n == RELAYS_MAX)
		return RELAYS_MAX;
	memcpy(relays->seen[relays->n].name, relay->name, sizeof(relay->name));
	return relays->n++;
}

/* Whatever the replies are: this explains why no mail arrives. */
static void report_failures(uint64_t *reported, const struct pool_relay *relay)
{
	if (relay->failures < FAILURES_MANY) {
		if (*reported > 0)
			log_fault(LOG_NOTICE, "relay delivers again relay=%s", relay->name);
		*reported = 0;
	} else if (*reported == 0 || relay->failures >= *reported * 10) {
		*reported = relay->failures;
		log_state(LOG_WARNING | MESSAGE_RELAY_FAILS, relay->name,
		          "many mails failed and none was delivered relay=%s failures=%" PRIu64
		          " reply=\"%s\"",
		          relay->name, relay->failures, relay->failing_words);
	}
}

void relays_check(struct relays *relays, struct pool *pool)
{
	struct pool_relay now[RELAYS_MAX];
	size_t n = pool_relays(pool, now, RELAYS_MAX);
	for (size_t i = 0; i < n; i++) {
		size_t at = relays_find(relays, &now[i]);
		if (at < RELAYS_MAX)
			report_failures(&relays->seen[at].failures, &now[i]);
		if (at == RELAYS_MAX || relays->seen[at].down != now[i].up)
			continue;
		relays->seen[at].down = !now[i].up;
		if (now[i].up)
			log_state(LOG_NOTICE, now[i].name,
			          "relay is up again relay=%s after_s=%" PRId64, now[i].name,
			          (now[i].since.ms - relays->seen[at].since.ms + 500) / 1000);
		else
			log_fault(LOG_WARNING | MESSAGE_RELAY_DOWN,
			          "relay is down, mails wait or take another relay=%s reply=\"%s\"",
			          now[i].name, now[i].words);
		relays->seen[at].since = now[i].since;
	}
}
