/* SPDX-License-Identifier: MIT */
/*
 * libmicrohttpd behind the rules of server.h. A connection's request is put together over several
 * calls of on_request(): the first has the headers, the next ones pieces of the body, the last
 * none. Forms and uploads are parsed while they stream, so that an upload takes a file's place and
 * not memory's.
 */
#include "center/http/server.h"

#include "base/utf8.h"
#include "common/http_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum {
	BACKLOG = 128,
	CONNECTIONS_MAX = 256,
	CONNECTIONS_OF_ONE_MAX = 128, /* an office behind one address */
	TIMEOUT_S = 30,
	CONNECTION_MEMORY = 32 * 1024, /* headers, and a piece of the body */
	FORM_BUFFER = 16 * 1024,
	FIELD_MAX = 1024 * 1024,
	STREAM_BUFFER = 1024,
	STREAMS_END_S = 5,
};

/* An answer without an end (response.h). */
struct stream {
	struct server *server;
	struct MHD_Connection *connection;
	struct response_stream of;
	bool suspended;
	struct stream *next, *previous;
};

struct server {
	struct MHD_Daemon *daemon;
	struct http_socket socket;
	struct server_rules rules;
	pthread_mutex_t lock; /* of what follows, and of each stream's `suspended` */
	pthread_cond_t ended; /* a stream has */
	struct stream *streams;
	bool stopping;
};

/* A request that is being read. */
struct exchange {
	struct request request;
	struct response response;
	struct MHD_PostProcessor *post;
	struct buf body, field;
	const char *field_name; /* whose value is in `field` */
	int64_t taken, body_max;
	bool broken; /* the body can't be read; the answer is in `response` */
	bool answered;
};

static struct exchange *exchange_new(const char *target)
{
	struct exchange *exchange = mem_alloc(sizeof *exchange);
	exchange->request = (struct request){.arena = arena_new_private(), .peer = (uid_t)-1};
	exchange->request.target = arena_strdup(exchange->request.arena, target);
	return exchange;
}

static void exchange_free(struct exchange *exchange)
{
	if (exchange->post)
		(void)MHD_destroy_post_processor(exchange->post);
	for (size_t i = 0; i < exchange->request.n_uploads; i++)
		(void)fclose(exchange->request.uploads[i].content);
	if (exchange->response.file)
		(void)fclose(exchange->response.file);
	buf_free(&exchange->body);
	buf_free(&exchange->field);
	buf_free(&exchange->response.body);
	(void)arena_free(exchange->request.arena);
	free(exchange);
}

/* -- the headers ------------------------------------------------------------------------------- */

static enum MHD_Result add_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
	struct request *request = arg;
	(void)kind;
	request_pair_add(&request->headers, request->arena, arena_strdup(request->arena, name),
	                 arena_strdup(request->arena, value ? value : ""));
	return MHD_YES;
}

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return (ntohl(((const struct sockaddr_in *)(const void *)address)
		                      ->sin_addr.s_addr) >>
		        24) == 127;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(
	               &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static void read_peer(struct MHD_Connection *connection, struct request *request)
{
	const union MHD_ConnectionInfo *info =
	        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	char text[INET6_ADDRSTRLEN] = "";
	if (address && address->sa_family == AF_INET)
		(void)inet_ntop(AF_INET,
		                &((const struct sockaddr_in *)(const void *)address)->sin_addr,
		                text, sizeof text);
	else if (address && address->sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6,
		                &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
		                text, sizeof text);
	else
		request->local = true;
	request->address = arena_strdup(request->arena, text);
	request->loopback = request->local || is_loopback(address);
	request->secure =
	        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION) != NULL;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred cred;
	socklen_t len = sizeof cred;
	if (request->local && info &&
	    getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		request->peer = cred.uid;
}

/* -- the body ---------------------------------------------------------------------------------- */

static void break_off(struct exchange *exchange, int status, const char *detail)
{
	if (!exchange->broken)
		response_problem(&exchange->response, status, detail);
	exchange->broken = true;
}

/* The field whose pieces have come is whole. */
static void end_field(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	if (exchange->field_name == NULL)
		return;
	if (memchr(buf_text(&exchange->field), '\0', exchange->field.len) ||
	    !utf8_valid(buf_text(&exchange->field), exchange->field.len))
		break_off(exchange, 400, "a field of the form is not text");
	else
		request_pair_add(&request->form, request->arena, exchange->field_name,
		                 arena_strndup(request->arena, buf_text(&exchange->field),
		                               exchange->field.len));
	exchange->field_name = NULL;
	buf_reset(&exchange->field);
}

/* A new part of the form. NULL where it can't be stored. */
static struct request_upload *begin_upload(struct exchange *exchange, const char *name)
{
	struct request *request = &exchange->request;
	if (request->n_uploads == REQUEST_UPLOADS_MAX) {
		break_off(exchange, 413, "too many files at once");
		return NULL;
	}
	struct request_upload *upload = &request->uploads[request->n_uploads];
	upload->content = tmpfile();
	upload->name = arena_strdup(request->arena, utf8_valid(name, strlen(name)) ? name : "");
	if (upload->content == NULL) {
		break_off(exchange, 503, "the upload can't be stored for now");
		return NULL;
	}
	request->n_uploads++;
	return upload;
}

/* A piece of a file, the first one at offset 0. A browser sends a file without a name and content
 * where none was chosen. */
static bool take_file(struct exchange *exchange, const char *name, const char *data,
                      uint64_t offset, size_t size)
{
	struct request *request = &exchange->request;
	if (*name == '\0' && size == 0)
		return true;
	struct request_upload *upload = offset == 0 || request->n_uploads == 0
	                                        ? begin_upload(exchange, name)
	                                        : &request->uploads[request->n_uploads - 1];
	if (upload == NULL || fwrite(data, 1, size, upload->content) == size)
		return upload != NULL;
	break_off(exchange, 503, "the upload can't be stored for now");
	return false;
}

static enum MHD_Result on_field(void *arg, enum MHD_ValueKind kind, const char *key,
                                const char *filename, const char *type, const char *encoding,
                                const char *data, uint64_t offset, size_t size)
{
	struct exchange *exchange = arg;
	(void)kind, (void)type, (void)encoding;
	if (exchange->broken || key == NULL)
		return MHD_NO;
	if (filename) {
		end_field(exchange);
		return take_file(exchange, filename, data, offset, size) ? MHD_YES : MHD_NO;
	}
	if (offset == 0) {
		end_field(exchange);
		exchange->field_name = arena_strdup(exchange->request.arena, key);
	}
	if (exchange->field.len + size > FIELD_MAX) {
		break_off(exchange, 413, "a field of the form is too long");
		return MHD_NO;
	}
	buf_add(&exchange->field, data, size);
	return MHD_YES;
}

static void take_body(struct exchange *exchange, const char *data, size_t size)
{
	exchange->taken += (int64_t)size;
	if (exchange->taken > exchange->body_max)
		break_off(exchange, 413, "the request is too large");
	if (exchange->broken)
		return;
	if (exchange->post == NULL)
		buf_add(&exchange->body, data, size);
	else if (MHD_post_process(exchange->post, data, size) != MHD_YES)
		break_off(exchange, 400, "the form can't be read");
}

static void end_body(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	if (exchange->post) {
		if (MHD_destroy_post_processor(exchange->post) != MHD_YES)
			break_off(exchange, 400, "the form can't be read");
		exchange->post = NULL;
		end_field(exchange);
	}
	for (size_t i = 0; i < request->n_uploads; i++)
		rewind(request->uploads[i].content);
	request->body = buf_text(&exchange->body);
	request->body_len = exchange->body.len;
}

/* -- streams ----------------------------------------------------------------------------------- */

static ssize_t read_stream(void *arg, uint64_t position, char *ret, size_t max)
{
	struct stream *stream = arg;
	struct server *server = stream->server;
	(void)position;
	(void)pthread_mutex_lock(&server->lock);
	ssize_t n = server->stopping ? -1 : stream->of.read(stream->of.arg, ret, max);
	if (n == 0) {
		stream->suspended = true;
		MHD_suspend_connection(stream->connection);
	}
	(void)pthread_mutex_unlock(&server->lock);
	return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static void end_stream(void *arg)
{
	struct stream *stream = arg;
	struct server *server = stream->server;
	stream->of.end(stream->of.arg);
	(void)pthread_mutex_lock(&server->lock);
	if (stream->next)
		stream->next->previous = stream->previous;
	*(stream->previous ? &stream->previous->next : &server->streams) = stream->next;
	(void)pthread_cond_signal(&server->ended);
	(void)pthread_mutex_unlock(&server->lock);
	free(stream);
}

static struct MHD_Response *stream_response(struct server *server,
                                            struct MHD_Connection *connection,
                                            const struct response_stream *of)
{
	struct stream *stream = mem_alloc(sizeof *stream);
	*stream = (struct stream){.server = server, .connection = connection, .of = *of};
	(void)pthread_mutex_lock(&server->lock);
	stream->next = server->streams;
	if (stream->next)
		stream->next->previous = stream;
	server->streams = stream;
	(void)pthread_mutex_unlock(&server->lock);
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BUFFER, read_stream,
	                                         stream, end_stream);
}

static void resume_all(struct server *server)
{
	for (struct stream *stream = server->streams; stream; stream = stream->next) {
		if (stream->suspended)
			MHD_resume_connection(stream->connection);
		stream->suspended = false;
	}
}

void server_wake(struct server *server)
{
	(void)pthread_mutex_lock(&server->lock);
	resume_all(server);
	(void)pthread_mutex_unlock(&server->lock);
}

/* libmicrohttpd must not be stopped while a connection is put aside. */
static void end_streams(struct server *server)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STREAMS_END_S;
	(void)pthread_mutex_lock(&server->lock);
	server->stopping = true;
	resume_all(server);
	while (server->streams &&
	       pthread_cond_timedwait(&server->ended, &server->lock, &until) == 0)
		continue;
	(void)pthread_mutex_unlock(&server->lock);
}

/* -- the answer -------------------------------------------------------------------------------- */

static struct MHD_Response *content_of(struct server *server, struct MHD_Connection *connection,
                                       struct response *response)
{
	if (response->stream.read)
		return stream_response(server, connection, &response->stream);
	if (response->file) {
		int fd = dup(fileno(response->file));
		off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
		if (size < 0 || lseek(fd, 0, SEEK_SET) != 0)
			return NULL;
		return MHD_create_response_from_fd((size_t)size, fd);
	}
	if (response->embedded)
		return MHD_create_response_from_buffer(response->embedded_len,
		                                       (void *)(uintptr_t)response->embedded,
		                                       MHD_RESPMEM_PERSISTENT);
	return MHD_create_response_from_buffer(response->body.len,
	                                       (void *)(uintptr_t)buf_text(&response->body),
	                                       MHD_RESPMEM_MUST_COPY);
}

/* What every answer says: whose scripts may run, and that nobody keeps or frames it. */
static const struct request_pair always[] = {
        {"Content-Security-Policy", RESPONSE_POLICY("")},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
};

static bool has_header(const struct response *response, const char *name)
{
	return request_value(&response->headers, name) != NULL;
}

static enum MHD_Result send_answer(struct server *server, struct MHD_Connection *connection,
                                   struct exchange *exchange)
{
	struct response *response = &exchange->response;
	struct MHD_Response *content = content_of(server, connection, response);
	if (content == NULL)
		return MHD_NO;
	if (response->type)
		(void)MHD_add_response_header(content, "Content-Type", response->type);
	for (size_t i = 0; i < response->headers.n; i++)
		(void)MHD_add_response_header(content, response->headers.rows[i].name,
		                              response->headers.rows[i].value);
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		if (!has_header(response, always[i].name))
			(void)MHD_add_response_header(content, always[i].name, always[i].value);
	if (!has_header(response, "Cache-Control"))
		(void)MHD_add_response_header(content, "Cache-Control", "no-store");
	enum MHD_Result queued =
	        MHD_queue_response(connection, (unsigned)response->status, content);
	MHD_destroy_response(content);
	exchange->answered = true;
	return queued;
}

/* -- libmicrohttpd ----------------------------------------------------------------------------- */

static void *on_target(void *arg, const char *target, struct MHD_Connection *connection)
{
	(void)arg, (void)connection;
	return exchange_new(target);
}

static enum MHD_Result begin(struct server *server, struct MHD_Connection *connection,
                             const char *method, struct exchange *exchange)
{
	struct request *request = &exchange->request;
	struct error err;
	request->method = arena_strdup(request->arena, method);
	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, request);
	read_peer(connection, request);
	request_read_cookies(request);
	if (!request_read_target(request, &err)) {
		response_problem(&exchange->response, 400, err.text);
		return send_answer(server, connection, exchange);
	}
	if (!server->rules.admit(server->rules.arg, request, &exchange->body_max,
	                         &exchange->response))
		return send_answer(server, connection, exchange);
	/* A client that sent Expect: 100-continue gets its 413 now. For the others the body is read
	 * and dropped: a browser whose upload is cut off doesn't show the answer. */
	const char *length = request_header(request, "Content-Length");
	if (length && strtoll(length, NULL, 10) > exchange->body_max) {
		break_off(exchange, 413, "the request is too large");
		return request_header(request, "Expect") ? send_answer(server, connection, exchange)
		                                         : MHD_YES;
	}
	if (request_is_form(request))
		exchange->post =
		        MHD_create_post_processor(connection, FORM_BUFFER, on_field, exchange);
	return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
	struct server *server = arg;
	struct exchange *exchange = *state;
	(void)url, (void)version;
	if (exchange->request.method == NULL)
		return begin(server, connection, method, exchange);
	if (*size > 0) {
		take_body(exchange, data, *size);
		*size = 0;
		return MHD_YES;
	}
	end_body(exchange);
	if (!exchange->broken)
		server->rules.answer(server->rules.arg, &exchange->request, &exchange->response);
	return send_answer(server, connection, exchange);
}

static void on_end(void *arg, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode how)
{
	(void)arg, (void)connection, (void)how;
	if (*state)
		exchange_free(*state);
	*state = NULL;
}

/* Escapes are ours to read: a number in a path may hold a slash. */
static size_t leave_escapes(void *arg, struct MHD_Connection *connection, char *text)
{
	(void)arg, (void)connection;
	return strlen(text);
}

static struct MHD_Daemon *start_daemon(struct server *server, const struct server_options *options)
{
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC |
	                 MHD_ALLOW_SUSPEND_RESUME | (options->tls_cert ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
	        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)options->tls_cert},
	        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)options->tls_key},
	        {MHD_OPTION_END, 0, NULL}};
	if (options->tls_cert == NULL)
		tls[0] = tls[2];
	return MHD_start_daemon(
	        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET,
	        server->socket.fd, MHD_OPTION_THREAD_POOL_SIZE, options->threads,
	        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	        MHD_OPTION_PER_IP_CONNECTION_LIMIT,
	        (unsigned)(server->socket.path ? 0 : CONNECTIONS_OF_ONE_MAX),
	        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
	        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	        MHD_OPTION_URI_LOG_CALLBACK, on_target, server, MHD_OPTION_UNESCAPE_CALLBACK,
	        leave_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_end, server,
	        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

struct server *server_start(const struct server_options *options, const struct server_rules *rules,
                            struct error *err)
{
	struct http_socket socket;
	if (!http_socket_open(&socket, "[center]", options->listen, "", err))
		return NULL;
	struct server *server = mem_alloc(sizeof *server);
	*server = (struct server){.rules = *rules, .socket = socket};
	(void)pthread_mutex_init(&server->lock, NULL);
	(void)pthread_cond_init(&server->ended, NULL);
	if (listen(socket.fd, BACKLOG) == 0)
		server->daemon = start_daemon(server, options);
	if (server->daemon) {
		server->socket.fd = -1; /* libmicrohttpd's now */
		return server;
	}
	(void)error_set(err, EX_UNAVAILABLE, "[center] listen = %s: HTTP can't be started: %s",
	                options->listen, strerror(errno));
	return server_stop(server);
}

const char *server_address(const struct server *server)
{
	return server->socket.address;
}

struct server *server_stop(struct server *server)
{
	if (server == NULL)
		return NULL;
	end_streams(server);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	http_socket_close(&server->socket);
	(void)pthread_cond_destroy(&server->ended);
	(void)pthread_mutex_destroy(&server->lock);
	free(server);
	return NULL;
}
