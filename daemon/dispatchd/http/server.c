/* SPDX-License-Identifier: MIT */
/*
 * evhttp with a ceiling. libevent 2.1 bounds headers and bodies but not how many connections there
 * are, nor how long one may take that sends a byte now and then. So there is a table of what has
 * been accepted, and when that is full the oldest is closed: neither a forgotten client nor a
 * malicious one can lock the next out.
 *
 * evhttp announces a new connection only by asking for its bufferevent, which has no socket yet;
 * and its end not at all. So on_arrived() looks a moment later, before the loop reads from it, and
 * the socket's cookie shows afterwards whether it is still the same.
 */
#include "dispatchd/http/server.h"

#include "base/hostname.h"
#include "base/mem.h"
#include "common/http_socket.h"
#include "dispatchd/http/pending.h"
#include "dispatchd/sys/listen.h"
#include "dispatchd/sys/log.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

enum {
	LISTEN_BACKLOG = 128,
	ASKING_METHODS = EVHTTP_REQ_GET | EVHTTP_REQ_HEAD,
	/* Allowed so that they get a 405; evhttp answers other methods with 501. */
	CHANGING_METHODS = EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE |
	                   EVHTTP_REQ_OPTIONS,
};

/* An accepted connection. evhttp closes it without a callback; the socket's cookie shows whether it
 * is still there. */
struct connection {
	int fd;
	uint64_t cookie;
};

struct http_server {
	struct evhttp *http;
	struct pending *pending;
	struct event *arrived;
	struct bufferevent *accepted; /* a reference of our own */
	const struct http_route *routes;
	void *arg;
	const char *const *hosts;
	struct http_socket socket;
	struct connection connections[HTTP_CONNECTIONS_MAX];
	size_t n;
};

/* ---- answering */

static const struct http_route *find_route(const struct http_server *server, const char *path)
{
	for (const struct http_route *route = server->routes; route->path; route++)
		if (path && !strcmp(route->path, path))
			return route;
	return NULL;
}

/* ---- which host the request names */

/* The one Host of a request; NULL where there is none, or several. */
static const char *only_host(struct evhttp_request *request)
{
	const char *found = NULL;
	struct evkeyval *header;
	TAILQ_FOREACH(header, evhttp_request_get_input_headers(request), next)
	{
		if (strcasecmp(header->key, "Host"))
			continue;
		if (found)
			return NULL;
		found = header->value;
	}
	return found;
}

/*
 * A web page may make any name of its own point to this host and then read what is answered (DNS
 * rebinding); its browser says that name. A target with a host of its own, as proxies are sent, has
 * to be right as well.
 */
static bool names_us(const struct http_server *server, struct evhttp_request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *host = only_host(request), *target = uri ? evhttp_uri_get_host(uri) : NULL;
	return server->socket.path || (host && hostname_addresses_us(host, server->hosts) &&
	                               (!target || hostname_addresses_us(target, server->hosts)));
}

static bool is_private(const char *path)
{
	return path && !strncmp(path, "/v1/", 4);
}

static void refuse_host(struct evhttp_request *request)
{
	struct http_answer answer = {.status = 421, .type = "application/json"};
	buf_adds(&answer.body,
	         "{\"error\":\"the Host of the request is not a name of this server; names "
	         "besides localhost are listed in [http] hosts\"}\n");
	http_answer_send(request, &answer);
	buf_free(&answer.body);
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct http_server *server = arg;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	const struct http_route *route = find_route(server, path);
	struct http_answer answer = {.status = 200, .type = "text/plain; charset=utf-8"};
	bool asks = evhttp_request_get_command(request) & ASKING_METHODS;
	if (is_private(path) && !names_us(server, request)) {
		refuse_host(request);
		return;
	}
	if (route && asks && route->ask) {
		pending_ask(server->pending, route, server->arg, request);
		return;
	}
	if (route && asks) {
		route->answer(server->arg, evhttp_uri_get_query(uri), &answer);
	} else if (route) {
		answer.status = HTTP_BADMETHOD;
		evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
		buf_adds(&answer.body, "GET and HEAD are answered here\n");
	} else {
		answer.status = HTTP_NOTFOUND;
		buf_adds(&answer.body, "not found\n");
	}
	http_answer_send(request, &answer);
	buf_free(&answer.body);
}

void http_reply(struct http_server *server, int64_t number, const char *text)
{
	if (server)
		pending_reply(server->pending, number, text);
}

/* ---- who is connected */

static bool cookie_of(int fd, uint64_t *ret)
{
	socklen_t len = sizeof(*ret);
	return !getsockopt(fd, SOL_SOCKET, SO_COOKIE, ret, &len);
}

static bool still_there(const struct connection *connection)
{
	uint64_t cookie;
	return cookie_of(connection->fd, &cookie) && cookie == connection->cookie;
}

static void drop_closed(struct http_server *server)
{
	size_t n = 0;
	for (size_t i = 0; i < server->n; i++)
		if (still_there(&server->connections[i]))
			server->connections[n++] = server->connections[i];
	server->n = n;
}

/* The table is in order of age. evhttp sees the end of the connection and closes it. */
static void server_close_oldest(struct http_server *server)
{
	log_fault(LOG_WARNING, "http: more than %d connections, the oldest is closed",
	          HTTP_CONNECTIONS_MAX);
	shutdown(server->connections[0].fd, SHUT_RDWR);
	memmove(server->connections, server->connections + 1,
	        --server->n * sizeof(server->connections[0]));
}

static void register_connection(struct http_server *server)
{
	struct bufferevent *accepted = server->accepted;
	uint64_t cookie;
	if (!accepted)
		return;
	int fd = bufferevent_getfd(accepted);
	server->accepted = NULL;
	bufferevent_decref(accepted);
	drop_closed(server);
	if (server->n == HTTP_CONNECTIONS_MAX)
		server_close_oldest(server);
	if (fd >= 0 && cookie_of(fd, &cookie))
		server->connections[server->n++] = (struct connection){.fd = fd, .cookie = cookie};
}

static void on_arrived(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	register_connection(arg);
}

static struct bufferevent *on_new(struct event_base *base, void *arg)
{
	struct http_server *server = arg;
	register_connection(server); /* several may be accepted in one go */
	server->accepted = bufferevent_socket_new(base, -1, 0);
	bufferevent_incref(server->accepted);
	event_active(server->arrived, EV_READ, 0);
	return server->accepted;
}

static struct evhttp *new_evhttp(struct event_base *base, struct http_server *server)
{
	struct evhttp *http = evhttp_new(base);
	evhttp_set_allowed_methods(http, ASKING_METHODS | CHANGING_METHODS);
	evhttp_set_max_headers_size(http, HTTP_HEADERS_MAX);
	evhttp_set_max_body_size(http, HTTP_BODY_MAX);
	evhttp_set_timeout(http, HTTP_TIMEOUT_S);
	evhttp_set_gencb(http, on_request, server);
	evhttp_set_bevcb(http, on_new, server);
	return http;
}

struct http_server *http_new(struct event_base *base, const struct http_place *place,
                             const struct http_route *routes, void *arg, struct error *err)
{
	struct http_socket socket;
	if (!http_socket_open(&socket, "[http]", place->listen, place->group, err))
		return NULL;
	struct http_server *server = mem_alloc(sizeof(*server));
	*server = (struct http_server){
	        .routes = routes, .arg = arg, .hosts = place->hosts, .socket = socket};
	server->arrived = event_new(base, -1, 0, on_arrived, server);
	server->pending = pending_new(base, socket.path != NULL);
	server->http = new_evhttp(base, server);
	struct evhttp_bound_socket *bound =
	        listen(socket.fd, LISTEN_BACKLOG)
	                ? NULL
	                : evhttp_accept_socket_with_handle(server->http, socket.fd);
	if (bound) {
		server->socket.fd = -1; /* evhttp's now */
		listen_with_backoff(evhttp_bound_socket_get_listener(bound));
		return server;
	}
	error_set(err, EX_UNAVAILABLE, "[http] listen = %s: %s", place->listen, strerror(errno));
	return http_free(server);
}

void http_set_hosts(struct http_server *server, const char *const *hosts)
{
	if (server)
		server->hosts = hosts;
}

const char *http_address(const struct http_server *server)
{
	return server->socket.address;
}

struct http_server *http_free(struct http_server *server)
{
	if (!server)
		return NULL;
	pending_free(server->pending);
	if (server->accepted)
		bufferevent_decref(server->accepted);
	if (server->http)
		evhttp_free(server->http);
	if (server->arrived)
		event_free(server->arrived);
	http_socket_close(&server->socket);
	free(server);
	return NULL;
}
