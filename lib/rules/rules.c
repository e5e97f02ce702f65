/* SPDX-License-Identifier: MIT */
/*
 * The rules' rows and the two ways to evaluate them. A rule gets one `struct evaluation`, returns
 * whether it holds, and may write what it saw; what a failure means is in its row, unless the rule
 * itself knows better (no_address or address_invalid, outside_hours or never_open).
 *
 * Called by the engine for each event and before each send, and by dispatchctl's explain, replay
 * and check. Keeps nothing, reads no clock.
 */
#include "rules/rules.h"

#include "base/address.h"
#include "model/hours.h"
#include "model/suspension.h"
#include "rules/detail.h"

#include <stdio.h>
#include <string.h>

/* A case while its rules are evaluated, for the event or for one contact. */
struct evaluation {
	const struct rules_case *in;
	struct verdict *verdict; /* NULL when judged again */
	size_t trace_room;       /* rows, those written included */
	const struct zone *zone;
	enum job_change change;
	const struct contact *const *contacts;
	size_t n_contacts;
	struct contact_verdict *at; /* the contact being judged; NULL for the event */
	enum status status;         /* what a failure means; from the row, or by the rule */
	enum reason reason;
	const struct suspension *suspension;
};

struct rule_row {
	enum rule rule;
	const char *name;
	enum status status; /* where it fails */
	enum reason reason;
	bool (*holds)(struct evaluation *q, char *detail, size_t size);
};

static const char *local_time(const struct evaluation *q, struct instant t,
                              char text[INSTANT_TEXT_MAX])
{
	return instant_format(t, zone_offset_s(q->zone, t), text);
}

static bool rule_well_formed(struct evaluation *q, char *detail, size_t size)
{
	detail_print(detail, size, "the event %s is well formed%s", q->in->event->id,
	             q->in->event->time_ahead
	                     ? "; its time is in the future, so the time of receipt counts"
	                     : "");
	return true;
}

static bool rule_new(struct evaluation *q, char *detail, size_t size)
{
	detail_print(detail, size, "%s",
	             q->in->seen ? "an event with this source and id was seen before"
	             : q->in->recorded
	                     ? "this is the first with its source and id; it is judged again"
	                     : "not seen before");
	return !q->in->seen;
}

static bool rule_customer(struct evaluation *q, char *detail, size_t size)
{
	const struct customer *customer = q->in->customer;
	if (customer == NULL)
		detail_print(detail, size, "there is no customer %s", q->in->event->customer);
	else
		detail_customer(detail, size, customer);
	return customer != NULL;
}

static bool rule_state(struct evaluation *q, char *detail, size_t size)
{
	bool holds = q->change != JOB_STALE;
	if (holds)
		detail_print(detail, size, "job %s becomes %s", q->in->event->job,
		             job_state_name(q->in->event->state));
	else
		detail_print(detail, size, "job %s stays %s: this event is older or less final",
		             q->in->event->job, job_state_name(q->verdict->after));
	return holds;
}

static bool rule_change(struct evaluation *q, char *detail, size_t size)
{
	const char *before = job_state_name(q->verdict->before);
	bool holds = q->change == JOB_BECOMES;
	if (holds)
		detail_print(detail, size, "the state before was %s", *before ? before : "none");
	else
		detail_print(detail, size, "the job was %s before", before);
	return holds;
}

static bool rule_active(struct evaluation *q, char *detail, size_t size)
{
	const struct customer *not_active = customer_not_active(q->in->customer);
	detail_active(detail, size, q->in->customer, not_active);
	return not_active == NULL;
}

static bool rule_suspension(struct evaluation *q, char *detail, size_t size)
{
	unsigned scopes = SCOPE_EMAILS;
	if (job_state_row(q->in->event->state)->needs_route)
		scopes |= SCOPE_ROUTES;
	q->suspension = suspension_find(q->in->customer, scopes, q->zone, q->in->now);
	detail_suspension(detail, size, q->suspension);
	return q->suspension == NULL;
}

static bool wants(const struct contact *contact, const struct job_event *event)
{
	return (contact->notify & JOB_BIT(event->state)) != 0;
}

/* Who doesn't is not judged any further: nothing else reports them. */
static void describe_unwanted(const struct evaluation *q, char *detail, size_t size)
{
	enum { LAST = 20 }; /* room for one more number */
	char who[DETAIL_MAX / 2] = "";
	size_t n = 0, len = 0;
	for (size_t i = 0; i < q->n_contacts; i++) {
		if (wants(q->contacts[i], q->in->event) || len + LAST >= sizeof who)
			continue;
		len += (size_t)snprintf(who + len, sizeof who - len, "%s%lld", n++ > 0 ? ", " : "",
		                        (long long)q->contacts[i]->id);
	}
	if (n > 0)
		detail_print(detail, size, "%s %s%s %s want %s mails",
		             n == 1 ? "contact" : "contacts", who,
		             len + LAST >= sizeof who ? " and others" : "",
		             n == 1 ? "doesn't" : "don't", job_state_name(q->in->event->state));
}

static bool some_want(const struct evaluation *q)
{
	for (size_t i = 0; i < q->n_contacts; i++) {
		if (wants(q->contacts[i], q->in->event))
			return true;
	}
	return false;
}

/* For the event: does anybody? For a contact: does that one? */
static bool rule_wanted(struct evaluation *q, char *detail, size_t size)
{
	const char *state = job_state_name(q->in->event->state);
	if (q->at != NULL) {
		bool holds = wants(q->at->contact, q->in->event);
		detail_print(detail, size, "contact %lld %s %s mails",
		             (long long)q->at->contact->id, holds ? "gets" : "doesn't want", state);
		return holds;
	}
	if (some_want(q)) {
		if (size > 0)
			describe_unwanted(q, detail, size);
		return true;
	}
	detail_print(detail, size, "none of %zu contacts wants %s mails", q->n_contacts, state);
	return q->n_contacts == 0;
}

static bool gets_mail(const struct contact_verdict *at)
{
	return at->status == STATUS_QUEUED || at->status == STATUS_DEFERRED;
}

/* Where another contact's mail of the event went or will go; "" for nowhere. */
static const char *address_of_mail(const struct evaluation *q, const struct rules_mail *mail)
{
	enum reason ignored;
	if (mail->went)
		return mail->address;
	for (size_t i = 0; i < q->n_contacts; i++) {
		if (q->contacts[i]->id == mail->contact && wants(q->contacts[i], q->in->event))
			return contact_address(q->contacts[i], &ignored);
	}
	return "";
}

/* The contact whose mail of this event goes to that address; 0 where there is none. */
static int64_t contact_mailed_at(const struct evaluation *q, const char *address)
{
	const struct verdict *v = q->verdict;
	for (size_t i = 0; v != NULL && &v->contacts[i] < q->at; i++) {
		if (gets_mail(&v->contacts[i]) && address_same(v->contacts[i].to, address))
			return v->contacts[i].contact->id;
	}
	for (size_t i = 0; i < q->in->n_mails; i++) {
		const struct rules_mail *mail = &q->in->mails[i];
		if (mail->contact != q->at->contact->id &&
		    address_same(address_of_mail(q, mail), address))
			return mail->contact;
	}
	return 0;
}

static bool rule_address(struct evaluation *q, char *detail, size_t size)
{
	if (q->at == NULL) {
		detail_print(detail, size, "the customer has no contact");
		return q->n_contacts > 0;
	}
	const struct contact *contact = q->at->contact;
	q->at->to = contact_address(contact, &q->reason);
	if (*q->at->to) {
		int64_t other = contact_mailed_at(q, q->at->to);
		const char *which = q->at->to == contact->email ? "" : " (the alternate address)";
		if (other == 0)
			detail_print(detail, size, "%s%s", q->at->to, which);
		else
			detail_print(detail, size,
			             "%s%s: contact %lld's mail of this event goes there",
			             q->at->to, which, (long long)other);
		q->reason = REASON_SAME_ADDRESS;
		return other == 0;
	}
	if (q->reason == REASON_ADDRESS_INVALID)
		detail_print(detail, size, "%s was refused and is marked invalid",
		             *contact->email ? contact->email : contact->alt_email);
	else
		detail_print(detail, size, "contact %lld has no address", (long long)contact->id);
	return false;
}

static const struct notify_settings *notify_of(const struct evaluation *q)
{
	return &q->in->settings->notify[q->in->event->state];
}

static bool rule_shelf_life(struct evaluation *q, char *detail, size_t size)
{
	char end[INSTANT_TEXT_MAX];
	q->at->expires = instant_add(q->in->event->time, notify_of(q)->shelf_life_ms);
	bool holds = instant_before(q->in->now, q->at->expires);
	detail_print(detail, size, "its shelf life %s %s", holds ? "ends" : "ended",
	             local_time(q, q->at->expires, end));
	return holds;
}

static bool hours_never(struct evaluation *q, char *detail, size_t size)
{
	q->status = STATUS_SUPPRESSED;
	q->reason = REASON_NEVER_OPEN;
	detail_print(detail, size, "the calendar doesn't open within %d days", HOURS_SEARCH_DAYS);
	return false;
}

/* Closed now, and a mail may wait: until when? */
static bool hours_defer(struct evaluation *q, const struct hours *hours, char *detail, size_t size)
{
	char text[INSTANT_TEXT_MAX];
	struct instant open;
	if (!hours_next_open(hours, q->zone, q->in->now, &open))
		return hours_never(q, detail, size);
	q->at->due = open;
	if (!instant_before(open, q->at->expires)) {
		q->status = STATUS_EXPIRED;
		q->reason = REASON_EXPIRED;
		detail_print(detail, size, "closed until %s, after its shelf life ends",
		             local_time(q, open, text));
	} else {
		detail_print(detail, size, "closed; opens %s (%s)", local_time(q, open, text),
		             zone_name(q->zone));
	}
	return false;
}

static bool rule_hours(struct evaluation *q, char *detail, size_t size)
{
	const struct hours *hours = customer_hours(q->in->customer, q->in->arena);
	struct hours_span span;
	char text[INSTANT_TEXT_MAX];
	q->at->due = q->in->now;
	if (hours_open_at(hours, q->zone, q->in->now, &span)) {
		detail_print(detail, size, "open until %s (%s)", local_time(q, span.close, text),
		             zone_name(q->zone));
		return true;
	}
	switch (notify_of(q)->outside_hours) {
	case HOURS_SEND:
		detail_print(detail, size, "closed, but %s mails are sent anyway",
		             job_state_name(q->in->event->state));
		return true;
	case HOURS_SUPPRESS:
		q->status = STATUS_SUPPRESSED;
		detail_print(detail, size, "closed, and %s mails don't wait",
		             job_state_name(q->in->event->state));
		return false;
	case HOURS_DEFER:
		break;
	}
	return hours_defer(q, hours, detail, size);
}

static bool rule_grouping(struct evaluation *q, char *detail, size_t size)
{
	int64_t wait_ms = notify_of(q)->group_wait_ms;
	char text[INSTANT_TEXT_MAX];
	if (wait_ms == 0) {
		detail_print(detail, size, "%s mails don't wait for each other",
		             job_state_name(q->in->event->state));
		return true;
	}
	q->at->grouped = true;
	q->at->due = instant_add(q->at->due, wait_ms);
	detail_print(detail, size, "waits for others until %s", local_time(q, q->at->due, text));
	if (instant_before(q->at->due, q->at->expires))
		return false;
	q->status = STATUS_EXPIRED;
	q->reason = REASON_EXPIRED;
	return false;
}

/* Where nothing is limited, there is nothing to say. */
static bool rule_limits(struct evaluation *q, char *detail, size_t size)
{
	const struct rules_limits *limits = q->in->limits;
	struct contact_verdict *at = q->at;
	char text[INSTANT_TEXT_MAX];
	if (limits == NULL || (!limits->held_back && limits->allows == NULL))
		return true;
	if (limits->held_back) {
		at->due = INSTANT_NONE;
		detail_print(detail, size,
		             "[rules] burst holds new mails back until somebody releases them");
		return false;
	}
	const struct rules_one_more mail = {
	        .contact = at->contact->id,
	        .state = q->in->event->state,
	        .from = at->due,
	        .expires = at->expires,
	        .grouped = at->grouped,
	};
	struct instant due = limits->allows(limits->arg, &mail);
	bool holds = !instant_before(at->due, due);
	detail_print(detail, size, "%s [rules] per_contact%s%s", holds ? "within" : "more than",
	             holds ? "" : " allows until ", holds ? "" : local_time(q, due, text));
	if (holds)
		return true;
	at->due = due;
	q->reason = REASON_RATE_LIMITED;
	if (!instant_before(due, at->expires)) {
		q->status = STATUS_EXPIRED;
		q->reason = REASON_EXPIRED;
	}
	return false;
}

static const struct rule_row rows[] = {
        {RULE_WELL_FORMED, "well_formed", STATUS_REJECTED, REASON_MALFORMED, rule_well_formed},
        {RULE_NEW, "not_seen_before", STATUS_SUPPRESSED, REASON_DUPLICATE, rule_new},
        {RULE_CUSTOMER, "customer_known", STATUS_REJECTED, REASON_UNKNOWN_CUSTOMER, rule_customer},
        {RULE_STATE, "gives_state", STATUS_SUPPRESSED, REASON_STALE, rule_state},
        {RULE_CHANGE, "other_state", STATUS_SUPPRESSED, REASON_REPEAT, rule_change},
        {RULE_ACTIVE, "customer_active", STATUS_SUPPRESSED, REASON_CUSTOMER_NOT_ACTIVE,
         rule_active},
        {RULE_SUSPENSION, "not_suspended", STATUS_SUPPRESSED, REASON_SUSPENDED, rule_suspension},
        {RULE_WANTED, "wanted", STATUS_SUPPRESSED, REASON_NOT_WANTED, rule_wanted},
        {RULE_ADDRESS, "address", STATUS_SUPPRESSED, REASON_NO_ADDRESS, rule_address},
        {RULE_SHELF_LIFE, "shelf_life", STATUS_EXPIRED, REASON_EXPIRED, rule_shelf_life},
        {RULE_HOURS, "service_hours", STATUS_DEFERRED, REASON_OUTSIDE_HOURS, rule_hours},
        {RULE_GROUPING, "grouping", STATUS_DEFERRED, REASON_GROUPED, rule_grouping},
        {RULE_LIMITS, "limits", STATUS_DEFERRED, REASON_HELD_BACK, rule_limits},
};
_Static_assert(sizeof rows / sizeof rows[0] == RULE_COUNT, "a row a rule");

const char *rule_name(enum rule rule)
{
	return rows[rule - 1].name;
}

static void trace(struct evaluation *q, enum rule rule, bool holds, const char *detail)
{
	struct verdict *v = q->verdict;
	if (v == NULL || v->n_trace == q->trace_room)
		return;
	v->trace[v->n_trace++] = (struct trace_row){
	        .rule = rule,
	        .holds = holds,
	        .contact = q->at ? q->at->contact : NULL,
	        .detail = arena_strdup(q->in->arena, detail),
	        .suspension = rule == RULE_SUSPENSION ? q->suspension : NULL,
	};
}

/* Evaluates one rule; false leaves status and reason of the failure in `q`. */
static bool evaluate(struct evaluation *q, enum rule rule)
{
	const struct rule_row *row = &rows[rule - 1];
	char detail[DETAIL_MAX] = "";
	q->status = row->status;
	q->reason = row->reason;
	bool holds = row->holds(q, detail, q->trace_room > 0 ? sizeof detail : 0);
	if (*detail || !holds)
		trace(q, rule, holds, detail);
	return holds;
}

static bool evaluate_range(struct evaluation *q, enum rule first, enum rule last)
{
	for (enum rule rule = first; rule <= last; rule++) {
		if (!evaluate(q, rule))
			return false;
	}
	return true;
}

/*
 * Rules 8 to 13 for the contact at `q->at`. A mail that waits for service hours waits for its group
 * too, counted from the opening, so rule 12 is evaluated after a deferral by rule 11; and the
 * limits are asked for the moment at which it would go.
 */
static void judge_contact(struct evaluation *q)
{
	struct contact_verdict *at = q->at;
	bool open = false;
	if (evaluate_range(q, RULE_WANTED, RULE_SHELF_LIFE))
		open = evaluate(q, RULE_HOURS);
	at->status = open ? STATUS_QUEUED : q->status;
	at->reason = open ? REASON_OK : q->reason;
	if (!open && at->status != STATUS_DEFERRED) {
		at->due = INSTANT_NONE;
		return;
	}
	if (!evaluate(q, RULE_GROUPING) && (open || q->status == STATUS_EXPIRED)) {
		at->status = q->status;
		at->reason = q->reason;
	}
	at->unlimited = at->due;
	if (at->status != STATUS_EXPIRED && !evaluate(q, RULE_LIMITS)) {
		at->status = q->status;
		at->reason = q->reason;
	}
	if (at->status == STATUS_EXPIRED)
		at->due = INSTANT_NONE;
}

static void stop(struct evaluation *q)
{
	q->verdict->status = q->status;
	q->verdict->reason = q->reason;
	q->verdict->due = INSTANT_NONE;
	q->verdict->suspension = q->suspension;
}

static void judge_contacts(struct evaluation *q)
{
	struct verdict *v = q->verdict;
	const struct contact_verdict *first = NULL;
	v->contacts = arena_new_array(q->in->arena, q->n_contacts, struct contact_verdict);
	for (size_t i = 0; i < q->n_contacts; i++) {
		if (!wants(q->contacts[i], q->in->event))
			continue;
		struct contact_verdict *at = &v->contacts[v->n_contacts++];
		*at = (struct contact_verdict){.contact = q->contacts[i],
		                               .due = INSTANT_NONE,
		                               .expires = INSTANT_NONE,
		                               .to = ""};
		q->at = at;
		judge_contact(q);
		if (first == NULL || (!gets_mail(first) && gets_mail(at)))
			first = at;
	}
	if (first == NULL)
		bug("rule 8 held, but no contact wants it");
	v->status = first->status;
	v->reason = first->reason;
	v->due = first->due;
}

static void find_change(struct evaluation *q)
{
	const struct rules_case *in = q->in;
	struct job_mark mark = {in->event->state, in->event->time, in->event->source,
	                        in->event->id};
	struct job_mark *all = arena_new_array(in->arena, in->n_marks + 1, struct job_mark);
	if (in->n_marks > 0)
		memcpy(all, in->marks, in->n_marks * sizeof *all);
	all[in->n_marks] = mark;
	const struct job_mark *before = job_state_of(in->marks, in->n_marks);
	q->verdict->before = before ? before->state : JOB_NONE;
	q->verdict->after = job_state_of(all, in->n_marks + 1)->state;
	q->change = job_change_of(in->marks, in->n_marks, &mark);
}

/* A job that is under way against a suspension of jobs or routes: the office has to know, whatever
 * the mail does. */
static void find_collision(struct evaluation *q)
{
	if (job_state_row(q->in->event->state)->is_under_way)
		q->verdict->collision = suspension_find(q->in->customer, SCOPE_JOBS | SCOPE_ROUTES,
		                                        q->zone, q->in->now);
}

static struct evaluation evaluation_of(const struct rules_case *in, struct verdict *verdict)
{
	struct evaluation q = {.in = in, .verdict = verdict};
	q.zone = rules_zone(in->settings, in->zones, in->customer);
	if (in->customer != NULL)
		q.contacts = customer_contacts(in->customer, in->arena, &q.n_contacts);
	return q;
}

/* Rules 1 to 9 once, 8 to 13 for each contact: more rows there can't be. */
static void make_trace(struct evaluation *q)
{
	size_t most = RULE_ADDRESS + q->n_contacts * (RULE_COUNT - RULE_WANTED + 1);
	q->trace_room = most < q->in->trace_max ? most : q->in->trace_max;
	if (q->trace_room > 0)
		q->verdict->trace = arena_new_array(q->in->arena, q->trace_room, struct trace_row);
}

void rules_judge(const struct rules_case *in, struct verdict *ret)
{
	*ret = (struct verdict){.before = JOB_NONE, .after = JOB_NONE, .due = INSTANT_NONE};
	struct evaluation q = evaluation_of(in, ret);
	make_trace(&q);
	find_change(&q);
	if (!evaluate_range(&q, RULE_WELL_FORMED, RULE_CHANGE)) {
		stop(&q);
		return;
	}
	ret->takes_state = true;
	find_collision(&q);
	if (!evaluate_range(&q, RULE_ACTIVE, RULE_WANTED) ||
	    (q.n_contacts == 0 && !evaluate(&q, RULE_ADDRESS))) {
		stop(&q);
		return;
	}
	judge_contacts(&q);
}

void rules_judge_again(const struct rules_case *in, int64_t contact_id, struct contact_verdict *ret)
{
	struct evaluation q = evaluation_of(in, NULL);
	*ret = (struct contact_verdict){.due = INSTANT_NONE, .expires = INSTANT_NONE, .to = ""};
	for (size_t i = 0; i < q.n_contacts && ret->contact == NULL; i++) {
		if (q.contacts[i]->id == contact_id)
			ret->contact = q.contacts[i];
	}
	ret->status = STATUS_SUPPRESSED;
	ret->reason = REASON_NOT_WANTED;
	bool holds = false;
	if (in->customer == NULL) {
		ret->reason = REASON_CUSTOMER_NOT_ACTIVE;
		return;
	}
	holds = evaluate_range(&q, RULE_ACTIVE, RULE_SUSPENSION);
	if (holds && ret->contact == NULL)
		return;
	if (holds) {
		q.at = ret;
		holds = evaluate_range(&q, RULE_WANTED, RULE_HOURS);
	}
	ret->status = holds ? STATUS_QUEUED : q.status;
	ret->reason = holds ? REASON_OK : q.reason;
	ret->suspension = q.suspension;
}

const struct zone *rules_zone(const struct settings *settings, struct zones *zones,
                              const struct customer *customer)
{
	const char *names[] = {customer ? customer_timezone(customer) : "",
	                       settings->rules.timezone};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct zone *zone =
		        names[i] != NULL && *names[i] ? zone_find(zones, names[i]) : NULL;
		if (zone != NULL)
			return zone;
	}
	return zone_host(zones);
}
