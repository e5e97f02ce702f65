/* SPDX-License-Identifier: MIT */
#include "bounce/read/print.h"

#include "base/jsontext.h"

#include <string.h>

static void set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, json_string(text));
}

static json_t *recipient_json(const struct mail_report_recipient *recipient, bool facts)
{
	char code[MAIL_REPORT_CODE_TEXT_MAX];
	json_t *object = json_object();
	set_text(object, "address", recipient->address);
	set_text(object, "action", mail_report_action_name(recipient->action));
	set_text(object, "status", mail_report_code_text(&recipient->status, code));
	set_text(object, "diagnostic", recipient->diagnostic);
	set_text(object, "verdict", mail_report_verdict_name(recipient->verdict));
	if (!facts)
		return object;
	set_text(object, "final", recipient->final);
	json_object_set_new(object, "reply", json_integer(recipient->status.reply));
	set_text(object, "stage", mail_report_stage_name(recipient->stage));
	set_text(object, "why", recipient->why);
	return object;
}

static void set_facts(json_t *object, const struct mail_report *report)
{
	set_text(object, "format", report->format);
	set_text(object, "from", report->from);
	set_text(object, "envelope_id", report->envelope_id);
	set_text(object, "returned_path", report->returned_path);
	set_text(object, "feedback", report->feedback);
	set_text(object, "own_id", report->own_id);
	json_object_set_new(object, "automatic", json_boolean(report->automatic));
	json_object_set_new(object, "all", json_boolean(report->all));
}

json_t *print_report_json(const struct mail_report *report, bool facts)
{
	json_t *object = json_object();
	json_t *recipients = json_array();
	for (size_t i = 0; i < report->n_recipients; i++)
		json_array_append_new(recipients, recipient_json(&report->recipients[i], facts));
	set_text(object, "kind", mail_report_kind_name(report->kind));
	json_object_set_new(object, "recipients", recipients);
	set_text(object, "message_id", report->message_id);
	set_text(object, "token", report->token);
	if (facts)
		set_facts(object, report);
	return object;
}

void print_report(struct buf *buf, const struct mail_report *report, bool facts)
{
	json_t *object = print_report_json(report, facts);
	jsontext_write(buf, object, JSONTEXT_AS_IS);
	buf_addc(buf, '\n');
	json_decref(object);
}
