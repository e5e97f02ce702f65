/* SPDX-License-Identifier: MIT */
/*
 * The files of a proof. record.json is what the spool has; the summary is made of that, so that
 * both say the same.
 */
#include "overview/job_proof.h"

#include "base/jsontext.h"
#include "mail/token.h"
#include "overview/job_timeline.h"
#include "overview/local_times.h"
#include "overview/proof_summary.h"
#include "overview/sent_mail.h"
#include "spool/spool_read.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct proof_making {
	const struct overview *view;
	struct job_proof *proof;
	size_t cap, bytes;
};

/* Whether there is room for so many bytes more. */
static bool fits(struct proof_making *making, size_t more, struct error *err)
{
	struct job_proof *proof = making->proof;
	proof->too_large = more > (size_t)PROOF_MAX_BYTES - making->bytes;
	return !proof->too_large ||
	       error_set(
	               err, EX_DATAERR,
	               "the proof of job %s would be larger than %d MiB, the most that one may be",
	               proof->job, PROOF_MAX_BYTES >> 20);
}

static bool add_file(struct proof_making *making, const char *name, const void *bytes, size_t len,
                     struct error *err)
{
	struct job_proof *proof = making->proof;
	if (!fits(making, len, err))
		return false;
	making->bytes += len;
	proof->files = arena_grow(making->view->arena, proof->files, proof->n, &making->cap,
	                          sizeof *proof->files);
	proof->files[proof->n++] = (struct proof_file){
	        .name = name,
	        .bytes = arena_strndup(making->view->arena, bytes, len),
	        .len = len,
	};
	return true;
}

static void set_hex(json_t *json, const char *name, const unsigned char *bytes)
{
	char hex[2 * RENDERING_DIGEST_SIZE + 1];
	json_object_set_new(
	        json, name,
	        json_string(sodium_bin2hex(hex, sizeof hex, bytes, RENDERING_DIGEST_SIZE)));
}

/* ---- mails */

/* What was recorded when it was sent, what it said, and the message as a file of its own. */
static bool add_message(struct proof_making *making, json_t *mail, int64_t id,
                        const struct sent_mail *sent, struct error *err)
{
	if (sent->rendering.known) {
		set_hex(mail, "templates_digest", sent->rendering.templates);
		set_hex(mail, "message_digest", sent->rendering.message);
	}
	sent_mail_show(making->view, sent, mail);
	if (!sent_mail_is_there(sent))
		return true;
	const char *name = arena_printf(making->view->arena, "mails/%lld.eml", (long long)id);
	json_object_set_new(mail, "subject", json_string(sent_mail_subject(sent)));
	json_object_set_new(mail, "file", json_string(name));
	return add_file(making, name, buf_text(&sent->mail.message), sent->mail.message.len, err);
}

/* The whole mail; its HTML and its source are in its file. NULL on a fault. */
static json_t *whole_mail(struct proof_making *making, struct spool *spool, int64_t id,
                          struct error *err)
{
	struct sent_mail sent;
	json_t *mail;
	if (!spool_read_mail(spool, id, &mail, err))
		return NULL;
	const char *customer = jsontext_at(mail, "customer");
	local_object(making->view, mail, customer);
	local_members(making->view, json_object_get(mail, "outcomes"), customer);
	bool good = sent_mail_render(making->view, spool, id, &sent, err) &&
	            add_message(making, mail, id, &sent, err);
	sent_mail_clear(&sent);
	if (good)
		return mail;
	json_decref(mail);
	return NULL;
}

static bool add_mails(struct proof_making *making, struct spool *spool, json_t *record,
                      struct error *err)
{
	json_t *whole = json_array(), *mail;
	size_t i, bytes = 0; /* of record.json, which comes last */
	json_array_foreach(json_object_get(record, "mails"), i, mail)
	{
		json_int_t id = json_integer_value(json_object_get(mail, "id"));
		json_t *one = whole_mail(making, spool, id, err);
		bytes += one != NULL ? json_dumpb(one, NULL, 0, JSON_INDENT(1)) : 0;
		json_array_append_new(whole, one);
		if (one == NULL || !fits(making, bytes, err)) {
			json_decref(whole);
			return false;
		}
	}
	making->proof->mails = json_array_size(whole);
	json_object_set_new(record, "mails", whole);
	return true;
}

/* ---- the record */

static void set_time(json_t *json, const char *name, struct instant when)
{
	char text[INSTANT_TEXT_MAX];
	json_object_set_new(json, name,
	                    instant_is_none(when) ? json_null()
	                                          : json_string(instant_format(when, 0, text)));
}

static void add_head(const struct overview *view, json_t *record, const char *program)
{
	const char *number = jsontext_at(record, "customer");
	json_t *proof = json_pack("{s:i, s:s}", "version", 1, "program", program);
	set_time(proof, "made", view->now);
	local_object(view, proof, number);
	if (json_is_true(json_object_get(record, "erased")))
		set_time(proof, "erased",
		         view->customers ? customers_erased_at(view->customers, number)
		                         : INSTANT_NONE);
	else if (*overview_name(view, number) != '\0')
		json_object_set_new(proof, "customer_name",
		                    json_string(overview_name(view, number)));
	json_object_set_new(record, "proof", proof);
}

/* ---- tokens */

static bool is_token_letter(char c)
{
	return isalpha((unsigned char)c) || (c >= '2' && c <= '7');
}

/* Zeros in the place of each token: a server's words may have the envelope sender in them. */
static void hide_in(char *text)
{
	struct token ignored;
	for (char *at = text; *at != '\0';) {
		size_t len = 0;
		while (is_token_letter(at[len]))
			len++;
		if (len == TOKEN_LENGTH && token_parse(at, len, &ignored))
			memcpy(at, TOKEN_PLACEHOLDER, len);
		at += len > 0 ? len : 1;
	}
}

static void hide_tokens(const struct overview *view, json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;
	json_object_foreach(value, key, member) hide_tokens(view, member);
	json_array_foreach(value, i, member) hide_tokens(view, member);
	if (!json_is_string(value) || json_string_length(value) < TOKEN_LENGTH)
		return;
	char *text = arena_strdup(view->arena, json_string_value(value));
	hide_in(text);
	(void)json_string_set(value, text);
}

/* ---- all of it */

static bool add_sums(struct proof_making *making, struct error *err)
{
	struct buf text = {0};
	const struct job_proof *proof = making->proof;
	for (size_t i = 0; i < proof->n; i++) {
		unsigned char digest[crypto_hash_sha256_BYTES];
		char hex[2 * sizeof digest + 1];
		(void)crypto_hash_sha256(digest, (const unsigned char *)proof->files[i].bytes,
		                         proof->files[i].len);
		buf_printf(&text, "%s  %s\n",
		           sodium_bin2hex(hex, sizeof hex, digest, sizeof digest),
		           proof->files[i].name);
	}
	bool good = add_file(making, "SHA256SUMS", buf_text(&text), text.len, err);
	buf_free(&text);
	return good;
}

static bool add_record(struct proof_making *making, const json_t *record, struct error *err)
{
	struct buf summary = {0};
	char *text = json_dumps(record, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	bool good = text != NULL && add_file(making, "record.json", text, strlen(text), err) &&
	            proof_summary_add(record, &summary, err) &&
	            add_file(making, "summary.html", buf_text(&summary), summary.len, err);
	free(text);
	buf_free(&summary);
	return good;
}

bool job_proof_make(const struct overview *view, struct spool *spool, const char *job,
                    const char *customer, const char *program, struct job_proof *ret,
                    struct error *err)
{
	struct proof_making making = {.view = view, .proof = ret};
	json_t *record;
	*ret = (struct job_proof){0};
	if (!job_notices(view, spool, job, customer, &record, err))
		return false;
	ret->events = json_array_size(json_object_get(record, "events"));
	ret->job = arena_strdup(view->arena, jsontext_at(record, "job"));
	ret->customer = arena_strdup(view->arena, jsontext_at(record, "customer"));
	add_head(view, record, program);
	bool good = add_mails(&making, spool, record, err);
	hide_tokens(view, record);
	good = good && add_record(&making, record, err) && add_sums(&making, err);
	json_decref(record);
	return good;
}
