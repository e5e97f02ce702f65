/* SPDX-License-Identifier: MIT */
/* Signed tokens: what is made verifies for just that, what anybody else writes doesn't, and how
 * keys are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/token.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "FFfefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"

static const char kim[] = "kim@example.com", id[] = "<a.b@example.com>";

static struct token_keys keys_of(const char *text)
{
	struct token_keys keys;
	struct error err = {0};
	if (!token_keys_parse(text, strlen(text), "keys", &keys, &err))
		fail_msg("%s", err.text);
	return keys;
}

static struct token parsed(const char *text)
{
	struct token token;
	assert_true(token_parse(text, strlen(text), &token));
	return token;
}

static void what_is_made_verifies(void **state)
{
	(void)state;
	static const int64_t ids[] = {0, 1, 255, 256, 1234567890123, TOKEN_ID_MAX};
	struct token_keys keys = keys_of(KEY_A "\n");
	for (int kind = 0; kind < TOKEN_KINDS; kind++) {
		for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
			struct token made = {.kind = (enum token_kind)kind, .id = ids[i]};
			char text[TOKEN_SIZE];
			made.state = kind == TOKEN_OPT_OUT ? 5 : 0;
			token_make(&keys, &made, kim, id, text);
			assert_int_equal(strlen(text), TOKEN_LENGTH);
			assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz234567"),
			                 TOKEN_LENGTH);
			struct token token = parsed(text);
			assert_int_equal(token.kind, kind);
			assert_int_equal(token.id, ids[i]);
			assert_int_equal(token.state, made.state);
			assert_true(token_verify(&keys, &token, kim, id));
		}
	}
}

/* Tokens in mails that are on their way keep their meaning with the next version of this. The text
 * was made by Python's hashlib and base64. */
static void the_form_is_fixed(void **state)
{
	(void)state;
	struct token_keys keys = keys_of(KEY_A);
	struct token token = {.kind = TOKEN_OPT_OUT, .id = 70000, .state = 3};
	char text[TOKEN_SIZE];
	token_make(&keys, &token, "customers", "", text);
	assert_string_equal(text, "clzqaaaaaeixaa3aidmnnizv4jxkoga");
}

static void case_counts_for_nothing(void **state)
{
	(void)state;
	struct token_keys keys = keys_of(KEY_A);
	struct token made = {.kind = TOKEN_REPORT, .id = 17};
	char text[TOKEN_SIZE];
	token_make(&keys, &made, kim, id, text);
	for (size_t i = 0; i < TOKEN_LENGTH; i += 2)
		text[i] = (char)toupper((unsigned char)text[i]);
	struct token token = parsed(text);
	assert_true(token_verify(&keys, &token, kim, id));
}

static void it_is_signed_over_all_of_it(void **state)
{
	(void)state;
	struct token_keys keys = keys_of(KEY_A);
	struct token made = {.kind = TOKEN_REPORT, .id = 17};
	char text[TOKEN_SIZE];
	token_make(&keys, &made, kim, id, text);
	struct token token = parsed(text), other;
	assert_false(token_verify(&keys, &token, "lee@example.com", id));
	assert_false(token_verify(&keys, &token, kim, "<a.c@example.com>"));
	/* The same bytes, divided elsewhere. */
	assert_false(token_verify(&keys, &token, "kim@example.com<", "a.b@example.com>"));
	assert_false(token_verify(&keys, &token, id, kim));
	other = token;
	other.id++;
	assert_false(token_verify(&keys, &other, kim, id));
	other = token;
	other.kind = TOKEN_REPLY;
	assert_false(token_verify(&keys, &other, kim, id));
	other = token;
	other.state = 1;
	assert_false(token_verify(&keys, &other, kim, id));
}

static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

/* Whatever single character is changed, in whatever way. */
static void one_character_makes_another(void **state)
{
	(void)state;
	struct token_keys keys = keys_of(KEY_A);
	struct token made = {.kind = TOKEN_REPORT, .id = 99}, token;
	char text[TOKEN_SIZE];
	token_make(&keys, &made, kim, id, text);
	for (size_t i = 0; i < TOKEN_LENGTH; i++) {
		char was = text[i];
		for (const char *other = digits; *other != '\0'; other++) {
			text[i] = *other;
			bool good = token_parse(text, TOKEN_LENGTH, &token) &&
			            token_verify(&keys, &token, kim, id);
			assert_int_equal(good, *other == was);
		}
		text[i] = was;
	}
}

static void what_has_no_shape_is_none(void **state)
{
	(void)state;
	static const char *const none[] = {
	        "",
	        "a",
	        TOKEN_PLACEHOLDER,
	        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	        "caaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", /* version 1, kind 0: see below */
	};
	struct token_keys keys = keys_of(KEY_A);
	struct token made = {.kind = TOKEN_REPLY, .id = 3}, token;
	char text[TOKEN_SIZE + 1];
	for (size_t i = 0; i + 1 < sizeof none / sizeof none[0]; i++)
		assert_false(token_parse(none[i], strlen(none[i]), &token));
	assert_true(token_parse(none[4], TOKEN_LENGTH, &token));
	token_make(&keys, &made, kim, id, text);
	assert_false(token_parse(text, TOKEN_LENGTH - 1, &token));
	text[TOKEN_LENGTH] = 'a';
	assert_false(token_parse(text, TOKEN_LENGTH + 1, &token));
	static const char foreign[] = "0189=-+ \t.\x80";
	for (size_t i = 0; i < sizeof foreign; i++) { /* the NUL, too */
		text[7] = foreign[i];
		assert_false(token_parse(text, TOKEN_LENGTH, &token));
	}
}

static void keys_come_and_go(void **state)
{
	(void)state;
	struct token_keys old = keys_of(KEY_A), both = keys_of(KEY_B "\n" KEY_A "\n"),
	                  new = keys_of(KEY_B);
	struct token made = {.kind = TOKEN_REPORT, .id = 5};
	char by_old[TOKEN_SIZE], by_both[TOKEN_SIZE];
	token_make(&old, &made, kim, id, by_old);
	token_make(&both, &made, kim, id, by_both);
	struct token token = parsed(by_old);
	assert_true(token_verify(&old, &token, kim, id));
	assert_true(token_verify(&both, &token, kim, id));
	assert_false(token_verify(&new, &token, kim, id));
	token = parsed(by_both); /* the first one signs */
	assert_true(token_verify(&new, &token, kim, id));
	assert_false(token_verify(&old, &token, kim, id));
	token_keys_wipe(&both);
	assert_false(token_verify(&both, &token, kim, id));
}

static const struct {
	const char *text;
	size_t n;
	const char *fault; /* NULL: there is none */
} key_files[] = {
        {KEY_A, 1, NULL},
        {KEY_A "\n", 1, NULL},
        {"# first\r\n\r\n  " KEY_A " \r\n\t# second\n" KEY_B "\n", 2, NULL},
        {"", 0, "keys: has no key"},
        {"# only a comment\n", 0, "keys: has no key"},
        {KEY_A "\n" KEY_B "0\n", 0, "keys:2: a key must be 64 hex digits"},
        {KEY_A "\n\nxyz", 0, "keys:3: a key must be 64 hex digits"},
        {"g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0,
         "keys:1: a key must be 64 hex digits"},
        {KEY_A " " KEY_B, 0, "keys:1: a key must be 64 hex digits"},
};

static void how_keys_are_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof key_files / sizeof key_files[0]; i++) {
		struct token_keys keys = {.n = 7};
		struct error err = {0};
		const char *text = key_files[i].text, *fault = key_files[i].fault;
		bool good = token_keys_parse(text, strlen(text), "keys", &keys, &err);
		assert_int_equal(good, fault == NULL);
		assert_int_equal(keys.n, key_files[i].n);
		if (good)
			continue;
		assert_int_equal(err.code, EX_CONFIG);
		assert_non_null(strstr(err.text, fault));
		assert_null(strstr(err.text, "1a1b1c")); /* never what is in it */
	}
}

static void not_more_keys_than_there_is_room_for(void **state)
{
	(void)state;
	char text[(TOKEN_KEYS_MAX + 1) * sizeof KEY_A + 1];
	for (size_t i = 0; i <= TOKEN_KEYS_MAX; i++)
		memcpy(text + i * sizeof KEY_A, KEY_A "\n", sizeof KEY_A);
	struct token_keys keys;
	struct error err = {0};
	assert_true(token_keys_parse(text, TOKEN_KEYS_MAX * sizeof KEY_A, "keys", &keys, &err));
	assert_int_equal(keys.n, TOKEN_KEYS_MAX);
	assert_false(token_keys_parse(text, sizeof text - 1, "keys", &keys, &err));
	assert_non_null(strstr(err.text, "keys:17: at most 16 keys"));
}

/* ---- files */

static char dir[] = "/tmp/test-token-XXXXXX";

static const char *file_of(const char *name, const char *text, mode_t mode)
{
	static char path[256];
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	(void)remove(path); /* one that may not be written may be there */
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static void keys_are_read_from_a_file(void **state)
{
	(void)state;
	struct token_keys keys;
	struct error err = {0};
	assert_int_equal(chmod(dir, 0755), 0);
	assert_true(token_keys_read(file_of("good", KEY_A, 0600), &keys, &err));
	assert_int_equal(keys.n, 1);
	assert_false(token_keys_read(file_of("open", KEY_A, 0644), &keys, &err));
	assert_int_equal(err.code, EX_CONFIG);
	assert_non_null(strstr(err.text, "everybody can read the key"));
	assert_false(token_keys_read(dir, &keys, &err));
	assert_int_equal(err.code, EX_CONFIG);
	assert_false(token_keys_read("/nowhere/keys", &keys, &err));
	assert_non_null(strstr(err.text, "/nowhere/keys"));
}

static void or_from_systemd(void **state)
{
	(void)state;
	struct token_keys keys;
	struct error err = {0};
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_true(token_keys_read("", &keys, &err));
	assert_int_equal(keys.n, 0);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	assert_true(token_keys_read("", &keys, &err));
	assert_int_equal(keys.n, 0);
	(void)file_of("bounce-key", KEY_A "\n" KEY_B "\n", 0400);
	assert_true(token_keys_read("", &keys, &err));
	assert_int_equal(keys.n, 2);
	(void)file_of("bounce-key", "no key", 0600);
	assert_false(token_keys_read("", &keys, &err));
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const names[] = {"good", "open", "bounce-key"};
	char path[256];
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		(void)remove(path);
	}
	return rmdir(dir);
}

/* ---- addresses */

static const struct {
	const char *recipient, *token; /* NULL: another address */
} recipients[] = {
        {"bounce+abc@mail.example.com", "abc"},
        {"Bounce+ABC@MAIL.example.com", "ABC"},
        {"bounce@mail.example.com", ""},
        {"bounce+@mail.example.com", ""},
        {"bounce+a+b@mail.example.com", "a+b"},
        {"bounceabc@mail.example.com", NULL},
        {"bounc@mail.example.com", NULL},
        {"bounce+abc@example.com", NULL},
        {"bounce+abc@mail.example.com.", NULL},
        {"bounce+abc", NULL},
        {"bounce", NULL},
        {"@mail.example.com", NULL},
        {"", NULL},
};

static void a_token_in_an_address(void **state)
{
	(void)state;
	char text[TOKEN_ADDRESS_SIZE];
	for (size_t i = 0; i < sizeof recipients / sizeof recipients[0]; i++) {
		size_t len = 77;
		const char *want = recipients[i].token;
		const char *got = token_in_address(recipients[i].recipient,
		                                   "bounce@mail.example.com", "+", &len);
		if ((got == NULL) != (want == NULL) ||
		    (got != NULL && (strlen(want) != len || memcmp(got, want, len) != 0)))
			fail_msg("%s", recipients[i].recipient);
	}
	token_address("bounce@mail.example.com", "-", "abc", text);
	assert_string_equal(text, "bounce-abc@mail.example.com");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_is_made_verifies),
	        cmocka_unit_test(the_form_is_fixed),
	        cmocka_unit_test(case_counts_for_nothing),
	        cmocka_unit_test(it_is_signed_over_all_of_it),
	        cmocka_unit_test(one_character_makes_another),
	        cmocka_unit_test(what_has_no_shape_is_none),
	        cmocka_unit_test(keys_come_and_go),
	        cmocka_unit_test(how_keys_are_written),
	        cmocka_unit_test(not_more_keys_than_there_is_room_for),
	        cmocka_unit_test(keys_are_read_from_a_file),
	        cmocka_unit_test(or_from_systemd),
	        cmocka_unit_test(a_token_in_an_address),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
