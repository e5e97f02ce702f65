/* SPDX-License-Identifier: MIT */
/*
 * The other end of office writes, on a thread of its own: carries them out in customers.db, in order and
 * idempotently.
 */
#include "engine/office_writer.h"

#include "base/jsontext.h"
#include "engine/known.h"
#include "records/records.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct chores {
	struct customers *customers;
};

/* Some seconds of a processor: the longest that is known takes a hundredth of that. */
enum { STEPS_MAX = 500 * 1000 * 1000 };

struct chores *chores_open(const char *path, const char *spool_path, struct error *err)
{
	struct customers *customers = known_open(path, spool_path, DB_WRITE, err);
	if (customers == NULL)
		return NULL;
	struct chores *chores = mem_alloc(sizeof *chores);
	chores->customers = customers;
	chores_set_stop(chores, NULL);
	return chores;
}

void chores_set_stop(struct chores *chores, const atomic_bool *stop)
{
	db_set_limit(customers_db(chores->customers), STEPS_MAX, stop);
}

struct chores *chores_close(struct chores *chores)
{
	if (chores != NULL)
		customers_close(chores->customers);
	free(chores);
	return NULL;
}

static bool run_refused(struct chores *chores, const struct spool_chore *row, struct error *err)
{
	json_int_t contact = 0;
	const char *address = "", *reply = "";
	json_t *detail = jsontext_read(row->detail, strlen(row->detail), err);
	bool ok = detail != NULL;
	if (ok && json_unpack(detail, "{s:I, s:s, s:s}", "contact", &contact, "address", &address, "reply",
	                      &reply) != 0)
		ok = error_set(err, EX_DATAERR, "chore %lld is damaged", (long long)row->seq);
	ok = ok && customers_mark_invalid(chores->customers, contact, address, row->time, reply, err);
	json_decref(detail);
	return ok;
}

static void refuse(struct chore_result *result, const struct error *why)
{
	result->refused = true;
	memcpy(result->text, why->text, sizeof result->text - 1);
}

/* The feed comes from the firm's own systems: it may do what a manager may. */
static bool run_feed(struct chores *chores, const struct spool_chore *rows, size_t n, struct instant now,
                     struct chore_result *ret, struct error *err)
{
	struct change_context context = {
	        .store = chores->customers, .actor = {.user = "feed", .manager = true}, .when = now};
	struct records_upsert *upserts = mem_alloc(n * sizeof *upserts);
	for (size_t i = 0; i < n; i++)
		upserts[i] = (struct records_upsert){.json = rows[i].detail, .len = strlen(rows[i].detail)};
	bool ok = records_upsert(&context, upserts, n, err);
	for (size_t i = 0; ok && i < n; i++) {
		if (upserts[i].refused)
			refuse(&ret[i], &upserts[i].err);
	}
	free(upserts);
	return ok;
}

/* An address; or all entries of the feed up to the next address, so that the order stays. */
static size_t run_some(struct chores *chores, const struct spool_chore *rows, size_t n, struct instant now,
                       struct chore_result *ret, struct error *err)
{
	bool clean;
	size_t some = 0;
	while (some < n && strcmp(rows[some].kind, "customer") == 0)
		some++;
	db_answer_clear(customers_db(chores->customers));
	if (db_gone(customers_db(chores->customers)) ||
	    db_replaced(customers_db(chores->customers), &clean)) { /* what is written now would go with it */
		error_set(err, EX_TEMPFAIL, "%s was removed or replaced",
		          db_path(customers_db(chores->customers)));
		return 0;
	}
	if (some > 0)
		return run_feed(chores, rows, some, now, ret, err) ? some : 0;
	if (run_refused(chores, rows, err))
		return 1;
	if (!db_input_fault(customers_db(chores->customers), err))
		return 0;
	refuse(ret, err);
	return 1;
}

size_t chores_run(struct chores *chores, const struct spool_chore *rows, size_t n, struct instant now,
                  struct chore_result *ret, struct error *err)
{
	size_t done = 0;
	for (size_t i = 0; i < n; i++)
		ret[i] = (struct chore_result){.seq = rows[i].seq};
	while (done < n) {
		size_t some = run_some(chores, rows + done, n - done, now, ret + done, err);
		if (some == 0)
			break;
		done += some;
	}
	return done;
}
