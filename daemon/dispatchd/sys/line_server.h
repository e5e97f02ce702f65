/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_SYS_LINE_SERVER_H
#define DISPATCHD_SYS_LINE_SERVER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A Unix socket where each line is a request and has a line as its answer, for the loop's thread.
 * A peer (a client that has connected) has at most one request under way: while it waits nothing is
 * read from it, nor while more than `line_max` of its answers is unread, so that neither side's
 * memory can be filled from here.
 *
 *	READS ─ a line ─▶ WAITS ─ the answer ─▶ READS
 *	                    └─ bytes are to follow ─▶ RECEIVES ─ all bytes ─▶ WAITS ─▶ READS
 *
 * The server owns its peers. It ends one that has hung up (after the answer, where only its writing
 * side is closed), that is silent in READS or RECEIVES or doesn't read its answers for `idle_s`,
 * whose line is too long, and the oldest in READS where `peers_max` are there and one more comes;
 * where all are busy that one is refused. So a pointer to a peer is good until the loop is back, or
 * until line_peer_answer(); who wants to find it later keeps its number.
 */
struct event_base;
struct line_server;
struct line_peer;
struct socket_path;

struct line_server_spec {
	size_t peers_max, line_max;
	int idle_s;
	size_t data_size; /* of what the owner keeps of each peer; begins as zeros */
	void *arg;        /* line_peer_arg() */
	/* Answers at once by line_peer_send(), or calls line_peer_wait(). `line` has no end. */
	void (*take_line)(struct line_peer *peer, const char *line, size_t len);
	/* All that line_peer_receive() asked for; `bytes` are the callee's to free. As take_line().
	 * NULL where that is never called. */
	void (*take_bytes)(struct line_peer *peer, char *bytes, size_t n);
	void (*too_long)(struct line_peer *peer); /* a line is, which ends the peer: to be logged */
	/* It ends: to free what its data hold. NULL for nothing. */
	void (*ends)(struct line_peer *peer);
};

/* `spec` must outlive the server. Nobody can connect before line_server_listen(). */
struct line_server *line_server_new(struct event_base *base, const struct line_server_spec *spec);
/* Closes the socket and ends all peers. Takes NULL; returns NULL. */
struct line_server *line_server_free(struct line_server *server);

/*
 * A socket at `place`, nobody's but ours until it is shared; one that is there is a dead daemon's.
 * The caller's; -1 on a fault: 77, 69, beginning with `name`.
 */
int line_server_bind(const struct socket_path *place, const char *name,
                     struct error *err) MUST_CHECK;

/* Takes peers from that socket, which is the server's then; false where libevent can't. */
bool line_server_listen(struct line_server *server, int fd) MUST_CHECK;
bool line_server_listens(const struct line_server *server);
/* No more peers. Those that wait for an answer still get it. */
void line_server_close(struct line_server *server);

/* The newest peer, and the one that came before it; NULL for none. */
struct line_peer *line_server_peers(const struct line_server *server);
struct line_peer *line_peer_next(const struct line_peer *peer);
/* The one that waits under that number; NULL where it has gone. */
struct line_peer *line_server_find(const struct line_server *server, int64_t number);

bool line_peer_waits(const struct line_peer *peer);
void *line_peer_data(struct line_peer *peer);
void *line_peer_arg(const struct line_peer *peer);
uid_t line_peer_uid(const struct line_peer *peer); /* (uid_t)-1: not known */

/* It waits for an answer, under a number of the caller's (0: for none in particular). */
void line_peer_wait(struct line_peer *peer, int64_t number);
/* A line; the state stays. */
void line_peer_send(struct line_peer *peer, const char *text);
/* The answer that it waits for. It may have sent more requests, which are taken at once, and it may
 * end here, but no other peer. */
void line_peer_answer(struct line_peer *peer, const char *text);
/* The answer, behind which so many bytes are to come; at least one. As line_peer_answer(). */
void line_peer_receive(struct line_peer *peer, const char *text, size_t n);

#endif
