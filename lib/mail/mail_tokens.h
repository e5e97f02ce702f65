/* SPDX-License-Identifier: MIT */
#ifndef MAIL_MAIL_TOKENS_H
#define MAIL_MAIL_TOKENS_H

#include "base/address.h"
#include "base/buf.h"
#include "base/jsonview.h"
#include "base/mem.h"
#include "mail/outgoing_mail.h"
#include "mail/token.h"

#include <stdbool.h>

/*
 * Which signed tokens (mail/token.h) are in a mail to a contact, and where:
 *
 * 	Reply-To: COMPANY <LOCAL+reply token@DOMAIN>
 * 	List-Unsubscribe: <mailto:LOCAL+opt-out token@DOMAIN?subject=unsubscribe>,
 * 	 <URL/u/opt-out token>                                and List-Unsubscribe-Post
 * 	URL/u/opt-out token                                   in the text, {{opt_out}}
 *
 * The engine records in the mail's context, as `bounce`, what [bounce] and [center] said when it
 * was first dispatched, so that a retry and whoever looks at it later have the same. A mail is
 * rendered with a placeholder in place of each token, and that is what is kept and shown; only
 * what a mailer sends has the tokens.
 */
enum { MAIL_TOKENS_URL_MAX = 500 };

struct mail_tokens {
	char address[ADDRESS_MAX + 1]; /* of [bounce]; "": there are none, and the rest is empty */
	char delimiter[8];
	char url[MAIL_TOKENS_URL_MAX + 1]; /* of the center, without a slash at the end; "": no link
	                                    */
	bool replies;                      /* somebody gets them */
	char company[MAILBOX_NAME_MAX];
	/* What stands in their place: placeholders, or the tokens. */
	char reply[TOKEN_SIZE], opt_out[TOKEN_SIZE];
};

/*
 * Reads the tokens of what context_read() returned, with placeholders, and adds what templates see
 * of them: `opt_out`, the link, where there is one, and `replies`, true where replies come here.
 * `signs` false: there is nothing to sign with, so there are none. In the arena.
 */
const struct jsonview *mail_tokens_read(struct arena *arena, const struct jsonview *context,
                                        bool signs, struct mail_tokens *ret);

/* All that templates see, of what context_read() returned; the caller's. */
json_t *mail_tokens_seen(struct arena *arena, const struct jsonview *context);

/* In place of the address, what the tokens of a mail are signed over that was redirected: what
 * comes back with one is about a mail that reached no contact. Its opt-out is signed over no
 * contact's link, so that it does nothing. */
enum { MAIL_TOKENS_OVER_SIZE = ADDRESS_MAX + 32 };
void mail_tokens_redirected(const char *address, char ret[MAIL_TOKENS_OVER_SIZE]);

/* Puts the tokens of this mail in the place of placeholders. There must be a key. */
void mail_tokens_sign(struct mail_tokens *tokens, const struct token_keys *keys,
                      const struct outgoing_mail *outgoing);
/* The same in a rendered text, where the link is in it. */
void mail_tokens_put(const struct mail_tokens *tokens, struct buf *text);

/* The address that a report about this mail comes to: its envelope sender. */
void mail_tokens_envelope(const struct token_keys *keys, const char *address, const char *delimiter,
                          const struct outgoing_mail *outgoing, char ret[TOKEN_ADDRESS_SIZE]);

#endif
