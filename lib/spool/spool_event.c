/* SPDX-License-Identifier: MIT */
/* Events of jobs in the spool. */
#include "spool/spool.h"

#include "spool/spool_private.h"

struct job_mark *spool_marks(struct spool *spool, int64_t job, struct arena *arena, size_t *ret_n)
{
	return spool_marks_before(spool, job, INT64_MAX, arena, ret_n);
}

bool spool_event_data_has(struct spool *spool, const char *member)
{
	struct db_query *q = spool_query(
	        spool, "SELECT 1 FROM (SELECT data FROM event ORDER BY id DESC LIMIT 10000) AS "
	               "latest, json_each(latest.data) AS member WHERE member.key = ?1 LIMIT 1");
	db_bind_text(q, 1, member);
	return spool_run_int(spool, q, 0) != 0;
}

struct job_mark *spool_marks_before(struct spool *spool, int64_t job, int64_t id,
                                    struct arena *arena, size_t *ret_n)
{
	size_t n = 0, cap = 0;
	struct job_mark *marks = NULL;
	struct db_query *q = spool_query(
	        spool, "SELECT state, time, source, event FROM event WHERE job = ?1 AND id < ?2");
	db_bind_int(q, 1, job);
	db_bind_int(q, 2, id);
	while (spool_row(spool, q)) {
		marks = arena_grow(arena, marks, n, &cap, sizeof *marks);
		marks[n].state = job_state_find(db_text(q, 0, arena));
		marks[n].time = db_instant(q, 1);
		marks[n].source = db_text(q, 2, arena);
		marks[n].id = db_text(q, 3, arena);
		if (marks[n].state != JOB_NONE)
			n++;
	}
	*ret_n = n;
	return marks;
}

int64_t spool_event_add(struct spool *spool, const struct job_event *event, int64_t job,
                        enum status status, enum reason reason, const char *trace)
{
	unsigned char digest[EVENT_DIGEST_SIZE];
	int64_t id = spool_keys_add(spool, event->source, event->id);
	event_digest(event, digest);
	struct db_query *q =
	        spool_query(spool, "INSERT INTO event (source, event, job, state, time, "
	                           "received, data, digest, status, reason, trace, "
	                           "short_trace, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
	                           "?10, '', ?11, ?12)");
	db_bind_static_text(q, 1, event->source);
	db_bind_static_text(q, 2, event->id);
	db_bind_int(q, 3, job);
	db_bind_static_text(q, 4, job_state_name(event->state));
	db_bind_int(q, 5, event->time.ms);
	db_bind_int(q, 6, event->received.ms);
	db_bind_static_text(q, 7, event->data);
	db_bind_static_blob(q, 8, digest, sizeof digest);
	db_bind_static_text(q, 9, status_name(status));
	db_bind_static_text(q, 10, reason_name(reason));
	spool_bind_short(spool, q, 11, SQUEEZE_TRACE, trace);
	db_bind_int(q, 12, id);
	spool_run(spool, q);
	return id;
}

#define EVENT_COLUMNS(data)                                                                        \
	"SELECT event.id, event.job, source, event, event.state, time, received, " data            \
	", status, reason, "                                                                       \
	"customer, job.job FROM event JOIN job ON job.id = event.job "

static void event_read_row(struct db_query *q, struct arena *arena, struct spool_event *ret)
{
	*ret = (struct spool_event){
	        .id = db_int(q, 0),
	        .job = db_int(q, 1),
	        .event =
	                {
	                        .kind = EVENT_JOB,
	                        .source = db_text(q, 2, arena),
	                        .id = db_text(q, 3, arena),
	                        .state = job_state_find(db_text(q, 4, arena)),
	                        .time = db_instant(q, 5),
	                        .received = db_instant(q, 6),
	                        .data = db_text(q, 7, arena),
	                        .customer = db_text(q, 10, arena),
	                        .job = db_text(q, 11, arena),
	                        .entry_id = "",
	                },
	        .status = status_find(db_text(q, 8, arena)),
	        .reason = reason_find(db_text(q, 9, arena)),
	        .trace = "[]",
	};
}

const char *spool_event_data(struct spool *spool, int64_t id, struct arena *arena)
{
	struct db_query *q = spool_query(spool, "SELECT data FROM event WHERE id = ?1");
	db_bind_int(q, 1, id);
	if (!spool_row(spool, q))
		return "{}";
	const char *data = db_text(q, 0, arena);
	db_finish(q);
	return data;
}

const char *spool_event_trace(struct spool *spool, int64_t id, struct arena *arena)
{
	struct db_query *q =
	        spool_query(spool, "SELECT trace, short_trace FROM event WHERE id = ?1");
	db_bind_int(q, 1, id);
	if (!spool_row(spool, q))
		return "[]";
	const char *trace = spool_text(q, 0, arena);
	db_finish(q);
	return trace;
}

bool spool_event_load(struct spool *spool, int64_t id, struct arena *arena, struct spool_event *ret)
{
	struct db_query *q = spool_query(spool, EVENT_COLUMNS("'{}'") "WHERE event.id = ?1");
	db_bind_int(q, 1, id);
	if (!spool_row(spool, q))
		return false;
	event_read_row(q, arena, ret);
	db_finish(q);
	return true;
}

static struct spool_event *events_read(struct spool *spool, struct db_query *q, struct arena *arena,
                                       size_t *ret_n)
{
	size_t n = 0, cap = 0;
	struct spool_event *events = NULL;
	while (spool_row(spool, q)) {
		events = arena_grow(arena, events, n, &cap, sizeof *events);
		event_read_row(q, arena, &events[n++]);
	}
	*ret_n = n;
	return events;
}

struct spool_event *spool_job_events(struct spool *spool, int64_t job, struct arena *arena,
                                     size_t *ret_n)
{
	struct db_query *q = spool_query(
	        spool, EVENT_COLUMNS("'{}'") "WHERE event.job = ?1 ORDER BY time, event.id");
	db_bind_int(q, 1, job);
	return events_read(spool, q, arena, ret_n);
}

/* -- by the time of receipt -------------------------------------------------------------------- */

static bool event_at(struct spool *spool, int64_t from, int64_t *ret_id, int64_t *ret_received)
{
	struct db_query *q = spool_query(
	        spool, "SELECT id, received FROM event WHERE id >= ?1 ORDER BY id LIMIT 1");
	db_bind_int(q, 1, from);
	if (!spool_row(spool, q))
		return false;
	*ret_id = db_int(q, 0);
	*ret_received = db_int(q, 1);
	db_finish(q);
	return true;
}

/* The first event received at that time or later, or an id behind the last one. */
static int64_t first_since(struct spool *spool, int64_t ms)
{
	int64_t id, received;
	int64_t high = spool_run_int(spool, spool_query(spool, "SELECT max(id) FROM event"), 0) + 1;
	int64_t low = spool_run_int(spool, spool_query(spool, "SELECT min(id) FROM event"), high);
	while (low < high && !spool->failed) {
		int64_t middle = low + (high - low) / 2;
		if (event_at(spool, middle, &id, &received) && received < ms)
			low = id + 1;
		else
			high = middle;
	}
	return low;
}

enum { CLOCK_SET_MS = 24 * 3600 * 1000 };

int64_t spool_event_since(struct spool *spool, struct instant since)
{
	return since.ms < INT64_MIN + CLOCK_SET_MS ? INT64_MIN
	                                           : first_since(spool, since.ms - CLOCK_SET_MS);
}

/* An id behind all events received before. */
static int64_t event_until(struct spool *spool, struct instant until)
{
	return until.ms > INT64_MAX - CLOCK_SET_MS ? INT64_MAX
	                                           : first_since(spool, until.ms + CLOCK_SET_MS);
}

struct spool_event *spool_events_between(struct spool *spool, struct instant since,
                                         struct instant until, int64_t after, size_t max,
                                         struct arena *arena, size_t *ret_n)
{
	struct db_query *q = spool_query(
	        spool,
	        EVENT_COLUMNS("data") "WHERE received >= ?1 AND received < ?2 AND event.id > ?3 "
	                              "AND event.id >= ?5 AND event.id < ?6 ORDER BY event.id "
	                              "LIMIT ?4");
	db_bind_int(q, 1, since.ms);
	db_bind_int(q, 2, until.ms);
	db_bind_int(q, 3, after);
	db_bind_int(q, 4, (int64_t)max);
	db_bind_int(q, 5, spool_event_since(spool, since));
	db_bind_int(q, 6, event_until(spool, until));
	return events_read(spool, q, arena, ret_n);
}

bool spool_collision_first(struct spool *spool, int64_t job, enum job_state state)
{
	struct db_query *q =
	        spool_query(spool, "INSERT OR IGNORE INTO collision (job, state) VALUES (?1, ?2)");
	db_bind_int(q, 1, job);
	db_bind_text(q, 2, job_state_name(state));
	spool_run(spool, q);
	return db_changes(spool->db) > 0;
}
