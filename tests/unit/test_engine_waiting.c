/* SPDX-License-Identifier: MIT */
/* Events that wait for their customer, when there are more of them than one turn rechecks. */
#include "engine_world.h"

#include "engine/office_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNKNOWN = 2500 };

/* One turn with that many events of a customer that nobody knows. */
static void events_of_nobody(struct world *w)
{
	struct entry *entries = mem_alloc(UNKNOWN * sizeof *entries);
	const struct entry **list = mem_alloc(UNKNOWN * sizeof *list);
	struct arena *arena = arena_new();
	struct turn_output out;
	struct turn_input in = {.now = w->now, .entries = list, .n_entries = UNKNOWN};
	struct error err;
	for (int i = 0; i < UNKNOWN; i++) {
		struct entry_field *fields = arena_new_array(arena, 4, struct entry_field);
		const char *id = arena_printf(arena, "n%d", i);
		fields[0] = (struct entry_field){"id", 2, id, strlen(id)};
		fields[1] = (struct entry_field){"type", 4, "job.started", 11};
		fields[2] = (struct entry_field){"job", 3, id, strlen(id)};
		fields[3] = (struct entry_field){"customer", 8, "9999", 4};
		entries[i] = (struct entry){
		        .id = "", .fields = fields, .n_fields = 4, .received = w->now};
		list[i] = &entries[i];
	}
	assert_true(engine_turn(w->engine, &in, &out, &err));
	turn_output_clear(&out);
	arena_free(arena);
	free(entries);
	free(list);
}

static void a_customer_that_comes_is_seen_behind_many_that_dont(void **state)
{
	(void)state;
	struct world *w = world_new("2026-06-03T12:00:00Z");
	struct error err;
	bool more = true;
	events_of_nobody(w);
	world_event(w, "job.dispatched", "J1", "1001", NULL, NULL);
	world_sql(w, "INSERT INTO customer (id, number, name, timezone) VALUES (1, '1001', 'Acme', "
	             "'UTC');"
	             "INSERT INTO contact (id, customer, name, email) VALUES (1, 1, 'Ann', "
	             "'ann@example.com')");
	for (int turns = 0; more && turns < 10; turns++) {
		struct turn_input in = {.now = w->now};
		struct turn_output out;
		assert_true(engine_turn(w->engine, &in, &out, &err));
		more = out.more;
		turn_output_clear(&out);
	}
	assert_false(more);
	assert_int_equal(world_mails(w, STATUS_QUEUED), 1);
	world_free(w);
}

static void turn_with(struct world *w, const struct office_write_result *done, size_t n,
                      struct instant *ret_next)
{
	struct turn_input in = {
	        .now = w->now, .office_writes_done = done, .n_office_writes_done = n};
	struct turn_output out;
	struct error err;
	assert_true(engine_turn(w->engine, &in, &out, &err));
	*ret_next = out.next;
	turn_output_clear(&out);
}

/* The grace is over, but the feed isn't through: the customer may be in it. */
static void a_customer_is_waited_for_while_the_feed_is_on_its_way(void **state)
{
	(void)state;
	struct world *w = world_new("2026-06-03T12:00:00Z");
	const struct office_write_result done[] = {{.seq = 1}, {.seq = 2}};
	struct instant next;
	world_customer(w, "{\"number\": \"7\", \"name\": \"G\"}");
	world_at(w, "2026-06-03T12:00:30Z");
	world_event(w, "job.started", "J1", "9999", NULL, NULL);
	world_customer(w, "{\"number\": \"8\", \"name\": \"H\"}");
	world_at(w, "2026-06-03T12:05:00Z");
	turn_with(w, NULL, 0, &next);
	assert_true(instant_before(w->now, next)); /* nor is it looked for all the time */
	turn_with(w, &done[0], 1, &next);
	assert_true(instant_before(w->now, next));
	world_turn(w);
	assert_string_equal(buf_text(&w->outcomes), "");
	turn_with(w, &done[1], 1, &next);
	world_turn(w);
	assert_string_equal(buf_text(&w->outcomes),
	                    "dead unknown_customer\nrejected unknown_customer J1\n");
	world_free(w);
}

/* One published after the grace was over is not waited for. */
static void a_feed_that_never_ends_holds_nobody_up(void **state)
{
	(void)state;
	struct world *w = world_new("2026-06-03T12:00:00Z");
	world_event(w, "job.started", "J1", "9999", NULL, NULL);
	world_at(w, "2026-06-03T12:01:01Z");
	world_customer(w, "{\"number\": \"7\", \"name\": \"G\"}");
	assert_string_equal(buf_text(&w->outcomes),
	                    "dead unknown_customer\nrejected unknown_customer J1\n");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_customer_is_waited_for_while_the_feed_is_on_its_way),
	        cmocka_unit_test(a_feed_that_never_ends_holds_nobody_up),
	        cmocka_unit_test(a_customer_that_comes_is_seen_behind_many_that_dont),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
