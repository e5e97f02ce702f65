/* SPDX-License-Identifier: MIT */
/*
 * What is still to come for a customer, what became of what was, and what has changed lately: for
 * its page, and for whoever is about to suspend it. Read beside a running daemon.
 */
#include "spool/spool_read.h"

#include "spool/spool_private.h"

/* ---- What is to come ---- */

static json_t *mails_to_come(struct spool *spool, const char *customer)
{
	json_t *list = json_array();
	struct db_query *q = spool_query(
	        spool, "SELECT m.id, m.state, m.due FROM " SPOOL_JOBS_OF(
	                       "?1") " AS j CROSS JOIN "
	                             "mail m ON m.job = j.id WHERE m.waits = 1 AND m.contact <> 0 "
	                             "UNION SELECT "
	                             "m.id, m.state, m.due FROM " SPOOL_JOBS_OF(
	                                     "?1") " AS j CROSS JOIN notice "
	                                           "n ON n.job = j.id AND n.active = 1 CROSS JOIN "
	                                           "mail m ON m.id = n.mail "
	                                           "WHERE m.waits = 1 AND m.contact <> 0");
	db_bind_text(q, 1, customer);
	while (spool_row(spool, q)) {
		json_t *row = json_object();
		json_object_set_new(row, "id", json_integer(db_int(q, 0)));
		spool_set_text(row, "state", db_peek_text(q, 1, NULL));
		spool_set_time(row, "due", db_instant(q, 2));
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *jobs_held(struct spool *spool, const char *customer)
{
	json_t *list = json_array();
	struct db_query *q = spool_query(
	        spool, "SELECT r.id, j.job, r.data FROM job j JOIN request r ON r.job = j.id WHERE "
	               "j.id IN " SPOOL_JOBS_OF("?1") " AND r.status = 'held'");
	db_bind_text(q, 1, customer);
	while (spool_row(spool, q)) {
		json_t *row = json_object(), *data;
		const char *text = db_peek_text(q, 2, NULL);
		json_object_set_new(row, "id", json_integer(db_int(q, 0)));
		spool_set_text(row, "job", db_peek_text(q, 1, NULL));
		data = text ? json_loads(text, 0, NULL) : NULL;
		json_object_set(row, "scheduled", json_object_get(data, "scheduled"));
		json_decref(data);
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *jobs_under_way(struct spool *spool, const char *customer)
{
	json_t *list = json_array();
	struct db_query *q =
	        spool_query(spool, "SELECT job, state FROM job WHERE id IN " SPOOL_JOBS_OF("?1"));
	db_bind_text(q, 1, customer);
	while (spool_row(spool, q)) {
		const char *state = db_peek_text(q, 1, NULL);
		if (!job_state_row(job_state_find(state ? state : ""))->is_under_way)
			continue;
		json_t *row = json_object();
		spool_set_text(row, "job", db_peek_text(q, 0, NULL));
		spool_set_text(row, "state", state);
		json_array_append_new(list, row);
	}
	return list;
}

bool spool_read_pending(struct spool *spool, const char *customer, json_t **ret, struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	json_t *json = json_object();
	json_object_set_new(json, "mails", mails_to_come(spool, customer));
	json_object_set_new(json, "held", jobs_held(spool, customer));
	json_object_set_new(json, "under_way", jobs_under_way(spool, customer));
	return spool_finish_read(spool, json, ret, err);
}

bool spool_read_late(struct spool *spool, struct instant now, struct instant *ret,
                     struct error *err)
{
	int64_t due;
	if (!spool_read_int(spool, "SELECT min(due) FROM mail WHERE waits = 1", INT64_MAX, &due,
	                    err))
		return false;
	*ret = INSTANT_NONE;
	if (due < now.ms)
		ret->ms = due;
	return true;
}

static json_t *failed_job(struct db_query *q)
{
	static const char *const members[] = {"reason", "service"};
	json_t *row = json_object();
	const char *text = db_peek_text(q, 3, NULL);
	json_t *data = text ? json_loads(text, 0, NULL) : NULL;
	spool_set_text(row, "customer", db_peek_text(q, 0, NULL));
	spool_set_text(row, "job", db_peek_text(q, 1, NULL));
	spool_set_text(row, "state", job_state_name(JOB_FAILED));
	spool_set_time(row, "time", db_instant(q, 2));
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		json_t *value = json_object_get(data, members[i]);
		json_object_set(row, members[i], value ? value : json_null());
	}
	json_decref(data);
	return row;
}

bool spool_read_failed_jobs(struct spool *spool, struct instant since, int64_t limit, json_t **ret,
                            struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	json_t *list = json_array();
	struct db_query *q = spool_query(
	        spool,
	        "SELECT j.customer, j.job, e.time, e.data FROM event e JOIN job j ON j.id = e.job "
	        "WHERE e.id >= ?4 AND e.received >= ?1 AND e.state = ?2 AND j.state = ?2 AND NOT "
	        "EXISTS (SELECT 1 "
	        "FROM event l WHERE l.job = e.job AND l.state = ?2 AND l.id > e.id) "
	        "ORDER BY e.id DESC LIMIT ?3");
	db_bind_int(q, 1, since.ms);
	db_bind_text(q, 2, job_state_name(JOB_FAILED));
	db_bind_int(q, 3, limit);
	db_bind_int(q, 4, spool_event_since(spool, since));
	while (spool_row(spool, q))
		json_array_append_new(list, failed_job(q));
	return spool_finish_read(spool, list, ret, err);
}

/* ---- What became of it ---- */

static json_t *mails_of(struct spool *spool, int64_t event)
{
	json_t *list = json_array();
	struct db_query *q = spool_query(
	        spool,
	        "SELECT m.id, m.status, m.reason, m.address, m.due, m.attempts, m.reply FROM mail "
	        "m INDEXED BY mail_job WHERE m.job = (SELECT job FROM event WHERE id = ?1) AND "
	        "m.event = ?1 UNION ALL SELECT m.id, m.status, m.reason, m.address, m.due, "
	        "m.attempts, m.reply FROM notice n JOIN mail m ON m.id = n.mail WHERE n.event = ?1 "
	        "ORDER BY 1");
	static const char *const texts[] = {"status", "reason", "to"};
	db_bind_int(q, 1, event);
	while (spool_row(spool, q)) {
		json_t *row = json_object();
		json_object_set_new(row, "id", json_integer(db_int(q, 0)));
		for (int i = 0; i < 3; i++)
			spool_set_text(row, texts[i], db_peek_text(q, 1 + i, NULL));
		spool_set_time(row, "due", db_instant(q, 4));
		json_object_set_new(row, "attempts", json_integer(db_int(q, 5)));
		spool_set_text(row, "reply", db_peek_text(q, 6, NULL));
		json_array_append_new(list, row);
	}
	return list;
}

/* Of the job's latest event, by its own time. */
static json_t *notice_of(struct spool *spool, const char *customer, const char *job)
{
	struct db_query *q = spool_query(
	        spool,
	        "SELECT e.id, e.state, e.status, e.reason FROM job j JOIN event e ON e.job = "
	        "j.id WHERE j.job = ?1 AND j.customer = ?2 ORDER BY e.time DESC, e.id DESC "
	        "LIMIT 1");
	db_bind_text(q, 1, job);
	db_bind_text(q, 2, customer);
	if (!spool_row(spool, q))
		return json_null();
	json_t *notice = json_object();
	int64_t event = db_int(q, 0);
	spool_set_text(notice, "state", db_peek_text(q, 1, NULL));
	spool_set_text(notice, "status", db_peek_text(q, 2, NULL));
	spool_set_text(notice, "reason", db_peek_text(q, 3, NULL));
	db_finish(q);
	json_object_set_new(notice, "mails", mails_of(spool, event));
	return notice;
}

bool spool_read_notices(struct spool *spool, json_t *jobs, struct error *err)
{
	size_t i;
	json_t *job;
	if (!spool_begin_read(spool, err))
		return false;
	json_array_foreach(jobs, i, job)
	{
		const char *customer = json_string_value(json_object_get(job, "customer"));
		const char *name = json_string_value(json_object_get(job, "job"));
		json_object_set_new(job, "notice",
		                    notice_of(spool, customer ? customer : "", name ? name : ""));
	}
	spool_end_read(spool);
	if (!spool_failed(spool))
		return true;
	*err = spool->fault;
	return false;
}

/* ---- What has changed ---- */

enum { CHANGED_MAX = 500 };

static void read_changed_jobs(struct spool *spool, int64_t after, struct arena *arena,
                              struct spool_changes *ret)
{
	struct db_query *q = spool_query(
	        spool, "SELECT DISTINCT j.customer FROM outcome o JOIN job j ON j.id = o.job WHERE "
	               "o.seq > ?1 LIMIT ?2");
	db_bind_int(q, 1, after);
	db_bind_int(q, 2, CHANGED_MAX);
	ret->customers = arena_new_array(arena, CHANGED_MAX, const char *);
	while (spool_row(spool, q))
		ret->customers[ret->n_customers++] = db_text(q, 0, arena);
	ret->everybodys = ret->n_customers == CHANGED_MAX;
}

#define ANY_SINCE "SELECT EXISTS (SELECT 1 FROM outcome WHERE seq > ?1 AND "

static bool any_since(struct spool *spool, int64_t after, const char *sql)
{
	struct db_query *q = spool_query(spool, sql);
	db_bind_int(q, 1, after);
	return spool_run_int(spool, q, 0) != 0;
}

bool spool_read_changes(struct spool *spool, int64_t after, struct arena *arena,
                        struct spool_changes *ret, struct error *err)
{
	*ret = (struct spool_changes){0};
	if (!spool_begin_read(spool, err))
		return false;
	ret->last = spool_last_outcome(spool);
	if (after >= 0 && ret->last > after) {
		read_changed_jobs(spool, after, arena, ret);
		ret->mails = any_since(spool, after, ANY_SINCE "mail IS NOT NULL)");
		/* What a held job becomes, and that it is held; and what was rejected. */
		ret->holds = any_since(spool, after,
		                       ANY_SINCE "mail IS NULL AND status IN ('held', 'released', "
		                                 "'cancelled', 'denied', 'expired', 'rejected'))");
	}
	spool_end_read(spool);
	if (!spool_failed(spool))
		return true;
	*err = spool->fault;
	return false;
}
