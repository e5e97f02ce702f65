/* SPDX-License-Identifier: MIT */
/*
 * Who hands in reports reads what anybody may have sent, so a client here is believed nothing but
 * what it may do: hand in a report. Each has at most one with the engine, and while it waits
 *nothing is read from it; the bytes of replies are bounded over all clients.
 *
 *	READS ─ a line ─▶ WAITS ─ the engine's answer ─▶ READS
 *	                    └─ it wants the reply ─▶ RECEIVES ─ all bytes ─▶ WAITS ─▶ READS
 */
#include "dispatchd/report/report_socket.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "common/socket_path.h"
#include "common/socket_share.h"
#include "dispatchd/report/report_request.h"
#include "dispatchd/sys/daemon_view.h"
#include "dispatchd/sys/listen.h"
#include "dispatchd/sys/log.h"
#include "mail/forward.h"
#include "model/request.h"
#include "model/settings.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum report_client_state { READS, WAITS, RECEIVES };

struct report_client {
	struct report_socket *socket;
	struct report_client *next;
	struct bufferevent *stream;
	enum report_client_state state;
	int64_t number;     /* of the command, while it waits */
	char *command;      /* what the reply belongs to, until it is there */
	size_t bytes;       /* of the reply; counted in the socket's `bytes` while it receives */
	bool end_when_sent; /* it has closed its side */
};

struct report_socket {
	struct event_base *base;
	const struct daemon_view *view;
	struct evconnlistener *listener; /* NULL: there is no socket */
	struct socket_path place;
	struct report_client *clients;
	size_t n, bytes;
	int64_t last_number;
};

static void report_on_readable(struct bufferevent *stream, void *arg);

/* ---- clients ---- */

static void set_state(struct report_client *client, enum report_client_state state)
{
	size_t watermark = state == RECEIVES ? client->bytes : REPORT_LINE_MAX;
	if (client->state == RECEIVES)
		client->socket->bytes -= client->bytes;
	if (state == RECEIVES)
		client->socket->bytes += client->bytes;
	client->state = state;
	bufferevent_setwatermark(client->stream, EV_READ, 0, watermark);
	if (state == WAITS)
		bufferevent_disable(client->stream, EV_READ);
	else
		bufferevent_enable(client->stream, EV_READ);
}

static void report_end_client(struct report_client *client)
{
	struct report_client **at = &client->socket->clients;
	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	client->socket->n--;
	set_state(client, READS);
	bufferevent_free(client->stream);
	free(client->command);
	free(client);
}

static void report_send(struct report_client *client, const char *text)
{
	evbuffer_add_printf(bufferevent_get_output(client->stream), "%s\n", text);
}

static void report_send_fault(struct report_client *client, const struct error *err)
{
	json_t *document = control_fault(err);
	char *text = json_dumps(document, JSON_COMPACT);
	report_send(client, text ? text : "{\"ok\":false}");
	free(text);
	json_decref(document);
}

/* The engine gets a command; the client waits. */
static void submit(struct report_client *client, struct command *command)
{
	client->number = command->route.number;
	set_state(client, WAITS);
	engine_thread_command(client->socket->view->engine, command);
}

static struct command_route next_route(struct report_socket *socket)
{
	return (struct command_route){.origin = COMMAND_REPORT, .number = ++socket->last_number};
}

/* ---- a line ---- */

static void report_take_line(struct report_client *client, const char *line, size_t len)
{
	struct report_request request = {0};
	struct error err;
	if (!report_request_read(client->socket->view->settings, line, len, &request, &err)) {
		report_send_fault(client, &err);
		return;
	}
	if (request.command == NULL) {
		report_send(client, "{\"ok\":true}");
		return;
	}
	free(client->command);
	client->command = request.command;
	client->bytes = request.bytes;
	submit(client, command_new(next_route(client->socket), request.command));
}

/* ---- a person's reply ---- */

/* Whether there is room for it; else the mail server tries again. */
static bool may_receive(const struct report_client *client, struct error *err)
{
	size_t left = REPORT_BYTES_MAX - client->socket->bytes;
	if (client->bytes == 0)
		return error_set(err, EX_DATAERR, "reply: bytes are missing");
	return client->bytes <= left ||
	       error_set(err, EX_TEMPFAIL, "too many replies at a time, try again");
}

/* All of it is there. */
static void take_bytes(struct report_client *client)
{
	struct evbuffer *in = bufferevent_get_input(client->stream);
	struct error err;
	char *bytes = mem_alloc(client->bytes);
	char *text = report_request_forward(client->command);
	evbuffer_remove(in, bytes, client->bytes);
	if (forward_check(bytes, client->bytes, &err)) {
		struct command *command = command_new(next_route(client->socket), text);
		command->bytes = bytes;
		command->n_bytes = client->bytes;
		submit(client, command);
	} else {
		free(bytes);
		set_state(client, READS);
		(void)error_prefix(&err, "the reply");
		report_send_fault(client, &err);
	}
	free(text);
}

void report_socket_reply(struct report_socket *socket, int64_t number, const char *text)
{
	struct report_client *client = socket->clients;
	while (client && (client->state != WAITS || client->number != number))
		client = client->next;
	if (client == NULL)
		return;
	struct error err;
	if (!report_request_wanted(text)) {
		set_state(client, READS);
		report_send(client, text);
	} else if (may_receive(client, &err)) {
		set_state(client, RECEIVES);
		report_send(client, text);
	} else {
		set_state(client, READS);
		report_send_fault(client, &err);
	}
	report_on_readable(client->stream, client); /* it may have sent more */
}

/* ---- what libevent calls ---- */

static void report_on_readable(struct bufferevent *stream, void *arg)
{
	struct report_client *client = arg;
	struct evbuffer *in = bufferevent_get_input(stream);
	size_t len;
	if (client->state == RECEIVES && evbuffer_get_length(in) >= client->bytes)
		take_bytes(client);
	while (client->state == READS) {
		char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
		if (!line)
			break;
		report_take_line(client, line, len);
		free(line);
	}
	if (client->state == READS && evbuffer_get_length(in) >= REPORT_LINE_MAX) {
		log_fault(LOG_WARNING, "socket for reports: a line is too long");
		report_end_client(client);
	}
}

static void report_on_written(struct bufferevent *stream, void *arg)
{
	struct report_client *client = arg;
	(void)stream;
	if (client->end_when_sent)
		report_end_client(client);
}

static void report_on_event(struct bufferevent *stream, short what, void *arg)
{
	struct report_client *client = arg;
	/* A timeout of reading while the engine works is ours, not the client's. */
	if (what & BEV_EVENT_TIMEOUT && client->state == WAITS) {
		bufferevent_enable(stream, EV_WRITE);
	} else if (what & BEV_EVENT_EOF &&
	           evbuffer_get_length(bufferevent_get_output(stream)) > 0) {
		client->end_when_sent = true;
		bufferevent_disable(stream, EV_READ);
	} else {
		report_end_client(client);
	}
}

/* The oldest that has sent nothing is closed to make room. The newest is first in the list. */
static bool report_close_oldest(struct report_socket *socket)
{
	struct report_client *oldest = NULL;
	for (struct report_client *client = socket->clients; client; client = client->next)
		if (client->state == READS)
			oldest = client;
	if (oldest)
		report_end_client(oldest);
	return oldest;
}

static void report_on_accept(struct evconnlistener *listener, evutil_socket_t fd,
                             struct sockaddr *address, int len, void *arg)
{
	static const struct timeval idle = {.tv_sec = REPORT_IDLE_S};
	struct report_socket *socket = arg;
	(void)address;
	(void)len;
	if (socket->n == REPORT_CLIENTS_MAX && !report_close_oldest(socket)) {
		close(fd);
		return;
	}
	struct report_client *client = mem_alloc(sizeof *client);
	*client = (struct report_client){.socket = socket, .next = socket->clients};
	client->stream = bufferevent_socket_new(evconnlistener_get_base(listener), fd,
	                                        BEV_OPT_CLOSE_ON_FREE);
	socket->clients = client;
	socket->n++;
	bufferevent_setcb(client->stream, report_on_readable, report_on_written, report_on_event,
	                  client);
	bufferevent_set_timeouts(client->stream, &idle, &idle);
	bufferevent_enable(client->stream, EV_WRITE);
	set_state(client, READS);
}

/* ---- the socket ---- */

/* The engine holds its lock, so one that is there is a dead daemon's. */
static int report_bind(const struct report_socket *socket, struct error *err)
{
	const struct socket_path *place = &socket->place;
	int fd = socket_private();
	unlink(place->path);
	bool bound = fd >= 0 &&
	             bind(fd, (const struct sockaddr *)&place->address, sizeof place->address) == 0;
	if (!bound)
		(void)error_set(err, errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE,
		                "socket for reports %s: %s", place->path, strerror(errno));
	if (bound &&
	    socket_share("[bounce]", place->path, socket->view->settings->bounce.group, err))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool report_open(struct report_socket *socket, struct error *err)
{
	int fd = report_bind(socket, err);
	if (fd < 0)
		return false;
	socket->listener =
	        evconnlistener_new(socket->base, report_on_accept, socket,
	                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16, fd);
	if (socket->listener == NULL)
		return error_set(err, EX_UNAVAILABLE, "socket for reports %s: no listener",
		                 socket->place.path);
	listen_with_backoff(socket->listener);
	return true;
}

/* Those that wait for an answer still get it. */
static void report_close(struct report_socket *socket)
{
	if (socket->listener == NULL)
		return;
	unlink(socket->place.path);
	evconnlistener_free(socket->listener);
	socket->listener = NULL;
}

static bool is_wanted(const struct report_socket *socket)
{
	return socket->view->settings->bounce.address[0] != '\0';
}

struct report_socket *report_socket_new(struct event_base *base, const char *spool_path,
                                        const struct daemon_view *view, struct error *err)
{
	struct report_socket *socket = mem_alloc(sizeof *socket);
	*socket = (struct report_socket){.base = base, .view = view, .place = {.directory = -1}};
	bool ok = socket_path_set(&socket->place, spool_path, REPORT_SOCKET, err) &&
	          (!is_wanted(socket) || report_open(socket, err));
	return ok ? socket : report_socket_free(socket);
}

void report_socket_reload(struct report_socket *socket)
{
	struct error err;
	if (!is_wanted(socket))
		report_close(socket);
	else if (socket->listener == NULL && !report_open(socket, &err))
		log_fault(LOG_ERR, "no reports are taken: %s", err.text);
}

struct report_socket *report_socket_free(struct report_socket *socket)
{
	if (!socket)
		return NULL;
	report_close(socket);
	for (struct report_client *client = socket->clients, *next; client; client = next) {
		next = client->next;
		report_end_client(client);
	}
	socket_path_clear(&socket->place);
	free(socket);
	return NULL;
}
