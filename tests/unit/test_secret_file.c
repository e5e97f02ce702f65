/* SPDX-License-Identifier: MIT */
/* Files with secrets: where they are, what is read of them and what is refused. */
#include "base/secret_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static char dir[] = "/tmp/test_secret_file.XXXXXX";
static char path[sizeof dir + 16];

static void put(const char *text)
{
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static void assert_refused(const char *file, size_t max, const char *words)
{
	struct secret_text text = {.text = NULL};
	struct error err = {0};
	assert_false(secret_file_read(file, "password", max, &text, &err));
	assert_null(text.text);
	assert_non_null(strstr(err.text, words));
	assert_non_null(strstr(err.text, file));
	assert_int_equal(err.code, EX_CONFIG);
}

static void test_what_is_read(void **state)
{
	static const struct {
		const char *text;
		size_t line;
	} cases[] = {{"", 0},      {"\n", 0},           {"one", 3},
	             {"one\n", 3}, {"one\r\ntwo\n", 3}, {"\r\n", 0}};
	struct secret_text text;
	struct error err;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		put(cases[i].text);
		assert_true(secret_file_read(path, "password", 16, &text, &err));
		assert_int_equal(text.len, strlen(cases[i].text));
		assert_string_equal(text.text, cases[i].text);
		assert_int_equal(secret_text_line(&text), cases[i].line);
		secret_text_wipe(&text);
		assert_null(text.text);
	}
}

static void test_what_is_refused(void **state)
{
	(void)state;
	put("123456789");
	assert_refused(path, 8, ": has more than 8 bytes");
	assert_refused(dir, 8, ": is not a regular file");
	assert_refused("/nowhere/password", 8, ": No such file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(path, 8, ": is not a regular file"); /* and doesn't wait for a writer */
	assert_int_equal(unlink(path), 0);
}

static void test_where_it_is(void **state)
{
	char found[SECRET_PATH_MAX];
	(void)state;
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_string_equal(secret_file_path("/p", "secret", found), "/p");
	assert_string_equal(secret_file_path("", "secret", found), "");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	assert_string_equal(secret_file_path("/p", "secret", found), "/p");
	assert_string_equal(secret_file_path("", "another", found), "");
	put("x");
	assert_string_equal(secret_file_path("", "secret", found), path);
}

static int make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/secret", dir);
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
	        cmocka_unit_test(test_what_is_read),
	        cmocka_unit_test(test_what_is_refused),
	        cmocka_unit_test(test_where_it_is),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
