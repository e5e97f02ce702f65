/* SPDX-License-Identifier: MIT */
/*
 * The latest outcomes, in memory: what is to be published is nearly always what has just been
 * written, and needn't be read back. Rows without a gap, behind which nothing is on disk that isn't
 * here; they are forgotten once all are given, when they take too much, and with a turn that fails.
 */
#include "db/fields.h"
#include "spool/outcome_pack.h"
#include "spool/spool_private.h"

#include <string.h>

enum {
	RECENT_BYTES = 1024 * 1024,
	WEIGHT_BYTES = 1024,
	OWN_FIELDS = 6, /* most have no more behind the head */
};

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
	spool->recent.given = false;
}

struct outcome_head spool_outcome_head(const struct spool_outcome *outcome,
                                       const struct job_event *event)
{
	return (struct outcome_head){.time = outcome->time,
	                             .event = event->id,
	                             .source = event->source,
	                             .type = event_type(event),
	                             .job = event->job,
	                             .status = status_name(outcome->status),
	                             .reason = reason_name(outcome->reason),
	                             .mail = outcome->mail};
}

static const char *copy(struct arena *arena, const char *bytes, size_t len)
{
	return arena_strndup(arena, len > 0 ? bytes : "", len);
}

/* Those of its head, then those that it has of its own. */
static void list_fields(struct spool_outcome *outcome, const struct job_event *event,
                        struct arena *arena)
{
	char time[INSTANT_TEXT_MAX];
	struct outcome_head head = spool_outcome_head(outcome, event);
	const char *own = copy(arena, outcome->fields, outcome->fields_len);
	size_t n = 0, own_len = outcome->fields_len, cap = OWN_FIELDS + OUTCOME_HEAD_FIELDS;
	struct entry_field *list = arena_new_array(arena, cap, struct entry_field), field;
	outcome_head_fields(&head, event->customer, strlen(event->customer), time, list);
	for (; n < OUTCOME_HEAD_FIELDS; n++)
		list[n].value = copy(arena, list[n].value, list[n].value_len);
	for (size_t at = 0; fields_next(own, own_len, &at, &field);) {
		list = arena_grow(arena, list, n, &cap, sizeof *list);
		list[n++] = field;
	}
	outcome->list = list;
	outcome->n_list = n;
	outcome->fields = NULL;
	for (size_t i = 0; i < OUTCOME_HEAD_FIELDS; i++)
		outcome->fields_len += list[i].name_len + list[i].value_len;
}

static struct spool_outcome copy_of(const struct spool_outcome *outcome, struct arena *arena)
{
	struct spool_outcome new = *outcome;
	new.key = outcome->key != NULL && * outcome->key ? arena_strdup(arena, outcome->key) : "";
	new.entry = NULL; /* as they are read */
	new.of = NULL;
	if (outcome->of != NULL)
		list_fields(&new, &outcome->of->event, arena);
	else
		new.fields = copy(arena, outcome->fields, outcome->fields_len);
	return new;
}

void spool_outcomes_remember(struct spool *spool, const struct spool_outcome *outcome)
{
	size_t n = spool->recent.n;
	if (spool->recent.arena == NULL)
		spool->recent.arena = arena_new();
	if (n > 0 && (spool->recent.given || spool->recent.rows[n - 1].seq + 1 != outcome->seq ||
	              arena_bytes(spool->recent.arena) > RECENT_BYTES))
		spool_outcomes_forget(spool);
	struct arena *arena = spool->recent.arena;
	spool->recent.rows = arena_grow(arena, spool->recent.rows, spool->recent.n,
	                                &spool->recent.cap, sizeof *outcome);
	spool->recent.rows[spool->recent.n++] = copy_of(outcome, arena);
}

const struct spool_outcome *spool_outcomes_recent(struct spool *spool, int64_t seq, size_t max,
                                                  size_t *ret_n)
{
	if (spool->recent.n == 0 || spool->failed || seq + 1 < spool->recent.rows[0].seq)
		return NULL;
	const struct spool_outcome *rows = spool->recent.rows;
	size_t n = 0, from = (size_t)(seq + 1 - rows[0].seq);
	for (size_t weight = 0; weight < max && from + n < spool->recent.n; n++)
		weight += spool_outcome_weight(&rows[from + n]);
	*ret_n = n;
	spool->recent.given = from + n >= spool->recent.n;
	return rows + (n > 0 ? from : 0);
}
