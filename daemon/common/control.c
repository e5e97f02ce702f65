/* SPDX-License-Identifier: MIT */
/*
 * The client of the daemon's control socket. It waits with an end: a daemon that hangs must not
 * hang the person, too. A fault that the engine answers is the caller's to read (spool.c).
 */
#include "common/control.h"

#include "base/buf.h"
#include "base/jsontext.h"
#include "common/socket_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum { PATIENCE_S = 30, ANSWER_MAX = 256 * 1024 * 1024 };

static enum control_answer control_connect(const struct socket_path *place, int *ret_fd,
                                           struct error *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&place->address, sizeof place->address) == 0) {
		*ret_fd = fd;
		return CONTROL_ANSWERED;
	}
	int fault = errno;
	if (fd >= 0)
		(void)close(fd);
	error_set(err, fault == EACCES ? EX_NOPERM : EX_UNAVAILABLE,
	          "can't reach dispatchd at %s: %s", place->path, strerror(fault));
	return fault == ENOENT || fault == ECONNREFUSED ? CONTROL_ABSENT : CONTROL_FAULT;
}

static bool send_line(int fd, const json_t *request, struct error *err)
{
	struct buf line = {0};
	jsontext_write(&line, request, JSONTEXT_AS_IS);
	buf_addc(&line, '\n');
	size_t sent = 0;
	while (sent < line.len) {
		ssize_t n = send(fd, line.data + sent, line.len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			break;
		sent += n > 0 ? (size_t)n : 0;
	}
	bool whole = sent == line.len;
	buf_free(&line);
	return whole || error_set(err, EX_UNAVAILABLE, "lost the connection to dispatchd: %s",
	                          strerror(errno));
}

static bool control_read_line(int fd, struct buf *line, struct error *err)
{
	char bytes[16384];
	while (line->len < ANSWER_MAX) {
		ssize_t n = recv(fd, bytes, sizeof bytes, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return error_set(err, EX_TEMPFAIL,
			                 "dispatchd did not answer within %d seconds", PATIENCE_S);
		if (n <= 0)
			return error_set(err, EX_UNAVAILABLE,
			                 "dispatchd closed the connection without an answer");
		buf_add(line, bytes, (size_t)n);
		if (bytes[n - 1] == '\n')
			return true;
	}
	return error_set(err, EX_SOFTWARE, "dispatchd's answer is too long");
}

/* A fault comes as {"error": "sentence", "code": 65}. */
static enum control_answer control_judge(json_t *answer, json_t **ret, struct error *err)
{
	const char *fault = json_string_value(json_object_get(answer, "error"));
	if (fault == NULL) {
		*ret = answer;
		return CONTROL_ANSWERED;
	}
	json_int_t code = json_integer_value(json_object_get(answer, "code"));
	error_set(err, code >= EX__BASE && code <= EX__MAX ? (int)code : EX_SOFTWARE, "%s", fault);
	json_decref(answer);
	return CONTROL_REFUSED;
}

static enum control_answer converse(int fd, const json_t *request, json_t **ret, struct error *err)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	struct buf line = {0};
	enum control_answer answer = CONTROL_FAULT;
	if (send_line(fd, request, err) && control_read_line(fd, &line, err)) {
		json_t *document = jsontext_read(line.data, line.len, err);
		if (document != NULL)
			answer = control_judge(document, ret, err);
		else
			error_prefix(err, "dispatchd's answer");
	}
	buf_free(&line);
	return answer;
}

enum control_answer control_ask(const struct settings *settings, const json_t *request,
                                json_t **ret, struct error *err)
{
	struct socket_path place;
	int fd = -1;
	if (!socket_path_set(&place, settings->spool.path, CONTROL_SOCKET, err))
		return CONTROL_FAULT;
	enum control_answer answer = control_connect(&place, &fd, err);
	socket_path_clear(&place);
	if (answer != CONTROL_ANSWERED)
		return answer;
	answer = converse(fd, request, ret, err);
	(void)close(fd);
	return answer;
}
