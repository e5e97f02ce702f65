/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_ESMTP_PRIVATE_H
#define DISPATCHD_MAILER_ESMTP_PRIVATE_H

#include "dispatchd/mailer/esmtp.h"
#include "dispatchd/mailer/helo.h"
#include "dispatchd/mailer/race.h"

/* In this order: <libesmtp.h> declares some functions only if these were there before it. */
#include <stdarg.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include <auth-client.h>

#include <libesmtp.h>

#include <netdb.h>

enum { SMTP_LINE_MAX = 1024, SMTP_OFFERED_MAX = 256, NET_HELD_MAX = 8192 };

/* What libesmtp's calls of connect() and the like need in this session. */
struct net {
	const struct esmtp_target *target;
	const struct mailer_limits *limits;
	struct watch *watch;
	struct steps *steps;          /* of a test; NULL else */
	struct addrinfo *own;         /* made here, not by the resolver */
	const struct addrinfo *found; /* what libesmtp has got of getaddrinfo() */
	struct race race;             /* for its addresses */
	bool loopback;                /* connected, and the peer is this host */
	bool connected;
	int fd;       /* libesmtp's own; -1: none yet */
	bool full;    /* the last write would have waited */
	bool in_body; /* what is written is a part of a mail, with more behind it */
	size_t n_held;
	char held[NET_HELD_MAX];  /* of the mail, written by libesmtp and not sent yet */
	char greet_as[HELO_SIZE]; /* set once connected */
	char fault[200];          /* why not connected */
	char tls_fault[200];      /* "" for none */
	SSL *ssl;                 /* all goes through it (esmtp_secure.c); NULL: as it is */
};

/* The talk as the monitor sees it. */
struct talk {
	enum smtp_stage stage; /* of the last command */
	bool tls_begun, tls_on, auth_begun, auth_ok, mail_begun, quitting;
	bool parameters;                /* the last MAIL or RCPT bore some */
	SSL *ssl;                       /* not owned; what the talk goes over since TLS is on */
	const char *token;              /* not owned; of the login that is under way, else NULL */
	char mechanism[16];             /* of the last AUTH: "PLAIN" */
	char offered[SMTP_OFFERED_MAX]; /* ways to log in, as EHLO's answer names them */
	char line[SMTP_LINE_MAX];       /* of the reply that is being read */
	size_t line_len;
	size_t masked; /* characters of CHUNKING seen at the line's place for a keyword */
	char reply[DELIVERY_REPLY_MAX]; /* all its lines */
	int code; /* of the last whole reply before MAIL; 0 after a good one */
	char fault[DELIVERY_REPLY_MAX]; /* ours, where the talk was ended from here; "" for none */
};

/*
 * What was learned about a relay. All sessions share it, those of relay tests too.
 *
 * MAIL and RCPT bear SIZE, ENVID and NOTIFY where the relay announces them. One that then refuses
 * them is spoken to without for limits->bare_ms.
 */
enum esmtp_command { ESMTP_MAIL, ESMTP_RCPT, ESMTP_COMMANDS };
struct esmtp_habits {
	/* The family that is tried first although the resolver has another in front. */
	atomic_int family;
	_Atomic int64_t family_until_ms;               /* monotonic */
	_Atomic int64_t bare_until_ms[ESMTP_COMMANDS]; /* monotonic */
};

struct transaction;

struct esmtp {
	const struct esmtp_target *target;
	const struct mailer_limits *limits;
	struct watch *watch;
	const struct transport_feed *feed;
	struct net net;
	struct talk talk;
	smtp_session_t session;
	auth_context_t auth;
	struct transaction *transactions; /* all of this session, newest first */
	struct transaction *current;      /* the one whose message may be under way */
	bool over;                        /* no further mail */
};

/* esmtp_net.c: makes the calls of this coroutine ours; NULL ends it. */
void net_enter(struct net *net);
bool net_entered(void); /* whether a session makes the call */

/*
 * esmtp_secure.c: TLS from the first byte, where the library believes that it speaks in the clear.
 *
 *      libesmtp   read(), write(), poll() ──▶ esmtp_net.c ──▶ net->ssl ──▶ the socket, by a
 *                                                                          duplicate of libesmtp's
 *
 * The SSL is the session's: made by secure_begin() once the connection is there, freed by
 * secure_end() before the watch leaves the connection, whose descriptor it uses. Only the handshake
 * waits, and as a coroutine; the watch bounds it, and by shutting the connection down ends it. The
 * other calls don't wait: -1 and EAGAIN mean that the socket has to be ready first, for reading or
 * for writing as the call does.
 */
bool secure_begin(struct net *net); /* false: net->tls_fault says why, if that is known */
void secure_end(struct net *net);   /* says goodbye, without an answer; nothing to do without TLS */
ssize_t secure_read(SSL *ssl, void *ret, size_t size); /* 0: the end */
ssize_t secure_write(SSL *ssl, const void *bytes, size_t len);
/* Of a record that is read, something isn't handed out yet; the next one is the socket's. */
bool secure_pending(const struct net *net);

/* esmtp_tls.c */
bool tls_set_up(struct esmtp_target *target, const struct relay_settings *relay,
                struct error *err) MUST_CHECK;
void tls_enter(void); /* forget this thread's earlier faults */
/* Before other sessions of this thread go on, and at the end: keeps what went wrong, and OpenSSL
 * forgets it, which else would blame them for it. */
void tls_leave(struct net *net);
/* The same, and waits until there is one of poll()'s `events` on the connection, which it returns;
 * 0 where none came by `until_ms`. */
short tls_wait(struct net *net, short events, int64_t until_ms);
/* Whether nothing may go without TLS and a certificate that is verified. */
bool tls_is_due(const struct esmtp_target *target);
/* Version, the certificate's name and end, and whether it was verified. */
void tls_words(const struct esmtp_target *target, const SSL *ssl, char *ret, size_t size);

/* esmtp_talk.c: what smtp_set_monitorcb() brings. */
void talk_monitor(const char *text, int len, int writing, void *arg);
/* Whether a mail's text may go to the relay, or go on: nobody can take it back once the relay has
 * all of it, and another machine may send it, too. Else the connection has ended. */
bool talk_may_send(struct esmtp *esmtp);
/* Whether no mail goes out, only a test of its envelope: RSET is sent where DATA would be. */
bool talk_ends_envelope(const struct esmtp *esmtp);
/* Shuts the connection down. */
void talk_end(struct esmtp *esmtp, enum smtp_stage stage, const char *why);

/* esmtp_auth.c */
bool auth_enter(struct esmtp *esmtp); /* false: out of memory */
/* Before each EHLO: allows the ways to log in that may be used now. */
void auth_permit(struct esmtp *esmtp);
void auth_leave(struct esmtp *esmtp);
bool auth_may_be_clear(const struct esmtp *esmtp);

/* esmtp_oauth.c: logs in with an access token and waits for the reply. False: `why` says why, or is
 * "" where the connection ended. */
bool oauth_login(struct esmtp *esmtp, char *why, size_t size);

/* esmtp_plugin.c: why none of the mechanisms that the relay offers was used; `clear`: PLAIN and
 * LOGIN are allowed. */
void plugin_fault(const char *offered, bool clear, char *ret, size_t size);

#endif
