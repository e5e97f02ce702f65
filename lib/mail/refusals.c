/* SPDX-License-Identifier: MIT */
/*
 * Rows of refusals: evidence of whose fault they are, for failure.c's policy. The relay's state is
 * relay.c's; here is only what the refusals themselves show.
 */
#include "mail/refusals.h"

#include <string.h>

/* ---- who ---- */

/* FNV-1a, without regard to case. */
static uint64_t hash_of(const char *text)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + ('a' - 'A'));
		h = (h ^ c) * 0x100000001b3U;
	}
	return h;
}

static struct refusals_who who_of(const char *to, const char *kind, uint64_t seq)
{
	const char *at = strrchr(to, '@');

	return (struct refusals_who){.to = hash_of(to),
	                             .domain = hash_of(at ? at + 1 : ""),
	                             .kind = hash_of(kind),
	                             .seq = seq};
}

/* ---- suspects ---- */

static size_t find_suspect(const struct refusals *refusals, uint64_t to)
{
	size_t i = 0;

	while (i < refusals->n_suspects && refusals->suspects[i].to != to)
		i++;
	return i;
}

static void forget(struct refusals *refusals, uint64_t to)
{
	size_t i = find_suspect(refusals, to);

	if (i == refusals->n_suspects)
		return;
	refusals->n_suspects--;
	memmove(refusals->suspects + i, refusals->suspects + i + 1,
	        (refusals->n_suspects - i) * sizeof refusals->suspects[0]);
}

/* The latest last. */
static void suspect(struct refusals *refusals, struct refusals_who who)
{
	forget(refusals, who.to);
	if (refusals->n_suspects == REFUSALS_SUSPECTS)
		forget(refusals, refusals->suspects[0].to);
	refusals->suspects[refusals->n_suspects++] = who;
}

void refusals_suspect(struct refusals *refusals, const char *to, const char *kind)
{
	suspect(refusals, who_of(to, kind, ++refusals->seq));
}

bool refusals_alone(const struct refusals *refusals, const char *to)
{
	size_t i = find_suspect(refusals, hash_of(to));

	return i < refusals->n_suspects && refusals->suspects[i].seq < refusals->delivered;
}

/* Of those that no later delivery has cleared or confirmed yet. */
static bool is_open(const struct refusals *refusals, size_t i)
{
	return refusals->suspects[i].seq >= refusals->delivered;
}

/* How much a mail has in common with one that was refused. */
static int64_t rank_beside(const struct refusals_who *who, const struct refusals_who *other)
{
	if (other->to == who->to)
		return -(int64_t)other->seq;
	return REFUSALS_RANK_BEST - (other->domain == who->domain) - (other->kind == who->kind);
}

static int64_t lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t refusals_rank(const struct refusals *refusals, const char *to, const char *kind)
{
	struct refusals_who who = who_of(to, kind, 0);
	int64_t rank = REFUSALS_RANK_BEST;

	for (size_t i = 0; i < refusals->n_suspects; i++)
		if (is_open(refusals, i))
			rank = lesser(rank, rank_beside(&who, &refusals->suspects[i]));
	for (size_t i = 0; i < REFUSALS_ROWS; i++)
		for (size_t k = 0; k < refusals->rows[i].n; k++)
			rank = lesser(rank, rank_beside(&who, &refusals->rows[i].who[k]));
	return rank;
}

bool refusals_unresolved(const struct refusals *refusals)
{
	/* The latest is the last. */
	if (refusals->n_suspects > 0 && is_open(refusals, refusals->n_suspects - 1))
		return true;
	for (size_t i = 0; i < REFUSALS_ROWS; i++)
		if (refusals->rows[i].n > 0)
			return true;
	return false;
}

/* ---- results that go out ---- */

static void drop_held(struct refusals *refusals, size_t i)
{
	refusals->n_held--;
	memmove(refusals->held + i, refusals->held + i + 1,
	        (refusals->n_held - i) * sizeof refusals->held[0]);
}

static void release(struct refusals *refusals, size_t i, bool relays, refusals_out *out, void *arg)
{
	struct refusals_held held = refusals->held[i];

	drop_held(refusals, i);
	if (relays) {
		held.result.delivery = failure_course(held.result.delivery)->everybody;
		held.result.yields = true;
		suspect(refusals, held.who);
	} else {
		forget(refusals, held.who.to);
	}
	out(arg, &held.result);
}

/* Those of a row that were refused before `seq`. */
static void release_row(struct refusals *refusals, size_t row, uint64_t seq, bool relays,
                        refusals_out *out, void *arg)
{
	for (size_t i = 0; i < refusals->n_held;)
		if (refusals->held[i].row == row && refusals->held[i].who.seq < seq)
			release(refusals, i, relays, out, arg);
		else
			i++;
}

static bool holds_row(const struct refusals *refusals, size_t row)
{
	for (size_t i = 0; i < refusals->n_held; i++)
		if (refusals->held[i].row == row)
			return true;
	return false;
}

bool refusals_take(struct refusals *refusals, int64_t mail, struct delivery_result *ret)
{
	for (size_t i = 0; i < refusals->n_held; i++)
		if (refusals->held[i].result.mail == mail) {
			*ret = refusals->held[i].result;
			drop_held(refusals, i);
			return true;
		}
	return false;
}

/* ---- rows ---- */

/* A free row, else the one that has been quiet for longest. */
static size_t place_for_row(struct refusals *refusals, refusals_out *out, void *arg)
{
	size_t best = 0;

	for (size_t i = 0; i < REFUSALS_ROWS; i++) {
		if (refusals->rows[i].key[0] == '\0')
			return i;
		if (refusals->rows[i].last_ms < refusals->rows[best].last_ms)
			best = i;
	}
	release_row(refusals, best, UINT64_MAX, false, out, arg);
	return best;
}

static size_t find_row(struct refusals *refusals, const struct delivery_result *result,
                       refusals_out *out, void *arg)
{
	char key[WORDING_MAX];

	wording_key(key, result->reply, result->to);
	if (key[0] == '\0')
		strcpy(key, "-");
	for (size_t i = 0; i < REFUSALS_ROWS; i++)
		if (refusals->rows[i].key[0] != '\0' && wording_same(refusals->rows[i].key, key))
			return i;
	size_t i = place_for_row(refusals, out, arg);
	refusals->rows[i] = (struct refusals_row){.n = 0};
	strcpy(refusals->rows[i].key, key);
	return i;
}

static void drop_who(struct refusals_row *row, size_t i)
{
	row->n--;
	memmove(row->who + i, row->who + i + 1, (row->n - i) * sizeof row->who[0]);
	memmove(row->fresh + i, row->fresh + i + 1, (row->n - i) * sizeof row->fresh[0]);
}

static void note(struct refusals_row *row, struct refusals_who who, bool fresh)
{
	size_t i = 0;

	while (i < row->n && row->who[i].to != who.to)
		i++;
	if (i < row->n)
		drop_who(row, i);
	else if (row->n == REFUSALS_OPEN_AT)
		drop_who(row, 0);
	row->who[row->n] = who;
	row->fresh[row->n++] = fresh;
}

/* Ten different recipients, not all of them refused before while others went through. */
static bool is_full(const struct refusals_row *row)
{
	size_t i = 0;

	while (i < row->n && !row->fresh[i])
		i++;
	return row->n == REFUSALS_OPEN_AT && i < row->n;
}

bool refusals_breaker_open(const struct refusals *refusals)
{
	for (size_t i = 0; i < REFUSALS_ROWS; i++)
		if (refusals->rows[i].key[0] != '\0' && refusals->rows[i].opened > 0)
			return true;
	return false;
}

/* ---- results ---- */

/* A mail that was begun then was delivered: what was refused before that was not refused by a relay
 * that takes nothing. */
static void end_rows(struct refusals *refusals, uint64_t begun, refusals_out *out, void *arg)
{
	if (begun > refusals->delivered)
		refusals->delivered = begun;
	for (size_t i = 0; i < REFUSALS_ROWS; i++) {
		struct refusals_row *row = &refusals->rows[i];
		if (row->key[0] == '\0')
			continue;
		release_row(refusals, i, begun, false, out, arg);
		for (size_t k = row->n; k-- > 0;)
			if (row->who[k].seq < begun)
				drop_who(row, k);
		if (row->opened < begun)
			row->opened = 0;
		if (row->n == 0 && row->opened == 0 && !holds_row(refusals, i))
			row->key[0] = '\0';
	}
}

static void hold(struct refusals *refusals, const struct delivery_result *result,
                 struct refusals_who who, size_t row)
{
	refusals->held[refusals->n_held++] =
	        (struct refusals_held){.result = *result, .who = who, .row = row};
}

static bool add_refusal(struct refusals *refusals, const struct delivery_result *result,
                        const char *kind, int64_t now_ms, refusals_out *out, void *arg)
{
	struct refusals_who who = who_of(result->to, kind, ++refusals->seq);
	size_t at = find_row(refusals, result, out, arg);
	struct refusals_row *row = &refusals->rows[at];

	if (refusals->n_held == REFUSALS_HELD)
		release(refusals, 0, refusals->rows[refusals->held[0].row].n > 1, out, arg);
	note(row, who, !refusals_alone(refusals, result->to));
	row->last_ms = now_ms;
	hold(refusals, result, who, at);
	if (row->opened == 0 && !is_full(row))
		return false;
	row->opened = who.seq;
	release_row(refusals, at, UINT64_MAX, true, out, arg);
	return true;
}

uint64_t refusals_begin(struct refusals *refusals)
{
	return ++refusals->seq;
}

bool refusals_add(struct refusals *refusals, const struct delivery_result *result, const char *kind,
                  uint64_t begun, int64_t now_ms, refusals_out *out, void *arg)
{
	if (failure_course(result->delivery)->relay == FAILURE_RELAY_UNSURE)
		return add_refusal(refusals, result, kind, now_ms, out, arg);
	if (result->delivery == DELIVERY_SENT) {
		forget(refusals, hash_of(result->to));
		end_rows(refusals, begun, out, arg);
	}
	out(arg, result);
	return false;
}

/* ---- time ---- */

static int64_t due_ms(const struct refusals_row *row, const struct refusals_patience *patience)
{
	bool lone = row->n < 2;
	int64_t wait_ms = lone && patience->lone_ms < patience->hold_ms ? patience->lone_ms
	                                                                : patience->hold_ms;
	int64_t due = row->last_ms + wait_ms;
	int64_t tried = patience->open_until_ms + patience->hold_ms;

	if (lone || patience->open_until_ms < row->last_ms || tried < due)
		return due;
	return tried < row->last_ms + REFUSALS_OPEN_MS ? tried : row->last_ms + REFUSALS_OPEN_MS;
}

int64_t refusals_expire(struct refusals *refusals, const struct refusals_patience *patience,
                        int64_t now_ms, refusals_out *out, void *arg)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < REFUSALS_ROWS; i++) {
		if (refusals->rows[i].key[0] == '\0' || !holds_row(refusals, i))
			continue;
		int64_t due = due_ms(&refusals->rows[i], patience);
		if (due <= now_ms)
			release_row(refusals, i, UINT64_MAX, false, out, arg);
		else if (due < next)
			next = due;
	}
	return next;
}

void refusals_end(struct refusals *refusals, refusals_out *out, void *arg)
{
	while (refusals->n_held > 0)
		release(refusals, 0, refusals->rows[refusals->held[0].row].n > 1, out, arg);
}
