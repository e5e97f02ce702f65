/* SPDX-License-Identifier: MIT */
/*
 * The other end of office writes, on a thread of its own: carries them out in customers.db, in
 * order and idempotently.
 */
#include "engine/office_writer.h"

#include "base/jsontext.h"
#include "engine/known.h"
#include "model/kind.h"
#include "records/contact_choice.h"
#include "records/customers_changes.h"
#include "records/records.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct office_writer {
	struct customers *customers;
};

/* Some seconds of a processor: the longest that is known takes a hundredth of that. */
enum { STEPS_MAX = 500 * 1000 * 1000 };

struct office_writer *office_writer_open(const char *path, const char *spool_path,
                                         struct error *err)
{
	struct customers *customers = known_open(path, spool_path, DB_WRITE, err);
	if (customers == NULL)
		return NULL;
	struct office_writer *writer = mem_alloc(sizeof *writer);
	writer->customers = customers;
	office_writer_set_stop(writer, NULL);
	return writer;
}

void office_writer_set_stop(struct office_writer *writer, const atomic_bool *stop)
{
	db_set_limit(customers_db(writer->customers), STEPS_MAX, stop);
}

struct office_writer *office_writer_close(struct office_writer *writer)
{
	if (writer != NULL)
		customers_close(writer->customers);
	free(writer);
	return NULL;
}

static bool is_damaged(const struct spool_office_write *row, struct error *err)
{
	return error_set(err, EX_DATAERR, "office write %lld is damaged", (long long)row->seq);
}

/* States that the recipient refuses mails about, or wants them about again. A contact that
 * complained has no link in its row, one of an earlier version `no_more`. */
static bool choose_states(struct office_writer *writer, const struct spool_office_write *row,
                          const json_t *detail, struct error *err)
{
	json_int_t contact = 0, off = 0, on = 0;
	const char *link = "";
	int no_more = 0;
	if (json_unpack((json_t *)detail, "{s:I, s?s, s?I, s?I, s?b}", "contact", &contact, "link",
	                &link, "off", &off, "on", &on, "no_more", &no_more) != 0)
		return is_damaged(row, err);
	return contact_choice_set(writer->customers, contact, link,
	                          no_more != 0 ? JOB_NOTIFY_ALL : (unsigned)off, (unsigned)on,
	                          row->time, err);
}

static bool mark_address(struct office_writer *writer, const struct spool_office_write *row,
                         const json_t *detail, struct error *err)
{
	json_int_t contact = 0;
	const char *address = "", *reply = "";
	if (json_unpack((json_t *)detail, "{s:I, s:s, s:s}", "contact", &contact, "address",
	                &address, "reply", &reply) != 0)
		return is_damaged(row, err);
	return customers_mark_invalid(writer->customers, contact, address, row->time, reply, err);
}

static bool run_refused(struct office_writer *writer, const struct spool_office_write *row,
                        struct office_write_result *ret, struct error *err)
{
	(void)ret;
	json_t *detail = jsontext_read(row->detail, strlen(row->detail), err);
	bool states = json_object_get(detail, "off") != NULL ||
	              json_is_true(json_object_get(detail, "no_more"));
	bool ok = detail != NULL && (states ? choose_states(writer, row, detail, err)
	                                    : mark_address(writer, row, detail, err));
	json_decref(detail);
	return ok;
}

static void refuse(struct office_write_result *result, const struct error *why)
{
	result->refused = true;
	memcpy(result->text, why->text, sizeof result->text - 1);
}

/* A person's reply, on the job. It was written before if there is one of that time. */
static bool add_comment(struct office_writer *writer, const struct spool_office_write *row,
                        const json_t *detail, struct error *err)
{
	struct change_context context = {
	        .store = writer->customers, .actor = {.user = "recipient"}, .when = row->time};
	const char *job = jsontext_at(detail, "job"), *text = jsontext_at(detail, "text");
	struct db_query *q = db_query(customers_db(writer->customers),
	                              "SELECT 1 FROM comment WHERE created = ?1 AND job = ?2 AND "
	                              "author = 'recipient' AND text = ?3");
	db_bind_int(q, 1, row->time.ms);
	db_bind_text(q, 2, job);
	db_bind_text(q, 3, text);
	enum db_step step = db_step(q, err);
	if (step == DB_ROW)
		db_finish(q);
	if (step != DB_DONE)
		return step == DB_ROW;
	json_t *values = json_pack("{s:s, s:s}", "job", job, "text", text);
	bool ok = records_add(&context, kind_find("comment"), jsontext_at(detail, "customer"),
	                      values, NULL, err);
	json_decref(values);
	return ok;
}

/* One that can't be made (its customer is gone) is refused, so that those behind it go on. */
static bool run_comment(struct office_writer *writer, const struct spool_office_write *row,
                        struct office_write_result *ret, struct error *err)
{
	json_t *detail = jsontext_read(row->detail, strlen(row->detail), err);
	bool ok = detail != NULL && add_comment(writer, row, detail, err);
	json_decref(detail);
	if (ok)
		return true;
	if (err->code != EX_DATAERR && err->code != EX_NOINPUT)
		return false;
	refuse(ret, err);
	return true;
}

/* All kinds but those of the feed, which go together. */
static const struct {
	const char *kind;
	bool (*run)(struct office_writer *writer, const struct spool_office_write *row,
	            struct office_write_result *ret, struct error *err);
} writes[] = {
        {"refused", run_refused},
        {"opt_out", run_refused}, /* as earlier versions had them */
        {"comment", run_comment},
};

static bool run_one(struct office_writer *writer, const struct spool_office_write *row,
                    struct office_write_result *ret, struct error *err)
{
	for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
		if (strcmp(row->kind, writes[i].kind) == 0)
			return writes[i].run(writer, row, ret, err);
	return is_damaged(row, err);
}

/* The feed comes from the firm's own systems: it may do what a manager may. */
static bool run_feed(struct office_writer *writer, const struct spool_office_write *rows, size_t n,
                     struct instant now, struct office_write_result *ret, struct error *err)
{
	struct change_context context = {.store = writer->customers,
	                                 .actor = {.user = "feed", .manager = true},
	                                 .when = now};
	struct records_upsert *upserts = mem_alloc(n * sizeof *upserts);
	for (size_t i = 0; i < n; i++)
		upserts[i] = (struct records_upsert){.json = rows[i].detail,
		                                     .len = strlen(rows[i].detail)};
	bool ok = records_upsert(&context, upserts, n, err);
	for (size_t i = 0; ok && i < n; i++) {
		if (upserts[i].refused)
			refuse(&ret[i], &upserts[i].err);
	}
	free(upserts);
	return ok;
}

/* An address or an opt-out; or all entries of the feed up to the next of these, so that the order
 * stays. */
static size_t run_some(struct office_writer *writer, const struct spool_office_write *rows,
                       size_t n, struct instant now, struct office_write_result *ret,
                       struct error *err)
{
	bool clean;
	size_t some = 0;
	while (some < n && strcmp(rows[some].kind, "customer") == 0)
		some++;
	db_answer_clear(customers_db(writer->customers));
	if (db_gone(customers_db(writer->customers)) ||
	    db_replaced(customers_db(writer->customers),
	                &clean)) { /* what is written now would go with it */
		error_set(err, EX_TEMPFAIL, "%s was removed or replaced",
		          db_path(customers_db(writer->customers)));
		return 0;
	}
	if (some > 0)
		return run_feed(writer, rows, some, now, ret, err) ? some : 0;
	if (run_one(writer, rows, ret, err))
		return 1;
	if (!db_input_fault(customers_db(writer->customers), err))
		return 0;
	refuse(ret, err);
	return 1;
}

size_t office_writer_run(struct office_writer *writer, const struct spool_office_write *rows,
                         size_t n, struct instant now, struct office_write_result *ret,
                         struct error *err)
{
	size_t done = 0;
	for (size_t i = 0; i < n; i++)
		ret[i] = (struct office_write_result){.seq = rows[i].seq};
	while (done < n) {
		size_t some = run_some(writer, rows + done, n - done, now, ret + done, err);
		if (some == 0)
			break;
		done += some;
	}
	return done;
}

bool office_writer_drop(struct office_writer *writer, int64_t upto, struct error *err)
{
	return customers_changes_drop(writer->customers, upto, err);
}
