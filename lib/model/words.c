/* SPDX-License-Identifier: MIT */
/*
 * The tables behind words.h. Everything that reads or writes one of the contract's words comes
 * through here, so that a word is spelled in one place only. Position 0 of a table is "" where the
 * enum begins with a "none".
 */
#include "model/words.h"

#include <stdio.h>
#include <string.h>

static const char *const status_names[STATUS_COUNT] = {
        [STATUS_NONE] = "",
        [STATUS_QUEUED] = "queued",
        [STATUS_DEFERRED] = "deferred",
        [STATUS_SENDING] = "sending",
        [STATUS_SENT] = "sent",
        [STATUS_RETRYING] = "retrying",
        [STATUS_FAILED] = "failed",
        [STATUS_SUPERSEDED] = "superseded",
        [STATUS_EXPIRED] = "expired",
        [STATUS_SUPPRESSED] = "suppressed",
        [STATUS_REJECTED] = "rejected",
        [STATUS_ALLOWED] = "allowed",
        [STATUS_HELD] = "held",
        [STATUS_RELEASED] = "released",
        [STATUS_DENIED] = "denied",
        [STATUS_CANCELLED] = "cancelled",
        [STATUS_COLLISION] = "collision",
        [STATUS_BOUNCED] = "bounced",
};

static const char *const reason_names[REASON_COUNT] = {
        [REASON_NONE] = "",
        [REASON_OK] = "ok",
        [REASON_MALFORMED] = "malformed",
        [REASON_DUPLICATE] = "duplicate",
        [REASON_UNKNOWN_CUSTOMER] = "unknown_customer",
        [REASON_STALE] = "stale",
        [REASON_REPEAT] = "repeat",
        [REASON_CUSTOMER_NOT_ACTIVE] = "customer_not_active",
        [REASON_SUSPENDED] = "suspended",
        [REASON_NOT_WANTED] = "not_wanted",
        [REASON_NO_ADDRESS] = "no_address",
        [REASON_ADDRESS_INVALID] = "address_invalid",
        [REASON_SAME_ADDRESS] = "same_address",
        [REASON_EXPIRED] = "expired",
        [REASON_OUTSIDE_HOURS] = "outside_hours",
        [REASON_NEVER_OPEN] = "never_open",
        [REASON_GROUPED] = "grouped",
        [REASON_RATE_LIMITED] = "rate_limited",
        [REASON_HELD_BACK] = "held_back",
        [REASON_MAIL_BUSY] = "mail_busy",
        [REASON_IN_DOUBT] = "in_doubt",
        [REASON_ADDRESS_REFUSED] = "address_refused",
        [REASON_MAIL_REFUSED] = "mail_refused",
        [REASON_MAX_AGE] = "max_age",
        [REASON_LATER_STATE] = "later_state",
        [REASON_BY_HAND] = "by_hand",
        [REASON_COMPLAINED] = "complained",
};

static const char *const scope_names[SCOPE_COUNT] = {"jobs", "routes", "emails"}; /* by bit */

/* The place of a word in a table whose place 0 is the "none"; 0 where it isn't there. */
static int word_find(const char *const *names, int count, const char *name)
{
	for (int i = 1; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return 0;
}

const char *status_name(enum status status)
{
	return status < STATUS_COUNT ? status_names[status] : "";
}

enum status status_find(const char *name)
{
	return (enum status)word_find(status_names, STATUS_COUNT, name);
}

const char *reason_name(enum reason reason)
{
	return reason < REASON_COUNT ? reason_names[reason] : "";
}

enum reason reason_find(const char *name)
{
	return (enum reason)word_find(reason_names, REASON_COUNT, name);
}

/* A set of up to `count` words: how it is spelled and read back. */
static const char *set_format(unsigned set, const char *(*name)(int), int count,
                              char text[WORDS_TEXT_MAX])
{
	size_t len = 0;
	text[0] = '\0';
	for (int i = 0; i < count; i++) {
		if (!(set & 1u << i))
			continue;
		len += (size_t)snprintf(text + len, WORDS_TEXT_MAX - len, "%s%s", len ? "," : "",
		                        name(i));
	}
	return text;
}

/* Blanks around a word are let pass: people write "jobs, emails". */
static bool set_parse(const char *text, const char *(*name)(int), int count, unsigned *ret)
{
	unsigned set = 0;
	for (;;) {
		text += strspn(text, " ");
		size_t len = strcspn(text, ", ");
		int i = 0;
		while (i < count && (strlen(name(i)) != len || strncmp(name(i), text, len) != 0))
			i++;
		if (i == count)
			return false;
		set |= 1u << i;
		text += len;
		text += strspn(text, " ");
		if (*text == '\0')
			break;
		if (*text++ != ',')
			return false;
	}
	*ret = set;
	return true;
}

const char *scope_name(int i)
{
	return scope_names[i];
}

static const char *state_name_at(int i)
{
	return job_state_name((enum job_state)i);
}

const char *scopes_format(unsigned scopes, char text[WORDS_TEXT_MAX])
{
	return set_format(scopes, scope_name, SCOPE_COUNT, text);
}

bool scopes_parse(const char *text, unsigned *ret)
{
	return set_parse(text, scope_name, SCOPE_COUNT, ret);
}

const char *states_format(unsigned states, char text[WORDS_TEXT_MAX])
{
	if (!(states & JOB_NOTIFY_ALL))
		return strcpy(text, "none");
	return set_format(states, state_name_at, JOB_STATE_COUNT, text);
}

bool states_parse(const char *text, unsigned *ret)
{
	if (strcmp(text, "all") == 0 || strcmp(text, "none") == 0) {
		*ret = *text == 'a' ? JOB_NOTIFY_ALL : 0;
		return true;
	}
	return set_parse(text, state_name_at, JOB_STATE_COUNT, ret);
}
