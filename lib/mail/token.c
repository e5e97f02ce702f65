/* SPDX-License-Identifier: MIT */
/*
 * Signed tokens: made for the mailers, who put them into addresses and links, and read and verified
 * by the engine when they come back. Their form is drawn in token.h.
 *
 * 80 bits of the digest are kept: a forger who tries a million tokens a second would need some
 * billions of years, and local parts have no room for more. What is signed over is preceded by its
 * length, so that no two pairs of texts are the same bytes. The three bits of the last character
 * that no byte uses must be 0, so that each token has one spelling but for case.
 */
#include "mail/token.h"

#include "base/address.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum {
	TOKEN_VERSION = 1,
	HEAD_SIZE = 9,
	BYTES = HEAD_SIZE + TOKEN_SEAL_SIZE,
	DIGEST_SIZE = 16, /* the least that libsodium makes */
};
_Static_assert(TOKEN_LENGTH == (BYTES * 8 + 4) / 5, "the settings keep as much room");
_Static_assert(TOKEN_KEY_SIZE == crypto_generichash_KEYBYTES, "a key of libsodium");

static unsigned char key_number(const unsigned char key[TOKEN_KEY_SIZE])
{
	unsigned char digest[DIGEST_SIZE];
	(void)crypto_generichash(digest, sizeof digest, key, TOKEN_KEY_SIZE, NULL, 0);
	return digest[0];
}

/* ---- signing */

static void head_write(const struct token *token, unsigned char number,
                       unsigned char head[HEAD_SIZE])
{
	head[0] = (unsigned char)(TOKEN_VERSION << 4 | (int)token->kind);
	head[1] = number;
	for (int i = 0; i < 6; i++)
		head[2 + i] = (unsigned char)((uint64_t)token->id >> (40 - 8 * i));
	head[8] = (unsigned char)token->state;
}

static void add_text(crypto_generichash_state *digest, const char *text)
{
	size_t len = strlen(text);
	unsigned char length[4];
	for (int i = 0; i < 4; i++)
		length[i] = (unsigned char)(len >> (24 - 8 * i));
	(void)crypto_generichash_update(digest, length, sizeof length);
	(void)crypto_generichash_update(digest, (const unsigned char *)text, len);
}

static void token_seal(const unsigned char key[TOKEN_KEY_SIZE], const unsigned char head[HEAD_SIZE],
                       const char *over, const char *also_over, unsigned char ret[TOKEN_SEAL_SIZE])
{
	crypto_generichash_state state;
	unsigned char digest[DIGEST_SIZE];
	(void)crypto_generichash_init(&state, key, TOKEN_KEY_SIZE, sizeof digest);
	(void)crypto_generichash_update(&state, head, HEAD_SIZE);
	add_text(&state, over);
	add_text(&state, also_over);
	(void)crypto_generichash_final(&state, digest, sizeof digest);
	memcpy(ret, digest, TOKEN_SEAL_SIZE);
	sodium_memzero(&state, sizeof state);
}

/* ---- base32 */

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

static void base32_write(const unsigned char bytes[BYTES], char ret[TOKEN_SIZE])
{
	unsigned held = 0, bits = 0;
	size_t n = 0;
	for (size_t i = 0; i < BYTES; i++) {
		held = (held << 8 | bytes[i]) & 0xfff;
		for (bits += 8; bits >= 5; bits -= 5)
			ret[n++] = base32[held >> (bits - 5) & 31];
	}
	ret[n++] = base32[held << (5 - bits) & 31];
	ret[n] = '\0';
}

static int base32_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

static bool base32_read(const char *text, unsigned char ret[BYTES])
{
	unsigned held = 0, bits = 0;
	size_t n = 0;
	for (size_t i = 0; i < TOKEN_LENGTH; i++) {
		int value = base32_value(text[i]);
		if (value < 0)
			return false;
		held = (held << 5 | (unsigned)value) & 0xfff;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			ret[n++] = (unsigned char)(held >> bits);
		}
	}
	return (held & ((1u << bits) - 1)) == 0;
}

/* ---- tokens */

void token_make(const struct token_keys *keys, const struct token *token, const char *over,
                const char *also_over, char ret[TOKEN_SIZE])
{
	unsigned char bytes[BYTES];
	if (keys->n == 0 || token->id < 0 || token->id > TOKEN_ID_MAX || token->state > 255)
		bug("a token of id %lld and state %u can't be signed by %zu keys",
		    (long long)token->id, token->state, keys->n);
	head_write(token, key_number(keys->key[0]), bytes);
	token_seal(keys->key[0], bytes, over, also_over, bytes + HEAD_SIZE);
	base32_write(bytes, ret);
}

bool token_parse(const char *text, size_t len, struct token *ret)
{
	unsigned char bytes[BYTES];
	struct token token = {.kind = TOKEN_REPORT};
	if (len != TOKEN_LENGTH || !base32_read(text, bytes) || bytes[0] >> 4 != TOKEN_VERSION ||
	    (bytes[0] & 15) >= TOKEN_KINDS)
		return false;
	token.kind = (enum token_kind)(bytes[0] & 15);
	token.key_number = bytes[1];
	for (int i = 0; i < 6; i++)
		token.id = token.id << 8 | bytes[2 + i];
	token.state = bytes[8];
	memcpy(token.seal, bytes + HEAD_SIZE, TOKEN_SEAL_SIZE);
	*ret = token;
	return true;
}

bool token_verify(const struct token_keys *keys, const struct token *token, const char *over,
                  const char *also_over)
{
	unsigned char head[HEAD_SIZE], right[TOKEN_SEAL_SIZE];
	bool good = false;
	head_write(token, token->key_number, head);
	for (size_t i = 0; i < keys->n; i++) {
		if (key_number(keys->key[i]) != token->key_number)
			continue;
		token_seal(keys->key[i], head, over, also_over, right);
		good |= sodium_memcmp(right, token->seal, TOKEN_SEAL_SIZE) == 0;
	}
	return good;
}

/* ---- in addresses */

void token_address(const char *address, const char *delimiter, const char *token,
                   char ret[TOKEN_ADDRESS_SIZE])
{
	const char *domain = address_domain(address);
	int local = (int)(domain - address) - 1;
	int len = snprintf(ret, TOKEN_ADDRESS_SIZE, "%.*s%s%s@%s", local, address, delimiter, token,
	                   domain);
	if (len < 0 || len >= TOKEN_ADDRESS_SIZE)
		bug("%s has no room for a token", address);
}

const char *token_in_address(const char *recipient, const char *address, const char *delimiter,
                             size_t *ret_len)
{
	size_t local = (size_t)(address_domain(address) - address) - 1, mark = strlen(delimiter);
	const char *domain = address_domain(recipient);
	if (strcasecmp(domain, address_domain(address)) != 0 ||
	    strncasecmp(recipient, address, local) != 0)
		return NULL;
	const char *rest = recipient + local, *end = domain - 1;
	if (rest < end && strncmp(rest, delimiter, mark) == 0 && rest + mark <= end)
		rest += mark;
	else if (rest != end)
		return NULL;
	*ret_len = (size_t)(end - rest);
	return rest;
}

bool token_takes(const char *address, const char *recipient, struct error *err)
{
	const char *domain = address_domain(recipient);
	if (address == NULL || *address == '\0')
		return error_set(err, EX_UNAVAILABLE,
		                 "no reports are taken: [bounce] address is not set");
	return *recipient == '\0' || strcasecmp(domain, address_domain(address)) == 0 ||
	       error_set(err, EX_NOUSER, "reports come to %s, not to %s", address_domain(address),
	                 *domain ? domain : recipient);
}
