/* SPDX-License-Identifier: MIT */
/*
 * The latest outcomes, in memory: what is to be published is nearly always what has just been
 * written, and needn't be read back. Rows without a gap, behind which nothing is on disk that isn't
 * here; they are forgotten when they take too much, and with a turn that fails.
 */
#include "spool/spool_private.h"

enum { RECENT_BYTES = 512 * 1024, WEIGHT_BYTES = 1024 };

size_t spool_outcome_weight(const struct spool_outcome *outcome)
{
	return 1 + outcome->fields_len / WEIGHT_BYTES;
}

void spool_outcomes_forget(struct spool *spool)
{
	if (spool->recent.arena == NULL)
		return;
	arena_reset(spool->recent.arena);
	spool->recent.rows = NULL;
	spool->recent.n = spool->recent.cap = 0;
}

static struct spool_outcome copy_of(const struct spool_outcome *outcome, struct arena *arena)
{
	struct spool_outcome copy = *outcome;
	copy.key = arena_strdup(arena, outcome->key ? outcome->key : "");
	copy.entry = NULL; /* as they are read */
	copy.fields = arena_strndup(arena, outcome->fields_len ? outcome->fields : "",
	                            outcome->fields_len);
	copy.of = NULL;
	return copy;
}

/* What is to be published is nearly always what has just been written: it isn't read back. */
void spool_outcomes_remember(struct spool *spool, const struct spool_outcome *outcome)
{
	size_t n = spool->recent.n;
	if (spool->recent.arena == NULL)
		spool->recent.arena = arena_new();
	if (n > 0 && (spool->recent.rows[n - 1].seq + 1 != outcome->seq ||
	              arena_bytes(spool->recent.arena) > RECENT_BYTES))
		spool_outcomes_forget(spool);
	struct arena *arena = spool->recent.arena;
	spool->recent.rows = arena_grow(arena, spool->recent.rows, spool->recent.n,
	                                &spool->recent.cap, sizeof *outcome);
	spool->recent.rows[spool->recent.n++] = copy_of(outcome, arena);
}

struct spool_outcome *spool_outcomes_recent(const struct spool *spool, int64_t seq, size_t max,
                                            struct arena *arena, size_t *ret_n)
{
	if (spool->recent.n == 0 || spool->failed || seq + 1 < spool->recent.rows[0].seq)
		return NULL;
	const struct spool_outcome *rows = spool->recent.rows;
	struct spool_outcome *outcomes = arena_new_array(arena, 1, struct spool_outcome);
	size_t n = 0, cap = 1, from = (size_t)(seq + 1 - rows[0].seq);
	for (size_t weight = 0; weight < max && from + n < spool->recent.n; n++) {
		outcomes = arena_grow(arena, outcomes, n, &cap, sizeof *outcomes);
		outcomes[n] = copy_of(&rows[from + n], arena);
		weight += spool_outcome_weight(&outcomes[n]);
	}
	*ret_n = n;
	return outcomes;
}
