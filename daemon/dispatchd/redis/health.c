/* SPDX-License-Identifier: MIT */
#include "dispatchd/redis/health.h"

#include "common/clock.h"
#include "dispatchd/sys/log.h"

#include <inttypes.h>
#include <stdio.h>

void health_report(struct health *health, int level, const char *event, const char *words)
{
	bool begins = !health->refused;
	health->refused = true;
	snprintf(health->words, sizeof(health->words), "%s", words);
	if (!begins)
		return;
	health->since = clock_tick();
	log_fault(level, "%s %s=%s reply=\"%s\"", event, health->kind, health->name, words);
}

void health_refuse(struct health *health, const char *event, const char *words)
{
	health_report(health, LOG_ERR | MESSAGE_REDIS_REFUSES, event, words);
}

void health_allow(struct health *health)
{
	if (!health->refused)
		return;
	health->refused = false;
	health->words[0] = '\0';
	log_state(LOG_NOTICE, health->name, "%s can be %s again after %" PRId64 " s %s=%s",
	          health->kind, health->use, (clock_tick().ms - health->since.ms + 500) / 1000,
	          health->kind, health->name);
}
