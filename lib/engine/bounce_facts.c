/* SPDX-License-Identifier: MIT */
/* Reads what a request says of a report. Nothing of it is trusted: texts are bounded, and a value
 * of another type than expected isn't there. */
#include "engine/bounce_facts.h"

#include "base/address.h"
#include "base/jsontext.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum { CODE_MAX = 15, ID_MAX = 998, QUEUE_ID_MIN = 5, QUEUE_ID_MAX = 128 };

const char *bounce_text(struct arena *arena, const char *text, size_t max)
{
	if (text == NULL)
		return "";
	size_t len = strlen(text);
	if (len > max) {
		len = max;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	return arena_strndup(arena, text, len);
}

static const char *get(const json_t *object, const char *name, struct arena *arena, size_t max)
{
	return bounce_text(arena, json_string_value(json_object_get(object, name)), max);
}

static bool find_kind(const char *name, enum mail_report_kind *ret)
{
	for (enum mail_report_kind k = MAIL_REPORT_UNKNOWN; k < MAIL_REPORT_KINDS; k++) {
		if (strcmp(mail_report_kind_name(k), name) == 0) {
			*ret = k;
			return true;
		}
	}
	return false;
}

static void read_recipients(const json_t *list, struct arena *arena, struct bounce_facts *ret)
{
	size_t i;
	const json_t *row;
	json_array_foreach((json_t *)list, i, row)
	{
		if (ret->n_recipients == BOUNCE_RECIPIENTS_MAX)
			return;
		ret->recipients[ret->n_recipients++] = (struct bounce_recipient){
		        .address = get(row, "address", arena, MAIL_REPORT_ADDRESS_MAX),
		        .code = get(row, "status", arena, CODE_MAX),
		        .text = get(row, "diagnostic", arena, BOUNCE_TEXT_MAX),
		        .verdict = mail_report_verdict_find(get(row, "verdict", arena, CODE_MAX)),
		};
	}
}

static void read_queue_ids(const json_t *list, struct arena *arena, struct bounce_facts *ret)
{
	size_t i;
	const json_t *row;
	json_array_foreach((json_t *)list, i, row)
	{
		const char *id = json_string_value(row);
		size_t len = id != NULL ? strlen(id) : 0;
		if (len >= QUEUE_ID_MIN && len <= QUEUE_ID_MAX &&
		    ret->n_queue_ids < BOUNCE_QUEUE_IDS_MAX)
			ret->queue_ids[ret->n_queue_ids++] = arena_strdup(arena, id);
	}
}

/* As the report's reader made it of the whole mail; where there is none, of the request. */
static void read_digest(const json_t *request, const json_t *facts, struct bounce_facts *ret)
{
	const char *hex = json_string_value(json_object_get(facts, "digest"));
	size_t len = 0;
	if (hex != NULL && strlen(hex) == 2 * sizeof ret->digest &&
	    sodium_hex2bin(ret->digest, sizeof ret->digest, hex, strlen(hex), NULL, &len, NULL) ==
	            0 &&
	    len == sizeof ret->digest)
		return;
	char *text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
	(void)crypto_generichash(ret->digest, sizeof ret->digest, (const unsigned char *)text,
	                         text ? strlen(text) : 0, NULL, 0);
	free(text);
}

static bool is_null_sender(const json_t *request)
{
	const char *sender = json_string_value(json_object_get(request, "sender"));
	return sender != NULL && *sender == '\0';
}

bool bounce_facts_read(const json_t *request, struct arena *arena, struct bounce_facts *ret,
                       struct error *err)
{
	const json_t *facts = json_object_get(request, "facts");
	*ret = (struct bounce_facts){0};
	if (!json_is_object(facts))
		return error_set(err, EX_DATAERR, "bounce.take needs facts");
	if (!find_kind(get(facts, "kind", arena, CODE_MAX), &ret->kind))
		return error_set(err, EX_DATAERR, "a report of no known kind");
	ret->recipient = get(request, "recipient", arena, MAIL_REPORT_ADDRESS_MAX);
	ret->sender = get(request, "sender", arena, MAIL_REPORT_ADDRESS_MAX);
	if (*ret->sender == '\0')
		ret->sender = get(facts, "from", arena, MAIL_REPORT_ADDRESS_MAX);
	ret->token = get(facts, "token", arena, MAIL_REPORT_ADDRESS_MAX);
	ret->message_id = get(facts, "message_id", arena, ID_MAX);
	ret->envelope_id = get(facts, "envelope_id", arena, ID_MAX);
	ret->own_id = get(facts, "own_id", arena, ID_MAX);
	ret->automatic =
	        !json_is_false(json_object_get(facts, "automatic")) || is_null_sender(request);
	ret->all = json_is_true(json_object_get(facts, "all"));
	read_recipients(json_object_get(facts, "recipients"), arena, ret);
	read_queue_ids(json_object_get(facts, "queue_ids"), arena, ret);
	read_digest(request, facts, ret);
	return true;
}

/* From mild to severe. */
static int severity(enum mail_report_verdict verdict)
{
	static const int order[MAIL_REPORT_VERDICTS] = {
	        [MAIL_REPORT_NONE] = 0,
	        [MAIL_REPORT_REFUSED] = 1,
	        [MAIL_REPORT_BUSY] = 2,
	        [MAIL_REPORT_GONE] = 3,
	};
	return order[verdict];
}

const struct bounce_recipient *bounce_facts_recipient(const struct bounce_facts *facts,
                                                      const char *address)
{
	const struct bounce_recipient *mildest = NULL;
	for (size_t i = 0; i < facts->n_recipients; i++) {
		const struct bounce_recipient *at = &facts->recipients[i];
		if (strcasecmp(at->address, address) == 0)
			return at;
		if (mildest == NULL || severity(at->verdict) < severity(mildest->verdict))
			mildest = at;
	}
	return mildest;
}
