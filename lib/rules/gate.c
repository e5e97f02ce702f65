/* SPDX-License-Identifier: MIT */
/* The table of the contract's section 6, from the top: the first row that fits answers. */
#include "rules/gate.h"

#include "model/hours.h"
#include "model/suspension.h"
#include "rules/rules.h"

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

/* Each row: true where it answers. */
static bool row_unknown(struct gate_evaluation *q)
{
	return q->in->customer == NULL && gate_decide(q, STATUS_DENIED, REASON_UNKNOWN_CUSTOMER);
}

static bool row_not_active(struct gate_evaluation *q)
{
	return customer_not_active(q->in->customer) != NULL &&
	       gate_decide(q, STATUS_DENIED, REASON_CUSTOMER_NOT_ACTIVE);
}

static bool row_suspended(struct gate_evaluation *q)
{
	bool create = q->in->kind == EVENT_ASK_CREATE;
	unsigned scope = create ? SCOPE_JOBS : SCOPE_ROUTES;
	q->out->suspension = suspension_find(q->in->customer, scope, q->zone, q->in->now);
	if (q->out->suspension == NULL)
		return false;
	if (!create)
		q->out->recheck = suspension_clear(q->in->customer, scope, q->zone, q->in->now);
	return gate_decide(q, create ? STATUS_DENIED : STATUS_HELD, REASON_SUSPENDED);
}

static bool row_create(struct gate_evaluation *q)
{
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

static bool row_outside_hours(struct gate_evaluation *q)
{
	if (!is_outside_hours(q->in, q->zone))
		return false;
	q->out->outside_hours = true;
	switch (q->in->settings->gate.outside_hours) {
	case GATE_DENY:
		return gate_decide(q, STATUS_DENIED, REASON_OUTSIDE_HOURS);
	case GATE_HOLD:
		return hold_for_window(q, customer_hours(q->in->customer, q->in->arena));
	case GATE_FLAG:
		break;
	}
	return false;
}

static bool row_released(struct gate_evaluation *q)
{
	return gate_decide(q, STATUS_RELEASED, REASON_OK);
}

static bool (*const rows[])(struct gate_evaluation *) = {
        row_unknown, row_not_active, row_suspended, row_create, row_outside_hours, row_released,
};

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
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i](q))
			break;
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

void gate_judge_held(const struct gate_case *in, struct gate_verdict *ret)
{
	struct gate_evaluation q = {in, rules_zone(in->settings, in->zones, in->customer), ret};
	judge(&q);
	bool over = !instant_before(in->now, held_end(&q));
	if (over && ret->status != STATUS_DENIED)
		gate_decide(&q, STATUS_EXPIRED, REASON_EXPIRED);
}
