/* SPDX-License-Identifier: MIT */
#ifndef MAIL_TOKEN_H
#define MAIL_TOKEN_H

#include "base/error.h"
#include "base/secret_keys.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Signed tokens in addresses and links of mails ([bounce], docs/CONTRACT.md section 11): what comes
 * back with one names the mail or the contact that it was made for, and nobody can make one without
 * the key. 31 letters and digits of base32 (RFC 4648, a-z and 2-7, no padding), read without regard
 * to case:
 *
 * 	1 byte   version 1 in the high half, kind in the low one
 * 	1 byte   number of the key: the first byte of its digest
 * 	6 bytes  id, big-endian
 * 	1 byte   state of the job, else 0
 * 	10 bytes of a keyed BLAKE2b over these bytes and what the token is signed over
 *
 * A report's and a reply's token has the id of the mail and is signed over its recipient's address
 * and its Message-ID. An opt-out's has the contact's id and is signed over the contact's `link`, a
 * random text that it gets when it is made, so that it works for as long as the contact is there,
 * and for nobody else who gets its id, in another database or after an old one was restored.
 */
enum token_kind { TOKEN_REPORT, TOKEN_REPLY, TOKEN_OPT_OUT };
enum { TOKEN_KINDS = TOKEN_OPT_OUT + 1 };

enum {
	TOKEN_LENGTH = BOUNCE_TOKEN_LENGTH, /* characters */
	TOKEN_SIZE = TOKEN_LENGTH + 1,
	TOKEN_SEAL_SIZE = 10,
	TOKEN_KEY_SIZE = SECRET_KEY_SIZE,
	TOKEN_KEYS_MAX = 16,
};
#define TOKEN_ID_MAX (((int64_t)1 << 48) - 1)

/* In place of a token where none is to be seen: no token has a 0. */
#define TOKEN_PLACEHOLDER "0000000000000000000000000000000"
_Static_assert(sizeof TOKEN_PLACEHOLDER == TOKEN_SIZE, "as long as a token");

/* All of them verify, the first one signs. */
struct token_keys {
	size_t n; /* 0: there is no key */
	unsigned char key[TOKEN_KEYS_MAX][TOKEN_KEY_SIZE];
};

struct token {
	enum token_kind kind;
	int64_t id;     /* 0 to TOKEN_ID_MAX */
	unsigned state; /* enum job_state; 0 where the kind has none */
	/* Of one that was read: */
	unsigned char key_number;
	unsigned char seal[TOKEN_SEAL_SIZE];
};

/*
 * Reads one to TOKEN_KEYS_MAX keys (base/secret_keys.h). On a fault (code 78) `ret` has none. Wipe
 * `ret` in the end.
 */
bool token_keys_parse(const char *text, size_t len, const char *path, struct token_keys *ret,
                      struct error *err) MUST_CHECK;
/*
 * The same from a file, which must not be readable by everybody (base/exposed.h); where `file` is
 * "" from the systemd credential `bounce-key`. Where neither is there `ret` has no key, and that is
 * no fault. Codes 78, 77, 74.
 */
bool token_keys_read(const char *file, struct token_keys *ret, struct error *err) MUST_CHECK;
void token_keys_wipe(struct token_keys *keys);

/* Writes the token for kind, id and state, signed by the first key over the two texts. There must
 * be a key. */
void token_make(const struct token_keys *keys, const struct token *token, const char *over,
                const char *also_over, char ret[TOKEN_SIZE]);

/* The first `len` bytes as a token, by shape alone: what it says is worth nothing until
 * token_verify(). False where they are none, and for versions and kinds that are not known here. */
bool token_parse(const char *text, size_t len, struct token *ret) MUST_CHECK;

/* Whether one of the keys signed just this, over the two texts. Takes as long wherever a wrong one
 * differs. */
bool token_verify(const struct token_keys *keys, const struct token *token, const char *over,
                  const char *also_over) MUST_CHECK;

/* LOCAL@DOMAIN with delimiter and token behind LOCAL. `address` and `delimiter` are those of
 * [bounce], which are checked so that it fits. */
enum { TOKEN_ADDRESS_SIZE = 256 };
void token_address(const char *address, const char *delimiter, const char *token,
                   char ret[TOKEN_ADDRESS_SIZE]);

/*
 * What `recipient` has behind local part and delimiter, where it is otherwise `address` (both
 * without regard to case): the token's text, which token_parse() reads; in `recipient`, with its
 * length. With length 0 for the address itself; NULL for any other address.
 */
const char *token_in_address(const char *recipient, const char *address, const char *delimiter,
                             size_t *ret_len);

/*
 * Whether reports that came to `recipient` are ours: they come to the domain of `address`, that of
 * [bounce]. Nobody may know the recipient ("" is ours). Codes: 67 another domain, or none; 69 where
 * `address` is "".
 */
bool token_takes(const char *address, const char *recipient, struct error *err) MUST_CHECK;

#endif
