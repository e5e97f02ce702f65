/* SPDX-License-Identifier: MIT */
/*
 * What templates get from the engine, with the mail composer's additions, against the list of
 * names that `check` goes by: all that is provided is listed, all that is listed is provided.
 */
#include "engine_world.h"

#include "engine/engine_private.h"
#include "mail/context.h"
#include "mail/token.h"
#include "records/contact_choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                    \
	"dba = 'd', kind = 'local', account = 'a', address = 'b', city = 'c', state = 'NM', "      \
	"postal_code = "                                                                           \
	"'p', county = 'o', region = 'r', country = 'US', phone = '1', extension = '2', fax = "    \
	"'3', "                                                                                    \
	"timezone "                                                                                \
	"= 'UTC', locale = 'en', reference = 'R', renewal = '2027-01-01', sales_rep = 'Kim', "     \
	"disclaimer = "                                                                            \
	"'2026-01-01', location_notes = 'gate'"

static const char data[] =
        "{\"reference\":\"PO\",\"service\":\"s\",\"scheduled\":\"2026-06-03T13:00:00Z\",\"eta\":"
        "\"2026-06-03T13:00:00Z\",\"route\":\"n\",\"stop\":3,\"driver\":\"Sam\",\"vehicle\":\"7\","
        "\"asset\":\"x\",\"reason\":\"y\",\"note\":\"z\",\"photos\":[\"https://example.com/1\"],"
        "\"amount\":12.5}";

static GHashTable *provided;
static struct token_keys keys = {.n = 1, .key = {{1, 2, 3}}};

/* Every name in the document, in full, without the places in arrays. */
static void gather(const char *name, const json_t *value)
{
	const char *key;
	size_t i;
	json_t *member;
	if (*name)
		g_hash_table_add(provided, g_strdup(name));
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	{
		char *full = g_strdup_printf("%s%s%s", name, *name ? "." : "", key);
		gather(full, member);
		g_free(full);
	}
	json_array_foreach(value, i, member)
	{
		if (json_is_object(member))
			gather(name, member);
	}
}

static void take_letters(struct world *w)
{
	for (size_t i = 0; i < w->n_in_flight; i++) {
		json_t *context = json_loads(w->contexts[i], 0, NULL);
		assert_non_null(context);
		context_complete(context);
		gather("", context);
		json_decref(context);
	}
	world_deliver(w, DELIVERY_SENT);
}

static void publish(struct world *w, enum job_state state, const char *time)
{
	char text[1200];
	static int id;
	(void)snprintf(text, sizeof text,
	               "{\"id\":\"%d\",\"source\":\"s\",\"type\":\"%s\",\"job\":\"J\",\"customer\":"
	               "\"1001\","
	               "\"time\":\"%s\",\"data\":%s}",
	               ++id, job_state_type(state), time, data);
	world_json(w, text);
	take_letters(w);
}

/* So many mails are refused that the office hears of it, then the last address is gone. */
static void report_all(struct world *w)
{
	char text[128];
	for (int mail = 1; mail <= 6; mail++) {
		(void)snprintf(text, sizeof text,
		               "{\"do\":\"bounce.report\",\"mail\":%d,\"code\":\"%s\"}", mail,
		               mail < 6 ? "5.7.1" : "5.1.1");
		free(world_command(w, text));
		world_turn(w);
		take_letters(w);
	}
}

static void unsubscribe(struct world *w, const struct token *token, const char *link, bool all)
{
	char text[TOKEN_SIZE], address[TOKEN_ADDRESS_SIZE], request[512];
	token_make(&keys, token, link, "", text);
	token_address(w->settings.bounce.address, "+", text, address);
	(void)snprintf(request, sizeof request,
	               "{\"do\":\"bounce.take\",\"recipient\":\"%s\",\"facts\":{\"kind\":"
	               "\"opt_out\",\"automatic\":false,\"all\":%s}}",
	               address, all ? "true" : "false");
	free(world_command(w, request));
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	take_letters(w);
}

/* Another contact asks for fewer mails, a state a day, then for none. */
static void unsubscribe_from_all(struct world *w)
{
	struct contact_choice choice;
	struct error err;
	struct arena *arena = arena_new();
	char time[32];
	assert_true(contact_choice_load(w->engine->customers, 2, arena, &choice, &err));
	for (unsigned i = 0; i <= JOB_STATE_COUNT; i++) {
		bool all = i == JOB_STATE_COUNT;
		struct token token = {
		        .kind = TOKEN_OPT_OUT, .id = 2, .state = all ? JOB_STARTED : i};
		(void)snprintf(time, sizeof time, "2026-06-%02uT13:00:00Z", 6 + 2 * i);
		world_at(w, time);
		unsubscribe(w, &token, choice.link, all);
	}
	arena_free(arena);
}

/* Two mails where [rules] burst allows one. */
static void flood(struct world *w)
{
	world_sql(w, "INSERT INTO contact (customer, email, notify) VALUES (2, 'cy@example.com', "
	             "'failed')");
	w->settings.rules.burst = (struct limit){1, 60000};
	world_event(w, "job.failed", "P", "1001", NULL, NULL);
	world_event(w, "job.failed", "Q", "1001", NULL, NULL);
	world_turn(w);
	take_letters(w);
}

/* A customer with everything, all six states, grouped jobs, a collision, reports, opt-outs. */
static void tell_all(struct world *w)
{
	static const char *const times[] = {"2026-06-03T12:01:00Z", "2026-06-03T12:02:00Z",
	                                    "2026-06-03T12:05:00Z", "2026-06-03T12:06:00Z",
	                                    "2026-06-03T12:03:00Z", "2026-06-03T12:07:00Z"};
	world_sql(w, "INSERT INTO customer (id, number, name) VALUES (1, '1000', 'Head'), (2, "
	             "'1001', 'Site');"
	             "UPDATE customer SET parent = 1 WHERE id = 2; UPDATE customer SET " COLUMNS);
	world_sql(w,
	          "INSERT INTO contact (customer, name, first_name, last_name, title, email, "
	          "home_phone, "
	          "cell_phone, work_phone, locale, notify) VALUES (2, 'Ann B', 'Ann', 'B', 'Ms', "
	          "'ann@example.com', "
	          "'1', '2', '3', 'fr', 'dispatched,started,completed,failed,paused,cancelled');"
	          "INSERT INTO contact (customer, email, notify) VALUES (2, 'bo@example.com', "
	          "'none');"
	          "INSERT INTO hours_week VALUES (2, 2, '07:00-17:00'), (2, 3, '00:00-24:00')");
	w->settings.company.name = "Example Hauling";
	w->settings.company.phone = "1";
	w->settings.company.website = "https://example.com";
	w->settings.bounce.address = "bounce@example.com";
	w->settings.bounce.delimiter = "+";
	w->settings.center.url = "https://center.example.com/";
	engine_set_token_keys(w->engine, &keys);
	publish(w, JOB_DISPATCHED, times[0]);
	publish(w, JOB_STARTED, times[1]);
	publish(w, JOB_PAUSED, times[4]);
	publish(w, JOB_COMPLETED, times[2]);
	publish(w, JOB_FAILED, times[3]);
	publish(w, JOB_CANCELLED, times[5]);
	w->settings.notify[JOB_STARTED].group_wait_ms = 1000;
	world_event(w, "started", "K", "1001", NULL, NULL);
	world_event(w, "job.started", "K", "1001", NULL, NULL);
	world_event(w, "job.started", "L", "1001", NULL, NULL);
	world_at(w, "2026-06-03T12:30:00Z");
	world_turn(w);
	take_letters(w);
	world_at(w, "2026-06-04T12:30:00Z");
	world_event(w, "job.started", "N", "1001", NULL, NULL);
	world_event(w, "job.started", "O", "1001", NULL, NULL);
	world_at(w, "2026-06-04T12:50:00Z");
	world_turn(w);
	take_letters(w);
	unsubscribe_from_all(w);
	world_sql(w, "INSERT INTO suspension (customer, scopes, \"from\", until, note, author) "
	             "VALUES (2, "
	             "'jobs,routes', '2026-06-01', '2026-07-01', 'n', 'kim')");
	world_event(w, "job.dispatched", "M", "1001", NULL, NULL);
	take_letters(w);
	report_all(w);
	flood(w);
}

static void is_provided(void *arg, const char *name)
{
	int *missing = arg;
	if (g_hash_table_contains(provided, name))
		return;
	print_error("%s is listed, but nothing provides it\n", name);
	++*missing;
}

static void what_is_provided_and_what_is_listed_agree(void **state)
{
	(void)state;
	struct world *w = world_new("2026-06-03T12:10:00Z");
	GHashTableIter all;
	gpointer name;
	int wrong = 0;
	provided = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	tell_all(w);
	g_hash_table_iter_init(&all, provided);
	while (g_hash_table_iter_next(&all, &name, NULL))
		if (!context_provides(name)) {
			print_error("%s is provided, but not listed\n", (const char *)name);
			wrong++;
		}
	context_each_name(is_provided, &wrong);
	g_hash_table_destroy(provided);
	world_free(w);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_is_provided_and_what_is_listed_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
