/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_ESMTP_H
#define DISPATCHD_MAILER_ESMTP_H

#include "base/error.h"
#include "dispatchd/mailer/limits.h"
#include "dispatchd/mailer/transport.h"
#include "dispatchd/mailer/watch.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One SMTP connection by libesmtp, with the library's traps closed. Nothing outside esmtp*.c knows
 * of libesmtp; what is repaired, and where:
 *
 * - esmtp.c: success is judged by four signs at once; mails are fed from the callbacks, so that a
 *   connection carries many; line ends are CRLF and nothing else.
 * - esmtp_net.c: connect(), poll(), read(), write(), getaddrinfo() and freeaddrinfo(), as the
 *   library sees them in our sessions: waits of a coroutine, TCP_NODELAY, time limits, a second
 *   descriptor for the watch, all addresses side by side (race.c), Unix sockets, writing before
 *   reading; no call that only asks whether another may be made, and a mail in one piece.
 * - esmtp_secure.c: TLS from the first byte, below the library, which doesn't know of it.
 * - libc.c: the real ones of these, for our own use.
 * - helo.c: a name for EHLO that strict relays accept.
 * - esmtp_tls.c: an SSL_CTX of its own for each relay: version, host name, SNI, authorities.
 * - esmtp_talk.c: the monitor: what stage the session is at, replies before MAIL, CHUNKING masked,
 *   bytes after STARTTLS's 220, no MAIL without the TLS and AUTH that are required. Never logs.
 *   With the feed's `steps` it notes what is said, and without a mail has RSET sent for DATA.
 * - esmtp_auth.c: user and password, and when they may be sent in the clear.
 * - esmtp_oauth.c: login with an access token, said by ourselves between two commands.
 * - esmtp_plugin.c: dlopen() likewise: the ways to log in that we know, under the names that Debian
 *   gives them.
 */
struct ssl_ctx_st;
struct esmtp_habits; /* what sessions learned about a relay, for later ones */

struct esmtp_target {
	char name[128];       /* NAME of [smtp.NAME]; else the address */
	char address[128];    /* as configured */
	char *host;           /* a name, an IPv4 or IPv6 address; the path of a Unix socket */
	char port[16];        /* "" for a Unix socket */
	bool local;           /* a Unix socket: never leaves the host, so no TLS */
	enum tls_mode tls;    /* TLS_NONE where local */
	enum tls_mode wanted; /* as configured */
	struct ssl_ctx_st *ssl;
	struct esmtp_habits *habits; /* forgotten with the target: by a reload, a restart */
	const char *helo;            /* not owned; for EHLO; "": see dispatchd/mailer/helo.h */
	const char *user, *password; /* not owned; "" for no AUTH; at most 255 bytes each */
	/* Not owned; "" for login by password (dispatchd/mailer/access_token.h). */
	const char *token_file;
};

/* Takes "host:port", "[v6]:port" or "unix:PATH" apart and makes the SSL_CTX as the relay's section
 * says, without our certificate; user and password stay. On failure esmtp_target_clear() is still
 * due. */
bool esmtp_target_set(struct esmtp_target *target, const char *address,
                      const struct relay_settings *relay, struct error *err) MUST_CHECK;
void esmtp_target_clear(struct esmtp_target *target);

/* To be called once before other threads start. */
void esmtp_init(void);

/* Opens a connection for the first mail, and sends as long as `next` gives. Called by a coroutine,
 * which waits; libesmtp's errno has no meaning. */
void esmtp_run(const struct esmtp_target *target, const struct mailer_limits *limits,
               struct watch *watch, const struct transport_feed *feed);

#endif
