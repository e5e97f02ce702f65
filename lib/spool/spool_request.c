/* SPDX-License-Identifier: MIT */
/*
 * The dispatch gate's requests.
 *
 *   (asked) ─▶ allowed | denied | released
 *   (asked) ─▶ held ─▶ released | denied | cancelled | expired
 */
#include "spool/spool.h"

#include "spool/spool_private.h"

#include <string.h>

int64_t spool_request_find(struct spool *spool, const char *source, const char *id,
                           unsigned char ret_digest[EVENT_DIGEST_SIZE])
{
	struct db_query *q = spool_query(
	        spool, "SELECT id, digest FROM request WHERE source = ?1 AND request = ?2");
	db_bind_static_text(q, 1, source);
	db_bind_static_text(q, 2, id);
	if (!spool_row(spool, q))
		return 0;
	int64_t found = db_int(q, 0);
	spool_get_digest(q, 1, ret_digest);
	db_finish(q);
	return found;
}

void spool_request_add(struct spool *spool, struct spool_request *request, struct instant now)
{
	const struct job_event *event = &request->event;
	unsigned char digest[EVENT_DIGEST_SIZE];
	event_digest(event, digest);
	struct db_query *q =
	        spool_query(spool, "INSERT INTO request (source, request, type, job, time, "
	                           "received, data, digest, status, reason, recheck, "
	                           "changed, watched, answer, trace) VALUES (?1, ?2, ?3, ?4, "
	                           "?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, ?14)");
	db_bind_text(q, 1, event->source);
	db_bind_text(q, 2, event->id);
	db_bind_text(q, 3, event_type(event));
	db_bind_int(q, 4, request->job);
	db_bind_int(q, 5, event->time.ms);
	db_bind_int(q, 6, event->received.ms);
	db_bind_text(q, 7, event->data);
	db_bind_blob(q, 8, digest, sizeof digest);
	db_bind_text(q, 9, status_name(request->status));
	db_bind_text(q, 10, reason_name(request->reason));
	db_bind_int(q, 11, request->recheck.ms);
	db_bind_int(q, 12, now.ms);
	db_bind_int(q, 13, (int64_t)request->watched);
	db_bind_text(q, 14, request->trace);
	spool_run(spool, q);
	request->id = db_last_id(spool->db);
}

bool spool_request_load(struct spool *spool, int64_t id, struct arena *arena,
                        struct spool_request *ret)
{
	struct db_query *q = spool_query(
	        spool,
	        "SELECT request.job, source, request, type, time, received, "
	        "data, status, reason, recheck, watched, "
	        "answer, job.job, customer, changed, trace FROM request JOIN job ON job.id = "
	        "request.job WHERE request.id = ?1");
	db_bind_int(q, 1, id);
	if (!spool_row(spool, q))
		return false;
	bool create = strcmp(db_text(q, 3, arena), "job.create") == 0;
	*ret = (struct spool_request){
	        .id = id,
	        .job = db_int(q, 0),
	        .event =
	                {
	                        .kind = create ? EVENT_ASK_CREATE : EVENT_ASK_DISPATCH,
	                        .state = JOB_NONE,
	                        .source = db_text(q, 1, arena),
	                        .id = db_text(q, 2, arena),
	                        .time = db_instant(q, 4),
	                        .received = db_instant(q, 5),
	                        .data = db_text(q, 6, arena),
	                        .job = db_text(q, 12, arena),
	                        .customer = db_text(q, 13, arena),
	                        .entry_id = "",
	                },
	        .status = status_find(db_text(q, 7, arena)),
	        .reason = reason_find(db_text(q, 8, arena)),
	        .recheck = db_instant(q, 9),
	        .watched = (enum gate_watch)db_int(q, 10),
	        .answer = db_int(q, 11),
	        .changed = db_instant(q, 14),
	        .trace = db_text(q, 15, arena),
	};
	db_finish(q);
	return true;
}

void spool_request_move(struct spool *spool, struct spool_request *request, enum status to,
                        enum reason reason, struct instant now)
{
	if (request->status != STATUS_HELD && request->status != to)
		bug("request %lld: %s can't become %s", (long long)request->id,
		    status_name(request->status), status_name(to));
	request->status = to;
	request->reason = reason;
	struct db_query *q = spool_query(
	        spool, "UPDATE request SET status = ?2, reason = ?3, recheck = ?4, watched = ?5, "
	               "answer = ?6, trace = ?8, changed = CASE WHEN status = ?2 AND reason = ?3 "
	               "THEN changed "
	               "ELSE ?7 END WHERE id = ?1");
	db_bind_int(q, 1, request->id);
	db_bind_text(q, 2, status_name(to));
	db_bind_text(q, 3, reason_name(reason));
	db_bind_int(q, 4, request->recheck.ms);
	db_bind_int(q, 5, (int64_t)request->watched);
	db_bind_int(q, 6, request->answer);
	db_bind_int(q, 7, now.ms);
	db_bind_text(q, 8, request->trace);
	spool_run(spool, q);
}

#define BEHIND    " AND id > ?1"
#define DUE       " AND recheck <= ?3"
#define OR_LISTED " UNION SELECT id FROM temp.recheck WHERE kind = ?4" BEHIND
#define IN_ORDER  " ORDER BY id LIMIT ?2"

/* The table keeps what was asked for months: the planner must not go through it by its key. */
#define HELD    "SELECT id FROM request INDEXED BY request_held WHERE status = 'held'" BEHIND DUE
#define WATCHED "SELECT id FROM request INDEXED BY request_watched WHERE watched > 0" BEHIND DUE

struct rechecked {
	enum recheck kind;
	const char *all, *due, *due_or_listed;
};
static const struct rechecked held_requests = {
        RECHECK_HELD,
        "SELECT id FROM request INDEXED BY request_held_id WHERE status = 'held'" BEHIND IN_ORDER,
        HELD IN_ORDER,
        HELD OR_LISTED IN_ORDER,
};
static const struct rechecked watched_requests = {
        RECHECK_WATCHED,
        "SELECT id FROM request INDEXED BY request_watched_id WHERE watched > 0" BEHIND IN_ORDER,
        WATCHED IN_ORDER,
        WATCHED OR_LISTED IN_ORDER,
};

static size_t requests(struct spool *spool, const struct rechecked *which, struct instant until,
                       bool listed, int64_t after, int64_t *ret, size_t max)
{
	bool all = until.ms == INSTANT_NEVER.ms;
	struct db_query *q = spool_query(spool, all      ? which->all
	                                        : listed ? which->due_or_listed
	                                                 : which->due);
	db_bind_int(q, 1, after);
	db_bind_int(q, 2, (int64_t)max);
	if (!all)
		db_bind_int(q, 3, until.ms);
	if (!all && listed)
		db_bind_int(q, 4, which->kind);
	return spool_run_ids(spool, q, ret, max);
}

size_t spool_requests_held(struct spool *spool, struct instant until, bool listed, int64_t after,
                           int64_t *ret, size_t max)
{
	return requests(spool, &held_requests, until, listed, after, ret, max);
}

size_t spool_requests_watched(struct spool *spool, struct instant until, bool listed, int64_t after,
                              int64_t *ret, size_t max)
{
	return requests(spool, &watched_requests, until, listed, after, ret, max);
}

struct instant spool_next_recheck(struct spool *spool)
{
	int64_t held = spool_run_int(
	        spool, spool_query(spool, "SELECT min(recheck) FROM request WHERE status = 'held'"),
	        INT64_MAX);
	int64_t seen = spool_run_int(
	        spool, spool_query(spool, "SELECT min(recheck) FROM request WHERE watched > 0"),
	        INT64_MAX);
	return (struct instant){held < seen ? held : seen};
}

int64_t spool_held_count(struct spool *spool)
{
	return spool_run_int(
	        spool, spool_query(spool, "SELECT count(*) FROM request WHERE status = 'held'"), 0);
}

size_t spool_requests_held_for(struct spool *spool, const char *job, int64_t *ret, size_t max)
{
	struct db_query *q = spool_query(
	        spool,
	        "SELECT request.id FROM job CROSS JOIN request INDEXED BY request_held_job ON "
	        "request.job = job.id WHERE job.job = ?1 AND request.status = 'held' "
	        "ORDER BY request.id LIMIT ?2");
	db_bind_text(q, 1, job);
	db_bind_int(q, 2, (int64_t)max);
	return spool_run_ids(spool, q, ret, max);
}

bool spool_holds_for(struct spool *spool, const char *customer, int64_t after)
{
	struct db_query *q = spool_query(
	        spool, "SELECT 1 FROM " SPOOL_JOBS_OF(
	                       "?1") " AS job CROSS JOIN "
	                             "request INDEXED BY request_held_job ON request.job = job.id "
	                             "WHERE request.status = 'held' AND request.id > ?2 LIMIT 1");
	db_bind_text(q, 1, customer);
	db_bind_int(q, 2, after);
	return spool_run_int(spool, q, 0) != 0;
}

void spool_unwatch_job(struct spool *spool, int64_t job)
{
	struct db_query *q =
	        spool_query(spool, "UPDATE request SET watched = 0 WHERE job = ?1 AND watched > 0");
	db_bind_int(q, 1, job);
	spool_run(spool, q);
}
