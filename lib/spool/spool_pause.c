/* SPDX-License-Identifier: MIT */
#include "spool/spool_pause.h"

#include "spool/spool_private.h"

void spool_pause_load(struct spool *spool, struct arena *arena, struct spool_pause *ret)
{
	*ret = (struct spool_pause){.since = INSTANT_NONE, .by = "", .note = ""};
	struct db_query *q = spool_query(
	        spool, "SELECT since.value, by.value, note.value FROM meta since, meta by, meta "
	               "note WHERE since.key = 'paused' AND by.key = 'paused_by' AND note.key = "
	               "'paused_note'");
	if (!spool_row(spool, q))
		return;
	ret->since = db_instant(q, 0);
	ret->by = db_text(q, 1, arena);
	ret->note = db_text(q, 2, arena);
	db_finish(q);
}

/* Each change counts, so that whoever looks now and then misses none. */
static void count_change(struct spool *spool)
{
	spool_run(spool, spool_query(spool, "INSERT INTO meta (key, value) VALUES ('pauses', 1) ON "
	                                    "CONFLICT (key) DO UPDATE SET value = value + 1"));
}

void spool_pause_set(struct spool *spool, const struct spool_pause *pause)
{
	struct db_query *q = spool_query(spool, "INSERT OR REPLACE INTO meta (key, value) VALUES "
	                                        "('paused', ?1), ('paused_by', ?2), "
	                                        "('paused_note', ?3)");
	db_bind_instant(q, 1, pause->since);
	db_bind_text(q, 2, pause->by);
	db_bind_text(q, 3, pause->note);
	spool_run(spool, q);
	count_change(spool);
}

void spool_pause_end(struct spool *spool)
{
	spool_run(spool, spool_query(spool, "DELETE FROM meta WHERE key IN ('paused', 'paused_by', "
	                                    "'paused_note')"));
	count_change(spool);
}

static int64_t count_due(struct spool *spool, struct instant now)
{
	struct db_query *q =
	        spool_query(spool, "SELECT count(*) FROM mail WHERE waits = 1 AND due <= ?1");
	db_bind_instant(q, 1, now);
	return spool_run_int(spool, q, 0);
}

json_t *spool_pause_json(struct spool *spool, struct instant now)
{
	struct spool_pause pause;
	struct arena *arena = arena_new();
	json_t *json = json_null();
	spool_pause_load(spool, arena, &pause);
	if (!instant_is_none(pause.since)) {
		json = json_object();
		spool_set_time(json, "since", pause.since);
		spool_set_text(json, "by", pause.by);
		spool_set_text(json, "note", pause.note);
		json_object_set_new(json, "due", json_integer(count_due(spool, now)));
	}
	arena_free(arena);
	return json;
}

bool spool_read_pause(struct spool *spool, struct instant now, json_t **ret, struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	json_t *json = spool_pause_json(spool, now);
	spool_end_read(spool);
	if (!spool_failed(spool)) {
		*ret = json;
		return true;
	}
	json_decref(json);
	*err = spool->fault;
	return false;
}

bool spool_read_pause_changes(struct spool *spool, int64_t *ret, struct error *err)
{
	return spool_read_int(spool, "SELECT value FROM meta WHERE key = 'pauses'", 0, ret, err);
}
