/* SPDX-License-Identifier: MIT */
/* Accounts, sessions and logins of the customer center, with a clock of the test's own. */
#include "center/trust/accounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define PASSWORD "correct horse battery"
#define HOUR     (3600 * INT64_C(1000))

static char folder[] = "/tmp/dispatchd-accounts-XXXXXX";
static char path[64];
static struct accounts *accounts;
static struct arena *arena;
static const struct instant noon = {1780000000000};
static const struct client here = {.address = "192.0.2.7", .agent = "test"};

static int setup(void **state)
{
	struct error err;
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/dispatchd-accounts-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/center.db", folder);
	accounts = accounts_open(path, "", &err);
	assert_non_null(accounts);
	assert_true(accounts_add(accounts, "sam", ROLE_CLERK, PASSWORD, noon, &err));
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	char file[80];
	static const char *const ends[] = {"", "-wal", "-shm"};
	(void)state;
	accounts = accounts_close(accounts);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		(void)snprintf(file, sizeof file, "%s%s", path, ends[i]);
		(void)unlink(file);
	}
	(void)rmdir(folder);
	arena = arena_free(arena);
	return 0;
}

static enum login login_from(const char *address, const char *password, struct instant at,
                             int64_t *ret_wait_s)
{
	const struct client client = {.address = address, .agent = ""};
	struct account account;
	struct error err;
	return accounts_login(accounts, "sam", password, &client, at, &account, ret_wait_s, arena,
	                      &err);
}

static void the_wait_doubles_up_to_a_quarter_of_an_hour(void **state)
{
	static const int64_t waits[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900};
	struct instant at = noon;
	int64_t wait;
	(void)state;
	for (int i = 0; i < LOGIN_FREE; i++)
		assert_int_equal(login_from("192.0.2.7", "wrong", at, &wait), LOGIN_WRONG);
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		assert_int_equal(login_from("192.0.2.7", PASSWORD, at, &wait), LOGIN_WAIT);
		assert_int_equal(wait, waits[i]);
		at = instant_add(at, waits[i] * 1000);
		assert_int_equal(login_from("192.0.2.7", "wrong", at, &wait), LOGIN_WRONG);
	}
	at = instant_add(at, 900 * 1000);
	assert_int_equal(login_from("192.0.2.7", PASSWORD, at, &wait), LOGIN_FINE);
	assert_int_equal(login_from("192.0.2.7", "wrong", at, &wait), LOGIN_WRONG);
	assert_int_equal(login_from("192.0.2.7", PASSWORD, at, &wait), LOGIN_FINE);
}

static void others_elsewhere_need_not_wait(void **state)
{
	static const struct {
		const char *address;
		enum login login;
	} rows[] = {
	        {"192.0.2.250", LOGIN_WAIT},
	        {"192.0.3.7", LOGIN_FINE},
	        {"2001:db8::1", LOGIN_FINE},
	        {"", LOGIN_FINE},
	};
	int64_t wait;
	(void)state;
	for (int i = 0; i < LOGIN_FREE; i++)
		(void)login_from("192.0.2.7", "wrong", noon, &wait);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(login_from(rows[i].address, PASSWORD, noon, &wait), rows[i].login);
}

static void a_clock_that_was_set_back_locks_nobody_out_for_long(void **state)
{
	int64_t wait;
	(void)state;
	for (int i = 0; i < LOGIN_FREE; i++)
		(void)login_from("192.0.2.7", "wrong", noon, &wait);
	assert_int_equal(login_from("192.0.2.7", PASSWORD, instant_add(noon, -30 * HOUR), &wait),
	                 LOGIN_WAIT);
	assert_true(wait <= 900);
}

static void begin(struct instant at, char secret[SECRET_SIZE])
{
	struct account account;
	struct error err;
	assert_true(accounts_find(accounts, "sam", arena, &account, &err));
	assert_true(sessions_begin(accounts, &account, &here, at, secret, &err));
}

static bool is_in(const char *secret, struct instant at)
{
	struct account account;
	struct error err;
	bool found;
	assert_true(sessions_find(accounts, secret, at, arena, &account, &found, &err));
	assert_true(!found || strcmp(account.name, "sam") == 0);
	return found;
}

static void sessions_end_after_twelve_hours_unused(void **state)
{
	char secret[SECRET_SIZE];
	(void)state;
	begin(noon, secret);
	assert_true(is_in(secret, instant_add(noon, 11 * HOUR)));
	assert_true(is_in(secret, instant_add(noon, 22 * HOUR)));
	assert_false(is_in(secret, instant_add(noon, 35 * HOUR)));
	assert_false(is_in("made up", noon));
	assert_false(is_in("", noon));
}

static void sessions_end_one_by_one(void **state)
{
	char one[SECRET_SIZE], two[SECRET_SIZE];
	struct account account;
	struct error err;
	json_t *rows;
	(void)state;
	begin(noon, one);
	begin(instant_add(noon, 1000), two);
	assert_true(accounts_find(accounts, "sam", arena, &account, &err));
	assert_true(sessions_list(accounts, account.id, one, noon, &rows, &err));
	assert_int_equal(json_array_size(rows), 2);
	assert_true(json_is_false(json_object_get(json_array_get(rows, 0), "own")));
	assert_true(json_is_true(json_object_get(json_array_get(rows, 1), "own")));
	int64_t id = json_integer_value(json_object_get(json_array_get(rows, 0), "id"));
	assert_true(sessions_end_one(accounts, account.id + 1, id, &err));
	assert_true(is_in(two, noon));
	assert_true(sessions_end_one(accounts, account.id, id, &err));
	assert_true(is_in(one, noon));
	assert_false(is_in(two, noon));
	json_decref(rows);
}

static void an_account_keeps_the_language_of_its_pages(void **state)
{
	char secret[SECRET_SIZE];
	struct account account;
	struct error err;
	bool found;
	(void)state;
	begin(noon, secret);
	assert_true(accounts_find(accounts, "sam", arena, &account, &err));
	assert_string_equal(account.language, "");
	assert_true(accounts_set_language(accounts, "sam", "de", &err));
	assert_true(sessions_find(accounts, secret, noon, arena, &account, &found, &err));
	assert_true(found);
	assert_string_equal(account.language, "de");
	accounts = accounts_close(accounts);
	accounts = accounts_open(path, "", &err);
	assert_true(accounts_find(accounts, "sam", arena, &account, &err));
	assert_string_equal(account.language, "de");
	assert_true(accounts_set_language(accounts, "sam", "", &err));
	assert_true(accounts_find(accounts, "sam", arena, &account, &err));
	assert_string_equal(account.language, "");
	assert_false(accounts_set_language(accounts, "nobody", "de", &err));
	assert_int_equal(err.code, EX_NOINPUT);
}

static void links_are_good_once_and_for_a_day(void **state)
{
	char secret[SECRET_SIZE], other[SECRET_SIZE];
	const char *name;
	struct error err;
	(void)state;
	assert_true(accounts_link(accounts, "sam", noon, secret, &err));
	assert_true(accounts_link_whose(accounts, secret, instant_add(noon, 23 * HOUR), arena,
	                                &name, &err));
	assert_string_equal(name, "sam");
	assert_false(accounts_link_whose(accounts, secret, instant_add(noon, 24 * HOUR), arena,
	                                 &name, &err));
	assert_int_equal(err.code, EX_NOINPUT);
	assert_true(accounts_link(accounts, "sam", noon, other, &err));
	assert_true(accounts_link_use(accounts, other, "a new password", noon, &err));
	assert_false(accounts_link_use(accounts, other, "a new password", noon, &err));
	assert_false(accounts_link_use(accounts, secret, "a new password", noon, &err));
}

static void a_forms_token_is_its_sessions(void **state)
{
	char one[SECRET_SIZE], two[SECRET_SIZE], token[SECRET_SIZE];
	(void)state;
	begin(noon, one);
	begin(noon, two);
	form_token(one, token);
	assert_true(form_token_fits(one, token));
	assert_false(form_token_fits(two, token));
	assert_false(form_token_fits(one, ""));
	assert_false(form_token_fits(one, one));
}

static void secrets_are_kept_as_hashes(void **state)
{
	char secret[SECRET_SIZE], token[SECRET_SIZE], text[4096];
	struct error err;
	(void)state;
	begin(noon, secret);
	assert_true(accounts_set_token(accounts, "sam", token, &err));
	accounts = accounts_close(accounts); /* all is in the file now */
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	size_t n;
	while ((n = fread(text, 1, sizeof text, file)) > 0) {
		assert_null(memmem(text, n, secret, SECRET_SIZE - 1));
		assert_null(memmem(text, n, token, SECRET_SIZE - 1));
		assert_null(memmem(text, n, PASSWORD, sizeof PASSWORD - 1));
	}
	(void)fclose(file);
}

static void refused_logins_keep_the_latest(void **state)
{
	struct error err;
	json_t *rows;
	(void)state;
	assert_true(accounts_audit(accounts, "sam", "login", "", &here, noon, &err));
	for (int i = 0; i < REFUSALS_KEPT + 3; i++) {
		struct instant at = {noon.ms + i};
		assert_true(accounts_audit_refusal(accounts, "eve", &here, at, &err));
	}
	assert_true(accounts_audit_list(accounts, 2 * REFUSALS_KEPT, &rows, &err));
	assert_int_equal(json_array_size(rows), REFUSALS_KEPT + 1);
	const json_t *first = json_array_get(rows, REFUSALS_KEPT);
	assert_string_equal(json_string_value(json_object_get(first, "user")), "sam");
	json_decref(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(the_wait_doubles_up_to_a_quarter_of_an_hour, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(others_elsewhere_need_not_wait, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_clock_that_was_set_back_locks_nobody_out_for_long,
	                                        setup, teardown),
	        cmocka_unit_test_setup_teardown(sessions_end_after_twelve_hours_unused, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(sessions_end_one_by_one, setup, teardown),
	        cmocka_unit_test_setup_teardown(an_account_keeps_the_language_of_its_pages, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(links_are_good_once_and_for_a_day, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_forms_token_is_its_sessions, setup, teardown),
	        cmocka_unit_test_setup_teardown(secrets_are_kept_as_hashes, setup, teardown),
	        cmocka_unit_test_setup_teardown(refused_logins_keep_the_latest, setup, teardown),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
