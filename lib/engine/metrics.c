/* SPDX-License-Identifier: MIT */
/* What the engine counts, as Prometheus text (contract, section 9). */
#include "engine/engine_private.h"

#include "model/metric.h"

static void print_events(const struct stats *stats, struct buf *out)
{
	static const char *const others[] = {"job.create", "job.dispatch", "malformed"};
	metric_head(out, METRIC_EVENTS);
	for (int i = 0; i < EVENT_TYPES; i++)
		metric_sample(out, METRIC_EVENTS, (int64_t)stats->events[i], "type",
		              i < JOB_STATE_COUNT ? job_state_type((enum job_state)i)
		                                  : others[i - JOB_STATE_COUNT],
		              NULL);
}

/* What alerts look for is there from the start, so that a rise from nothing is seen. */
static bool shown_at_zero(enum status s, enum reason r)
{
	switch (s) {
	case STATUS_SENT:
		return r == REASON_OK;
	case STATUS_REJECTED:
		return r == REASON_MALFORMED || r == REASON_UNKNOWN_CUSTOMER;
	case STATUS_FAILED:
		return r == REASON_ADDRESS_REFUSED || r == REASON_MAIL_REFUSED ||
		       r == REASON_MAX_AGE;
	default:
		return false;
	}
}

static void print_outcomes(const struct stats *stats, struct buf *out)
{
	metric_head(out, METRIC_OUTCOMES);
	for (int s = 1; s < STATUS_COUNT; s++) {
		for (int r = 1; r < REASON_COUNT; r++) {
			if (stats->outcomes[s][r] > 0 ||
			    shown_at_zero((enum status)s, (enum reason)r))
				metric_sample(out, METRIC_OUTCOMES, (int64_t)stats->outcomes[s][r],
				              "status", status_name((enum status)s), "reason",
				              reason_name((enum reason)r), NULL);
		}
	}
}

static void print_mails(const struct figures *figures, struct buf *out)
{
	metric_head(out, METRIC_MAILS);
	for (enum status s = STATUS_QUEUED; s < STATUS_COUNT; s++) {
		if (status_in(s, STATUSES_MAIL))
			metric_sample(out, METRIC_MAILS, figures->mails[s], "status",
			              status_name(s), NULL);
	}
}

/* Those that a person or the relay holds up count, too: they are due. */
static void print_oldest_due(struct instant due, struct instant now, struct buf *out)
{
	int64_t late_ms = now.ms - due.ms;
	metric_decimal(out, METRIC_OLDEST_DUE, late_ms > 0 ? (double)late_ms / 1e3 : 0);
}

/* Each kind is there from the start, so that a rise from nothing is seen. */
static void print_reports(const struct stats *stats, struct buf *out)
{
	metric_head(out, METRIC_REPORTS);
	for (enum mail_report_kind k = MAIL_REPORT_UNKNOWN; k < MAIL_REPORT_KINDS; k++) {
		for (enum mail_report_verdict v = MAIL_REPORT_NONE; v < MAIL_REPORT_VERDICTS; v++) {
			if (stats->reports[k][v] > 0 ||
			    (k == MAIL_REPORT_FAILED) == (v != MAIL_REPORT_NONE))
				metric_sample(out, METRIC_REPORTS, (int64_t)stats->reports[k][v],
				              "kind", mail_report_kind_name(k), "verdict",
				              mail_report_verdict_name(v), NULL);
		}
	}
}

void figures_print(const struct figures *figures, struct instant now, struct buf *out)
{
	const struct stats *stats = &figures->stats;
	print_events(stats, out);
	print_outcomes(stats, out);
	print_mails(figures, out);
	print_oldest_due(figures->first_due, now, out);
	metric_integer(out, METRIC_PAUSED, figures->paused);
	metric_integer(out, METRIC_REDIRECTED, figures->redirected);
	metric_integer(out, METRIC_BREAKER_OPEN, figures->breaker_open);
	metric_integer(out, METRIC_HELD_BACK, figures->held_back);
	metric_integer(out, METRIC_DUPLICATES, (int64_t)stats->duplicates);
	metric_integer(out, METRIC_DUPLICATES_DIFFERING, (int64_t)stats->duplicates_differing);
	metric_integer(out, METRIC_TEMPLATE_FAULTS, (int64_t)stats->template_faults);
	metric_integer(out, METRIC_COMMIT_FAULTS, (int64_t)stats->commit_faults);
	metric_integer(out, METRIC_WAITING_EVENTS, figures->waiting_events);
	metric_integer(out, METRIC_UNPUBLISHED_OUTCOMES, figures->unpublished);
	metric_integer(out, METRIC_RECHECKS, (int64_t)stats->rechecks);
	print_reports(stats, out);
	metric_integer(out, METRIC_REFUSAL_ALARMS, (int64_t)stats->refusal_alarms);
	histogram_print(&stats->commit_s, METRIC_COMMIT_SECONDS, out);
	histogram_print(&stats->delivery_s, METRIC_DELIVERY_SECONDS, out);
}

void engine_figures(const struct engine *engine, struct figures *ret)
{
	const char *redirect_to = engine->settings->mail.redirect_to;
	*ret = (struct figures){
	        .stats = engine->stats,
	        .first_due = engine->first_due,
	        .paused = engine->paused,
	        .redirected = redirect_to != NULL && *redirect_to != '\0',
	        .breaker_open = engine->limits.open,
	        .held_back = spool_mails_held(engine->spool),
	        .waiting_events = spool_wait_count(engine->spool),
	        .unpublished = engine->unpublished,
	};
	for (enum status s = STATUS_QUEUED; s < STATUS_COUNT; s++)
		ret->mails[s] = spool_mail_count(engine->spool, s);
}

void engine_turn_took(struct engine *engine, double seconds)
{
	histogram_add(&engine->stats.commit_s, seconds);
}
