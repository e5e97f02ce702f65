/* SPDX-License-Identifier: MIT */
/*
 * The table of metrics, and how they are written. Who counts (engine, Redis client, mailers, the
 * process) names a row and gives the values; the manual's list is compared with the rows by
 * tests/check/agree.py.
 */
#include "model/metric.h"

#include <stdarg.h>

enum metric_type { COUNTER, GAUGE, HISTOGRAM };

static const char *const types[] = {
        [COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};

static const struct metric_row {
	const char *name;
	enum metric_type type;
	const char *help;
} rows[METRIC_COUNT] = {
        [METRIC_EVENTS] = {.name = "dispatchd_events_total",
                           .type = COUNTER,
                           .help = "Entries read, by type."},
        [METRIC_OUTCOMES] = {.name = "dispatchd_outcomes_total",
                             .type = COUNTER,
                             .help = "Outcomes, by status and reason."},
        [METRIC_MAILS] = {.name = "dispatchd_mails",
                          .type = GAUGE,
                          .help = "Mails in the spool, by status."},
        [METRIC_OLDEST_DUE] =
                {.name = "dispatchd_oldest_due_seconds",
                 .type = GAUGE,
                 .help = "How long the mail has waited that has been due for longest; 0: none is."},
        [METRIC_PAUSED] = {.name = "dispatchd_paused",
                           .type = GAUGE,
                           .help = "Whether sending is paused by hand."},
        [METRIC_REDIRECTED] = {.name = "dispatchd_redirected",
                               .type = GAUGE,
                               .help = "Whether every mail goes to [mail] redirect_to."},
        [METRIC_BREAKER_OPEN] =
                {.name = "dispatchd_breaker_open",
                 .type = GAUGE,
                 .help = "Whether new mails are held back because too many came in at once."},
        [METRIC_HELD_BACK] = {.name = "dispatchd_held_back",
                              .type = GAUGE,
                              .help = "Mails that are held back until somebody releases or "
                                      "discards them."},
        [METRIC_DUPLICATES] = {.name = "dispatchd_duplicates_total",
                               .type = COUNTER,
                               .help = "Entries whose source and id were seen before."},
        [METRIC_DUPLICATES_DIFFERING] =
                {.name = "dispatchd_duplicates_differing_total",
                 .type = COUNTER,
                 .help = "Duplicates with different content: a publisher reuses ids."},
        [METRIC_TEMPLATE_FAULTS] =
                {.name = "dispatchd_template_faults_total",
                 .type = COUNTER,
                 .help = "Mails sent without the broken parts of their template."},
        [METRIC_COMMIT_FAULTS] = {.name = "dispatchd_commit_faults_total",
                                  .type = COUNTER,
                                  .help = "Turns that could not be committed."},
        [METRIC_WAITING_EVENTS] =
                {.name = "dispatchd_waiting_events",
                 .type = GAUGE,
                 .help = "Entries that wait for a customer who is not known yet."},
        [METRIC_UNPUBLISHED_OUTCOMES] =
                {.name = "dispatchd_unpublished_outcomes",
                 .type = GAUGE,
                 .help = "Outcomes in the spool that Redis doesn't have yet."},
        [METRIC_RECHECKS] = {.name = "dispatchd_rechecks_total",
                             .type = COUNTER,
                             .help = "Waiting entries, held or released jobs, and mails that were "
                                     "judged again since customers changed or time passed."},
        [METRIC_REPORTS] = {.name = "dispatchd_reports_total",
                            .type = COUNTER,
                            .help = "Reports about mails, by kind and verdict."},
        [METRIC_REFUSAL_ALARMS] =
                {.name = "dispatchd_refusal_alarms_total",
                 .type = COUNTER,
                 .help = "How often the office was alarmed that mail servers refuse mails."},
        [METRIC_COMMIT_SECONDS] = {.name = "dispatchd_commit_seconds",
                                   .type = HISTOGRAM,
                                   .help = "How long turns took, commit included."},
        [METRIC_DELIVERY_SECONDS] = {.name = "dispatchd_delivery_seconds",
                                     .type = HISTOGRAM,
                                     .help = "From the moment a mail was due to the relay's 250."},
        [METRIC_DISK_FREE] =
                {.name = "dispatchd_disk_free_bytes",
                 .type = GAUGE,
                 .help = "What is free on the file system of each database, by database."},
        [METRIC_DATABASE_BYTES] =
                {.name = "dispatchd_database_bytes",
                 .type = GAUGE,
                 .help = "The size of each database and of its write-ahead log, by database and "
                         "file."},
        [METRIC_REDIS_CONNECTED] = {.name = "dispatchd_redis_connected",
                                    .type = GAUGE,
                                    .help = "Whether Redis is connected."},
        [METRIC_REDIS_LOSSES] = {.name = "dispatchd_redis_losses_total",
                                 .type = COUNTER,
                                 .help = "Connections to Redis that were lost."},
        [METRIC_UNPUBLISHED] = {.name = "dispatchd_unpublished",
                                .type = GAUGE,
                                .help = "Entries that the loop has yet to publish to Redis."},
        [METRIC_CHANNEL_LOST] =
                {.name = "dispatchd_channel_lost_total",
                 .type = COUNTER,
                 .help = "Messages of the channel that were dropped for lack of room."},
        [METRIC_ENTRIES] = {.name = "dispatchd_entries_total",
                            .type = COUNTER,
                            .help = "Entries read, by source and feed."},
        [METRIC_ENTRIES_LOST] =
                {.name = "dispatchd_entries_lost_total",
                 .type = COUNTER,
                 .help = "Entries removed from Redis before they were read, by source and feed."},
        [METRIC_ENTRIES_UNREAD] =
                {.name = "dispatchd_entries_unread",
                 .type = GAUGE,
                 .help = "Entries not read yet, by source and feed; none below Redis 7."},
        [METRIC_ENTRIES_PENDING] =
                {.name = "dispatchd_entries_pending",
                 .type = GAUGE,
                 .help = "Entries read and not acknowledged, by source and feed."},
        [METRIC_ENTRIES_BEHIND] =
                {.name = "dispatchd_entries_behind_seconds",
                 .type = GAUGE,
                 .help = "How long the oldest of both has waited, by source and feed."},
        [METRIC_REDIS_USABLE] = {.name = "dispatchd_redis_usable",
                                 .type = GAUGE,
                                 .help = "Whether Redis allows this use, by kind, name and use."},
        [METRIC_RELAY_UP] = {.name = "dispatchd_relay_up",
                             .type = GAUGE,
                             .help = "Whether the relay accepted the last connection, by relay."},
        [METRIC_RELAY_SESSIONS] = {.name = "dispatchd_relay_sessions",
                                   .type = GAUGE,
                                   .help = "Connections to the relay now."},
        [METRIC_RELAY_DELIVERED] = {.name = "dispatchd_relay_delivered_total",
                                    .type = COUNTER,
                                    .help = "Mails that the relay accepted."},
        [METRIC_RELAY_FAULTS] = {.name = "dispatchd_relay_faults_total",
                                 .type = COUNTER,
                                 .help = "How often the relay itself failed."},
        [METRIC_RELAY_FAILURES] =
                {.name = "dispatchd_relay_failures",
                 .type = GAUGE,
                 .help = "Mails that failed since the relay accepted the last one."},
        [METRIC_RELAY_SECONDS] =
                {.name = "dispatchd_relay_seconds",
                 .type = HISTOGRAM,
                 .help = "From the moment a mail was handed to a connection to the relay's answer, "
                         "by relay."},
        [METRIC_ROLE] = {.name = "dispatchd_role",
                         .type = GAUGE,
                         .help = "1 for what this machine is in its cluster: owner, standby or "
                                 "joining; not there without a cluster."},
        [METRIC_STANDBY_LAG] = {.name = "dispatchd_standby_lag_turns",
                                .type = GAUGE,
                                .help = "How many turns of the owner a standby hasn't got: this "
                                        "one, on the owner the slowest."},
        [METRIC_HEALTHY] = {.name = "dispatchd_healthy",
                            .type = GAUGE,
                            .help = "Whether GET /healthz answers 200."},
        [METRIC_READY] = {.name = "dispatchd_ready",
                          .type = GAUGE,
                          .help = "Whether GET /readyz answers 200."},
        [METRIC_BUILD_INFO] = {.name = "dispatchd_build_info",
                               .type = GAUGE,
                               .help = "1, with the running version as a label."},
        [METRIC_START_TIME] = {.name = "dispatchd_start_time_seconds",
                               .type = GAUGE,
                               .help = "When it was started, in seconds since 1970."},
        [METRIC_CPU_SECONDS] = {.name = "dispatchd_cpu_seconds_total",
                                .type = COUNTER,
                                .help = "CPU time used."},
        [METRIC_RESIDENT_MEMORY] = {.name = "dispatchd_resident_memory_bytes",
                                    .type = GAUGE,
                                    .help = "Memory in use."},
        [METRIC_OPEN_FDS] = {.name = "dispatchd_open_fds",
                             .type = GAUGE,
                             .help = "Open file descriptors."},
};

const char *metric_name(enum metric metric)
{
	return rows[metric].name;
}

void metric_head(struct buf *out, enum metric metric)
{
	const struct metric_row *row = &rows[metric];
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
	           types[row->type]);
}

void metric_integer(struct buf *out, enum metric metric, int64_t value)
{
	metric_head(out, metric);
	buf_printf(out, "%s %lld\n", rows[metric].name, (long long)value);
}

void metric_decimal(struct buf *out, enum metric metric, double value)
{
	metric_head(out, metric);
	buf_printf(out, "%s %.3f\n", rows[metric].name, value);
}

/* Backslash, quote and line break escaped. */
void metric_label(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			buf_addc(out, '\\');
		if (*value == '\n')
			buf_adds(out, "\\n");
		else
			buf_addc(out, *value);
	}
	buf_addc(out, '"');
}

void metric_sample(struct buf *out, enum metric metric, int64_t value, ...)
{
	va_list labels;
	va_start(labels, value);
	buf_adds(out, rows[metric].name);
	char before = '{';
	for (const char *name; (name = va_arg(labels, const char *)) != NULL; before = ',') {
		buf_addc(out, before);
		metric_label(out, name, va_arg(labels, const char *));
	}
	va_end(labels);
	buf_printf(out, "} %lld\n", (long long)value);
}
