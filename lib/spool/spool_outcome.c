/* SPDX-License-Identifier: MIT */
/* What goes to Redis, in order, and stays as the record of what was reported. */
#include "spool/spool.h"

#include "db/fields.h"
#include "spool/outcome_pack.h"
#include "spool/spool_private.h"

#include <string.h>

static const char *const outboxes[] = {
        [OUTBOX_OUTCOMES] = "", /* nearly all; "outcomes" in old rows */
        [OUTBOX_DEAD] = "dead",
        [OUTBOX_DISPATCH] = "dispatch",
};

static void bind_id(struct db_query *q, int i, int64_t id)
{
	if (id == 0)
		db_bind_null(q, i);
	else
		db_bind_int(q, i, id);
}

/* ---- Adding ---- */

/* Behind all that were ever added: purged ones were published, and spool_jump() sets a floor. */
static int64_t next_seq(struct spool *spool)
{
	if (spool->last_outcome == 0) {
		int64_t last = spool_last_outcome(spool), floor = spool_floor(spool, "outcome");
		spool->last_outcome = last > floor ? last : floor;
	}
	return ++spool->last_outcome;
}

/* Nearly all have no more than that. */
static const char insert_plain[] =
        "INSERT INTO outcome (seq, time, event, job, mail, status, reason, fields, stream, key) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '', '')";
static const char insert_any[] =
        "INSERT INTO outcome (seq, time, event, job, mail, status, reason, fields, stream, key, "
        "again, entry) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

static void bind_rest(struct db_query *q, const struct spool_outcome *outcome)
{
	db_bind_static_text(q, 9, outboxes[outcome->outbox]);
	db_bind_static_text(q, 10, outcome->key ? outcome->key : "");
	bind_id(q, 11, outcome->again);
	db_bind_static_text(q, 12, outcome->entry);
}

static void insert(struct spool *spool, struct spool_outcome *outcome, const void *fields,
                   size_t len)
{
	struct db_query *q = spool_query(spool, outcome->of != NULL ? insert_plain : insert_any);
	outcome->seq = next_seq(spool);
	db_bind_int(q, 1, outcome->seq);
	db_bind_int(q, 2, outcome->time.ms);
	bind_id(q, 3, outcome->event);
	bind_id(q, 4, outcome->job);
	bind_id(q, 5, outcome->mail);
	db_bind_static_text(q, 6, status_name(outcome->status));
	db_bind_static_text(q, 7, reason_name(outcome->reason));
	db_bind_static_blob(q, 8, fields, len);
	if (outcome->of == NULL)
		bind_rest(q, outcome);
	spool_run(spool, q);
}

void spool_outcome_add(struct spool *spool, struct spool_outcome *outcome)
{
	struct buf *brief = &spool->brief;
	if (outcome->of == NULL) {
		insert(spool, outcome, outcome->fields, outcome->fields_len);
	} else {
		const struct job_event *event = &outcome->of->event;
		struct outcome_head head = spool_outcome_head(outcome, event);
		buf_reset(brief);
		outcome_shorten(outcome->fields, outcome->fields_len, event->customer, &head,
		                brief);
		insert(spool, outcome, brief->data, brief->len);
	}
	spool_outcomes_remember(spool, outcome);
}

/* ---- Reading ---- */

static enum outbox outbox_find(const char *name)
{
	for (size_t i = 0; i < sizeof outboxes / sizeof outboxes[0]; i++) {
		if (strcmp(outboxes[i], name) == 0)
			return (enum outbox)i;
	}
	return OUTBOX_OUTCOMES;
}

/* All fields, of which the row may have but those that no other has. */
static void read_fields(struct db_query *q, struct arena *arena, struct spool_outcome *outcome)
{
	size_t len = 0;
	const void *fields = db_peek_blob(q, 9, &len);
	struct buf all = {0};
	/* What a dead letter or a released job has may begin with any byte. */
	if (outcome->outbox == OUTBOX_OUTCOMES && outcome_is_short(fields, len)) {
		struct outcome_head head = {
		        .time = outcome->time,
		        .event = db_text(q, 11, arena),
		        .source = db_text(q, 12, arena),
		        .type = job_state_type(job_state_find(db_text(q, 13, arena))),
		        .job = db_text(q, 14, arena),
		        .status = status_name(outcome->status),
		        .reason = reason_name(outcome->reason),
		        .mail = outcome->mail};
		if (!outcome_lengthen(fields, len, &head, &all))
			buf_reset(&all); /* damaged: what is known of it is in the row */
		fields = all.data;
		len = all.len;
	}
	outcome->fields = fields ? arena_strndup(arena, fields, len) : "";
	outcome->fields_len = len;
	buf_free(&all);
}

static void outcome_read_row(struct db_query *q, struct arena *arena, struct spool_outcome *ret)
{
	*ret = (struct spool_outcome){
	        .seq = db_int(q, 0),
	        .outbox = outbox_find(db_text(q, 1, arena)),
	        .key = db_text(q, 2, arena),
	        .time = db_instant(q, 3),
	        .event = db_int(q, 4),
	        .job = db_int(q, 5),
	        .mail = db_int(q, 6),
	        .status = status_find(db_text(q, 7, arena)),
	        .reason = reason_find(db_text(q, 8, arena)),
	        .again = db_int(q, 10),
	};
	read_fields(q, arena, ret);
}

static struct spool_outcome *outcomes_read(struct spool *spool, struct db_query *q,
                                           struct arena *arena, size_t *ret_n)
{
	size_t n = 0, cap = 0;
	struct spool_outcome *outcomes = NULL;
	while (spool_row(spool, q)) {
		outcomes = arena_grow(arena, outcomes, n, &cap, sizeof *outcomes);
		outcome_read_row(q, arena, &outcomes[n++]);
	}
	*ret_n = n;
	return outcomes;
}

#define OUTCOME_COLUMNS                                                                            \
	"SELECT seq, stream, key, outcome.time, outcome.event, outcome.job, mail, "                \
	"outcome.status, outcome.reason, fields, again, event.event, event.source, event.state, "  \
	"job.job FROM outcome LEFT JOIN event ON event.id = outcome.event LEFT JOIN job ON "       \
	"job.id = outcome.job "

const struct spool_outcome *spool_outcomes_after(struct spool *spool, int64_t seq, size_t max,
                                                 struct arena *arena, size_t *ret_n)
{
	const struct spool_outcome *recent = spool_outcomes_recent(spool, seq, max, ret_n);
	if (recent != NULL)
		return recent;
	struct db_query *q = spool_query(spool, OUTCOME_COLUMNS "WHERE seq > ?1 ORDER BY seq");
	struct spool_outcome *outcomes = NULL;
	size_t n = 0, cap = 0;
	db_bind_int(q, 1, seq);
	for (size_t weight = 0; weight < max && spool_row(spool, q); n++) {
		outcomes = arena_grow(arena, outcomes, n, &cap, sizeof *outcomes);
		outcome_read_row(q, arena, &outcomes[n]);
		weight += spool_outcome_weight(&outcomes[n]);
	}
	db_finish(q);
	*ret_n = n;
	return outcomes;
}

const struct entry_field *spool_outcome_fields(const struct spool_outcome *outcome,
                                               struct arena *arena, size_t *ret_n)
{
	struct entry_field *fields = NULL;
	size_t n = 0;
	*ret_n = outcome->n_list;
	if (outcome->list != NULL)
		return outcome->list;
	if (!fields_unpack(outcome->fields, outcome->fields_len, arena, &fields, &n))
		n = 0;
	*ret_n = n;
	return fields;
}

struct spool_outcome *spool_job_outcomes(struct spool *spool, int64_t job, struct arena *arena,
                                         size_t *ret_n)
{
	struct db_query *q =
	        spool_query(spool, OUTCOME_COLUMNS "WHERE outcome.job = ?1 ORDER BY seq");
	db_bind_int(q, 1, job);
	return outcomes_read(spool, q, arena, ret_n);
}

struct spool_outcome *spool_dead_letters(struct spool *spool, int64_t limit, struct arena *arena,
                                         size_t *ret_n)
{
	struct db_query *q = spool_query(
	        spool, OUTCOME_COLUMNS
	        "WHERE entry IS NOT NULL AND key <> 'retried' ORDER BY seq DESC LIMIT ?1");
	db_bind_int(q, 1, limit);
	return outcomes_read(spool, q, arena, ret_n);
}

struct spool_outcome *spool_dead_after(struct spool *spool, int64_t after, int64_t until,
                                       int64_t limit, size_t max_bytes, struct arena *arena,
                                       size_t *ret_n)
{
	struct spool_outcome *dead = NULL;
	size_t n = 0, cap = 0, end = arena_bytes(arena) + max_bytes;
	struct db_query *q =
	        spool_query(spool, OUTCOME_COLUMNS
	                    "WHERE entry IS NOT NULL AND key <> 'retried' AND seq > ?1 AND "
	                    "seq <= ?2 ORDER BY seq LIMIT ?3");
	db_bind_int(q, 1, after);
	db_bind_int(q, 2, until);
	db_bind_int(q, 3, limit);
	while (arena_bytes(arena) < end && spool_row(spool, q)) {
		dead = arena_grow(arena, dead, n, &cap, sizeof *dead);
		outcome_read_row(q, arena, &dead[n++]);
	}
	db_finish(q);
	*ret_n = n;
	return dead;
}

struct spool_outcome *spool_dead_named(struct spool *spool, const char *entry, int64_t seq,
                                       struct arena *arena, size_t *ret_n)
{
	struct db_query *q = spool_query(spool, OUTCOME_COLUMNS
	                                 "WHERE entry IS NOT NULL AND key <> 'retried' AND "
	                                 "(entry = ?1 OR seq = ?2) ORDER BY seq");
	db_bind_text(q, 1, entry);
	db_bind_int(q, 2, seq);
	return outcomes_read(spool, q, arena, ret_n);
}

void spool_dead_retried(struct spool *spool, int64_t seq)
{
	struct db_query *q = spool_query(
	        spool, "UPDATE outcome SET key = 'retried' WHERE seq = ?1 AND entry IS NOT NULL");
	db_bind_int(q, 1, seq);
	spool_run(spool, q);
}

bool spool_dead_known(struct spool *spool, const struct spool_outcome *dead, int64_t seq)
{
	struct db_query *q = spool_query(spool, "SELECT 1 FROM outcome WHERE "
	                                        "key <> 'retried' AND entry = ?1 AND "
	                                        "key = ?2 AND fields = ?3 AND seq <= ?4 LIMIT 1");
	db_bind_text(q, 1, dead->entry);
	db_bind_text(q, 2, dead->key);
	db_bind_blob(q, 3, dead->fields, dead->fields_len);
	db_bind_int(q, 4, seq);
	return spool_run_int(spool, q, 0) != 0;
}

int64_t spool_outcome_before(struct spool *spool, struct instant time)
{
	struct db_query *q = spool_query(
	        spool, "SELECT seq FROM outcome WHERE time < ?1 ORDER BY seq DESC LIMIT 1");
	db_bind_instant(q, 1, time);
	return spool_run_int(spool, q, 0);
}

int64_t spool_published(struct spool *spool)
{
	return spool_run_int(
	        spool, spool_query(spool, "SELECT value FROM meta WHERE key = 'published'"), 0);
}

void spool_set_published(struct spool *spool, int64_t seq)
{
	struct db_query *q = spool_query(
	        spool, "UPDATE meta SET value = max(value, ?1) WHERE key = 'published'");
	db_bind_int(q, 1, seq);
	spool_run(spool, q);
}

/* SQLite writes nothing where a row stays the same. */
void spool_write_something(struct spool *spool, struct instant now)
{
	struct db_query *q =
	        spool_query(spool, "INSERT INTO meta (key, value) VALUES ('written', ?1) "
	                           "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
	db_bind_instant(q, 1, now);
	spool_run(spool, q);
}

int64_t spool_last_outcome(struct spool *spool)
{
	/* Where the last ones are purged, the last one that was published was the last one. */
	return spool_run_int(spool,
	                     spool_query(spool,
	                                 "SELECT max(coalesce((SELECT max(seq) FROM outcome), 0), "
	                                 "value) FROM meta WHERE key = 'published'"),
	                     0);
}

void spool_outcome_again(struct spool *spool, int64_t seq, struct instant now)
{
	struct db_query *q = spool_query(
	        spool, "INSERT INTO outcome (seq, stream, key, time, event, job, mail, again, "
	               "status, reason, fields) SELECT ?3, stream, key, ?2, event, job, mail, seq, "
	               "status, reason, fields FROM outcome WHERE seq = ?1");
	db_bind_int(q, 1, seq);
	db_bind_int(q, 2, now.ms);
	db_bind_int(q, 3, next_seq(spool));
	spool_run(spool, q);
	spool_outcomes_forget(spool);
}
