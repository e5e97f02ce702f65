/* SPDX-License-Identifier: MIT */
/*
 * The control socket: what a line asks for, and who answers it. Clients and their lines are
 * sys/line_server's.
 */
#include "dispatchd/control/control.h"

#include "base/address.h"
#include "base/folder.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "common/socket_path.h"
#include "dispatchd/cluster/cluster.h"
#include "dispatchd/control/asker.h"
#include "dispatchd/control/status.h"
#include "dispatchd/control/test.h"
#include "dispatchd/sys/daemon_view.h"
#include "dispatchd/sys/line_server.h"
#include "dispatchd/sys/log.h"
#include "model/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* What a client waits for, beside the engine's answer to its number. */
struct client {
	bool wants_status; /* the daemon's part goes into the answer */
	bool wants_reload; /* it waits for the end of a reload that begins after it asked */
	bool reload_began; /* which has begun */
	bool wants_test;   /* it waits for the end of a test of the relays */
};

struct control {
	struct line_server *server;
	struct line_server_spec spec;
	const struct daemon_view *view;
	struct control_calls calls;
	int64_t last_number;
	struct error refusal; /* what everybody gets; code 0: nobody */
	struct socket_path place;
};

static struct client *client_of(struct line_peer *peer)
{
	return line_peer_data(peer);
}

static struct control *control_of(const struct line_peer *peer)
{
	return line_peer_arg(peer);
}

/* ---- requests */

/* By line_peer_send() or line_peer_answer(). */
static void send_document(struct line_peer *peer, const json_t *document,
                          void (*send)(struct line_peer *peer, const char *text))
{
	char *text = json_dumps(document, JSON_COMPACT);
	send(peer, text ? text : "{\"ok\":false}");
	free(text);
}

static void answer_fault(struct line_peer *peer, const struct error *err)
{
	json_t *document = control_fault(err);
	send_document(peer, document, line_peer_send);
	json_decref(document);
}

/* A reload that is under way may have read the files already, so its end is not the answer for this
 * client. */
static void ask_for_reload(struct line_peer *peer)
{
	struct control *control = control_of(peer);
	client_of(peer)->wants_reload = true;
	client_of(peer)->reload_began = false;
	line_peer_wait(peer, 0);
	control->calls.reload(control->calls.arg);
}

static void wait_for_test(struct line_peer *peer)
{
	client_of(peer)->wants_test = true;
	line_peer_wait(peer, 0);
}

/* {"do": "relay.test", "to": ADDRESS, "by": …}. The log says who had a mail sent. */
static bool ask_for_test(struct line_peer *peer, json_t *request, struct error *err)
{
	const struct control *control = control_of(peer);
	const struct control_calls *calls = &control->calls;
	const json_t *to = json_object_get(request, "to");
	const char *address = json_string_value(to);
	if (to && !json_is_null(to) && !address)
		return error_set(err, EX_DATAERR, "to: expected an address");
	if (!asker_set(control->view->settings, line_peer_uid(peer), request, err))
		return false;
	if (address && !address_check(address, err))
		return error_prefix(err, "to");
	if (!calls->test(calls->arg, address, NULL, err))
		return false;
	log_write(LOG_NOTICE, "relay test begins by=%s to=%s", jsontext_at(request, "by"),
	          address ? address : "-");
	wait_for_test(peer);
	return true;
}

/* {"do": "template.send", "to", "template", "context", …, "by"}: a mail that somebody tries out. */
static bool ask_for_template(struct line_peer *peer, json_t *request, struct error *err)
{
	const struct control *control = control_of(peer);
	const struct control_calls *calls = &control->calls;
	if (!asker_set(control->view->settings, line_peer_uid(peer), request, err))
		return false;
	struct outgoing_mail *mail = test_mail(request, err);
	if (mail == NULL || !calls->test(calls->arg, NULL, mail, err))
		return false;
	log_write(LOG_NOTICE, "template test begins by=%s to=%s template=%s",
	          jsontext_at(request, "by"), jsontext_at(request, "to"),
	          jsontext_at(request, "template"));
	wait_for_test(peer);
	return true;
}

/* A standby only says what it is. */
static void answer_as_standby(struct line_peer *peer, enum control_request what)
{
	struct control *control = control_of(peer);
	struct error err;
	if (what == REQUEST_RELOAD) {
		ask_for_reload(peer);
		return;
	}
	cluster_refusal(control->view->cluster, &err);
	if (what != REQUEST_STATUS) {
		answer_fault(peer, &err);
		return;
	}
	json_t *document = json_pack("{s:b}", "ok", 1);
	status_add(control->view, document);
	send_document(peer, document, line_peer_send);
	json_decref(document);
}

static void control_take_line(struct line_peer *peer, const char *line, size_t len)
{
	struct control *control = control_of(peer);
	struct error err;
	json_error_t where;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(request)) {
		json_decref(request);
		(void)error_set(&err, EX_DATAERR, "not a JSON object");
		answer_fault(peer, &err);
		return;
	}
	if (control->refusal.code != 0) {
		json_decref(request);
		answer_fault(peer, &control->refusal);
		return;
	}
	enum control_request what = control_request_find(request);
	client_of(peer)->wants_status = what == REQUEST_STATUS;
	if (!control->view->engine) {
		json_decref(request);
		answer_as_standby(peer, what);
		return;
	}
	if (what == REQUEST_RELOAD) {
		json_decref(request);
		ask_for_reload(peer);
		return;
	}
	if (what == REQUEST_RELAY_TEST || what == REQUEST_TEMPLATE_SEND) {
		bool begun = what == REQUEST_RELAY_TEST ? ask_for_test(peer, request, &err)
		                                        : ask_for_template(peer, request, &err);
		if (!begun)
			answer_fault(peer, &err);
		json_decref(request);
		return;
	}
	if (!asker_set(control->view->settings, line_peer_uid(peer), request, &err)) {
		json_decref(request);
		answer_fault(peer, &err);
		return;
	}
	char *text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	line_peer_wait(peer, ++control->last_number);
	const struct command_route route = {.origin = COMMAND_CONTROL,
	                                    .number = control->last_number};
	engine_thread_command(control->view->engine, command_new(route, text));
	free(text);
}

static void control_too_long(struct line_peer *peer)
{
	log_fault(LOG_WARNING, "control socket: a line is too long uid=%u",
	          (unsigned)line_peer_uid(peer));
}

/* ---- the engine's answers */

static void answer_status(struct control *control, struct line_peer *peer, const char *text)
{
	json_t *document = json_loads(text, 0, NULL);
	if (json_is_object(document))
		status_add(control->view, document);
	send_document(peer, document, line_peer_answer);
	json_decref(document);
}

void control_reply(struct control *control, int64_t number, const char *text)
{
	struct line_peer *peer = line_server_find(control->server, number);
	if (!peer)
		return;
	if (client_of(peer)->wants_status)
		answer_status(control, peer, text);
	else
		line_peer_answer(peer, text);
}

void control_refuse(struct control *control, const struct error *why)
{
	struct line_peer *next, *peer = line_server_peers(control->server);
	json_t *document = control_fault(why);
	control->refusal = *why;
	for (; peer; peer = next) {
		next = line_peer_next(peer);
		if (line_peer_waits(peer))
			send_document(peer, document, line_peer_answer);
	}
	json_decref(document);
}

/* ---- reloads */

void control_reload_begins(struct control *control)
{
	struct line_peer *peer = line_server_peers(control->server);
	for (; peer; peer = line_peer_next(peer))
		client_of(peer)->reload_began = client_of(peer)->wants_reload;
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
	struct line_peer *peer = line_server_peers(control->server);
	for (struct line_peer *next; peer; peer = next) {
		struct client *client = client_of(peer);
		next = line_peer_next(peer);
		if (!client->reload_began)
			continue;
		client->wants_reload = client->reload_began = false;
		send_document(peer, document, line_peer_answer);
	}
	json_decref(document);
}

/* ---- tests of the relays */

void control_tested(struct control *control, const struct relay_test *test)
{
	json_t *document = test_answer(test);
	struct line_peer *peer = line_server_peers(control->server);
	for (struct line_peer *next; peer; peer = next) {
		struct client *client = client_of(peer);
		next = line_peer_next(peer);
		if (!client->wants_test)
			continue;
		client->wants_test = false;
		send_document(peer, document, line_peer_answer);
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

struct control *control_new(struct event_base *base, const char *spool_path,
                            const struct daemon_view *view, const struct control_calls *calls,
                            struct error *err)
{
	struct control *control = mem_alloc(sizeof(*control));
	*control = (struct control){.spec = {.peers_max = CONTROL_CLIENTS_MAX,
	                                     .line_max = CONTROL_LINE_MAX,
	                                     .idle_s = CONTROL_IDLE_S,
	                                     .data_size = sizeof(struct client),
	                                     .arg = control,
	                                     .take_line = control_take_line,
	                                     .too_long = control_too_long},
	                            .view = view,
	                            .calls = *calls,
	                            .place = {.directory = -1}};
	control->server = line_server_new(base, &control->spec);
	int fd = socket_path_set(&control->place, spool_path, CONTROL_SOCKET, err)
	                 ? line_server_bind(&control->place, "control socket", err)
	                 : -1;
	if (fd >= 0) {
		control_set_rights(control->place.path);
		if (line_server_listen(control->server, fd))
			return control;
		(void)error_set(err, EX_UNAVAILABLE, "control socket %s: no listener",
		                control->place.path);
	}
	socket_path_clear(&control->place);
	line_server_free(control->server);
	free(control);
	return NULL;
}

struct control *control_free(struct control *control)
{
	if (!control)
		return NULL;
	unlink(control->place.path);
	line_server_free(control->server);
	socket_path_clear(&control->place);
	free(control);
	return NULL;
}
