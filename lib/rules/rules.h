/* SPDX-License-Identifier: MIT */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include "base/instant.h"
#include "base/mem.h"
#include "base/zone.h"
#include "model/customer.h"
#include "model/event.h"
#include "model/job.h"
#include "model/settings.h"
#include "model/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The rules of the contract's section 4: thirteen rows, evaluated in order. A verdict is a pure
 * function of a case; the daemon's turn, `explain`, `replay` and `check` all come here.
 *
 *   1–7  once per event           (1 is put by event_read: a case has a well-formed event)
 *   8–13 for each contact         (8 and 9 also once per event, where nobody is left)
 *   6–11 again before a mail is sent, for its contact
 */
enum rule {
	RULE_WELL_FORMED = 1,
	RULE_NEW,
	RULE_CUSTOMER,
	RULE_STATE,
	RULE_CHANGE,
	RULE_ACTIVE,
	RULE_SUSPENSION,
	RULE_WANTED,
	RULE_ADDRESS,
	RULE_SHELF_LIFE,
	RULE_HOURS,
	RULE_GROUPING,
	RULE_LIMITS,
};
enum { RULE_COUNT = 13 };

/* "service_hours" */
const char *rule_name(enum rule rule);

/* A mail of the event that another contact has, when a contact is judged again. */
struct rules_mail {
	int64_t contact;
	const char *address;
	bool went; /* to that address, or is on its way; else it goes to the one of that moment */
};

/* One more mail, as rule 13 is asked about it. */
struct rules_one_more {
	int64_t contact;
	enum job_state state;
	struct instant from;    /* when it could go */
	struct instant expires; /* when it is worth nothing anymore */
	bool grouped;           /* it waits for others, and may join one that does so already */
	bool alone;             /* it joins none of those that wait for the limit */
};

/* What rule 13 goes by. */
struct rules_limits {
	bool held_back; /* new mails are, by [rules] burst */
	/* When [rules] per_contact allows it, mail->from or later; NULL: always at once. */
	struct instant (*allows)(void *arg, const struct rules_one_more *mail);
	void *arg;
};

/* All that a verdict depends on. Nothing is changed or kept. */
struct rules_case {
	const struct settings *settings;
	struct zones *zones;
	struct arena *arena; /* for the verdict and its texts */
	struct instant now;
	const struct job_event *event;
	bool seen;                       /* another with its (source, id) is on record */
	bool recorded;                   /* it is itself, and is judged again */
	const struct customer *customer; /* NULL: unknown */
	const struct job_mark *marks;    /* the job's other known events, in any order */
	size_t n_marks;
	const struct rules_mail *mails; /* judged again: sent, or may still be; in any order */
	size_t n_mails;
	const struct rules_limits *limits; /* NULL: there are none */
	size_t trace_max; /* rows of the trace at most, for all contacts: 0 or TRACE_WHOLE */
};

struct trace_row {
	enum rule rule;
	bool holds;
	const struct contact *contact;       /* NULL for what is evaluated once per event */
	const char *detail;                  /* a sentence with the facts */
	const struct suspension *suspension; /* what rule 7 found; NULL else */
};

struct contact_verdict {
	const struct contact *contact;
	enum status status; /* queued, deferred, suppressed or expired */
	enum reason reason;
	struct instant due;       /* when the mail may go; INSTANT_NONE where none does */
	struct instant expires;   /* the end of its shelf life */
	const char *to;           /* the address as of now; "" where there is none usable */
	bool grouped;             /* waits for others: due is the end of that wait */
	struct instant unlimited; /* when it would be due without the limits of rule 13 */
	const struct suspension *suspension; /* judged again: the one that covers it now */
};

#define TRACE_WHOLE SIZE_MAX

struct verdict {
	/* Of the first contact that gets a mail, else of the rule that stops it. */
	enum status status;
	enum reason reason;
	struct instant due;
	enum job_state before, after;        /* the job's state without and with the event */
	bool takes_state;                    /* rules 1 to 5 hold: it supersedes */
	const struct suspension *suspension; /* the one that covers it, by rule 7 */
	const struct suspension *collision; /* of jobs or routes: the job is under way against it */
	struct contact_verdict *contacts;   /* those that want the state, in order */
	size_t n_contacts;
	struct trace_row *trace;
	size_t n_trace;
};

/* Evaluates all rules. */
void rules_judge(const struct rules_case *in, struct verdict *ret);

/*
 * Evaluates rules 6 to 11 again for a mail to `contact_id` that was made before. `ret->status` is
 * queued where all hold; a contact that is gone or wants the state no more is suppressed,
 * not_wanted.
 */
void rules_judge_again(const struct rules_case *in, int64_t contact_id,
                       struct contact_verdict *ret);

/* The customer's zone, own or inherited, else `[rules] timezone`, else the host's; never NULL. */
const struct zone *rules_zone(const struct settings *settings, struct zones *zones,
                              const struct customer *customer);

#endif
