/* SPDX-License-Identifier: MIT */
/*
 * Who wrote a mail. What a field says is the author's word; it decides only how the rest is read,
 * and a person who poses as a mail server gets no further than a forged report does.
 */
#include "mail/report_sender.h"

#include "mail/report_fields.h"
#include "mail/report_plain.h"

#include <string.h>
#include <strings.h>

/* A field, and what its value must contain; "" for anything at all. */
struct row {
	const char *field;
	const char *phrase;
};

static const struct row systems[] = {
        {"X-Failed-Recipients", ""},
        {"From", "mailer-daemon"},
        {"From", "mailer daemon"},
        {"From", "mail delivery s"},
        {"From", "mail.delivery.system"},
        {"From", "mail administrator"},
        {"From", "system administrator"},
        {"From", "microsoft outlook"},
        {"From", "microsoftexchange"},
        {"From", "postmaster"},
        {"From", "post_master"},
        {"From", "double-bounce"},
        {"From", "complaints@email-abuse"},
        {"Return-Path", "mailer-daemon"},
};

static const struct row nulls[] = {
        {"Return-Path", "<>"},
        {"From", "<>"},
};

static const struct row responders[] = {
        {"Auto-Submitted", "auto-"}, /* RFC 3834, section 5: auto-replied, auto-generated */
        {"X-Autoreply", ""},
        {"X-Autorespond", ""},
        {"X-Autoresponder", ""},
        {"X-Auto-Reply", ""},
        {"X-Mail-Autoreply", ""},
        {"X-Auto-Reply-From", ""},
        {"X-Vacation", ""},
        {"X-MS-Exchange-Inbox-Rules-Loop", ""},
        {"Delivered-To", "autoresponder"},
        {"Precedence", "auto_reply"},
        {"Precedence", "auto-reply"},
        {"X-Precedence", "auto_reply"},
        {"X-POST-MessageClass", "autoresponder"},
        {"Subject", "out of office"},
        {"Subject", "out of the office"},
        {"Subject", "out-of-office"},
        {"Subject", "automatic reply"},
        {"Subject", "automated reply"},
        {"Subject", "automatic response"},
        {"Subject", "auto reply"},
        {"Subject", "auto-reply"},
        {"Subject", "autoreply"},
        {"Subject", "auto response"},
        {"Subject", "auto-response"},
        {"Subject", "auto:"},
        {"Subject", "away from * office"},
        {"Subject", "away until"},
        {"Subject", "on vacation"},
        {"Subject", "vacation reply"},
        {"Subject", "vacation response"},
        {"Subject", "vacation message"},
        {"Subject", "on leave"},
        {"Subject", "abwesenheit"},
        {"Subject", "abwesend"},
        {"Subject", "nicht im büro"},
        {"Subject", "automatische antwort"},
        {"Subject", "réponse automatique"},
        {"Subject", "absence du bureau"},
        {"Subject", "absent du bureau"},
        {"Subject", "respuesta automática"},
        {"Subject", "fuera de la oficina"},
        {"Subject", "resposta automática"},
        {"Subject", "risposta automatica"},
        {"Subject", "fuori sede"},
        {"Subject", "afwezig"},
        {"Subject", "automatisch antwoord"},
        {"Subject", "自動応答"},
        {"Subject", "自动答复"},
        {"Subject", "автоответ"},
};

static const struct row lists[] = {
        {"List-Id", ""},        {"List-Post", ""},      {"Precedence", "bulk"},
        {"Precedence", "list"}, {"Precedence", "junk"},
};

static char *lower(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);
	for (char *c = copy; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	return copy;
}

static bool any(const struct row *rows, size_t n, const char *header, struct arena *arena)
{
	struct mail_report_field field;
	for (const char *at = header; mail_report_field_next(&at, arena, &field);) {
		const char *value = lower(arena, field.value);
		for (size_t i = 0; i < n; i++)
			if (strcasecmp(rows[i].field, field.name) == 0 &&
			    mail_report_phrase_in(value, rows[i].phrase))
				return true;
	}
	return false;
}

#define ANY(rows, header, arena) any((rows), sizeof(rows) / sizeof(rows)[0], (header), (arena))

bool mail_report_by_system(const char *header, struct arena *arena)
{
	return ANY(systems, header, arena);
}

bool mail_report_by_nobody(const char *header, struct arena *arena)
{
	return ANY(nulls, header, arena);
}

bool mail_report_by_responder(const char *header, struct arena *arena)
{
	return ANY(responders, header, arena);
}

bool mail_report_by_list(const char *header, struct arena *arena)
{
	return ANY(lists, header, arena);
}
