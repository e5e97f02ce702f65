/* SPDX-License-Identifier: MIT */
/* What a relay's own service says as JSON in a mail: long lines of it may have been broken. */
#include "mail/report_ses.h"

#include "base/buf.h"
#include "base/jsontext.h"
#include "mail/report_fields.h"
#include "mail/report_status.h"

#include <string.h>
#include <strings.h>

struct notice {
	const char *type; /* notificationType */
	const char *member,
	        *members; /* where the recipients are: an array of objects, or of texts */
	enum mail_report_kind kind;
	const char *action; /* where the recipient has none */
};

static const struct notice notices[] = {
        {"Bounce", "bounce", "bouncedRecipients", MAIL_REPORT_FAILED, "failed"},
        {"Complaint", "complaint", "complainedRecipients", MAIL_REPORT_COMPLAINT, ""},
        {"Delivery", "delivery", "recipients", MAIL_REPORT_DELIVERED, "delivered"},
};

/* The object at the beginning of the text; NULL if there is none. */
static json_t *object_in(const char *text)
{
	struct buf buf = {0};
	const char *end = strstr(text, "\n--\n");
	text += strspn(text, " \n");
	for (; *text && text != end; text++) {
		if (*text != '\n')
			buf_addc(&buf, *text);
		else if (text[1] == ' ')
			text++;
	}
	json_t *object =
	        buf.len && buf.data[0] == '{' ? jsontext_read(buf.data, buf.len, NULL) : NULL;
	buf_free(&buf);
	return object;
}

static const char *line_at(const json_t *object, const char *key, struct arena *arena)
{
	const char *text = jsontext_at(object, key);
	return mail_report_line(arena, text, strlen(text), MAIL_REPORT_DIAGNOSTIC_MAX);
}

/* A recipient's members are what a delivery status has as fields. */
static void add_recipient(const struct notice *notice, const json_t *item, const char *reply,
                          struct arena *arena, struct mail_report *ret)
{
	const char *address =
	        json_is_string(item) ? json_string_value(item) : jsontext_at(item, "emailAddress");
	const char *action = line_at(item, "action", arena);
	const char *said = line_at(item, "diagnosticCode", arena);
	const char *block = arena_printf(
	        arena, "Final-Recipient: rfc822; %s\nAction: %s\nStatus: %s\nDiagnostic-Code: %s\n",
	        mail_report_line(arena, address, strlen(address), MAIL_REPORT_ADDRESS_MAX),
	        action[0] ? action : notice->action, line_at(item, "status", arena),
	        said[0] ? said : reply);
	mail_report_status_read(block, arena, ret);
}

static void read_notice(const struct notice *notice, const json_t *object, struct arena *arena,
                        struct mail_report *ret)
{
	const json_t *mail = json_object_get(object, "mail");
	const json_t *headers = json_object_get(mail, "commonHeaders");
	const json_t *items =
	        json_object_get(json_object_get(object, notice->member), notice->members);
	ret->kind = notice->kind;
	ret->format = "ses";
	ret->message_id = mail_report_message_id(line_at(headers, "messageId", arena), arena);
	ret->returned_path = mail_report_address(line_at(mail, "source", arena), arena);
	const char *reply = line_at(json_object_get(object, notice->member), "smtpResponse", arena);
	for (size_t i = 0; i < json_array_size(items); i++)
		add_recipient(notice, json_array_get(items, i), reply, arena, ret);
}

bool mail_report_ses_read(const struct mail_report_mail *mail, struct arena *arena,
                          struct mail_report *ret)
{
	const char *from =
	        mail_report_address(mail_report_field_value(mail->header, "From", arena), arena);
	if (mail->n_parts == 0 || mail->parts[0].type != MAIL_REPORT_TEXT ||
	    strcasecmp(from, "no-reply@sns.amazonaws.com") != 0)
		return false;
	json_t *object = object_in(mail->parts[0].text);
	const char *type = jsontext_at(object, "notificationType");
	bool found = false;
	for (size_t i = 0; i < sizeof notices / sizeof notices[0] && !found; i++) {
		found = strcmp(type, notices[i].type) == 0;
		if (found)
			read_notice(&notices[i], object, arena, ret);
	}
	json_decref(object);
	return found;
}
