/* SPDX-License-Identifier: MIT */
/* Wishes for fewer mails between the turn that takes them and the office's writer: they count at
 * once, and each of them builds on those before. */
#include "engine/engine_private.h"
#include "engine/office_writer.h"
#include "engine_world.h"
#include "mail/token.h"
#include "records/contact_choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static struct world *w;
static struct token_keys keys = {.n = 1, .key = {{1, 2, 3}}};

static int setup(void **state)
{
	(void)state;
	w = world_new("2026-06-03T08:00:00Z");
	w->settings.bounce.address = "bounce@mail.example.com";
	engine_set_token_keys(w->engine, &keys);
	world_sql(w, "INSERT INTO customer (id, number, name) VALUES (1, '1001', 'Farm');"
	             "INSERT INTO contact (id, customer, email, notify) VALUES "
	             "(1, 1, 'a@example.com', 'completed,failed')");
	world_turn(w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static struct contact_choice load(struct arena *arena)
{
	struct contact_choice choice;
	struct error err;
	assert_true(contact_choice_load(w->engine->customers, 1, arena, &choice, &err));
	return choice;
}

/* The states that the answer shows, each with "+" or "-" in front. */
static const char *set(const char *off, const char *on)
{
	static char said[256];
	char request[512], text[TOKEN_SIZE];
	struct arena *arena = arena_new();
	const struct token token = {.kind = TOKEN_OPT_OUT, .id = 1, .state = JOB_COMPLETED};
	token_make(&keys, &token, load(arena).link, "", text);
	arena_free(arena);
	(void)snprintf(request, sizeof request,
	               "{\"do\":\"opt_out.set\",\"token\":\"%s\",\"off\":[%s],\"on\":[%s]}", text,
	               off, on);
	char *reply = world_command(w, request);
	json_t *json = json_loads(reply, 0, NULL), *state;
	size_t i, len = 0;
	said[0] = '\0';
	assert_true(json_is_true(json_object_get(json, "ok")));
	json_array_foreach(json_object_get(json, "states"), i, state)
	{
		len += (size_t)snprintf(said + len, sizeof said - len, "%s%c%s", i ? " " : "",
		                        json_is_true(json_object_get(state, "on")) ? '+' : '-',
		                        json_string_value(json_object_get(state, "state")));
	}
	json_decref(json);
	free(reply);
	world_turn(w);
	return said;
}

static void assert_event(const char *type, const char *job, const char *outcome)
{
	world_event(w, type, job, "1001", NULL, NULL);
	assert_string_equal(buf_text(&w->outcomes), outcome);
	world_deliver(w, DELIVERY_SENT);
}

/* What the office's thread does, with what waits. */
static void write_into_customers(void)
{
	struct error err;
	size_t n;
	struct arena *arena = arena_new();
	struct spool *spool = spool_open(w->settings.spool.path, DB_READ, &err);
	assert_true(spool_begin_read(spool, &err));
	struct spool_office_write *rows = spool_office_writes(spool, 100, arena, &n);
	spool_end_read(spool);
	struct office_write_result *results = arena_new_array(arena, n, struct office_write_result);
	struct office_writer *writer =
	        office_writer_open(w->settings.customers.path, w->settings.spool.path, &err);
	assert_non_null(writer);
	assert_int_equal(office_writer_run(writer, rows, n, w->now, results, &err), n);
	for (size_t i = 0; i < n; i++)
		assert_false(results[i].refused);
	(void)office_writer_close(writer);
	spool_close(spool);
	arena_free(arena);
}

static void it_counts_before_it_is_written(void **state)
{
	(void)state;
	assert_string_equal(set("\"completed\"", ""), "-completed +failed");
	assert_event("job.completed", "J", "suppressed not_wanted J\n");
	assert_event("job.failed", "K", "queued ok K\n");
	world_reopen(w);
	engine_set_token_keys(w->engine, &keys);
	assert_event("job.completed", "L", "suppressed not_wanted L\n");
}

static void it_builds_on_one_that_waits(void **state)
{
	(void)state;
	assert_string_equal(set("\"completed\"", ""), "-completed +failed");
	assert_string_equal(set("", "\"completed\""), "+completed +failed");
	assert_event("job.completed", "J", "queued ok J\n");
	assert_string_equal(set("\"failed\"", "\"completed\""), "+completed -failed");
	assert_event("job.failed", "K", "suppressed not_wanted K\n");
	write_into_customers();
	struct arena *arena = arena_new();
	struct contact_choice choice = load(arena);
	assert_int_equal(choice.on, JOB_BIT(JOB_COMPLETED));
	assert_int_equal(choice.off_by_link, JOB_BIT(JOB_FAILED));
	arena_free(arena);
	/* Written, and not yet off the list: the same again. */
	world_turn(w);
	assert_event("job.completed", "L", "queued ok L\n");
	assert_event("job.failed", "M", "suppressed not_wanted M\n");
}

/* The second "off" is nothing to what is written so far. */
static void off_is_not_lost_behind_an_on_that_waits(void **state)
{
	(void)state;
	(void)set("\"completed\"", "");
	write_into_customers();
	world_turn(w);
	(void)set("", "\"completed\"");
	assert_string_equal(set("\"completed\"", ""), "-completed +failed");
	assert_event("job.completed", "J", "suppressed not_wanted J\n");
	write_into_customers();
	struct arena *arena = arena_new();
	assert_int_equal(load(arena).on, JOB_BIT(JOB_FAILED));
	arena_free(arena);
}

/* Nobody switches on what a link didn't switch off. */
static void on_is_only_for_what_was_switched_off(void **state)
{
	(void)state;
	assert_string_equal(set("", "\"paused\",\"completed\""), "+completed +failed");
	assert_event("job.paused", "J", "suppressed not_wanted J\n");
}

/* Bytes of customers.db in which the contacts' links are become those of no page. */
static void spoil_links(void)
{
	int64_t page, size;
	struct error err;
	struct db *db = customers_db(w->engine->customers);
	world_sql(w, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_true(db_run_int(
	        db_query(db, "SELECT rootpage FROM sqlite_schema WHERE name = 'contact_link'"), 0,
	        &page, &err));
	assert_true(db_run_int(db_query(db, "PRAGMA page_size"), 0, &size, &err));
	int fd = open(w->settings.customers.path, O_WRONLY);
	char junk[64];
	memset(junk, 0x5a, sizeof junk);
	assert_int_equal(pwrite(fd, junk, sizeof junk, (page - 1) * size), sizeof junk);
	close(fd);
}

/* Nobody knows whose it is: it comes again. */
static void what_can_t_be_read_is_not_forged(void **state)
{
	(void)state;
	char request[512], text[TOKEN_SIZE];
	struct arena *arena = arena_new();
	const struct token token = {.kind = TOKEN_OPT_OUT, .id = 1, .state = JOB_COMPLETED};
	token_make(&keys, &token, load(arena).link, "", text);
	arena_free(arena);
	world_reopen(w);
	engine_set_token_keys(w->engine, &keys);
	spoil_links();
	(void)snprintf(
	        request, sizeof request,
	        "{\"do\":\"bounce.take\",\"recipient\":\"bounce+%s@mail.example.com\",\"facts\":"
	        "{\"kind\":\"opt_out\"}}",
	        text);
	struct error err;
	assert_null(engine_command(w->engine, request, w->now, &err));
	assert_int_equal(err.code, EX_DATAERR);
	assert_int_equal(w->engine->stats.reports[MAIL_REPORT_OPT_OUT][MAIL_REPORT_NONE], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(it_counts_before_it_is_written, setup, teardown),
	        cmocka_unit_test_setup_teardown(it_builds_on_one_that_waits, setup, teardown),
	        cmocka_unit_test_setup_teardown(off_is_not_lost_behind_an_on_that_waits, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(what_can_t_be_read_is_not_forged, setup, teardown),
	        cmocka_unit_test_setup_teardown(on_is_only_for_what_was_switched_off, setup,
	                                        teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
