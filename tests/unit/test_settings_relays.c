/* SPDX-License-Identifier: MIT */
/* Sections [smtp.NAME]: what each has of its own and what from [smtp], and what is wrong. */
#include "model/settings.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define FROM "[mail]\nfrom = dispatch@example.com\n"

static char dir[] = "/tmp/test_settings_relays.XXXXXX";
static char path[sizeof dir + 16];

/* Without the folder's name. */
static void gather(void *arg, const char *text)
{
	buf_printf(arg, "%s\n", text + strlen(dir) + 1);
}

static struct settings *load(const char *text, const char *const *wanted, struct buf *faults,
                             int *ret_code)
{
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	return settings_load(path, wanted, gather, faults, ret_code);
}

static struct settings *load_fine(const char *text)
{
	struct buf faults = {0};
	int code;
	struct settings *settings = load(text, NULL, &faults, &code);
	if (settings == NULL)
		fail_msg("%s", buf_text(&faults));
	buf_free(&faults);
	return settings;
}

static void test_the_short_form_alone(void **state)
{
	(void)state;
	struct settings *s = load_fine(FROM "[smtp]\nrelay = a:25, b:25\nrate = 5\n");
	assert_int_equal(s->n_relays, 1);
	assert_string_equal(s->relays[0].section, "smtp");
	assert_string_equal(s->relays[0].name, "");
	assert_string_equal(s->relays[0].relay[1], "b:25");
	settings_free(s);
	s = load_fine(FROM);
	assert_int_equal(s->n_relays, 1);
	assert_string_equal(s->relays[0].relay[0], "127.0.0.1:25");
	settings_free(s);
}

/* Wherever [smtp] is in the files. */
static void test_what_is_inherited(void **state)
{
	(void)state;
	struct settings *s = load_fine(FROM "[smtp.b]\nrelay = b:587\ntls = required\nuser = bo\n"
	                                    "weight = 3\nrate = 2\nconnections = 4\n"
	                                    "[smtp.a]\nrelay = unix:/run/a\n"
	                                    "[smtp]\nuser = us\nhelo = us.example.com\nrate = 9\n"
	                                    "password_file = /p\nclient_cert = /c\n"
	                                    "client_key = /k\nca_file = /ca\n"
	                                    "[smtp.b]\nhelo = b.example.com\n");
	assert_int_equal(s->n_relays, 2);
	const struct relay_settings *b = &s->relays[0], *a = &s->relays[1];
	assert_string_equal(b->name, "b");
	assert_string_equal(b->section, "smtp.b");
	assert_string_equal(b->relay[0], "b:587");
	assert_int_equal(b->tls, TLS_REQUIRED);
	assert_string_equal(b->user, "bo");
	assert_string_equal(b->password_file, ""); /* us' own */
	assert_true(b->own_login);
	assert_string_equal(b->helo, "b.example.com");
	assert_int_equal(b->weight, 3);
	assert_int_equal(b->connections, 4);
	assert_true(b->rate == 2);
	assert_string_equal(a->name, "a");
	assert_string_equal(a->user, "us");
	assert_string_equal(a->password_file, "/p");
	assert_false(a->own_login);
	assert_string_equal(a->helo, "us.example.com");
	assert_string_equal(a->ca_file, "/ca");
	assert_string_equal(a->client_key, "/k");
	assert_int_equal(a->tls, TLS_OPPORTUNISTIC);
	assert_int_equal(a->connections, 16);
	assert_true(a->rate == 9);
	settings_free(s);
}

static void test_the_short_form_comes_first(void **state)
{
	(void)state;
	struct settings *s = load_fine(FROM "[smtp.backup]\nrelay = b:25\n[smtp]\nrelay = a:25\n");
	assert_int_equal(s->n_relays, 2);
	assert_string_equal(s->relays[0].relay[0], "a:25");
	assert_string_equal(s->relays[1].name, "backup");
	settings_free(s);
}

/* Neither [smtp]'s password nor its token goes where another way to log in is set, or another
 * user. */
static void test_logins_that_are_replaced(void **state)
{
	(void)state;
	struct settings *s = load_fine(
	        FROM "[smtp]\nuser = u\noauth_token_file = /t\nclient_cert = /c\nclient_key = /k\n"
	             "[smtp.a]\nrelay = a:25\npassword_file = /p\nclient_cert = /own\n"
	             "[smtp.b]\nrelay = b:25\noauth_token_file = /b\n"
	             "[smtp.c]\nrelay = c:25\nuser = u\n"
	             "[smtp.d]\nrelay = d:25\nuser = d\n"
	             "[smtp.e]\nrelay = e:25\nuser =\n");
	assert_string_equal(s->relays[0].oauth_token_file, "");
	assert_string_equal(s->relays[0].password_file, "/p");
	assert_string_equal(s->relays[0].client_key, "");
	assert_true(s->relays[0].own_login);
	assert_string_equal(s->relays[1].oauth_token_file, "/b");
	assert_string_equal(s->relays[2].oauth_token_file, "/t");
	assert_string_equal(s->relays[2].client_key, "/k");
	assert_false(s->relays[2].own_login);
	for (size_t i = 3; i < 5; i++) {
		assert_true(s->relays[i].own_login);
		assert_string_equal(s->relays[i].oauth_token_file, "");
		assert_string_equal(s->relays[i].client_key, "/k");
	}
	settings_free(s);
}

/* Where its own relays aren't in use, it is only what the sections are made of. */
static void test_what_need_not_hold_of_the_short_form(void **state)
{
	(void)state;
	struct settings *s = load_fine(FROM "[smtp]\noauth_token_file = /t\nclient_key = /k\n"
	                                    "[smtp.a]\nrelay = a:25\nuser = a\n"
	                                    "oauth_token_file = /a\nclient_cert = /c\n");
	assert_string_equal(s->relays[0].oauth_token_file, "/a");
	assert_int_equal(s->n_relays, 1);
	settings_free(s);
}

static const struct {
	const char *text, *faults;
} cases[] = {
        {"[smtp.]\nrelay = a:25\n",
         "main.conf:3: [smtp.]: a relay's name has 1 to 40 letters, digits, hyphens and "
         "underscores\n"},
        {"[smtp.a b]\nrelay = a:25\n",
         "main.conf:3: [smtp.a b]: a relay's name has 1 to 40 letters, digits, hyphens and "
         "underscores\n"},
        {"[stmp.a]\nrelay = a:25\n",
         "main.conf:3: unknown section [stmp.a]; did you mean [smtp.a]?\n"},
        {"[smtp.a]\nrelya = a:25\n",
         "main.conf:3: [smtp.a] relay: required: the mail server, HOST:PORT\n"
         "main.conf:4: [smtp.a] relya: unknown key; did you mean \"relay\"?\n"},
        {"[smtp.a]\nrelay = a:25\ntls = yes\n",
         "main.conf:5: [smtp.a] tls: must be one of none, opportunistic, required, implicit (got "
         "\"yes\")\n"},
        {"[smtp.a]\nrelay = a:25, b:25\n",
         "main.conf:4: [smtp.a] relay: must be exactly one mail server (got 2); give each one its "
         "own section\n"},
        {"[smtp]\nrelay = a:25\n[smtp.b]\ntls = none\nrelay =\n",
         "main.conf:7: [smtp.b] relay: must not be empty; expected one or more of HOST:PORT, "
         "[IPV6]:PORT or unix:PATH\n"},
        {"[smtp]\nrelay = a, b\n[smtp.b]\nrelay = c\n",
         "main.conf:6: [smtp.b] relay: [smtp] relay already lists b; rename one of the two\n"},
        {"[smtp.a]\nrelay = a:25\npassword_file = /p\n",
         "main.conf:5: [smtp.a] password_file: user is required as well\n"},
        {"[smtp.a]\nrelay = a:25\nclient_key = /k\n",
         "main.conf:5: [smtp.a] client_key: client_cert is required as well\n"},
        {"[smtp.a]\nrelay = a:25\nconnections = 20\n",
         "main.conf:5: [smtp.a] connections: must not exceed the connections of [smtp], the limit "
         "for all relays together (got 20, [smtp] has 16)\n"},
        {"[smtp.a]\nrelay = a:25\nweight = 1001\n",
         "main.conf:5: [smtp.a] weight: must be an integer between 0 and 1000 (got "
         "\"1001\")\n"},
        {"[smtp.a]\nrelay = a:25\nrelay = b:25\n",
         "main.conf:5: [smtp.a] relay is given twice, also in line 4\n"},
};

static void test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf faults = {0}, text = {0};
		int code;
		buf_printf(&text, "%s%s", FROM, cases[i].text);
		assert_null(load(buf_text(&text), NULL, &faults, &code));
		assert_string_equal(buf_text(&faults), cases[i].faults);
		assert_int_equal(code, EX_CONFIG);
		buf_free(&faults);
		buf_free(&text);
	}
}

static void test_too_many(void **state)
{
	(void)state;
	struct buf text = {0}, faults = {0};
	int code;
	buf_adds(&text, FROM);
	for (int i = 0; i < RELAY_SECTIONS_MAX + 1; i++)
		buf_printf(&text, "[smtp.r%d]\nrelay = r%d:25\n", i, i);
	assert_null(load(buf_text(&text), NULL, &faults, &code));
	assert_string_equal(
	        buf_text(&faults),
	        "main.conf:67: [smtp.r32]: there may be at most 32 sections [smtp.NAME]\n");
	buf_free(&text);
	buf_free(&faults);
}

/* Who doesn't use relays isn't bothered with them. */
static void test_what_is_not_wanted(void **state)
{
	(void)state;
	const char *const wanted[] = {"customers.path", NULL};
	struct buf faults = {0};
	int code;
	struct settings *s =
	        load("[smtp.a]\nrelay = \nbogus = 1\n[smtp. ]\n", wanted, &faults, &code);
	assert_non_null(s);
	assert_int_equal(faults.len, 0);
	settings_free(s);
}

static void test_places(void **state)
{
	(void)state;
	struct settings *s =
	        load_fine(FROM "[smtp]\nuser = u\n[smtp.a]\nrelay = a:25\ntls = none\n");
	assert_string_equal(settings_relay_place(s, 0, "tls", NULL) + strlen(dir), "/main.conf:7");
	assert_string_equal(settings_relay_place(s, 0, "user", NULL) + strlen(dir), "/main.conf:4");
	assert_string_equal(settings_relay_place(s, 0, "password_file", "user") + strlen(dir),
	                    "/main.conf:4");
	assert_string_equal(settings_relay_place(s, 0, "ca_file", NULL) + strlen(dir),
	                    "/main.conf:5");
	settings_free(s);
}

static void note_value(void *arg, const char *section, const char *key, const char *value,
                       const char *place)
{
	if (strcmp(section, "smtp.a") == 0)
		buf_printf(arg, "%s=%s%s%s\n", key, value, place ? " " : "",
		           place ? strrchr(place, ':') : "");
}

static void test_what_is_listed(void **state)
{
	(void)state;
	struct buf seen = {0};
	struct settings *s =
	        load_fine(FROM "[smtp]\nrate = 5\nuser = u\n[smtp.a]\nrelay = a:25\nweight = 2\n");
	settings_list(s, note_value, &seen);
	assert_string_equal(buf_text(&seen),
	                    "relay=a:25 :7\ntls=opportunistic\nhelo=\nca_file=\nuser=u :5\n"
	                    "password_file=\noauth_token_file=\nclient_cert=\nclient_key=\n"
	                    "weight=2 :8\nconnections=16\nrate=5 :4\n");
	buf_reset(&seen);
	settings_free(s);
	s = load_fine(FROM
	              "[smtp]\nuser = u\npassword_file = /p\nclient_key = /k\nclient_cert = /c\n"
	              "[smtp.a]\nrelay = a:25\nuser = a\nclient_cert = /a\n");
	settings_list(s, note_value, &seen);
	assert_string_equal(buf_text(&seen),
	                    "relay=a:25 :9\ntls=opportunistic\nhelo=\nca_file=\nuser=a :10\n"
	                    "password_file=\noauth_token_file=\nclient_cert=/a :11\nclient_key=\n"
	                    "weight=0\nconnections=16\nrate=\n");
	buf_free(&seen);
	settings_free(s);
}

static int make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/main.conf", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_the_short_form_alone),
	        cmocka_unit_test(test_what_is_inherited),
	        cmocka_unit_test(test_the_short_form_comes_first),
	        cmocka_unit_test(test_logins_that_are_replaced),
	        cmocka_unit_test(test_what_need_not_hold_of_the_short_form),
	        cmocka_unit_test(test_faults),
	        cmocka_unit_test(test_too_many),
	        cmocka_unit_test(test_what_is_not_wanted),
	        cmocka_unit_test(test_places),
	        cmocka_unit_test(test_what_is_listed),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
