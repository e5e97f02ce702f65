/* SPDX-License-Identifier: MIT */
/*
 * evhttp with a ceiling. libevent 2.1 bounds headers and bodies but not how many connections there
 * are, nor how long one may take that sends a byte now and then. So there is a table of what has
 * been accepted, and when that is full the oldest is closed: neither a forgotten client nor a
 * malicious one can lock the next out.
 *
 * evhttp announces a new connection only by asking for its bufferevent, which has no socket yet;
 * and its end not at all. So on_arrived() looks a moment later, before the loop reads from it, and
 * the socket's inode shows afterwards whether it is still the same.
 */
#include "dispatchd/http/server.h"

#include "base/endpoint.h"
#include "base/hostname.h"
#include "base/mem.h"
#include "dispatchd/http/pending.h"
#include "dispatchd/sys/listen.h"
#include "dispatchd/sys/log.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum {
	LISTEN_BACKLOG = 128,
	ASKING_METHODS = EVHTTP_REQ_GET | EVHTTP_REQ_HEAD,
	/* Let in so that they get a 405; evhttp answers what it doesn't let in by 501. */
	CHANGING_METHODS = EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE |
	                   EVHTTP_REQ_OPTIONS,
};

/* An accepted connection. evhttp closes it without a word; the socket's inode shows whether it is
 * still there. */
struct connection {
	int fd;
	ino_t inode;
};

struct http_server {
	struct evhttp *http;
	struct pending *pending;
	struct event *arrived;
	struct bufferevent *accepted; /* a reference of our own */
	const struct http_route *routes;
	void *arg;
	const char *const *hosts;
	char *socket_path; /* to be removed in the end; NULL for TCP */
	char address[ENDPOINT_HOST_MAX + 16];
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
	return server->socket_path || (host && hostname_addresses_us(host, server->hosts) &&
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

static bool still_there(const struct connection *connection)
{
	struct stat st;
	return !fstat(connection->fd, &st) && S_ISSOCK(st.st_mode) &&
	       st.st_ino == connection->inode;
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
	struct stat st;
	if (!accepted)
		return;
	int fd = bufferevent_getfd(accepted);
	server->accepted = NULL;
	bufferevent_decref(accepted);
	drop_closed(server);
	if (server->n == HTTP_CONNECTIONS_MAX)
		server_close_oldest(server);
	if (fd >= 0 && !fstat(fd, &st))
		server->connections[server->n++] =
		        (struct connection){.fd = fd, .inode = st.st_ino};
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

/* ---- the socket */

/* Removes a dead daemon's socket; false with errno where something else is there, or somebody
 * answers. */
static bool clear_path(int fd, const struct sockaddr_un *address)
{
	struct stat st;
	if (lstat(address->sun_path, &st))
		return errno == ENOENT;
	bool taken = !S_ISSOCK(st.st_mode) ||
	             !connect(fd, (const struct sockaddr *)address, sizeof(*address)) ||
	             errno == EAGAIN;
	if (taken)
		errno = EADDRINUSE;
	return !taken && !unlink(address->sun_path);
}

static bool find_group(const char *name, gid_t *ret, struct error *err)
{
	char room[16384];
	struct group entry, *found = NULL;
	*ret = getegid();
	if (!*name)
		return true;
	int rc = getgrnam_r(name, &entry, room, sizeof(room), &found);
	if (!found)
		return error_set(err, EX_CONFIG, "[http] group: unknown group \"%s\"%s%s", name,
		                 rc ? ": " : "", rc ? strerror(rc) : "");
	*ret = found->gr_gid;
	return true;
}

bool http_check_group(const char *group, struct error *err)
{
	gid_t gid;
	return find_group(group, &gid, err);
}

/* By a descriptor, so that what gets the rights is our socket, whoever else may write in its
 * folder. */
static bool server_set_rights(const char *path, gid_t group)
{
	char place[64];
	struct stat st;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	snprintf(place, sizeof(place), "/proc/self/fd/%d", fd);
	bool ok = fd >= 0 && !fstat(fd, &st) && S_ISSOCK(st.st_mode) && st.st_uid == geteuid() &&
	          (st.st_gid == group || !fchownat(fd, "", (uid_t)-1, group, AT_EMPTY_PATH)) &&
	          !chmod(place, 0660);
	int why = errno;
	if (fd >= 0)
		close(fd);
	errno = why;
	return ok;
}

static bool share_socket(const char *path, const char *name, struct error *err)
{
	gid_t group;
	if (!find_group(name, &group, err))
		return false;
	if (server_set_rights(path, group))
		return true;
	if (errno == EPERM && *name)
		return error_set(err, EX_NOPERM,
		                 "[http] group = %s: can't give it the socket: dispatchd's user is "
		                 "not a member",
		                 name);
	return error_set(err, EX_UNAVAILABLE, "[http] listen = unix:%s: rights can't be set: %s",
	                 path, strerror(errno));
}

/* Nobody else's before the rights are set: the kernel takes the mode of the unbound socket. */
static int private_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)fchmod(fd, 0600);
	return fd;
}

static bool listen_unix(struct http_server *server, const char *path, int *ret_fd,
                        struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = private_socket();
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || !clear_path(fd, &address) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		error_set(err, errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE,
		          "[http] listen = unix:%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	server->socket_path = mem_strdup(path);
	*ret_fd = fd;
	return true;
}

static int listen_address(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, at->ai_addr, at->ai_addrlen))
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

static bool listen_tcp(const struct endpoint *endpoint, int *ret_fd, struct error *err)
{
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE},
	                *found = NULL;
	char port[8];
	snprintf(port, sizeof(port), "%d", endpoint->port);
	int rc = getaddrinfo(endpoint->host, port, &wanted, &found);
	if (rc)
		return error_set(err, rc == EAI_AGAIN ? EX_UNAVAILABLE : EX_CONFIG,
		                 "[http] listen: %s: %s", endpoint->host, gai_strerror(rc));
	int fd = -1;
	for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
		fd = listen_address(at);
	freeaddrinfo(found);
	if (fd < 0)
		return error_set(err, errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE,
		                 "[http] listen = %s:%s: %s", endpoint->host, port,
		                 strerror(errno));
	*ret_fd = fd;
	return true;
}

/* As configured, with the port that the kernel chose where that was left to it. */
static void name_address(struct http_server *server, const struct endpoint *endpoint, int fd)
{
	union {
		struct sockaddr_storage any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = {0};
	socklen_t len = sizeof(at);
	size_t size = sizeof(server->address);
	if (*endpoint->path || getsockname(fd, (struct sockaddr *)&at, &len)) {
		snprintf(server->address, size, "unix:%s", endpoint->path);
		return;
	}
	int port = ntohs(at.any.ss_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
	snprintf(server->address, size, endpoint->v6 ? "[%s]:%d" : "%s:%d", endpoint->host, port);
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
	struct endpoint endpoint;
	int fd = -1;
	if (!endpoint_parse_own(place->listen, &endpoint, err))
		return NULL;
	struct http_server *server = mem_alloc(sizeof(*server));
	*server = (struct http_server){.routes = routes, .arg = arg, .hosts = place->hosts};
	bool local = *endpoint.path;
	bool ok = local ? listen_unix(server, endpoint.path, &fd, err) &&
	                          share_socket(endpoint.path, place->group, err)
	                : listen_tcp(&endpoint, &fd, err);
	if (!ok) {
		if (fd >= 0)
			close(fd);
		return http_free(server);
	}
	name_address(server, &endpoint, fd);
	server->arrived = event_new(base, -1, 0, on_arrived, server);
	server->pending = pending_new(base, local);
	server->http = new_evhttp(base, server);
	struct evhttp_bound_socket *bound =
	        listen(fd, LISTEN_BACKLOG) ? NULL
	                                   : evhttp_accept_socket_with_handle(server->http, fd);
	if (bound) {
		listen_with_rests(evhttp_bound_socket_get_listener(bound));
		return server;
	}
	error_set(err, EX_UNAVAILABLE, "[http] listen = %s: %s", place->listen, strerror(errno));
	close(fd);
	return http_free(server);
}

void http_set_hosts(struct http_server *server, const char *const *hosts)
{
	if (server)
		server->hosts = hosts;
}

const char *http_address(const struct http_server *server)
{
	return server->address;
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
	if (server->socket_path)
		unlink(server->socket_path);
	free(server->socket_path);
	free(server);
	return NULL;
}
