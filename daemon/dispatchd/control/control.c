/* SPDX-License-Identifier: MIT */
/*
 * The control socket. A client has at most one request with the engine: while it waits, no more is
 * read from it, so that neither side's memory can be filled from here.
 */
#include "dispatchd/control/control.h"

#include "base/address.h"
#include "base/folder.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "common/socket_path.h"
#include "dispatchd/control/asker.h"
#include "dispatchd/control/status.h"
#include "dispatchd/control/test.h"
#include "dispatchd/sys/daemon_view.h"
#include "dispatchd/sys/listen.h"
#include "dispatchd/sys/log.h"
#include "model/request.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

struct client {
	struct control *control;
	struct client *next;
	struct bufferevent *stream;
	int64_t number; /* what the engine's answer is for */
	uid_t uid;
	bool waits;          /* for the engine */
	bool wants_status;   /* the daemon's part goes into the answer */
	bool wants_reload;   /* it waits for the end of a reload that begins after it asked */
	bool reload_began;   /* which has begun */
	bool wants_test;     /* it waits for the end of a test of the relays */
	bool closed_by_peer; /* it has closed its side; its request is still answered */
};

struct control {
	struct evconnlistener *listener;
	const struct daemon_view *view;
	struct control_calls calls;
	struct client *clients;
	size_t n;
	int64_t last_number;
	struct socket_path place;
};

/* ---- clients */

static void end_client(struct client *client)
{
	struct client **at = &client->control->clients;
	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	client->control->n--;
	bufferevent_free(client->stream);
	free(client);
}

static void send_answer(struct client *client, json_t *document)
{
	char *text = json_dumps(document, JSON_COMPACT);
	evbuffer_add_printf(bufferevent_get_output(client->stream), "%s\n",
	                    text ? text : "{\"ok\":false}");
	free(text);
}

static void answer_fault(struct client *client, const struct error *err)
{
	json_t *document = control_fault(err);
	send_answer(client, document);
	json_decref(document);
}

/* A reload that is under way may have read the files already, so its end is not the answer for this
 * client. */
static void ask_for_reload(struct client *client)
{
	client->waits = client->wants_reload = true;
	client->reload_began = false;
	client->number = 0;
	bufferevent_disable(client->stream, EV_READ);
	client->control->calls.reload(client->control->calls.arg);
}

static void wait_for_test(struct client *client)
{
	client->waits = client->wants_test = true;
	client->number = 0;
	bufferevent_disable(client->stream, EV_READ);
}

/* {"do": "relay.test", "to": ADDRESS, "by": …}. The log says who had a mail sent. */
static bool ask_for_test(struct client *client, json_t *request, struct error *err)
{
	const struct control_calls *calls = &client->control->calls;
	const json_t *to = json_object_get(request, "to");
	const char *address = json_string_value(to);
	if (to && !json_is_null(to) && !address)
		return error_set(err, EX_DATAERR, "to: expected an address");
	if (!asker_set(client->control->view->settings, client->uid, request, err))
		return false;
	if (address && !address_check(address, err))
		return error_prefix(err, "to");
	if (!calls->test(calls->arg, address, NULL, err))
		return false;
	log_write(LOG_NOTICE, "relay test begins by=%s to=%s", jsontext_at(request, "by"),
	          address ? address : "-");
	wait_for_test(client);
	return true;
}

/* {"do": "template.send", "to", "template", "context", …, "by"}: a mail that somebody tries out. */
static bool ask_for_template(struct client *client, json_t *request, struct error *err)
{
	const struct control_calls *calls = &client->control->calls;
	if (!asker_set(client->control->view->settings, client->uid, request, err))
		return false;
	struct outgoing_mail *mail = test_mail(request, err);
	if (mail == NULL || !calls->test(calls->arg, NULL, mail, err))
		return false;
	log_write(LOG_NOTICE, "template test begins by=%s to=%s template=%s",
	          jsontext_at(request, "by"), jsontext_at(request, "to"),
	          jsontext_at(request, "template"));
	wait_for_test(client);
	return true;
}

static void take_request(struct client *client, const char *line, size_t len)
{
	struct error err;
	json_error_t where;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(request)) {
		json_decref(request);
		(void)error_set(&err, EX_DATAERR, "not a JSON object");
		answer_fault(client, &err);
		return;
	}
	enum control_request what = control_request_find(request);
	client->wants_status = what == REQUEST_STATUS;
	if (what == REQUEST_RELOAD) {
		json_decref(request);
		ask_for_reload(client);
		return;
	}
	if (what == REQUEST_RELAY_TEST || what == REQUEST_TEMPLATE_SEND) {
		bool begun = what == REQUEST_RELAY_TEST ? ask_for_test(client, request, &err)
		                                        : ask_for_template(client, request, &err);
		if (!begun)
			answer_fault(client, &err);
		json_decref(request);
		return;
	}
	if (!asker_set(client->control->view->settings, client->uid, request, &err)) {
		json_decref(request);
		answer_fault(client, &err);
		return;
	}
	char *text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	client->waits = true;
	client->number = ++client->control->last_number;
	const struct command_route route = {.origin = COMMAND_CONTROL, .number = client->number};
	bufferevent_disable(client->stream, EV_READ);
	engine_thread_command(client->control->view->engine, command_new(route, text));
	free(text);
}

static void control_on_readable(struct bufferevent *stream, void *arg)
{
	struct client *client = arg;
	struct evbuffer *in = bufferevent_get_input(stream);
	size_t len;
	while (!client->waits) {
		char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
		if (!line)
			break;
		take_request(client, line, len);
		free(line);
	}
	if (!client->waits && evbuffer_get_length(in) >= CONTROL_LINE_MAX) {
		log_fault(LOG_WARNING, "control socket: a line is too long uid=%u",
		          (unsigned)client->uid);
		end_client(client);
	}
}

/* Everything has been written. */
static void on_written(struct bufferevent *stream, void *arg)
{
	struct client *client = arg;
	(void)stream;
	if (client->closed_by_peer)
		end_client(client);
}

static void control_on_event(struct bufferevent *stream, short what, void *arg)
{
	struct client *client = arg;
	/* A timeout of reading while an answer is awaited is ours, not the client's. */
	if (what & BEV_EVENT_TIMEOUT && client->waits) {
		bufferevent_enable(stream, EV_WRITE);
	} else if (what & BEV_EVENT_EOF &&
	           evbuffer_get_length(bufferevent_get_output(stream)) > 0) {
		client->closed_by_peer = true;
		bufferevent_disable(stream, EV_READ);
	} else {
		end_client(client);
	}
}

static uid_t peer_uid(int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t len = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return (uid_t)-1;
	return peer.uid;
}

/* The oldest client without a request under way is closed to make room. The newest is first in the
 * list. */
static bool control_close_oldest(struct control *control)
{
	struct client *oldest = NULL;
	for (struct client *client = control->clients; client; client = client->next)
		if (!client->waits)
			oldest = client;
	if (oldest)
		end_client(oldest);
	return oldest;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int len, void *arg)
{
	struct control *control = arg;
	static const struct timeval idle = {.tv_sec = CONTROL_IDLE_S};
	(void)address;
	(void)len;
	if (control->n == CONTROL_CLIENTS_MAX && !control_close_oldest(control)) {
		close(fd);
		return;
	}
	struct client *client = mem_alloc(sizeof(*client));
	*client =
	        (struct client){.control = control, .next = control->clients, .uid = peer_uid(fd)};
	client->stream = bufferevent_socket_new(evconnlistener_get_base(listener), fd,
	                                        BEV_OPT_CLOSE_ON_FREE);
	control->clients = client;
	control->n++;
	bufferevent_setwatermark(client->stream, EV_READ, 0, CONTROL_LINE_MAX);
	bufferevent_setcb(client->stream, control_on_readable, on_written, control_on_event,
	                  client);
	bufferevent_set_timeouts(client->stream, &idle, &idle);
	bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

/* ---- the engine's answers */

static void add_status(struct control *control, struct client *client, const char *text)
{
	json_t *document = json_loads(text, 0, NULL);
	if (json_is_object(document))
		status_add(control->view, document);
	send_answer(client, document);
	json_decref(document);
}

static struct client *find_client(struct control *control, int64_t number)
{
	for (struct client *client = control->clients; client; client = client->next)
		if (client->waits && client->number == number)
			return client;
	return NULL;
}

void control_reply(struct control *control, int64_t number, const char *text)
{
	struct client *client = find_client(control, number);
	if (!client)
		return;
	client->waits = false;
	if (client->wants_status)
		add_status(control, client, text);
	else
		evbuffer_add_printf(bufferevent_get_output(client->stream), "%s\n", text);
	bufferevent_enable(client->stream, EV_READ);
	control_on_readable(client->stream, client); /* it may have sent more requests */
}

/* ---- reloads */

void control_reload_begins(struct control *control)
{
	for (struct client *client = control->clients; client; client = client->next)
		client->reload_began = client->wants_reload;
}

/* {"ok": true, "reloaded": false, "code": 78, "faults": ["FILE:LINE: …", …]} */
static json_t *reload_answer(const char *faults)
{
	json_t *list = json_array();
	for (const char *line = faults; *line; line += strcspn(line, "\n"), line += *line == '\n')
		json_array_append_new(list, json_stringn(line, strcspn(line, "\n")));
	bool good = json_array_size(list) == 0;
	return json_pack("{s:b, s:b, s:i, s:o}", "ok", 1, "reloaded", good, "code",
	                 good ? EX_OK : EX_CONFIG, "faults", list);
}

void control_reloaded(struct control *control, const char *faults)
{
	json_t *document = reload_answer(faults);
	for (struct client *client = control->clients, *next; client; client = next) {
		next = client->next;
		if (!client->reload_began)
			continue;
		client->waits = client->wants_reload = client->reload_began = false;
		send_answer(client, document);
		bufferevent_enable(client->stream, EV_READ);
		control_on_readable(client->stream, client); /* may end this client, and no other */
	}
	json_decref(document);
}

/* ---- tests of the relays */

void control_tested(struct control *control, const struct relay_test *test)
{
	json_t *document = test_answer(test);
	for (struct client *client = control->clients, *next; client; client = next) {
		next = client->next;
		if (!client->wants_test)
			continue;
		client->waits = client->wants_test = false;
		send_answer(client, document);
		bufferevent_enable(client->stream, EV_READ);
		control_on_readable(client->stream, client); /* may end this client, and no other */
	}
	json_decref(document);
}

/* ---- the socket */

/* The directory's group, so that whoever may use the database may use the socket. In a directory
 * that passes its group on there is nothing to change, which the system may forbid. */
static void control_set_rights(const char *path)
{
	struct folder folder;
	struct error err;
	if (!folder_open_of(&folder, path, false, &err)) {
		log_fault(LOG_WARNING, "control socket: rights can't be set: %s", err.text);
		return;
	}
	if (!folder_share(&folder, CONTROL_SOCKET, S_IFSOCK, 0660))
		log_fault(LOG_WARNING, "control socket: rights can't be set path=%s: %s", path,
		          strerror(errno));
	folder_close(&folder);
}

static int open_socket(struct control *control, struct error *err)
{
	const char *path = control->place.path;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t old = umask(0177); /* nobody else's before the rights are set */
	unlink(path);
	bool bound = fd >= 0 && !bind(fd, (struct sockaddr *)&control->place.address,
	                              sizeof(control->place.address));
	umask(old);
	if (bound) {
		control_set_rights(path);
		return fd;
	}
	error_set(err, errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE, "control socket %s: %s", path,
	          strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

struct control *control_new(struct event_base *base, const char *spool_path,
                            const struct daemon_view *view, const struct control_calls *calls,
                            struct error *err)
{
	struct control *control = mem_alloc(sizeof(*control));
	*control = (struct control){.view = view, .calls = *calls, .place = {.directory = -1}};
	int fd = socket_path_set(&control->place, spool_path, CONTROL_SOCKET, err)
	                 ? open_socket(control, err)
	                 : -1;
	if (fd >= 0)
		control->listener =
		        evconnlistener_new(base, on_accept, control,
		                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16, fd);
	if (!control->listener) {
		socket_path_clear(&control->place);
		free(control);
		return NULL;
	}
	listen_with_backoff(control->listener);
	return control;
}

struct control *control_free(struct control *control)
{
	if (!control)
		return NULL;
	unlink(control->place.path);
	evconnlistener_free(control->listener);
	for (struct client *client = control->clients, *next; client; client = next) {
		next = client->next;
		end_client(client);
	}
	socket_path_clear(&control->place);
	free(control);
	return NULL;
}
