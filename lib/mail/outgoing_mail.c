/* SPDX-License-Identifier: MIT */
/*
 * A mail on its way from the engine to a mailer, and the two identifiers derived from what the mail
 * is about, so that they are the same every time without being stored.
 */
#include "mail/outgoing_mail.h"

#include "base/digest.h"
#include "base/format.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
	ID_BYTES = 20,     /* 160 bits: no two mails meet by chance */
	MAIL_BYTES = 2048, /* what a usual one takes */
};

struct outgoing_mail *outgoing_mail_new(void)
{
	struct outgoing_mail *outgoing = mem_alloc(sizeof *outgoing);
	outgoing->arena = arena_new_small(MAIL_BYTES);
	outgoing->to = outgoing->to_name = outgoing->template = outgoing->locale =
	        outgoing->timezone = "";
	outgoing->message_id = outgoing->thread_id = outgoing->link = "";
	outgoing->context = "{}";
	return outgoing;
}

size_t outgoing_mail_bytes(const struct outgoing_mail *outgoing)
{
	return arena_bytes(outgoing->arena);
}

struct outgoing_mail *outgoing_mail_free(struct outgoing_mail *outgoing)
{
	if (outgoing != NULL)
		arena_free(outgoing->arena);
	free(outgoing);
	return NULL;
}

bool outgoing_mail_is_answer(const struct outgoing_mail *outgoing)
{
	return strcmp(outgoing->template, OPT_OUT_ANSWER) == 0;
}

static void keep_text(struct outgoing_mail *outgoing, const char **field, const json_t *object,
                      const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	if (text != NULL)
		*field = arena_strdup(outgoing->arena, text);
}

void outgoing_mail_read(struct outgoing_mail *outgoing, const json_t *context)
{
	const json_t *contact = json_object_get(context, "contact");
	const json_t *customer = json_object_get(context, "customer");
	outgoing->locale = "";
	keep_text(outgoing, &outgoing->locale, customer, "locale");
	keep_text(outgoing, &outgoing->locale, contact, "locale");
	keep_text(outgoing, &outgoing->timezone, customer, "timezone");
	keep_text(outgoing, &outgoing->to_name, contact, "name");
}

void outgoing_mail_read_jobs(struct outgoing_mail *outgoing, const json_t *context)
{
	const json_t *list = json_object_get(context, "jobs"), *job;
	const char **jobs = arena_new_array(outgoing->arena, json_array_size(list), const char *);
	size_t i;
	outgoing->n_jobs = 0;
	json_array_foreach(list, i, job)
	{
		const char *id = json_string_value(json_object_get(job, "id"));
		if (id != NULL)
			jobs[outgoing->n_jobs++] = arena_strdup(outgoing->arena, id);
	}
	outgoing->jobs = jobs;
}

static const char *identifier(struct arena *arena, const char *const *parts, size_t n,
                              const char *domain)
{
	crypto_generichash_state hash;
	unsigned char digest[ID_BYTES];
	char hex[2 * ID_BYTES + 1];

	crypto_generichash_init(&hash, NULL, 0, sizeof digest);
	for (size_t i = 0; i < n; i++)
		digest_part(&hash, parts[i], strlen(parts[i]));
	crypto_generichash_final(&hash, digest, sizeof digest);
	sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
	return arena_printf(arena, "<%s@%s>", hex, domain);
}

const char *outgoing_mail_message_id(struct arena *arena, const char *source, const char *event,
                                     int64_t contact, const char *state, const char *domain)
{
	char text[INTEGER_TEXT_MAX];
	const char *parts[] = {"mail", source, event, format_integer(contact, text), state};
	return identifier(arena, parts, sizeof parts / sizeof *parts, domain);
}

const char *outgoing_mail_thread_id(struct arena *arena, const char *customer, const char *job,
                                    const char *domain)
{
	const char *parts[] = {"thread", customer, job};
	return identifier(arena, parts, sizeof parts / sizeof *parts, domain);
}
