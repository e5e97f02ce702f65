/* SPDX-License-Identifier: MIT */
/* The keys that tokens are signed by: a text with one a line, from a file or systemd. */
#include "mail/token.h"

#include "base/secret_file.h"
#include "base/secret_keys.h"

#include <sodium.h>

void token_keys_wipe(struct token_keys *keys)
{
	sodium_memzero(keys, sizeof *keys);
}

bool token_keys_parse(const char *text, size_t len, const char *path, struct token_keys *ret,
                      struct error *err)
{
	size_t n = secret_keys_parse(text, len, path, TOKEN_KEYS_MAX, ret->key, err);
	if (n == 0)
		token_keys_wipe(ret);
	ret->n = n;
	return n > 0;
}

bool token_keys_read(const char *file, struct token_keys *ret, struct error *err)
{
	char path[SECRET_PATH_MAX];
	struct secret_text text;
	*ret = (struct token_keys){.n = 0};
	if (secret_file_path(file, "bounce-key", path)[0] == '\0')
		return true;
	if (!secret_file_read(path, "key", SECRET_FILE_MAX, &text, err))
		return false;
	bool good = token_keys_parse(text.text, text.len, path, ret, err);
	secret_text_wipe(&text);
	return good;
}
