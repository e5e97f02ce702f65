/* SPDX-License-Identifier: MIT */
#include "mailer/refusals.h"

#include "mailer/reply.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_refusal(const struct delivery_result *result)
{
	return result->delivery == DELIVERY_ADDRESS || result->delivery == DELIVERY_ADDRESS_DEAD;
}

static void words_of(const struct delivery_result *result, char *ret, size_t size)
{
	snprintf(ret, size, "%s", result->reply);
	reply_mask(ret, result->to, "@");
}

/* FNV-1a, without regard to case. */
static uint64_t recipient_hash(const char *to)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (; *to; to++) {
		unsigned char c = (unsigned char)*to;
		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + ('a' - 'A'));
		h = (h ^ c) * 0x100000001b3U;
	}
	return h;
}

static size_t count_recipients(const struct refusals *refusals)
{
	size_t n = 0;

	for (size_t i = 0; i < refusals->n_held; i++) {
		size_t k = 0;
		while (k < i && strcasecmp(refusals->held[k].to, refusals->held[i].to) != 0)
			k++;
		n += k == i;
	}
	return n;
}

static size_t find_suspect(const struct refusals *refusals, const char *to)
{
	uint64_t h = recipient_hash(to);
	size_t i = 0;

	while (i < refusals->n_suspects && refusals->suspects[i] != h)
		i++;
	return i;
}

bool refusals_suspect(const struct refusals *refusals, const char *to)
{
	return !refusals->convicted && find_suspect(refusals, to) < refusals->n_suspects;
}

static void forget(struct refusals *refusals, size_t i)
{
	refusals->n_suspects--;
	memmove(refusals->suspects + i, refusals->suspects + i + 1,
	        (refusals->n_suspects - i) * sizeof refusals->suspects[0]);
}

static void suspect(struct refusals *refusals, const char *to)
{
	if (find_suspect(refusals, to) < refusals->n_suspects)
		return;
	if (refusals->n_suspects == REFUSALS_SUSPECTS)
		forget(refusals, 0);
	refusals->suspects[refusals->n_suspects++] = recipient_hash(to);
}

size_t refusals_flush(struct refusals *refusals, struct delivery_result *ret_out)
{
	size_t n = refusals->n_held;

	memcpy(ret_out, refusals->held, n * sizeof *ret_out);
	refusals->n_held = 0;
	for (size_t i = 0; i < n && refusals->in_row; i++) {
		ret_out[i].delivery = DELIVERY_RELAY;
		suspect(refusals, ret_out[i].to);
	}
	return n;
}

/* A refusal that needs no waiting: whose it is has been shown. */
static bool is_convict(struct refusals *refusals, const char *to)
{
	size_t i = find_suspect(refusals, to);

	if (!refusals->convicted || i == refusals->n_suspects)
		return false;
	forget(refusals, i);
	return true;
}

static size_t trip(struct refusals *refusals, struct delivery_result *ret_out)
{
	if (refusals->convicted)
		refusals->n_suspects = 0;
	refusals->convicted = false;
	refusals->in_row = true;
	return refusals_flush(refusals, ret_out);
}

/* A mail was delivered. What was refused before that, to those who were caught with the relay, may have been
 * the relay's last word of that kind: they are asked once more, and then it counts. */
static void convict(struct refusals *refusals, struct delivery_result *out, size_t n)
{
	for (size_t i = 0; i < n && !refusals->convicted; i++)
		if (find_suspect(refusals, out[i].to) < refusals->n_suspects)
			out[i].delivery = DELIVERY_RELAY;
	refusals->convicted = true;
}

size_t refusals_add(struct refusals *refusals, const struct delivery_result *result, int64_t now_ms,
                    struct delivery_result *ret_out, bool *ret_tripped)
{
	char words[DELIVERY_REPLY_MAX];
	size_t n = 0;

	*ret_tripped = false;
	if (!is_refusal(result)) {
		n = refusals_flush(refusals, ret_out);
		refusals->in_row = false;
		if (result->delivery == DELIVERY_SENT)
			convict(refusals, ret_out, n);
		ret_out[n++] = *result;
		return n;
	}
	if (is_convict(refusals, result->to)) {
		ret_out[0] = *result;
		return 1;
	}
	words_of(result, words, sizeof words);
	bool other = strcmp(words, refusals->words) != 0;
	if (other || refusals->n_held == REFUSALS_HELD)
		n = refusals_flush(refusals, ret_out);
	refusals->in_row = refusals->in_row && !other;
	strcpy(refusals->words, words);
	refusals->held[refusals->n_held++] = *result;
	refusals->last_ms = now_ms;
	if (count_recipients(refusals) >= REFUSALS_TRIP) {
		*ret_tripped = true;
		n += trip(refusals, ret_out + n);
	}
	return n;
}
