/* SPDX-License-Identifier: MIT */
/*
 * Input: what somebody put into an address or a link where a token belongs, or a file of keys. Only
 * what the key's holder made verifies; what can be read is written again as the same token.
 */
#include "mail/token.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_token(const struct token_keys *keys, const char *text, size_t len)
{
	struct token token;
	char again[TOKEN_SIZE];
	if (!token_parse(text, len, &token))
		return;
	must(len == TOKEN_LENGTH && token.id >= 0 && token.id <= TOKEN_ID_MAX);
	/* Kind, id and state are what the text says; key and seal are ours. */
	token_make(keys, &token, "over", "this", again);
	must(tolower((unsigned char)text[0]) == again[0]);
	bool ours = true;
	for (size_t i = 0; i < len; i++)
		ours &= tolower((unsigned char)text[i]) == again[i];
	must(token_verify(keys, &token, "over", "this") == ours);
}

static void check_keys(const char *text, size_t len)
{
	struct token_keys keys;
	struct error err = {0};
	if (token_keys_parse(text, len, "keys", &keys, &err)) {
		must(keys.n > 0 && keys.n <= TOKEN_KEYS_MAX);
		return;
	}
	must(keys.n == 0 && err.code != 0 && utf8_valid(err.text, strlen(err.text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct token_keys keys = {.n = 1, .key = {{1, 2, 3}}};
	size_t len;
	char *text = mem_alloc(size + 1);
	memcpy(text, data, size);
	check_token(&keys, text, size);
	check_keys(text, size);
	const char *token = token_in_address(text, "bounce@example.com", "+", &len);
	if (token != NULL) {
		must(token >= text && token + len <= text + size);
		check_token(&keys, token, len);
	}
	free(text);
	return 0;
}
