/* SPDX-License-Identifier: MIT */
/* Reports about mails for people: `bounce list`, `bounce show`, and those of a mail or a job. Read
 * beside a running daemon. */
#include "spool/spool_bounce.h"

#include "spool/spool_private.h"

#include <sysexits.h>

#define READ_COLUMNS                                                                               \
	"SELECT id, time, kind, verdict, mail, contact, address, code, text, took, why, sender, "  \
	"message_id FROM bounce "

static void set_number(json_t *json, const char *name, struct db_query *q, int column)
{
	json_object_set_new(json, name,
	                    db_is_null(q, column) ? json_null() : json_integer(db_int(q, column)));
}

static json_t *row_json(struct db_query *q)
{
	static const struct {
		const char *name;
		int column;
	} texts[] = {{"kind", 2}, {"verdict", 3}, {"address", 6}, {"code", 7},       {"text", 8},
	             {"took", 9}, {"why", 10},    {"sender", 11}, {"message_id", 12}};
	json_t *json = json_object();
	json_object_set_new(json, "id", json_integer(db_int(q, 0)));
	spool_set_time(json, "time", db_instant(q, 1));
	set_number(json, "mail", q, 4);
	set_number(json, "contact", q, 5);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		spool_set_text(json, texts[i].name, db_peek_text(q, texts[i].column, NULL));
	return json;
}

/* Of the mail, as far as it is still on record. */
static void add_jobs(struct spool *spool, json_t *json)
{
	json_t *jobs = json_array();
	struct db_query *q = spool_query(
	        spool, "SELECT job.job, customer FROM mail JOIN job ON job.id = mail.job WHERE "
	               "mail.id = ?1 UNION SELECT job.job, customer FROM notice JOIN job ON job.id "
	               "= notice.job WHERE mail = ?1");
	db_bind_int(q, 1, json_integer_value(json_object_get(json, "mail")));
	json_object_set_new(json, "customer", json_null());
	while (spool_row(spool, q)) {
		const char *job = db_peek_text(q, 0, NULL);
		spool_set_text(json, "customer", db_peek_text(q, 1, NULL));
		json_array_append_new(jobs, json_string(job ? job : ""));
	}
	json_object_set_new(json, "jobs", jobs);
}

static json_t *rows_json(struct spool *spool, struct db_query *q)
{
	json_t *list = json_array(), *row;
	size_t i;
	while (spool_row(spool, q))
		json_array_append_new(list, row_json(q));
	json_array_foreach(list, i, row) add_jobs(spool, row);
	return list;
}

json_t *spool_bounces_of_mail(struct spool *spool, int64_t mail)
{
	struct db_query *q =
	        spool_query(spool, READ_COLUMNS "WHERE mail = ?1 ORDER BY id LIMIT 100");
	db_bind_int(q, 1, mail);
	return rows_json(spool, q);
}

json_t *spool_bounces_of_job(struct spool *spool, int64_t job)
{
	struct db_query *q = spool_query(
	        spool, READ_COLUMNS "WHERE mail IN " SPOOL_MAILS_OF("?1") " ORDER BY id LIMIT 100");
	db_bind_int(q, 1, job);
	return rows_json(spool, q);
}

bool spool_read_bounces(struct spool *spool, const struct spool_bounce_filter *filter, json_t **ret,
                        struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	struct db_query *q = spool_query(
	        spool,
	        filter->mail != 0 ? READ_COLUMNS
	                "WHERE id < ?1 AND mail = ?3 ORDER BY id DESC LIMIT ?2"
	        : filter->unknown ? READ_COLUMNS
	                "WHERE id < ?1 AND mail IS NULL AND contact IS NULL ORDER BY id DESC "
	                "LIMIT ?2"
	                          : READ_COLUMNS "WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
	db_bind_int(q, 1, filter->before_id > 0 ? filter->before_id : INT64_MAX);
	db_bind_int(q, 2, filter->limit);
	if (filter->mail != 0)
		db_bind_int(q, 3, filter->mail);
	return spool_finish_read(spool, rows_json(spool, q), ret, err);
}

static json_t *busy_json(struct spool *spool, struct instant since)
{
	json_t *list = json_array();
	struct db_query *q =
	        spool_query(spool, "SELECT contact, address, count(*) FROM strike WHERE time > ?1 "
	                           "GROUP BY contact, address HAVING count(*) > 1");
	db_bind_int(q, 1, since.ms);
	while (spool_row(spool, q)) {
		json_t *row = json_object();
		json_object_set_new(row, "contact", json_integer(db_int(q, 0)));
		spool_set_text(row, "address", db_peek_text(q, 1, NULL));
		json_object_set_new(row, "days", json_integer(db_int(q, 2)));
		json_array_append_new(list, row);
	}
	return list;
}

bool spool_read_bounce_troubles(struct spool *spool, struct instant since,
                                struct instant busy_since, json_t **ret, struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	json_t *json = json_object();
	bool alarmed = spool_refusals_alarmed(spool).ms > since.ms;
	json_object_set_new(json, "refused",
	                    json_integer(alarmed ? spool_bounces_refused(spool, since) : 0));
	json_object_set_new(json, "busy", busy_json(spool, busy_since));
	return spool_finish_read(spool, json, ret, err);
}

bool spool_read_bounce(struct spool *spool, int64_t id, json_t **ret, struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	struct db_query *q = spool_query(spool, READ_COLUMNS "WHERE id = ?1");
	db_bind_int(q, 1, id);
	json_t *list = rows_json(spool, q), *row = json_incref(json_array_get(list, 0));
	json_decref(list);
	if (row == NULL)
		error_set(err, EX_NOINPUT, "there is no report %lld", (long long)id);
	return spool_finish_read(spool, row, ret, err);
}
