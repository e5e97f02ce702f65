/* SPDX-License-Identifier: MIT */
/*
 * What the control socket and the socket for reports have in common: who is connected, and whose
 * turn it is to say something. What a line means is the owner's.
 */
#include "dispatchd/sys/line_server.h"

#include "base/mem.h"
#include "common/socket_path.h"
#include "common/socket_share.h"
#include "dispatchd/sys/listen.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

enum line_peer_state { READS, WAITS, RECEIVES };

struct line_peer {
	struct line_server *server;
	struct line_peer *next; /* which came before it */
	struct bufferevent *stream;
	enum line_peer_state state;
	int64_t number; /* while it waits */
	size_t bytes;   /* which it receives */
	uid_t uid;
	bool end_when_sent; /* it has closed its side */
	void *data;
};

struct line_server {
	struct event_base *base;
	const struct line_server_spec *spec;
	struct evconnlistener *listener; /* NULL: nobody can connect */
	struct line_peer *peers;
	size_t n;
};

/* ---- peers ---- */

static void set_state(struct line_peer *peer, enum line_peer_state state)
{
	size_t most = state == RECEIVES ? peer->bytes : peer->server->spec->line_max;
	peer->state = state;
	bufferevent_setwatermark(peer->stream, EV_READ, 0, most);
	if (state == WAITS)
		bufferevent_disable(peer->stream, EV_READ);
	else
		bufferevent_enable(peer->stream, EV_READ);
}

static void end_peer(struct line_peer *peer)
{
	struct line_peer **at = &peer->server->peers;
	while (*at != peer)
		at = &(*at)->next;
	*at = peer->next;
	peer->server->n--;
	if (peer->server->spec->ends)
		peer->server->spec->ends(peer);
	bufferevent_free(peer->stream);
	free(peer->data);
	free(peer);
}

static void take_bytes(struct line_peer *peer, struct evbuffer *in)
{
	char *bytes = mem_alloc(peer->bytes);
	(void)evbuffer_remove(in, bytes, peer->bytes);
	set_state(peer, READS);
	peer->server->spec->take_bytes(peer, bytes, peer->bytes);
}

/* Answers that are not yet written are no more than a line may be. */
static bool keeps_up(const struct line_peer *peer)
{
	return evbuffer_get_length(bufferevent_get_output(peer->stream)) <=
	       peer->server->spec->line_max;
}

/* What is there, as far as it may be read now. May end the peer. */
static void take_input(struct line_peer *peer)
{
	const struct line_server_spec *spec = peer->server->spec;
	struct evbuffer *in = bufferevent_get_input(peer->stream);
	size_t len;
	if (peer->state == RECEIVES && evbuffer_get_length(in) >= peer->bytes)
		take_bytes(peer, in);
	while (peer->state == READS && keeps_up(peer)) {
		char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
		if (!line)
			break;
		spec->take_line(peer, line, len);
		free(line);
	}
	if (peer->state != READS)
		return;
	if (!keeps_up(peer)) {
		bufferevent_disable(peer->stream, EV_READ); /* line_on_written() goes on */
	} else if (evbuffer_get_length(in) >= spec->line_max) {
		spec->too_long(peer);
		end_peer(peer);
	}
}

/* ---- what libevent calls ---- */

static void line_on_readable(struct bufferevent *stream, void *arg)
{
	(void)stream;
	take_input(arg);
}

/* Everything has been written. */
static void line_on_written(struct bufferevent *stream, void *arg)
{
	struct line_peer *peer = arg;
	if (peer->end_when_sent) {
		end_peer(peer);
	} else if (peer->state == READS) {
		bufferevent_enable(stream, EV_READ);
		take_input(peer);
	}
}

static void line_on_event(struct bufferevent *stream, short what, void *arg)
{
	struct line_peer *peer = arg;
	/* A timeout of reading while an answer is awaited is ours, not the peer's. */
	if (what & BEV_EVENT_TIMEOUT && peer->state == WAITS) {
		bufferevent_enable(stream, EV_WRITE);
	} else if (what & BEV_EVENT_EOF &&
	           evbuffer_get_length(bufferevent_get_output(stream)) > 0) {
		peer->end_when_sent = true;
		bufferevent_disable(stream, EV_READ);
	} else {
		end_peer(peer);
	}
}

static uid_t uid_of(int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t len = sizeof(peer);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ? (uid_t)-1 : peer.uid;
}

/* The oldest without a request under way makes room. The newest is first in the list. */
static bool end_oldest(struct line_server *server)
{
	struct line_peer *oldest = NULL;
	for (struct line_peer *peer = server->peers; peer; peer = peer->next)
		if (peer->state == READS)
			oldest = peer;
	if (oldest)
		end_peer(oldest);
	return oldest;
}

static void line_on_accept(struct evconnlistener *listener, evutil_socket_t fd,
                           struct sockaddr *address, int len, void *arg)
{
	struct line_server *server = arg;
	const struct timeval idle = {.tv_sec = server->spec->idle_s};
	(void)listener;
	(void)address;
	(void)len;
	if (server->n == server->spec->peers_max && !end_oldest(server)) {
		close(fd);
		return;
	}
	struct line_peer *peer = mem_alloc(sizeof *peer);
	*peer = (struct line_peer){.server = server, .next = server->peers, .uid = uid_of(fd)};
	peer->data = mem_alloc(server->spec->data_size);
	peer->stream = bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	server->peers = peer;
	server->n++;
	bufferevent_setcb(peer->stream, line_on_readable, line_on_written, line_on_event, peer);
	bufferevent_set_timeouts(peer->stream, &idle, &idle);
	bufferevent_enable(peer->stream, EV_WRITE);
	set_state(peer, READS);
}

/* ---- for the owner ---- */

struct line_peer *line_server_peers(const struct line_server *server)
{
	return server->peers;
}

struct line_peer *line_peer_next(const struct line_peer *peer)
{
	return peer->next;
}

struct line_peer *line_server_find(const struct line_server *server, int64_t number)
{
	struct line_peer *peer = server->peers;
	while (peer && (peer->state != WAITS || peer->number != number))
		peer = peer->next;
	return peer;
}

void *line_peer_data(struct line_peer *peer)
{
	return peer->data;
}

void *line_peer_arg(const struct line_peer *peer)
{
	return peer->server->spec->arg;
}

uid_t line_peer_uid(const struct line_peer *peer)
{
	return peer->uid;
}

bool line_peer_waits(const struct line_peer *peer)
{
	return peer->state == WAITS;
}

void line_peer_wait(struct line_peer *peer, int64_t number)
{
	peer->number = number;
	set_state(peer, WAITS);
}

void line_peer_send(struct line_peer *peer, const char *text)
{
	evbuffer_add_printf(bufferevent_get_output(peer->stream), "%s\n", text);
}

void line_peer_answer(struct line_peer *peer, const char *text)
{
	set_state(peer, READS);
	line_peer_send(peer, text);
	take_input(peer);
}

void line_peer_receive(struct line_peer *peer, const char *text, size_t n)
{
	peer->bytes = n;
	set_state(peer, RECEIVES);
	line_peer_send(peer, text);
	take_input(peer);
}

/* ---- the socket ---- */

int line_server_bind(const struct socket_path *place, const char *name, struct error *err)
{
	int fd = socket_private();
	unlink(place->path);
	if (fd >= 0 &&
	    bind(fd, (const struct sockaddr *)&place->address, sizeof place->address) == 0)
		return fd;
	(void)error_set(err, errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE, "%s %s: %s", name,
	                place->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

bool line_server_listen(struct line_server *server, int fd)
{
	server->listener =
	        evconnlistener_new(server->base, line_on_accept, server,
	                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16, fd);
	if (server->listener)
		listen_with_backoff(server->listener);
	else
		close(fd);
	return server->listener;
}

bool line_server_listens(const struct line_server *server)
{
	return server->listener;
}

void line_server_close(struct line_server *server)
{
	if (server->listener)
		evconnlistener_free(server->listener);
	server->listener = NULL;
}

struct line_server *line_server_new(struct event_base *base, const struct line_server_spec *spec)
{
	struct line_server *server = mem_alloc(sizeof *server);
	*server = (struct line_server){.base = base, .spec = spec};
	return server;
}

struct line_server *line_server_free(struct line_server *server)
{
	if (!server)
		return NULL;
	line_server_close(server);
	for (struct line_peer *peer = server->peers, *next; peer; peer = next) {
		next = peer->next;
		end_peer(peer);
	}
	free(server);
	return NULL;
}
