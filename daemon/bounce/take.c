/* SPDX-License-Identifier: MIT */
/*
 * From a mail's bytes to what the daemon is handed: facts, a digest by which the same mail is known
 * when it comes again, and of a person's reply the beginning of its words and the whole, if the
 * daemon wants that. Nothing is decided here: whoever reads what anybody may send has no key and no
 * database.
 */
#include "bounce/take.h"

#include "base/digest.h"
#include "base/jsontext.h"
#include "base/utf8.h"
#include "bounce/read/entity.h"
#include "bounce/read/mime.h"
#include "bounce/read/print.h"
#include "mail/report_fields.h"
#include "mail/report_queue.h"
#include "mail/report_token.h"

#include <stdlib.h>
#include <string.h>

enum {
	WORDS_MAX = 4096, /* of a reply, for the comment */
	SUBJECT_MAX = 200,
	LINE_ROOM = 4096, /* kept free below SEND_LINE_MAX for what is always there */
	QUEUE_IDS_MAX = 16,
};

struct taking {
	struct arena *arena;
	const struct buf *bytes;
	struct mail_report_mail mail;
	struct mail_report report;
	struct buf entity; /* of a reply; empty until it is needed */
};

struct taking *taking_new(const struct buf *bytes)
{
	struct taking *taking = mem_alloc(sizeof *taking);
	taking->arena = arena_new();
	taking->bytes = bytes;
	mime_read(buf_text(bytes), bytes->len, taking->arena, &taking->mail);
	mail_report_read(&taking->mail, taking->arena, &taking->report);
	return taking;
}

struct taking *taking_free(struct taking *taking)
{
	if (taking) {
		buf_free(&taking->entity);
		(void)arena_free(taking->arena);
		free(taking);
	}
	return NULL;
}

/* ---- to whom, from whom ---- */

const char *taking_recipient(const struct taking *taking)
{
	return mail_report_token_recipient(taking->mail.header, taking->arena);
}

/* A mail server's name for the null sender: Postfix' pipe(8) says MAILER-DAEMON. */
static bool is_null_sender(const char *sender)
{
	return sender[0] == '\0' || strcmp(sender, "<>") == 0 ||
	       strcasecmp(sender, "MAILER-DAEMON") == 0;
}

static json_t *sender_json(const struct taking *taking, const char *sender)
{
	if (sender == NULL) {
		sender = mail_report_field_value(taking->mail.header, "Return-Path", taking->arena);
		if (sender[0] == '\0')
			return json_null();
		if (strcmp(sender, "<>") != 0)
			sender = mail_report_address(sender, taking->arena);
	}
	if (is_null_sender(sender))
		return json_string("");
	return json_string(
	        mail_report_line(taking->arena, sender, strlen(sender), MAIL_REPORT_ADDRESS_MAX));
}

/* ---- facts ---- */

/* Of recipient and mail, whose line ends are those of whoever delivers it. */
static json_t *digest_json(const struct taking *taking, const char *recipient)
{
	unsigned char digest[crypto_generichash_BYTES];
	char hex[2 * sizeof digest + 1];
	crypto_generichash_state state;
	const char *line = buf_text(taking->bytes), *end = line + taking->bytes->len;
	crypto_generichash_init(&state, NULL, 0, sizeof digest);
	digest_part(&state, recipient, strlen(recipient));
	while (line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((stop ? stop : end) - line);
		bool cr = len > 0 && line[len - 1] == '\r';
		crypto_generichash_update(&state, (const unsigned char *)line, len - cr);
		crypto_generichash_update(&state, (const unsigned char *)"\n", 1);
		line = stop ? stop + 1 : end;
	}
	crypto_generichash_final(&state, digest, sizeof digest);
	return json_string(sodium_bin2hex(hex, sizeof hex, digest, sizeof digest));
}

static size_t line_length(const json_t *line)
{
	struct buf buf = {0};
	jsontext_write(&buf, line, JSONTEXT_AS_IS);
	size_t len = buf.len;
	buf_free(&buf);
	return len;
}

static json_t *queue_ids_json(const struct taking *taking)
{
	const char *ids[QUEUE_IDS_MAX];
	size_t n = mail_report_queue_ids(&taking->mail, taking->arena, ids, QUEUE_IDS_MAX);
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(ids[i]));
	return list;
}

/* Of many recipients the last ones stay behind: a mail of ours has one. */
static void set_facts(const struct taking *taking, json_t *line, json_t *digest)
{
	json_t *facts = print_report_json(&taking->report, true);
	json_t *recipients = json_object_get(facts, "recipients");
	json_object_set_new(facts, "queue_ids", queue_ids_json(taking));
	json_object_set_new(facts, "digest", digest);
	json_object_set_new(line, "facts", facts);
	while (json_array_size(recipients) > 1 && line_length(line) > SEND_LINE_MAX - LINE_ROOM)
		json_array_remove(recipients, json_array_size(recipients) - 1);
}

/* ---- a person's reply ---- */

static const char *first_text(const struct taking *taking)
{
	for (size_t i = 0; i < taking->mail.n_parts; i++)
		if (taking->mail.parts[i].type == MAIL_REPORT_TEXT)
			return taking->mail.parts[i].text;
	return "";
}

/* What was written, without what it quotes. */
static const char *words_of(const struct taking *taking)
{
	struct buf words = {0};
	for (const char *line = first_text(taking); *line && words.len < WORDS_MAX;) {
		size_t len = strcspn(line, "\n");
		if (line[0] != '>') {
			buf_add(&words, line, len);
			buf_addc(&words, '\n');
		}
		line += len + (line[len] == '\n');
	}
	while (words.len > 0 && strchr(" \n\r\t", words.data[words.len - 1]))
		words.len--;
	const char *text = mail_report_lines(taking->arena, buf_text(&words), words.len, WORDS_MAX);
	buf_free(&words);
	return text;
}

static void set_reply(struct taking *taking, json_t *line)
{
	const char *header = taking->mail.header;
	const char *subject = mail_report_field_value(header, "Subject", taking->arena);
	if (taking->report.kind != MAIL_REPORT_REPLY)
		return;
	if (taking->entity.len == 0)
		entity_write(buf_text(taking->bytes), taking->bytes->len, &taking->entity);
	subject = mail_report_line(taking->arena, subject, strlen(subject), SUBJECT_MAX);
	json_object_set_new(line, "reply",
	                    json_pack("{s:s, s:s, s:I, s:s}", "subject", subject, "from",
	                              taking->report.from, "bytes", (json_int_t)taking->entity.len,
	                              "text", words_of(taking)));
}

bool taking_send(struct taking *taking, const char *socket, const char *recipient,
                 const char *sender, char ret_did[SEND_ANSWER_MAX], struct error *err)
{
	json_t *line = json_object();
	recipient = mail_report_line(taking->arena, recipient, strlen(recipient),
	                             MAIL_REPORT_ADDRESS_MAX);
	json_object_set_new(line, "recipient", json_string(recipient));
	json_object_set_new(line, "sender", sender_json(taking, sender));
	set_reply(taking, line);
	set_facts(taking, line, digest_json(taking, recipient));
	bool ok = send_report(socket, line, taking->entity.len > 0 ? &taking->entity : NULL,
	                      ret_did, err);
	json_decref(line);
	return ok;
}
