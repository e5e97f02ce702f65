/* SPDX-License-Identifier: MIT */
#ifndef RULES_GATE_H
#define RULES_GATE_H

#include "base/mem.h"
#include "base/zone.h"
#include "model/customer.h"
#include "model/event.h"
#include "model/settings.h"
#include "model/words.h"
#include "rules/rules.h"

/*
 * The dispatch gate's rules (contract, section 6): may this job be created, may it be dispatched? A
 * pure function, for a request, for a held job that is rechecked, and for a query without effect.
 */
struct gate_case {
	const struct settings *settings;
	struct zones *zones;
	struct arena *arena;
	struct instant now;
	enum event_kind kind;            /* EVENT_ASK_CREATE or EVENT_ASK_DISPATCH */
	const struct customer *customer; /* NULL: unknown */
	struct instant scheduled;        /* INSTANT_NONE where left out */
	/* When the request came: a held job without `scheduled` ages from here. */
	struct instant asked;
	bool traced; /* the verdict is to have a trace */
};

enum { GATE_TRACE_MAX = 5 };

struct gate_verdict {
	/* Allowed, released, held, denied; expired where a held job's time is over. */
	enum status status;
	enum reason reason;
	const struct suspension *suspension; /* the one that denies or holds */
	bool outside_hours;                  /* `scheduled` lies outside service hours */
	/* Of a held one: when it may go if nothing changes; INSTANT_NEVER: it expires before. */
	struct instant due;
	/* Of a held one: when at the latest, its end included; INSTANT_NEVER: when data changes. */
	struct instant recheck;
	/* Rows of the rules that were asked, those of events (rules.h) by what they ask. */
	struct trace_row trace[GATE_TRACE_MAX];
	size_t n_trace;
};

void gate_judge(const struct gate_case *in, struct gate_verdict *ret);

/* What a held job may become, judged again: as above, and expired. */
void gate_judge_held(const struct gate_case *in, struct gate_verdict *ret);

/* Whether `scheduled` lies outside the customer's service hours. */
bool gate_outside_hours(const struct gate_case *in);

#endif
