/* SPDX-License-Identifier: MIT */
/*
 * The spool as JSON for people: jobs, mails, dead letters, held jobs. Reads beside a running daemon
 * and changes nothing.
 */
#include "spool/spool_read.h"

#include "db/fields.h"
#include "spool/spool_private.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void set_int(json_t *object, const char *name, int64_t value)
{
	json_object_set_new(object, name, json_integer(value));
}

/* JSON that we wrote ourselves; null where somebody has edited it. */
static void set_json(json_t *object, const char *name, const char *text)
{
	json_t *value = text && *text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
	json_object_set_new(object, name, value ? value : json_null());
}

/* ---- Pieces ---- */

static json_t *fields_json(const struct spool_outcome *outcome, struct arena *arena)
{
	struct entry_field *fields;
	size_t n;
	json_t *json = json_object();
	if (!fields_unpack(outcome->fields, outcome->fields_len, arena, &fields, &n))
		return json;
	for (size_t i = 0; i < n; i++)
		spool_set_text(json, fields[i].name, fields[i].value);
	return json;
}

static json_t *outcome_json(const struct spool *spool, const struct spool_outcome *outcome,
                            struct arena *arena)
{
	json_t *json = fields_json(outcome, arena);
	spool_set_text(json, "id",
	               arena_printf(arena, "%s-%lld", spool_instance(spool),
	                            (long long)(outcome->again ? outcome->again : outcome->seq)));
	return json;
}

static json_t *event_json(const struct spool_event *event)
{
	json_t *json = json_object();
	spool_set_text(json, "id", event->event.id);
	spool_set_text(json, "source", event->event.source);
	spool_set_text(json, "type", event_type(&event->event));
	spool_set_time(json, "time", event->event.time);
	spool_set_time(json, "received", event->event.received);
	spool_set_text(json, "status", status_name(event->status));
	spool_set_text(json, "reason", reason_name(event->reason));
	set_json(json, "data", event->event.data);
	set_json(json, "trace", event->trace);
	return json;
}

/* The office's mail of recalled jobs reports no event: the jobs are in its context alone. */
static void add_jobs_reported(struct spool *spool, json_t *json, json_t *jobs, int64_t mail,
                              struct arena *arena)
{
	const char *text = spool_mail_context(spool, mail, arena);
	json_t *context = text ? json_loads(text, 0, NULL) : NULL, *job;
	json_t *customer = json_object_get(json_object_get(context, "customer"), "number");
	size_t i;
	json_array_foreach(json_object_get(context, "jobs"), i, job)
	        json_array_append(jobs, json_object_get(job, "id"));
	if (customer != NULL)
		json_object_set(json, "customer", customer);
	json_decref(context);
}

static void add_jobs(struct spool *spool, json_t *json, int64_t mail, struct arena *arena)
{
	static const char *const places[] = {
	        "SELECT job.job, customer FROM mail JOIN job ON job.id = mail.job WHERE mail.id = "
	        "?1",
	        "SELECT DISTINCT job.job, customer FROM notice JOIN job ON job.id = notice.job "
	        "WHERE mail = ?1 ORDER BY event",
	};
	json_t *jobs = json_array();
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		struct db_query *q = spool_query(spool, places[i]);
		db_bind_int(q, 1, mail);
		while (spool_row(spool, q)) {
			if (json_array_size(jobs) == 0)
				spool_set_text(json, "customer", db_text(q, 1, arena));
			json_array_append_new(jobs, json_string(db_text(q, 0, arena)));
		}
	}
	if (json_array_size(jobs) == 0)
		add_jobs_reported(spool, json, jobs, mail, arena);
	json_object_set_new(json, "jobs", jobs);
}

static json_t *mail_json(struct spool *spool, int64_t id, struct arena *arena, bool whole)
{
	struct spool_mail mail;
	if (!spool_mail_load(spool, id, arena, &mail))
		return NULL;
	json_t *json = json_object();
	set_int(json, "id", mail.id);
	spool_set_text(json, "status", status_name(mail.status));
	spool_set_text(json, "reason", reason_name(mail.reason));
	spool_set_text(json, "state", mail.state);
	add_jobs(spool, json, id, arena);
	json_object_set_new(json, "contact",
	                    mail.contact == MAIL_OFFICE ? json_null() : json_integer(mail.contact));
	spool_set_text(json, "to", mail.address);
	if (*mail.redirected != '\0')
		spool_set_text(json, "redirected", mail.redirected);
	spool_set_time(json, "made", mail.made);
	spool_set_time(json, "due", mail.due);
	spool_set_time(json, "expires", mail.expires);
	spool_set_time(json, "changed", mail.changed);
	set_int(json, "attempts", mail.attempts);
	spool_set_text(json, "reply", mail.reply);
	spool_set_text(json, "message_id", mail.message_id);
	if (whole)
		set_json(json, "context", spool_mail_context(spool, id, arena));
	return json;
}

/* ---- A job ---- */

enum { ERASED = 2 }; /* in job.erase: its words have gone with its customer's */

static bool find_job(struct spool *spool, const char *job, const char *customer, int64_t *ret,
                     struct error *err)
{
	struct db_query *q = spool_query(
	        spool, "SELECT id FROM job WHERE job = ?1 AND (?2 IS NULL OR customer = ?2)");
	int64_t id = 0;
	size_t n = 0;
	db_bind_text(q, 1, job);
	db_bind_text(q, 2, customer);
	for (; spool_row(spool, q); n++)
		id = db_int(q, 0);
	*ret = id;
	if (n == 1 || spool_failed(spool))
		return n == 1;
	if (n > 1)
		return error_set(err, EX_DATAERR,
		                 "%zu customers have a job %s: name one with --customer", n, job);
	return error_set(err, EX_NOINPUT, "there is no job %s%s%s on record", job,
	                 customer ? " of customer " : "", customer ? customer : "");
}

static json_t *request_json(const struct spool_request *request)
{
	json_t *json = json_object();
	set_int(json, "id", request->id);
	spool_set_text(json, "request", request->event.id);
	spool_set_text(json, "source", request->event.source);
	spool_set_text(json, "type", event_type(&request->event));
	spool_set_text(json, "status", status_name(request->status));
	spool_set_text(json, "reason", reason_name(request->reason));
	spool_set_time(json, "received", request->event.received);
	spool_set_time(json, "changed", request->changed);
	set_json(json, "data", request->event.data);
	set_json(json, "trace", request->trace);
	return json;
}

static void add_requests(struct spool *spool, json_t *json, int64_t job, struct arena *arena)
{
	struct db_query *q =
	        spool_query(spool, "SELECT id FROM request WHERE job = ?1 ORDER BY id");
	json_t *list = json_array();
	db_bind_int(q, 1, job);
	while (spool_row(spool, q)) {
		struct spool_request request;
		if (spool_request_load(spool, db_int(q, 0), arena, &request))
			json_array_append_new(list, request_json(&request));
	}
	json_object_set_new(json, "requests", list);
}

/* Outcomes of the job, and what the dispatch stream got. */
static void add_outcomes(struct spool *spool, json_t *json, int64_t job, struct arena *arena)
{
	size_t n;
	json_t *outcomes = json_array(), *released = json_array();
	struct spool_outcome *o = spool_job_outcomes(spool, job, arena, &n);
	for (size_t i = 0; i < n; i++) {
		json_t *row = outcome_json(spool, &o[i], arena);
		if (o[i].outbox == OUTBOX_DISPATCH)
			spool_set_text(row, "stream", o[i].key);
		json_array_append_new(o[i].outbox == OUTBOX_DISPATCH ? released : outcomes, row);
	}
	json_object_set_new(json, "outcomes", outcomes);
	json_object_set_new(json, "released", released);
}

/* Reports about mails, where there are any. */
static void add_reports(json_t *json, json_t *reports)
{
	if (json_array_size(reports) > 0)
		json_object_set(json, "reports", reports);
	json_decref(reports);
}

static json_t *job_json(struct spool *spool, int64_t id, struct arena *arena)
{
	size_t n_events;
	json_t *json = json_object(), *events = json_array(), *mails = json_array();
	struct spool_event *e = spool_job_events(spool, id, arena, &n_events);
	for (size_t i = 0; i < n_events; i++) {
		e[i].event.data = spool_event_data(spool, e[i].id, arena);
		e[i].trace = spool_event_trace(spool, e[i].id, arena);
	}
	struct db_query *q =
	        spool_query(spool, "SELECT job, customer, state, erase FROM job WHERE id = ?1");
	db_bind_int(q, 1, id);
	if (spool_row(spool, q)) {
		spool_set_text(json, "job", db_text(q, 0, arena));
		spool_set_text(json, "customer", db_text(q, 1, arena));
		spool_set_text(json, "state", db_text(q, 2, arena));
		if (db_int(q, 3) == ERASED)
			json_object_set_new(json, "erased", json_true());
		db_finish(q);
	}
	for (size_t i = 0; i < n_events; i++)
		json_array_append_new(events, event_json(&e[i]));
	q = spool_query(spool, "SELECT id FROM mail WHERE job = ?1 UNION SELECT mail FROM notice "
	                       "WHERE job = ?1 ORDER BY 1");
	db_bind_int(q, 1, id);
	while (spool_row(spool, q))
		json_array_append_new(mails, mail_json(spool, db_int(q, 0), arena, false));
	json_object_set_new(json, "events", events);
	add_requests(spool, json, id, arena);
	add_outcomes(spool, json, id, arena);
	json_object_set_new(json, "mails", mails);
	add_reports(json, spool_bounces_of_job(spool, id));
	return json;
}

bool spool_read_job(struct spool *spool, const char *job, const char *customer, json_t **ret,
                    struct error *err)
{
	int64_t id;
	if (!spool_begin_read(spool, err))
		return false;
	struct arena *arena = arena_new();
	json_t *json = find_job(spool, job, customer, &id, err) ? job_json(spool, id, arena) : NULL;
	arena_free(arena);
	return spool_finish_read(spool, json, ret, err);
}

/* ---- Mails ---- */

static void add_condition(struct buf *sql, const char *value, const char *condition)
{
	if (value != NULL)
		buf_printf(sql, " AND %s", condition);
}

/* A statement for once: what isn't asked isn't in it, so that an index finds what is. All
 * parameters are there. */
static struct db_query *filtered(struct spool *spool, struct buf *sql,
                                 const struct spool_filter *filter)
{
	add_condition(sql, filter->before_id ? "" : NULL, "id < ?9");
	buf_adds(sql, " AND coalesce(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?9, '') IS NOT NULL ORDER BY id "
	              "DESC LIMIT ?8");
	struct db_query *q = db_query_once(spool->db, buf_text(sql));
	db_bind_text(q, 1, filter->status);
	db_bind_text(q, 2, filter->state);
	db_bind_text(q, 3, filter->customer);
	db_bind_text(q, 4, filter->job);
	db_bind_text(q, 5, filter->to);
	db_bind_text(q, 6, filter->reason);
	if (!instant_is_none(filter->before))
		db_bind_instant(q, 7, filter->before);
	db_bind_int(q, 8, filter->limit);
	db_bind_int(q, 9, filter->before_id);
	return q;
}

/* Mails of a list, in order: their `columns`, the id first. */
static struct db_query *filtered_mails(struct spool *spool, const char *columns,
                                       const struct spool_filter *filter)
{
	struct buf sql = {0};
	buf_printf(&sql, "SELECT %s FROM mail m WHERE 1", columns);
	/* The index of statuses leaves out what is sent, and so most of a long list's rows. */
	if (filter->status)
		buf_adds(&sql, strcmp(filter->status, "sent") == 0
		                       ? " AND status = ?1"
		                       : " AND status = ?1 AND status <> 'sent'");
	else if (filter->reason && strcmp(filter->reason, reason_name(REASON_OK)) != 0)
		buf_adds(&sql, " AND status > '' AND status <> 'sent'"); /* those are ok */
	add_condition(&sql, filter->state, "state = ?2");
	add_condition(&sql, filter->customer,
	              "id IN (SELECT o.id FROM " SPOOL_JOBS_OF(
	                      "?3") " AS j CROSS JOIN mail o ON "
	                            "o.job = j.id UNION ALL SELECT n.mail FROM " SPOOL_JOBS_OF(
	                                    "?3") " AS j CROSS "
	                                          "JOIN notice n ON n.job = j.id)");
	add_condition(
	        &sql, filter->job,
	        "id IN (SELECT o.id FROM job j CROSS JOIN mail o ON o.job = j.id WHERE j.job = ?4 "
	        "UNION ALL SELECT n.mail FROM job j CROSS JOIN notice n ON n.job = j.id WHERE "
	        "j.job = ?4)");
	add_condition(&sql, filter->to, "address = ?5 COLLATE NOCASE");
	add_condition(&sql, filter->reason, "reason = ?6");
	add_condition(&sql, instant_is_none(filter->before) ? NULL : "", "made < ?7");
	struct db_query *q = filtered(spool, &sql, filter);
	buf_free(&sql);
	return q;
}

bool spool_read_mails(struct spool *spool, const struct spool_filter *filter, json_t **ret,
                      struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	struct arena *arena = arena_new();
	json_t *list = json_array();
	struct db_query *q = filtered_mails(spool, "id", filter);
	while (spool_row(spool, q))
		json_array_append_new(list, mail_json(spool, db_int(q, 0), arena, false));
	arena_free(arena);
	return spool_finish_read(spool, list, ret, err);
}

bool spool_read_mail_ids(struct spool *spool, const struct spool_filter *filter, unsigned statuses,
                         const char *but, json_t **ret, struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	json_t *list = json_array();
	struct db_query *q = filtered_mails(spool, "id, status, reason", filter);
	while (spool_row(spool, q)) {
		const char *status = db_peek_text(q, 1, NULL), *reason = db_peek_text(q, 2, NULL);
		bool left_out = but != NULL && filter->reason == NULL && reason != NULL &&
		                strcmp(reason, but) == 0;
		if (status_in(status_find(status ? status : ""), statuses) && !left_out)
			json_array_append_new(list, json_integer(db_int(q, 0)));
	}
	return spool_finish_read(spool, list, ret, err);
}

static void add_mail_outcomes(struct spool *spool, json_t *json, int64_t id, struct arena *arena)
{
	json_t *list = json_array();
	struct db_query *q =
	        spool_query(spool, "SELECT job FROM mail WHERE id = ?1 AND job IS NOT NULL UNION "
	                           "SELECT job FROM notice WHERE mail = ?1");
	db_bind_int(q, 1, id);
	while (spool_row(spool, q)) {
		size_t n;
		struct spool_outcome *o = spool_job_outcomes(spool, db_int(q, 0), arena, &n);
		for (size_t i = 0; i < n; i++) {
			if (o[i].mail == id)
				json_array_append_new(list, outcome_json(spool, &o[i], arena));
		}
	}
	json_object_set_new(json, "outcomes", list);
}

bool spool_read_mail(struct spool *spool, int64_t id, json_t **ret, struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	struct arena *arena = arena_new();
	json_t *json = mail_json(spool, id, arena, true);
	if (json == NULL)
		error_set(err, EX_NOINPUT, "there is no mail %lld", (long long)id);
	else
		add_mail_outcomes(spool, json, id, arena);
	if (json != NULL)
		add_reports(json, spool_bounces_of_mail(spool, id));
	arena_free(arena);
	return spool_finish_read(spool, json, ret, err);
}

/* ---- Dead letters and counts ---- */

static json_t *dead_json(struct spool_outcome *outcome, struct arena *arena)
{
	json_t *json = json_object(), *fields = fields_json(outcome, arena);
	set_int(json, "id", outcome->seq);
	spool_set_time(json, "time", outcome->time);
	json_object_set(json, "reason", json_object_get(fields, "dead_reason"));
	json_object_set(json, "detail", json_object_get(fields, "dead_detail"));
	json_object_set(json, "entry", json_object_get(fields, "dead_entry"));
	json_object_del(fields, "dead_reason");
	json_object_del(fields, "dead_detail");
	json_object_del(fields, "dead_entry");
	json_object_set_new(json, "fields", fields);
	return json;
}

bool spool_read_dead(struct spool *spool, int64_t limit, json_t **ret, struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	struct arena *arena = arena_new();
	json_t *list = json_array();
	size_t n;
	struct spool_outcome *dead = spool_dead_letters(spool, limit, arena, &n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, dead_json(&dead[i], arena));
	arena_free(arena);
	return spool_finish_read(spool, list, ret, err);
}

bool spool_read_dead_count(struct spool *spool, int64_t *ret, struct error *err)
{
	return spool_read_int(
	        spool, "SELECT count(*) FROM outcome WHERE entry IS NOT NULL AND key <> 'retried'",
	        0, ret, err);
}

static json_t *held_json(const struct spool_request *request)
{
	json_t *json = request_json(request);
	spool_set_text(json, "job", request->event.job);
	spool_set_text(json, "customer", request->event.customer);
	if (request->recheck.ms == INSTANT_NEVER.ms)
		json_object_set_new(json, "look", json_null());
	else
		spool_set_time(json, "look", request->recheck);
	return json;
}

bool spool_read_held(struct spool *spool, json_t **ret, struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	struct arena *arena = arena_new();
	json_t *list = json_array();
	struct db_query *q =
	        spool_query(spool, "SELECT id FROM request WHERE status = 'held' ORDER BY id");
	while (spool_row(spool, q)) {
		struct spool_request request;
		if (spool_request_load(spool, db_int(q, 0), arena, &request))
			json_array_append_new(list, held_json(&request));
	}
	arena_free(arena);
	return spool_finish_read(spool, list, ret, err);
}

/* What a later event leaves out is taken from the ones before. */
static void set_data(json_t *object, const char *name, const json_t *data)
{
	json_t *value = json_object_get(data, name);
	if (value && json_is_null(json_object_get(object, name)))
		json_object_set(object, name, value);
}

static const char *const line_members[] = {"service", "reference", "scheduled",
                                           "eta",     "route",     "driver"};
enum { LINE_MEMBERS = sizeof line_members / sizeof line_members[0] };

static void set_members(json_t *line, struct db_query *q, int column)
{
	const char *text = db_peek_text(q, column, NULL);
	json_t *data = text ? json_loads(text, 0, NULL) : NULL;
	for (size_t i = 0; i < LINE_MEMBERS; i++)
		set_data(line, line_members[i], data);
	json_decref(data);
}

static json_t *job_line(struct spool *spool, struct db_query *job)
{
	json_t *line = json_object();
	set_int(line, "id", db_int(job, 0));
	spool_set_text(line, "job", db_peek_text(job, 1, NULL));
	spool_set_text(line, "customer", db_peek_text(job, 2, NULL));
	spool_set_text(line, "state", db_peek_text(job, 3, NULL));
	json_object_set_new(line, "changed", json_null());
	for (size_t i = 0; i < LINE_MEMBERS; i++)
		json_object_set_new(line, line_members[i], json_null());
	struct db_query *q = spool_query(
	        spool,
	        "SELECT time, data FROM event WHERE job = ?1 ORDER BY time DESC, id DESC LIMIT 20");
	db_bind_int(q, 1, db_int(job, 0));
	while (spool_row(spool, q)) {
		if (json_is_null(json_object_get(line, "changed")))
			spool_set_time(line, "changed", db_instant(q, 0));
		set_members(line, q, 1);
	}
	/* What only requests had. */
	q = spool_query(spool, "SELECT data FROM request WHERE job = ?1 ORDER BY id DESC LIMIT 5");
	db_bind_int(q, 1, db_int(job, 0));
	while (spool_row(spool, q))
		set_members(line, q, 0);
	return line;
}

#define OF_MAILS "EXISTS (SELECT 1 FROM mail m WHERE m.id IN " SPOOL_MAILS_OF("j.id") " AND "
#define ANY_OF(column, parameter)                                                                  \
	"(" OF_MAILS "m." column " = " parameter ")"                                               \
	" OR EXISTS (SELECT 1 FROM event e WHERE e.job = j.id AND e." column " = " parameter ")"   \
	" OR EXISTS (SELECT 1 FROM request r WHERE r.job = j.id AND r." column " = " parameter     \
	"))"

static void add_job_conditions(struct buf *sql, const struct spool_filter *filter)
{
	bool is_state = filter->status && job_state_find(filter->status) != JOB_NONE;
	add_condition(sql, filter->status, is_state ? "state = ?1" : ANY_OF("status", "?1"));
	add_condition(sql, filter->state, "state = ?2");
	add_condition(sql, filter->customer, "j.id IN " SPOOL_JOBS_OF("?3"));
	add_condition(sql, filter->job, "job = ?4");
	add_condition(sql, filter->to, OF_MAILS "m.address = ?5 COLLATE NOCASE)");
	add_condition(sql, filter->reason, ANY_OF("reason", "?6"));
	if (!instant_is_none(filter->before))
		buf_adds(sql, " AND NOT EXISTS (SELECT 1 FROM event e WHERE e.job = j.id AND "
		              "e.time >= ?7) AND NOT EXISTS (SELECT 1 FROM request r WHERE r.job = "
		              "j.id AND r.time >= ?7)");
}

bool spool_read_jobs(struct spool *spool, const struct spool_filter *filter, json_t **ret,
                     struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	struct buf sql = {0};
	json_t *list = json_array();
	buf_adds(&sql, "SELECT id, job, customer, state FROM job j WHERE 1");
	add_job_conditions(&sql, filter);
	struct db_query *q = filtered(spool, &sql, filter);
	while (spool_row(spool, q))
		json_array_append_new(list, job_line(spool, q));
	buf_free(&sql);
	return spool_finish_read(spool, list, ret, err);
}

/* Those that a state, or the gate's last answer, doesn't end. */
static void add_current(struct buf *sql)
{
	buf_adds(sql, "SELECT id, job, customer, state, gate FROM (SELECT j.*, (SELECT r.status "
	              "FROM request r WHERE r.job = j.id ORDER BY r.id DESC LIMIT 1) AS gate "
	              "FROM job j WHERE j.state IN (''");
	for (int s = 0; s < JOB_STATE_COUNT; s++)
		if (!job_state_row((enum job_state)s)->is_end)
			buf_printf(sql, ", '%s'", job_state_name((enum job_state)s));
	buf_adds(sql, ")) WHERE state <> '' OR gate IN ('held', 'allowed', 'released') "
	              "ORDER BY id DESC LIMIT ?1");
}

bool spool_read_current(struct spool *spool, int64_t limit, json_t **ret, struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	struct buf sql = {0};
	json_t *list = json_array();
	add_current(&sql);
	struct db_query *q = db_query_once(spool->db, buf_text(&sql));
	db_bind_int(q, 1, limit);
	while (spool_row(spool, q)) {
		json_t *line = job_line(spool, q);
		spool_set_text(line, "gate", db_peek_text(q, 4, NULL));
		json_array_append_new(list, line);
	}
	buf_free(&sql);
	return spool_finish_read(spool, list, ret, err);
}

bool spool_read_counts(struct spool *spool, json_t **ret, struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	json_t *json = json_object(), *mails = json_object();
	for (enum status s = STATUS_QUEUED; s < STATUS_COUNT; s++) {
		if (status_in(s, STATUSES_MAIL))
			set_int(mails, status_name(s), spool_mail_count(spool, s));
	}
	json_object_set_new(json, "mails", mails);
	set_int(json, "waiting", spool_wait_count(spool));
	set_int(json, "held", spool_held_count(spool));
	set_int(json, "unpublished", spool_unpublished(spool));
	spool_set_text(json, "instance", spool_instance(spool));
	return spool_finish_read(spool, json, ret, err);
}

static int64_t last_sent(struct spool *spool)
{
	return spool_run_int(
	        spool, spool_query(spool, "SELECT value FROM meta WHERE key = 'last_sent'"), 0);
}

bool spool_read_failures(struct spool *spool, json_t **ret, struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	struct arena *arena = arena_new();
	json_t *json = json_object();
	struct db_query *q =
	        spool_query(spool, "SELECT count(*), reply, max(changed) FROM mail WHERE changed > "
	                           "?1 AND status IN ('failed', 'retrying') AND status <> 'sent' "
	                           "AND reason IN ('address_refused', 'mail_refused', "
	                           "'mail_busy', 'in_doubt')");
	db_bind_int(q, 1, last_sent(spool));
	while (spool_row(spool, q)) {
		set_int(json, "failures", db_int(q, 0));
		if (db_int(q, 0) > 0)
			spool_set_text(json, "reply", db_text(q, 1, arena));
	}
	arena_free(arena);
	return spool_finish_read(spool, json, ret, err);
}
