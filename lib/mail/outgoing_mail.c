/* SPDX-License-Identifier: MIT */
/*
 * A mail on its way from the engine to a mailer, and the two identifiers derived from what the mail
 * is about, so that they are the same every time without being stored.
 */
#include "mail/outgoing_mail.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_BYTES = 20 }; /* 160 bits: no two mails meet by chance */

struct outgoing_mail *outgoing_mail_new(void)
{
	struct outgoing_mail *outgoing = mem_alloc(sizeof *outgoing);
	outgoing->arena = arena_new();
	outgoing->to = outgoing->to_name = outgoing->template = outgoing->locale =
	        outgoing->timezone = "";
	outgoing->message_id = outgoing->thread_id = "";
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

/* Each part goes in with its length before it: ("ab", "c") and ("a", "bc") are two things. */
static void add_part(crypto_generichash_state *hash, const char *part)
{
	uint64_t len = strlen(part);
	unsigned char prefix[8];
	for (size_t i = 0; i < sizeof prefix; i++)
		prefix[i] = (unsigned char)(len >> (8 * i));
	crypto_generichash_update(hash, prefix, sizeof prefix);
	crypto_generichash_update(hash, (const unsigned char *)part, len);
}

static const char *identifier(struct arena *arena, const char *const *parts, size_t n,
                              const char *domain)
{
	crypto_generichash_state hash;
	unsigned char digest[ID_BYTES];
	char hex[2 * ID_BYTES + 1];

	crypto_generichash_init(&hash, NULL, 0, sizeof digest);
	for (size_t i = 0; i < n; i++)
		add_part(&hash, parts[i]);
	crypto_generichash_final(&hash, digest, sizeof digest);
	sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
	return arena_printf(arena, "<%s@%s>", hex, domain);
}

const char *outgoing_mail_message_id(struct arena *arena, const char *source, const char *event,
                                     int64_t contact, const char *state, const char *domain)
{
	char number[24];
	(void)snprintf(number, sizeof number, "%" PRId64, contact);
	const char *parts[] = {"mail", source, event, number, state};
	return identifier(arena, parts, sizeof parts / sizeof *parts, domain);
}

const char *outgoing_mail_thread_id(struct arena *arena, const char *customer, const char *job,
                                    const char *domain)
{
	const char *parts[] = {"thread", customer, job};
	return identifier(arena, parts, sizeof parts / sizeof *parts, domain);
}
