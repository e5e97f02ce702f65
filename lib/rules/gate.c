/* SPDX-License-Identifier: MIT */
/* The table of the contract's section 6, from the top: the first row that fits answers. */
#include "rules/gate.h"

#include "model/hours.h"
#include "model/suspension.h"
#include "rules/detail.h"

struct gate_evaluation {
	const struct gate_case *in;
	const struct zone *zone;
	struct gate_verdict *out;
};

static bool gate_decide(struct gate_evaluation *q, enum status status, enum reason reason)
{
	q->out->status = status;
	q->out->reason = reason;
	return true;
}

/* Each row: true where it answers; what it saw goes into `detail`. */
static bool row_unknown(struct gate_evaluation *q, char *detail, size_t size)
{
	if (q->in->customer)
		detail_customer(detail, size, q->in->customer);
	else
		detail_print(detail, size, "there is no such customer");
	return q->in->customer == NULL && gate_decide(q, STATUS_DENIED, REASON_UNKNOWN_CUSTOMER);
}

static bool row_not_active(struct gate_evaluation *q, char *detail, size_t size)
{
	const struct customer *not_active = customer_not_active(q->in->customer);
	detail_active(detail, size, q->in->customer, not_active);
	return not_active && gate_decide(q, STATUS_DENIED, REASON_CUSTOMER_NOT_ACTIVE);
}

static bool row_suspended(struct gate_evaluation *q, char *detail, size_t size)
{
	bool create = q->in->kind == EVENT_ASK_CREATE;
	unsigned scope = create ? SCOPE_JOBS : SCOPE_ROUTES;
	q->out->suspension = suspension_find(q->in->customer, scope, q->zone, q->in->now);
	detail_suspension(detail, size, q->out->suspension);
	if (q->out->suspension == NULL)
		return false;
	if (!create)
		q->out->recheck = suspension_clear(q->in->customer, scope, q->zone, q->in->now);
	return gate_decide(q, create ? STATUS_DENIED : STATUS_HELD, REASON_SUSPENDED);
}

static bool row_create(struct gate_evaluation *q, char *detail, size_t size)
{
	(void)detail, (void)size;
	return q->in->kind == EVENT_ASK_CREATE && gate_decide(q, STATUS_ALLOWED, REASON_OK);
}

/* Held until the window of the scheduled day opens; where that is over or open now, there is
 * nothing to wait for. */
static bool hold_for_window(struct gate_evaluation *q, const struct hours *hours)
{
	struct hours_span span;
	if (!hours_arrival_window(hours, q->zone, q->in->scheduled, &span))
		return gate_decide(q, STATUS_HELD, REASON_OUTSIDE_HOURS);
	if (!instant_before(q->in->now, span.open))
		return false;
	q->out->recheck = span.open;
	return gate_decide(q, STATUS_HELD, REASON_OUTSIDE_HOURS);
}

static bool is_outside_hours(const struct gate_case *in, const struct zone *zone)
{
	struct hours_span span;
	return !instant_is_none(in->scheduled) &&
	       !hours_open_at(customer_hours(in->customer, in->arena), zone, in->scheduled, &span);
}

bool gate_outside_hours(const struct gate_case *in)
{
	return is_outside_hours(in, rules_zone(in->settings, in->zones, in->customer));
}

/* "2026-06-04T09:30:00Z is outside service hours", and what follows from that. */
static void describe_hours(const struct gate_evaluation *q, const char *what, char *detail,
                           size_t size)
{
	char text[INSTANT_TEXT_MAX];
	struct instant at = q->in->scheduled;
	if (instant_is_none(at))
		detail_print(detail, size, "no time is scheduled");
	else if (size > 0)
		detail_print(detail, size, "%s is %s",
		             instant_format(at, zone_offset_s(q->zone, at), text), what);
}

static bool row_outside_hours(struct gate_evaluation *q, char *detail, size_t size)
{
	if (!is_outside_hours(q->in, q->zone)) {
		describe_hours(q, "within service hours", detail, size);
		return false;
	}
	q->out->outside_hours = true;
	switch (q->in->settings->gate.outside_hours) {
	case GATE_DENY:
		describe_hours(q, "outside service hours: denied", detail, size);
		return gate_decide(q, STATUS_DENIED, REASON_OUTSIDE_HOURS);
	case GATE_HOLD:
		if (hold_for_window(q, customer_hours(q->in->customer, q->in->arena))) {
			describe_hours(q, "outside service hours: held", detail, size);
			return true;
		}
		describe_hours(q, "outside service hours, but that day's have begun", detail, size);
		return false;
	case GATE_FLAG:
		break;
	}
	describe_hours(q, "outside service hours: flagged", detail, size);
	return false;
}

static bool row_released(struct gate_evaluation *q, char *detail, size_t size)
{
	(void)detail, (void)size;
	return gate_decide(q, STATUS_RELEASED, REASON_OK);
}

/* `rule`: that of events which asks the same; 0 where the row only answers. */
static const struct {
	enum rule rule;
	bool (*answers)(struct gate_evaluation *q, char *detail, size_t size);
} rows[] = {
        {RULE_CUSTOMER, row_unknown},     {RULE_ACTIVE, row_not_active},
        {RULE_SUSPENSION, row_suspended}, {0, row_create},
        {RULE_HOURS, row_outside_hours},  {0, row_released},
};

static void gate_trace(struct gate_evaluation *q, enum rule rule, bool holds, const char *detail)
{
	q->out->trace[q->out->n_trace++] = (struct trace_row){
	        .rule = rule,
	        .holds = holds,
	        .detail = arena_strdup(q->in->arena, detail),
	        .suspension = rule == RULE_SUSPENSION ? q->out->suspension : NULL,
	};
}

/* When a held job's time is over: with its scheduled day, or when it has waited for too long. */
static struct instant held_end(const struct gate_evaluation *q)
{
	if (instant_is_none(q->in->scheduled))
		return instant_add(q->in->asked, q->in->settings->gate.hold_max_ms);
	struct day day = zone_day(q->zone, q->in->scheduled);
	return zone_day_start(q->zone, (struct day){day.n + 1});
}

static void judge(struct gate_evaluation *q)
{
	*q->out = (struct gate_verdict){.due = INSTANT_NEVER, .recheck = INSTANT_NEVER};
	bool answered = false;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && !answered; i++) {
		char detail[DETAIL_MAX] = "";
		answered = rows[i].answers(q, detail, q->in->traced ? sizeof detail : 0);
		if (*detail)
			gate_trace(q, rows[i].rule, !answered, detail);
	}
	struct instant end = held_end(q);
	if (q->out->status == STATUS_HELD && instant_before(q->out->recheck, end))
		q->out->due = q->out->recheck;
	else if (q->out->status == STATUS_HELD)
		q->out->recheck = end;
	else
		q->out->recheck = INSTANT_NEVER;
}

void gate_judge(const struct gate_case *in, struct gate_verdict *ret)
{
	struct gate_evaluation q = {in, rules_zone(in->settings, in->zones, in->customer), ret};
	judge(&q);
}

/* A job that is held, and hasn't been denied by now: is its time over? */
static void judge_time(struct gate_evaluation *q)
{
	char detail[DETAIL_MAX] = "", text[INSTANT_TEXT_MAX];
	struct instant end = held_end(q);
	bool over = !instant_before(q->in->now, end);
	if (over)
		gate_decide(q, STATUS_EXPIRED, REASON_EXPIRED);
	if (!q->in->traced)
		return;
	detail_print(detail, sizeof detail, "its time %s %s", over ? "ended" : "ends",
	             instant_format(end, zone_offset_s(q->zone, end), text));
	gate_trace(q, RULE_SHELF_LIFE, !over, detail);
}

void gate_judge_held(const struct gate_case *in, struct gate_verdict *ret)
{
	struct gate_evaluation q = {in, rules_zone(in->settings, in->zones, in->customer), ret};
	judge(&q);
	if (ret->status != STATUS_DENIED)
		judge_time(&q);
}
