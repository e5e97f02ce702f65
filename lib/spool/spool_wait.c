/* SPDX-License-Identifier: MIT */
/* Entries that wait for their customer, and office writes: what is to be done in customers.db
 * (table `office_write`). */
#include "spool/spool.h"

#include "db/fields.h"
#include "spool/spool_private.h"

#include <stdint.h>

enum { OFFICE_WRITE_BYTES = 1 << 20 }; /* dispatched at once */

bool spool_wait_add(struct spool *spool, const struct entry *entry, const struct job_event *event,
                    struct instant until)
{
	struct buf pack = {0};
	for (size_t i = 0; i < entry->n_fields; i++)
		fields_add_bytes(&pack, &entry->fields[i]);
	struct db_query *q =
	        spool_query(spool, "INSERT OR IGNORE INTO waiting (feed, source, event, "
	                           "customer, received, until, entry, fields) "
	                           "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
	db_bind_int(q, 1, entry->feed);
	db_bind_text(q, 2, event->source);
	db_bind_text(q, 3, event->id);
	db_bind_text(q, 4, event->customer);
	db_bind_int(q, 5, entry->received.ms);
	db_bind_int(q, 6, until.ms);
	db_bind_text(q, 7, entry->id);
	db_bind_blob(q, 8, buf_text(&pack), pack.len);
	spool_run(spool, q);
	buf_free(&pack);
	bool added = db_changes(spool->db) > 0;
	spool->waits += added;
	return added;
}

static void wait_read_row(struct db_query *q, struct arena *arena, struct spool_waiting *ret)
{
	size_t len = 0;
	const void *pack = db_peek_blob(q, 5, &len);
	struct entry_field *fields = NULL;
	*ret = (struct spool_waiting){
	        .id = db_int(q, 0),
	        .customer = db_text(q, 2, arena),
	        .until = db_instant(q, 6),
	        .entry =
	                {
	                        .feed = (enum entry_feed)db_int(q, 1),
	                        .received = db_instant(q, 3),
	                        .id = db_text(q, 4, arena),
	                },
	};
	if (fields_unpack(pack, len, arena, &fields, &ret->entry.n_fields))
		ret->entry.fields = fields;
}

bool spool_wait_find(struct spool *spool, const struct entry *entry, const struct job_event *event,
                     struct arena *arena, struct spool_waiting *ret)
{
	struct db_query *q = spool_query(
	        spool, "SELECT id, feed, customer, received, entry, fields, until FROM waiting "
	               "WHERE feed = ?1 AND source = ?2 AND event = ?3");
	db_bind_int(q, 1, entry->feed);
	db_bind_text(q, 2, event->source);
	db_bind_text(q, 3, event->id);
	if (!spool_row(spool, q))
		return false;
	wait_read_row(q, arena, ret);
	db_finish(q);
	return true;
}

#define WAITS_FROM "SELECT id, feed, customer, received, entry, fields, until FROM waiting WHERE "

struct spool_waiting *spool_waits(struct spool *spool, struct instant until, bool listed,
                                  int64_t after, struct arena *arena, size_t max, size_t max_bytes,
                                  size_t *ret_n, bool *ret_cut)
{
	struct db_query *q = spool_query(
	        spool, listed ? WAITS_FROM
	                       "id > ?3 AND id IN (SELECT id FROM waiting WHERE until <= "
	                       "?1 UNION SELECT id FROM temp.recheck WHERE kind = ?4) "
	                       "ORDER BY id LIMIT ?2"
	                      : WAITS_FROM "until <= ?1 AND id > ?3 ORDER BY id LIMIT ?2");
	db_bind_int(q, 1, until.ms);
	db_bind_int(q, 2, (int64_t)max);
	db_bind_int(q, 3, after);
	if (listed)
		db_bind_int(q, 4, RECHECK_WAITING);
	struct spool_waiting *waits = arena_new_array(arena, max, struct spool_waiting);
	size_t n = 0, end = arena_bytes(arena) + max_bytes;
	bool cut = false;
	while (!cut && n < max && spool_row(spool, q)) {
		wait_read_row(q, arena, &waits[n++]);
		cut = arena_bytes(arena) >= end;
	}
	db_finish(q);
	*ret_n = n;
	*ret_cut = cut;
	return waits;
}

struct instant spool_next_wait(struct spool *spool)
{
	return (struct instant){spool_run_int(
	        spool, spool_query(spool, "SELECT min(until) FROM waiting"), INT64_MAX)};
}

int64_t spool_wait_count(const struct spool *spool)
{
	return spool->waits;
}

void spool_wait_remove(struct spool *spool, int64_t id)
{
	struct db_query *q = spool_query(spool, "DELETE FROM waiting WHERE id = ?1");
	db_bind_int(q, 1, id);
	spool_run(spool, q);
	spool->waits -= db_changes(spool->db) > 0;
}

void spool_office_write_add(struct spool *spool, const struct spool_office_write *write)
{
	struct db_query *q = spool_query(
	        spool,
	        "INSERT INTO office_write (kind, time, detail, entry) VALUES (?1, ?2, ?3, ?4)");
	db_bind_text(q, 1, write->kind);
	db_bind_int(q, 2, write->time.ms);
	db_bind_text(q, 3, write->detail);
	db_bind_text(q, 4, write->entry);
	spool_run(spool, q);
}

static void office_write_read_row(struct db_query *q, struct arena *arena,
                                  struct spool_office_write *ret)
{
	*ret = (struct spool_office_write){
	        .seq = db_int(q, 0),
	        .kind = db_text(q, 1, arena),
	        .time = db_instant(q, 2),
	        .detail = db_text(q, 3, arena),
	        .entry = db_text(q, 4, arena),
	};
}

#define OFFICE_WRITE_COLUMNS "SELECT seq, kind, time, detail, entry FROM office_write "

bool spool_office_write_load(struct spool *spool, int64_t seq, struct arena *arena,
                             struct spool_office_write *ret)
{
	struct db_query *q = spool_query(spool, OFFICE_WRITE_COLUMNS "WHERE seq = ?1");
	db_bind_int(q, 1, seq);
	if (!spool_row(spool, q))
		return false;
	office_write_read_row(q, arena, ret);
	db_finish(q);
	return true;
}

/* At most `max`, and `max_bytes` of them, but one in any case. */
static struct spool_office_write *office_writes_read(struct db_query *q, struct spool *spool,
                                                     size_t max, size_t max_bytes,
                                                     struct arena *arena, size_t *ret_n)
{
	db_bind_int(q, 1, (int64_t)max);
	struct spool_office_write *writes = arena_new_array(arena, max, struct spool_office_write);
	size_t n = 0, end = arena_bytes(arena) + max_bytes;
	while (n < max && arena_bytes(arena) < end && spool_row(spool, q))
		office_write_read_row(q, arena, &writes[n++]);
	db_finish(q);
	*ret_n = n;
	return writes;
}

struct spool_office_write *spool_office_writes(struct spool *spool, size_t max, struct arena *arena,
                                               size_t *ret_n)
{
	return office_writes_read(spool_query(spool, OFFICE_WRITE_COLUMNS "ORDER BY seq LIMIT ?1"),
	                          spool, max, OFFICE_WRITE_BYTES, arena, ret_n);
}

struct spool_office_write *spool_refusals(struct spool *spool, size_t max, struct arena *arena,
                                          size_t *ret_n)
{
	struct db_query *q = spool_query(spool, OFFICE_WRITE_COLUMNS
	                                 "WHERE kind = 'refused' ORDER BY seq DESC LIMIT ?1");
	return office_writes_read(q, spool, max, SIZE_MAX / 2, arena, ret_n);
}

struct instant spool_feed_oldest(struct spool *spool)
{
	struct db_query *q = spool_query(
	        spool,
	        "SELECT time FROM office_write WHERE kind = 'customer' ORDER BY seq LIMIT 1");
	return (struct instant){spool_run_int(spool, q, INT64_MAX)};
}

void spool_office_writes_done(struct spool *spool, int64_t seq)
{
	struct db_query *q = spool_query(spool, "DELETE FROM office_write WHERE seq <= ?1");
	db_bind_int(q, 1, seq);
	spool_run(spool, q);
}
