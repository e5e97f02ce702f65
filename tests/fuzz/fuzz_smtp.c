/* SPDX-License-Identifier: MIT */
/* Input: two replies of an SMTP server with a line feed between. What is kept of them is one
 * printable line, and their wording compares the same both ways. */
#include "base/utf8.h"
#include "dispatchd/mailer/reply.h"
#include "mail/wording.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE = 512 };

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_enhanced(const char *line)
{
	int code[3];
	size_t n = reply_enhanced(line, code);
	must(n <= strlen(line));
	must(n == 0 ? code[0] == 0 && code[1] == 0 && code[2] == 0
	            : code[0] >= 2 && code[0] <= 5 && code[1] >= 0 && code[1] <= 999 &&
	                      code[2] >= 0 && code[2] <= 999);
}

/* `ret_key`: what of it is compared. */
static void check_reply(const char *text, size_t len, char ret_key[WORDING_MAX])
{
	char line[SIZE], again[SIZE], masked[SIZE];
	reply_clean(line, sizeof line, text, len);
	size_t line_len = strlen(line);
	must(line_len < sizeof line && utf8_valid(line, line_len) &&
	     !utf8_has_control(line, line_len));
	reply_clean(again, sizeof again, line, line_len);
	must(strcmp(line, again) == 0);
	check_enhanced(line);
	strcpy(masked, line);
	reply_mask(masked, "secret");
	must(strlen(masked) <= line_len &&
	     (strcasestr(line, "secret") == NULL) == (strlen(masked) == line_len));
	wording_key(ret_key, line, "kim@example.com");
	must(strlen(ret_key) < WORDING_MAX && wording_same(ret_key, ret_key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char one[WORDING_MAX], two[WORDING_MAX];
	const uint8_t *cut = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t first = cut ? (size_t)(cut - data) : size;
	check_reply((const char *)data, first, one);
	check_reply((const char *)data + first, size - first, two);
	must(wording_same(one, two) == wording_same(two, one));
	return 0;
}
