/* SPDX-License-Identifier: MIT */
/* What the engine counts, as Prometheus text (contract, section 9). */
#include "engine/engine_private.h"

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_events(const struct stats *stats, struct buf *out)
{
	static const char *const others[] = {"job.create", "job.dispatch", "malformed"};
	head(out, "dispatchd_events_total", "counter", "Entries read, by type.");
	for (int i = 0; i < EVENT_TYPES; i++)
		buf_printf(out, "dispatchd_events_total{type=\"%s\"} %llu\n",
		           i < JOB_STATE_COUNT ? job_state_type((enum job_state)i)
		                               : others[i - JOB_STATE_COUNT],
		           (unsigned long long)stats->events[i]);
}

static void print_outcomes(const struct stats *stats, struct buf *out)
{
	head(out, "dispatchd_outcomes_total", "counter", "Outcomes, by status and reason.");
	for (int s = 1; s < STATUS_COUNT; s++) {
		for (int r = 1; r < REASON_COUNT; r++) {
			if (stats->outcomes[s][r] > 0)
				buf_printf(out,
				           "dispatchd_outcomes_total{status=\"%s\",reason=\"%s\"} %llu\n",
				           status_name((enum status)s), reason_name((enum reason)r),
				           (unsigned long long)stats->outcomes[s][r]);
		}
	}
}

static void print_mails(const struct spool *spool, struct buf *out)
{
	head(out, "dispatchd_mails", "gauge", "Mails in the spool, by status.");
	for (int s = STATUS_QUEUED; s <= STATUS_CANCELLED; s++) {
		if (s <= STATUS_SUPPRESSED || s == STATUS_CANCELLED)
			buf_printf(out, "dispatchd_mails{status=\"%s\"} %lld\n", status_name((enum status)s),
			           (long long)spool_mail_count(spool, (enum status)s));
	}
}

static void print_number(struct buf *out, const char *name, const char *type, const char *help, int64_t value)
{
	head(out, name, type, help);
	buf_printf(out, "%s %lld\n", name, (long long)value);
}

void engine_metrics(const struct engine *engine, struct buf *out)
{
	const struct stats *stats = &engine->stats;
	print_events(stats, out);
	print_outcomes(stats, out);
	print_mails(engine->spool, out);
	print_number(out, "dispatchd_duplicates_total", "counter",
	             "Entries whose source and id were seen before.", (int64_t)stats->duplicates);
	print_number(out, "dispatchd_duplicates_differing_total", "counter",
	             "Of those, the ones with other content.", (int64_t)stats->duplicates_differing);
	print_number(out, "dispatchd_template_faults_total", "counter",
	             "Mails that went without what is broken of their template.",
	             (int64_t)stats->template_faults);
	print_number(out, "dispatchd_commit_faults_total", "counter", "Turns that could not be committed.",
	             (int64_t)stats->commit_faults);
	print_number(out, "dispatchd_waiting_events", "gauge", "Entries that wait for their customer.",
	             spool_wait_count(engine->spool));
	print_number(out, "dispatchd_unpublished_outcomes", "gauge", "Outcomes that Redis has not got yet.",
	             engine->unpublished);
	histogram_print(&stats->commit_s, "dispatchd_commit_seconds", "How long turns took, commit included.",
	                out);
	histogram_print(&stats->delivery_s, "dispatchd_delivery_seconds",
	                "From the moment a mail was due to the relay's 250.", out);
}

void engine_turn_took(struct engine *engine, double seconds)
{
	histogram_add(&engine->stats.commit_s, seconds);
}
