/* SPDX-License-Identifier: MIT */
/*
 * The machine-readable part of a report: groups of fields, the first about the mail, each further
 * one about a recipient. Some write all into one group, some put blank lines anywhere; so a
 * recipient ends where a field comes that it has already.
 */
#include "mail/report_status.h"

#include "mail/report_fields.h"

#include <string.h>
#include <strings.h>

static const char *const actions[MAIL_REPORT_ACTIONS] = {
        [MAIL_REPORT_ACTION_NONE] = "",           [MAIL_REPORT_ACTION_FAILED] = "failed",
        [MAIL_REPORT_ACTION_DELAYED] = "delayed", [MAIL_REPORT_ACTION_DELIVERED] = "delivered",
        [MAIL_REPORT_ACTION_RELAYED] = "relayed", [MAIL_REPORT_ACTION_EXPANDED] = "expanded",
};

const char *mail_report_action_name(enum mail_report_action action)
{
	return actions[action];
}

/* What is known of the recipient that is being read. */
struct group {
	const char *original, *final, *actual;
	const char *action, *status, *diagnostic, *retry;
	bool begun;
};

/* "failed (too long in queue)" is "failed"; some say "expired", some "error". */
static enum mail_report_action action_of(const char *text)
{
	size_t len = strcspn(text, " (;");
	for (int i = 1; i < MAIL_REPORT_ACTIONS; i++)
		if (strlen(actions[i]) == len && strncasecmp(text, actions[i], len) == 0)
			return (enum mail_report_action)i;
	if ((len == 7 && strncasecmp(text, "expired", len) == 0) ||
	    (len == 5 && strncasecmp(text, "error", len) == 0) ||
	    (len == 6 && strncasecmp(text, "failure", len) == 0))
		return MAIL_REPORT_ACTION_FAILED;
	return MAIL_REPORT_ACTION_NONE;
}

/* "smtp; 550 5.1.1 …" without its type (RFC 3464, section 2.3.6). */
static const char *without_type(const char *text)
{
	size_t len = strcspn(text, "; ");
	if (text[len] != ';' || len > 40)
		return text;
	return text + len + 1 + strspn(text + len + 1, " ");
}

/* X.4.7 says that time ran out, not why (RFC 3463, section 3.5). */
static bool says_something(const struct mail_report_code *code)
{
	return mail_report_code_specific(code) && (code->subject != 4 || code->detail != 7);
}

/* The code in the words wins where it says more than the status. */
static struct mail_report_code code_of(const struct group *group)
{
	struct mail_report_code status = {0}, said = {0};
	bool has_status = mail_report_code_parse(group->status, &status);
	bool has_said = mail_report_code_find(without_type(group->diagnostic), &said);
	if (!has_said)
		return status;
	/* RFC 3464, section 2.3.6: what was really replied; the status may be its reporter's own.
	 */
	bool replied = said.reply && said.class == status.class;
	if (!has_status ||
	    (mail_report_code_specific(&said) && (replied || !says_something(&status))))
		return said;
	status.reply = said.reply;
	return status;
}

/* A status without a diagnostic may have a comment that says something. */
static const char *words_of(const struct group *group, struct arena *arena)
{
	const char *words = without_type(group->diagnostic);
	const char *comment = strchr(group->status, '(');
	if (words[0] == '\0' && comment)
		words = comment;
	return mail_report_line(arena, words, strlen(words), MAIL_REPORT_DIAGNOSTIC_MAX);
}

/* Without one, as with Exchange's empty fields: what the class says. */
static enum mail_report_action action_or_class(const struct group *group,
                                               const struct mail_report_code *code)
{
	enum mail_report_action action = action_of(group->action);
	if (action != MAIL_REPORT_ACTION_NONE || group->action[0])
		return action;
	int class = mail_report_code_class(code);
	if (class == 4 && group->retry[0])
		return MAIL_REPORT_ACTION_DELAYED;
	return class == 2   ? MAIL_REPORT_ACTION_DELIVERED
	       : class != 0 ? MAIL_REPORT_ACTION_FAILED
	                    : MAIL_REPORT_ACTION_NONE;
}

static void end_group(struct group *group, struct arena *arena, struct mail_report *ret)
{
	const char *final = mail_report_address(group->final, arena);
	const char *address = mail_report_address(group->original, arena);
	if (final[0] == '\0')
		final = mail_report_address(group->actual, arena);
	if (address[0] == '\0')
		address = final;
	if ((address[0] || group->status[0]) && ret->n_recipients < MAIL_REPORT_RECIPIENTS_MAX) {
		struct mail_report_code code = code_of(group);
		ret->recipients[ret->n_recipients++] = (struct mail_report_recipient){
		        .address = address,
		        .final = strcasecmp(final, address) == 0 ? "" : final,
		        .diagnostic = words_of(group, arena),
		        .action = action_or_class(group, &code),
		        .status = code,
		        .why = "",
		};
	}
	*group = (struct group){"", "", "", "", "", "", "", false};
}

/* The member that a field fills; NULL for those that say nothing to us. */
static const char **member(struct group *group, const char *name)
{
	const struct {
		const char *name;
		const char **at;
	} members[] = {
	        {"Original-Recipient", &group->original},
	        {"Final-Recipient", &group->final},
	        {"X-Actual-Recipient", &group->actual},
	        {"Action", &group->action},
	        {"Status", &group->status},
	        {"Diagnostic-Code", &group->diagnostic},
	        {"Will-Retry-Until", &group->retry},
	};
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (strcasecmp(name, members[i].name) == 0)
			return members[i].at;
	return NULL;
}

static void take_field(struct group *group, const struct mail_report_field *field,
                       struct arena *arena, struct mail_report *ret)
{
	if (strcasecmp(field->name, "Original-Envelope-Id") == 0 && ret->envelope_id[0] == '\0')
		ret->envelope_id = field->value;
	/* Google says it here: our Message-ID. */
	if (strcasecmp(field->name, "X-Original-Message-ID") == 0 && ret->message_id[0] == '\0')
		ret->message_id = mail_report_message_id(field->value, arena);
	const char **at = member(group, field->name);
	if (at == NULL)
		return;
	if ((*at)[0] && at != &group->diagnostic) {
		end_group(group, arena, ret);
		at = member(group, field->name);
	}
	if ((*at)[0] == '\0')
		*at = field->value;
	group->begun = true;
}

void mail_report_status_read(const char *block, struct arena *arena, struct mail_report *ret)
{
	struct group group = {"", "", "", "", "", "", "", false};
	struct mail_report_field field;
	for (const char *at = block; *at;) {
		if (mail_report_field_next(&at, arena, &field))
			take_field(&group, &field, arena, ret);
		else if (group.begun && (group.final[0] || group.original[0]) && group.status[0])
			end_group(&group, arena, ret);
	}
	end_group(&group, arena, ret);
}
