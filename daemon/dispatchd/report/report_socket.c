/* SPDX-License-Identifier: MIT */
/*
 * Who hands in reports reads what anybody may have sent, so a client here is believed nothing but
 * what it may do: hand in a report. Clients and their lines are sys/line_server's; here the bytes
 * of replies are bounded over all clients, from when they are asked for until the engine, which has
 * them in memory, has answered, whether their client is still there or not.
 */
#include "dispatchd/report/report_socket.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "common/socket_path.h"
#include "common/socket_share.h"
#include "dispatchd/cluster/cluster.h"
#include "dispatchd/report/report_request.h"
#include "dispatchd/sys/daemon_view.h"
#include "dispatchd/sys/line_server.h"
#include "dispatchd/sys/log.h"
#include "mail/forward.h"
#include "model/request.h"
#include "model/settings.h"

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

struct report_client {
	char *command;  /* what the reply belongs to, until it is there */
	size_t offered; /* bytes of the reply */
	size_t held;    /* counted in the socket's `bytes` while it receives; 0 else */
};

/* Bytes of a reply that are with the engine. */
struct held {
	struct held *next;
	int64_t number; /* of its command */
	size_t bytes;
};

struct report_socket {
	const struct daemon_view *view;
	struct line_server *server;
	struct line_server_spec spec;
	struct socket_path place;
	struct held *held;
	size_t bytes; /* of replies, here and with the engine */
	int64_t last_number;
};

static struct report_client *client_of(struct line_peer *peer)
{
	return line_peer_data(peer);
}

static struct report_socket *socket_of(const struct line_peer *peer)
{
	return line_peer_arg(peer);
}

/* By line_peer_send() or line_peer_answer(). */
static void send_fault(struct line_peer *peer, const struct error *err,
                       void (*send)(struct line_peer *peer, const char *text))
{
	json_t *document = control_fault(err);
	char *text = json_dumps(document, JSON_COMPACT);
	send(peer, text ? text : "{\"ok\":false}");
	free(text);
	json_decref(document);
}

static struct command_route next_route(struct report_socket *socket)
{
	return (struct command_route){.origin = COMMAND_REPORT, .number = ++socket->last_number};
}

/* The engine gets a command; the client waits. */
static void submit(struct line_peer *peer, struct command *command)
{
	line_peer_wait(peer, command->route.number);
	engine_thread_command(socket_of(peer)->view->engine, command);
}

/* ---- a line ---- */

static void report_take_line(struct line_peer *peer, const char *line, size_t len)
{
	struct report_socket *socket = socket_of(peer);
	struct report_client *client = client_of(peer);
	struct report_request request = {0};
	struct error err;
	if (!socket->view->engine) { /* the mail server keeps it, or hands it to the owner */
		cluster_refusal(socket->view->cluster, &err);
		send_fault(peer, &err, line_peer_send);
		return;
	}
	if (!report_request_read(socket->view->settings, line, len, &request, &err)) {
		send_fault(peer, &err, line_peer_send);
		return;
	}
	if (request.command == NULL) {
		line_peer_send(peer, "{\"ok\":true}");
		return;
	}
	free(client->command);
	client->command = request.command;
	client->offered = request.bytes;
	submit(peer, command_new(next_route(socket), request.command));
}

static void report_too_long(struct line_peer *peer)
{
	(void)peer;
	log_fault(LOG_WARNING, "socket for reports: a line is too long");
}

/* ---- a person's reply ---- */

/* Whether there is room for it; else the mail server tries again. */
static bool may_receive(const struct report_socket *socket, const struct report_client *client,
                        struct error *err)
{
	if (client->offered == 0)
		return error_set(err, EX_DATAERR, "reply: bytes are missing");
	return client->offered <= REPORT_BYTES_MAX - socket->bytes ||
	       error_set(err, EX_TEMPFAIL, "too many replies at a time, try again");
}

static void stop_counting(struct report_socket *socket, size_t *bytes)
{
	socket->bytes -= *bytes;
	*bytes = 0;
}

/* From the client to the engine: they are counted on. */
static void hand_over(struct line_peer *peer, char *bytes, size_t n)
{
	struct report_socket *socket = socket_of(peer);
	char *text = report_request_forward(client_of(peer)->command);
	struct command *command = command_new(next_route(socket), text);
	struct held *held = mem_alloc(sizeof *held);
	command->bytes = bytes;
	command->n_bytes = n;
	*held = (struct held){.next = socket->held, .number = command->route.number, .bytes = n};
	socket->held = held;
	client_of(peer)->held = 0;
	submit(peer, command);
	free(text);
}

/* All of it is there. */
static void report_take_bytes(struct line_peer *peer, char *bytes, size_t n)
{
	struct error err;
	if (forward_check(bytes, n, &err)) {
		hand_over(peer, bytes, n);
		return;
	}
	free(bytes);
	stop_counting(socket_of(peer), &client_of(peer)->held);
	(void)error_prefix(&err, "the reply");
	send_fault(peer, &err, line_peer_send);
}

/* The engine has answered. */
static void release(struct report_socket *socket, int64_t number)
{
	struct held **at = &socket->held;
	while (*at && (*at)->number != number)
		at = &(*at)->next;
	struct held *held = *at;
	if (held == NULL)
		return;
	*at = held->next;
	stop_counting(socket, &held->bytes);
	free(held);
}

void report_socket_reply(struct report_socket *socket, int64_t number, const char *text)
{
	struct error err;
	release(socket, number);
	struct line_peer *peer = line_server_find(socket->server, number);
	struct report_client *client = peer ? client_of(peer) : NULL;
	if (client == NULL)
		return;
	if (!report_request_wanted(text)) {
		line_peer_answer(peer, text);
	} else if (may_receive(socket, client, &err)) {
		client->held = client->offered;
		socket->bytes += client->held;
		line_peer_receive(peer, text, client->held);
	} else {
		send_fault(peer, &err, line_peer_answer);
	}
}

/* What is with the engine is counted until it has answered. */
static void report_ends(struct line_peer *peer)
{
	stop_counting(socket_of(peer), &client_of(peer)->held);
	free(client_of(peer)->command);
}

/* ---- the socket ---- */

static bool report_open(struct report_socket *socket, struct error *err)
{
	const char *path = socket->place.path;
	int fd = line_server_bind(&socket->place, "socket for reports", err);
	if (fd < 0)
		return false;
	if (!socket_share("[bounce]", path, socket->view->settings->bounce.group, err)) {
		close(fd);
		return false;
	}
	return line_server_listen(socket->server, fd) ||
	       error_set(err, EX_UNAVAILABLE, "socket for reports %s: no listener", path);
}

static void report_close(struct report_socket *socket)
{
	if (line_server_listens(socket->server))
		unlink(socket->place.path);
	line_server_close(socket->server);
}

static bool is_wanted(const struct report_socket *socket)
{
	return socket->view->settings->bounce.address[0] != '\0';
}

struct report_socket *report_socket_new(struct event_base *base, const char *spool_path,
                                        const struct daemon_view *view, struct error *err)
{
	struct report_socket *socket = mem_alloc(sizeof *socket);
	*socket = (struct report_socket){.view = view,
	                                 .spec = {.peers_max = REPORT_CLIENTS_MAX,
	                                          .line_max = REPORT_LINE_MAX,
	                                          .idle_s = REPORT_IDLE_S,
	                                          .data_size = sizeof(struct report_client),
	                                          .arg = socket,
	                                          .take_line = report_take_line,
	                                          .take_bytes = report_take_bytes,
	                                          .too_long = report_too_long,
	                                          .ends = report_ends},
	                                 .place = {.directory = -1}};
	socket->server = line_server_new(base, &socket->spec);
	bool ok = socket_path_set(&socket->place, spool_path, REPORT_SOCKET, err) &&
	          (!is_wanted(socket) || report_open(socket, err));
	return ok ? socket : report_socket_free(socket);
}

void report_socket_reload(struct report_socket *socket)
{
	struct error err;
	if (!is_wanted(socket))
		report_close(socket);
	else if (!line_server_listens(socket->server) && !report_open(socket, &err))
		log_fault(LOG_ERR, "no reports are taken: %s", err.text);
}

struct report_socket *report_socket_free(struct report_socket *socket)
{
	if (!socket)
		return NULL;
	report_close(socket);
	line_server_free(socket->server);
	for (struct held *held = socket->held, *next; held; held = next) {
		next = held->next;
		free(held);
	}
	socket_path_clear(&socket->place);
	free(socket);
	return NULL;
}
