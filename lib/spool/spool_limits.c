/* SPDX-License-Identifier: MIT */
/*
 * What the limits of rule 13 count (engine/limits.c), and whether the breaker is open. A mail that
 * is held back is due at INSTANT_NEVER, so the index of what is due has all of them in the order of
 * their ids, behind everything else, and no turn comes across them.
 */
#include "spool/spool_limits.h"

#include "spool/spool_private.h"

enum { HOUR_MS = 3600 * 1000 };

#define HELD "waits = 1 AND due = 9223372036854775807"

/* ---- Slots ---- */

void spool_slot_set(struct spool *spool, int64_t mail, int64_t contact, struct instant at)
{
	struct db_query *q = spool_query(spool, "INSERT INTO contact_slot (mail, contact, at) "
	                                        "VALUES (?1, ?2, ?3) ON CONFLICT (mail) DO UPDATE "
	                                        "SET at = excluded.at");
	db_bind_int(q, 1, mail);
	db_bind_int(q, 2, contact);
	db_bind_int(q, 3, at.ms);
	spool_run(spool, q);
}

void spool_slot_remove(struct spool *spool, int64_t mail)
{
	struct db_query *q = spool_query(spool, "DELETE FROM contact_slot WHERE mail = ?1");
	db_bind_int(q, 1, mail);
	spool_run(spool, q);
}

void spool_each_slot(struct spool *spool, int64_t contact, struct instant after, int64_t but,
                     spool_slot_fn *each, void *arg)
{
	struct db_query *q =
	        spool_query(spool, "SELECT at FROM contact_slot WHERE contact = ?1 AND at > ?2 AND "
	                           "mail <> ?3 ORDER BY at");
	db_bind_int(q, 1, contact);
	db_bind_int(q, 2, after.ms);
	db_bind_int(q, 3, but);
	while (spool_row(spool, q)) {
		if (!each(arg, db_int(q, 0))) {
			db_finish(q);
			return;
		}
	}
}

/*
 * Ids rise with time: what has left the window is in front of what is in it, where a round ends,
 * and the next goes on there. Passed over are those that wait for a time to come; once an hour a
 * round begins with the first.
 */
bool spool_slots_purge(struct spool *spool, struct instant before, struct instant now, int64_t rows)
{
	int64_t passed_ms = now.ms - spool->slots.begun.ms;
	if (passed_ms < 0 || passed_ms >= HOUR_MS) {
		spool->slots.begun = now;
		spool->slots.after = 0;
	}
	struct db_query *q = spool_query(
	        spool, "SELECT count(*), max(mail), min(CASE WHEN at > ?2 AND at <= ?3 THEN mail "
	               "END) FROM (SELECT mail, at FROM contact_slot WHERE mail > ?1 ORDER BY mail "
	               "LIMIT ?4)");
	db_bind_int(q, 1, spool->slots.after);
	db_bind_int(q, 2, before.ms);
	db_bind_int(q, 3, now.ms);
	db_bind_int(q, 4, rows);
	if (!spool_row(spool, q))
		return false;
	bool ends = db_int(q, 0) < rows || !db_is_null(q, 2);
	int64_t upto = db_is_null(q, 2) ? db_int(q, 1) : db_int(q, 2) - 1;
	db_finish(q);
	if (upto <= spool->slots.after)
		return false;
	q = spool_query(spool,
	                "DELETE FROM contact_slot WHERE mail > ?1 AND mail <= ?2 AND at <= ?3");
	db_bind_int(q, 1, spool->slots.after);
	db_bind_int(q, 2, upto);
	db_bind_int(q, 3, before.ms);
	spool_run(spool, q);
	spool->slots.after = upto;
	return !ends;
}

/* ---- Bursts ---- */

struct spool_burst *spool_bursts(struct spool *spool, struct instant after, struct arena *arena,
                                 size_t *ret_n)
{
	struct db_query *q =
	        spool_query(spool, "SELECT at, mails FROM burst WHERE at > ?1 ORDER BY at");
	struct spool_burst *bursts = NULL;
	size_t n = 0, cap = 0;
	db_bind_int(q, 1, after.ms);
	while (spool_row(spool, q)) {
		bursts = arena_grow(arena, bursts, n, &cap, sizeof *bursts);
		bursts[n++] = (struct spool_burst){db_instant(q, 0), db_int(q, 1)};
	}
	*ret_n = n;
	return bursts;
}

void spool_burst_set(struct spool *spool, const struct spool_burst *burst)
{
	struct db_query *q =
	        spool_query(spool, "INSERT OR REPLACE INTO burst (at, mails) VALUES (?1, ?2)");
	db_bind_int(q, 1, burst->at.ms);
	db_bind_int(q, 2, burst->mails);
	spool_run(spool, q);
}

void spool_burst_forget(struct spool *spool, struct instant until)
{
	struct db_query *q = spool_query(spool, "DELETE FROM burst WHERE at <= ?1");
	db_bind_int(q, 1, until.ms);
	spool_run(spool, q);
}

void spool_burst_forget_later(struct spool *spool, struct instant t)
{
	struct db_query *q = spool_query(spool, "DELETE FROM burst WHERE at > ?1");
	db_bind_int(q, 1, t.ms);
	spool_run(spool, q);
}

/* ---- The breaker ---- */

void spool_breaker_load(struct spool *spool, struct arena *arena, struct spool_breaker *ret)
{
	*ret = (struct spool_breaker){.since = INSTANT_NONE, .limit = ""};
	struct db_query *q = spool_query(
	        spool,
	        "SELECT since.value, made.value, lim.value FROM meta since, meta made, meta lim "
	        "WHERE since.key = 'breaker' AND made.key = 'breaker_made' AND lim.key = "
	        "'breaker_limit'");
	if (!spool_row(spool, q))
		return;
	ret->since = db_instant(q, 0);
	ret->made = db_int(q, 1);
	ret->limit = db_text(q, 2, arena);
	db_finish(q);
}

void spool_breaker_open(struct spool *spool, const struct spool_breaker *breaker)
{
	struct db_query *q = spool_query(spool, "INSERT OR REPLACE INTO meta (key, value) VALUES "
	                                        "('breaker', ?1), ('breaker_made', ?2), "
	                                        "('breaker_limit', ?3)");
	db_bind_instant(q, 1, breaker->since);
	db_bind_int(q, 2, breaker->made);
	db_bind_text(q, 3, breaker->limit);
	spool_run(spool, q);
}

void spool_breaker_close(struct spool *spool)
{
	spool_run(spool, spool_query(spool, "DELETE FROM meta WHERE key IN ('breaker', "
	                                    "'breaker_made', 'breaker_limit')"));
}

json_t *spool_breaker_json(struct spool *spool)
{
	struct spool_breaker breaker;
	struct arena *arena = arena_new();
	spool_breaker_load(spool, arena, &breaker);
	bool open = !instant_is_none(breaker.since);
	json_t *json = json_pack("{s:b, s:I, s:n}", "open", open, "held",
	                         (json_int_t)spool_count_held(spool), "since");
	if (open) {
		spool_set_time(json, "since", breaker.since);
		json_object_set_new(json, "made", json_integer(breaker.made));
		spool_set_text(json, "limit", breaker.limit);
	}
	arena_free(arena);
	return json;
}

bool spool_read_breaker(struct spool *spool, json_t **ret, struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	return spool_finish_read(spool, spool_breaker_json(spool), ret, err);
}

/* ---- Shares ---- */

#define LATEST(where) "(SELECT id, event FROM mail WHERE " where " ORDER BY id DESC LIMIT ?1)"
#define SHARES(by, what, where)                                                                    \
	"SELECT '" by "', " what ", count(*) FROM " LATEST(                                        \
	        where) " m JOIN event e ON e.id = coalesce(m.event, (SELECT min(event) FROM "      \
	               "notice WHERE mail = m.id)) JOIN job j ON j.id = e.job GROUP BY " what      \
	               " ORDER BY 3 DESC, 2 LIMIT ?2"
#define ALL_SHARES(where)                                                                          \
	{                                                                                          \
		SHARES("customer", "j.customer", where), SHARES("job", "j.job", where),            \
		        SHARES("state", "e.state", where), SHARES("source", "e.source", where)     \
	}

static void add_shares(struct spool *spool, const char *sql, int64_t max, int64_t each,
                       json_t *rows)
{
	struct arena *arena = arena_new();
	struct db_query *q = spool_query(spool, sql);
	db_bind_int(q, 1, max);
	db_bind_int(q, 2, each);
	while (spool_row(spool, q)) {
		json_t *row = json_object();
		spool_set_text(row, "by", db_text(q, 0, arena));
		spool_set_text(row, "what", db_text(q, 1, arena));
		json_object_set_new(row, "mails", json_integer(db_int(q, 2)));
		json_array_append_new(rows, row);
	}
	arena_free(arena);
}

json_t *spool_mail_shares(struct spool *spool, bool held, int64_t max, int64_t each)
{
	static const char *const of_held[] = ALL_SHARES(HELD);
	static const char *const of_all[] = ALL_SHARES("contact <> 0");
	json_t *rows = json_array();
	for (size_t i = 0; i < sizeof of_all / sizeof *of_all; i++)
		add_shares(spool, held ? of_held[i] : of_all[i], max, each, rows);
	return rows;
}

bool spool_read_shares(struct spool *spool, int64_t max, int64_t each, json_t **ret,
                       struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	return spool_finish_read(spool, spool_mail_shares(spool, true, max, each), ret, err);
}
