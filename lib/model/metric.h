/* SPDX-License-Identifier: MIT */
#ifndef MODEL_METRIC_H
#define MODEL_METRIC_H

#include "base/buf.h"

#include <stdint.h>

/*
 * Every metric of GET /metrics, as Prometheus text (version 0.0.4): names, types and help are rows
 * of one table. dispatchd(8) lists the same names in the same order with the same help; `make
 * check` compares.
 */
enum metric {
	/* the engine's */
	METRIC_EVENTS,
	METRIC_OUTCOMES,
	METRIC_MAILS,
	METRIC_OLDEST_DUE,
	METRIC_PAUSED,
	METRIC_REDIRECTED,
	METRIC_BREAKER_OPEN,
	METRIC_HELD_BACK,
	METRIC_DUPLICATES,
	METRIC_DUPLICATES_DIFFERING,
	METRIC_TEMPLATE_FAULTS,
	METRIC_COMMIT_FAULTS,
	METRIC_WAITING_EVENTS,
	METRIC_UNPUBLISHED_OUTCOMES,
	METRIC_RECHECKS,
	METRIC_REPORTS,
	METRIC_REFUSAL_ALARMS,
	METRIC_COMMIT_SECONDS,
	METRIC_DELIVERY_SECONDS,
	/* its disks' */
	METRIC_DISK_FREE,
	METRIC_DATABASE_BYTES,
	/* the Redis client's */
	METRIC_REDIS_CONNECTED,
	METRIC_REDIS_LOSSES,
	METRIC_UNPUBLISHED,
	METRIC_CHANNEL_LOST,
	METRIC_ENTRIES,
	METRIC_ENTRIES_LOST,
	METRIC_ENTRIES_UNREAD,
	METRIC_ENTRIES_PENDING,
	METRIC_ENTRIES_BEHIND,
	METRIC_REDIS_USABLE,
	/* the relays' */
	METRIC_RELAY_UP,
	METRIC_RELAY_SESSIONS,
	METRIC_RELAY_DELIVERED,
	METRIC_RELAY_FAULTS,
	METRIC_RELAY_FAILURES,
	METRIC_RELAY_SECONDS,
	/* the cluster's */
	METRIC_ROLE,
	METRIC_STANDBY_LAG,
	/* the process' */
	METRIC_HEALTHY,
	METRIC_READY,
	METRIC_BUILD_INFO,
	METRIC_START_TIME,
	METRIC_CPU_SECONDS,
	METRIC_RESIDENT_MEMORY,
	METRIC_OPEN_FDS,
	METRIC_COUNT,
};

const char *metric_name(enum metric metric); /* "dispatchd_events_total" */

/* Appends the lines # HELP and # TYPE; once for each metric, before its samples. */
void metric_head(struct buf *out, enum metric metric);

/* The head, and one sample without labels. */
void metric_integer(struct buf *out, enum metric metric, int64_t value);
void metric_decimal(struct buf *out, enum metric metric,
                    double value); /* with 3 digits after the point */

/*
 * One sample with labels: alternating names and values as strings, ended by NULL, behind the
 * sample's own value. Values are escaped.
 */
void metric_sample(struct buf *out, enum metric metric, int64_t value, ...)
        __attribute__((sentinel));

/* NAME="value", the value escaped. */
void metric_label(struct buf *out, const char *name, const char *value);

#endif
