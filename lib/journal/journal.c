/* SPDX-License-Identifier: MIT */
/* Entries of the journal: sealed, verified, taken apart. */
#include "journal/journal.h"

#include "base/digest.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>
#include <sysexits.h>

/* ---- seals ---- */

static void add_number(crypto_generichash_state *state, int64_t number)
{
	unsigned char bytes[8];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)((uint64_t)number >> (8 * i));
	digest_part(state, bytes, sizeof bytes);
}

static void make_seal(const struct journal_key *key, const struct journal_position *before,
                      const struct journal_entry *entry, unsigned char ret[JOURNAL_SEAL_SIZE])
{
	crypto_generichash_state state;
	(void)crypto_generichash_init(&state, key->bytes, sizeof key->bytes, JOURNAL_SEAL_SIZE);
	digest_part(&state, "dispatchd journal", sizeof "dispatchd journal" - 1);
	digest_part(&state, before->seal, sizeof before->seal);
	add_number(&state, (int64_t)entry->kind);
	add_number(&state, entry->epoch);
	add_number(&state, entry->number);
	add_number(&state, entry->spool);
	add_number(&state, entry->customers);
	digest_part(&state, entry->body, entry->len);
	(void)crypto_generichash_final(&state, ret, JOURNAL_SEAL_SIZE);
	sodium_memzero(&state, sizeof state);
}

void journal_seal(const struct journal_key *key, const struct journal_position *before,
                  struct journal_entry *entry)
{
	entry->number = before->number + 1;
	make_seal(key, before, entry, entry->seal);
}

bool journal_verify(const struct journal_key *key, const struct journal_position *before,
                    const struct journal_entry *entry, struct error *err)
{
	unsigned char seal[JOURNAL_SEAL_SIZE];
	if (entry->number != before->number + 1)
		return error_set(err, EX_DATAERR,
		                 "entry %" PRId64 " of the journal doesn't follow on %" PRId64,
		                 entry->number, before->number);
	if (entry->epoch < before->epoch)
		return error_set(err, EX_DATAERR,
		                 "entry %" PRId64 " of the journal is of epoch %" PRId64
		                 ", but %" PRId64 " has begun",
		                 entry->number, entry->epoch, before->epoch);
	make_seal(key, before, entry, seal);
	return sodium_memcmp(seal, entry->seal, sizeof seal) == 0 ||
	       error_set(err, EX_DATAERR,
	                 "the seal of entry %" PRId64
	                 " of the journal is wrong: another key, or another history",
	                 entry->number);
}

struct journal_position journal_behind(const struct journal_entry *entry)
{
	struct journal_position position = {.number = entry->number, .epoch = entry->epoch};
	memcpy(position.seal, entry->seal, sizeof position.seal);
	return position;
}

/* ---- the key ---- */

bool journal_key_parse(const char *text, size_t len, const char *path, struct journal_key *ret,
                       struct error *err)
{
	if (secret_keys_parse(text, len, path, 1, &ret->bytes, err) == 1)
		return true;
	sodium_memzero(ret, sizeof *ret);
	return false;
}

/* ---- parts: kind, id and length as 8 bytes each, little endian, then the bytes ---- */

enum { NUMBER_BYTES = 8, HEAD_BYTES = 3 * NUMBER_BYTES };

static void put_number(struct buf *body, uint64_t number)
{
	for (int i = 0; i < NUMBER_BYTES; i++)
		buf_addc(body, (char)(unsigned char)(number >> (8 * i)));
}

static uint64_t get_number(const char *bytes)
{
	uint64_t number = 0;
	for (int i = NUMBER_BYTES - 1; i >= 0; i--)
		number = number << 8 | (unsigned char)bytes[i];
	return number;
}

void journal_add_part(struct buf *body, const struct journal_part *part)
{
	put_number(body, (uint64_t)part->kind);
	put_number(body, (uint64_t)part->id);
	put_number(body, part->len);
	buf_add(body, part->bytes, part->len);
}

bool journal_next_part(const char *body, size_t len, size_t *at, struct journal_part *ret,
                       struct error *err)
{
	err->code = 0;
	if (*at == len)
		return false;
	if (len - *at < HEAD_BYTES)
		return error_set(err, EX_DATAERR, "an entry of the journal is cut off");
	const char *head = body + *at;
	uint64_t kind = get_number(head), part = get_number(head + 2 * NUMBER_BYTES);
	if (part > len - *at - HEAD_BYTES)
		return error_set(err, EX_DATAERR, "an entry of the journal is cut off");
	if (kind != JOURNAL_SPOOL && kind != JOURNAL_CUSTOMERS)
		return error_set(err, EX_DATAERR,
		                 "an entry of the journal has a part that this program doesn't "
		                 "know; upgrade it");
	*ret = (struct journal_part){.kind = (enum journal_part_kind)kind,
	                             .id = (int64_t)get_number(head + NUMBER_BYTES),
	                             .bytes = head + HEAD_BYTES,
	                             .len = (size_t)part};
	*at += HEAD_BYTES + (size_t)part;
	return true;
}
