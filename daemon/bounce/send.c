/* SPDX-License-Identifier: MIT */
/*
 * The client of report.sock, for whoever takes a mail (take.c) and for LMTP, which wants to know of
 * each recipient before the mail comes. It waits with an end: the mail server behind it waits, too,
 * and tries again. No fault here is the mail's, but for a recipient of another domain.
 */
#include "bounce/send.h"

#include "base/jsontext.h"
#include "common/socket_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

enum { PATIENCE_S = 60 };

/* ---- a connection ---- */

static bool connect_to(const struct socket_path *place, int *ret_fd, struct error *err)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 &&
	          setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
	          setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
	          connect(fd, (const struct sockaddr *)&place->address, sizeof place->address) == 0;
	if (ok) {
		*ret_fd = fd;
		return true;
	}
	(void)error_set(err, EX_TEMPFAIL, "can't reach dispatchd at %s: %s", place->path,
	                strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return false;
}

static bool open_socket(const char *path, int *ret_fd, struct error *err)
{
	struct socket_path place;
	const char *slash = strrchr(path, '/');
	if (!socket_path_set(&place, path, slash ? slash + 1 : path, err)) {
		err->code = EX_TEMPFAIL;
		return false;
	}
	bool ok = connect_to(&place, ret_fd, err);
	socket_path_clear(&place);
	return ok;
}

static bool send_all(int fd, const char *bytes, size_t len, struct error *err)
{
	for (size_t sent = 0; sent < len;) {
		ssize_t n = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return error_set(err, EX_TEMPFAIL, "lost the connection to dispatchd: %s",
			                 strerror(errno));
		sent += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* A line of the daemon's, without its end: it says nothing before it is asked again, so that
 * nothing is behind the line. */
static bool receive_line(int fd, struct buf *line, struct error *err)
{
	char bytes[4096];
	while (line->len < SEND_LINE_MAX) {
		ssize_t n = recv(fd, bytes, sizeof bytes, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return error_set(err, EX_TEMPFAIL,
			                 "dispatchd did not answer within %d seconds", PATIENCE_S);
		if (n <= 0)
			return error_set(err, EX_TEMPFAIL,
			                 "dispatchd closed the connection without an answer");
		buf_add(line, bytes, (size_t)n);
		if (bytes[n - 1] == '\n')
			return true;
	}
	return error_set(err, EX_TEMPFAIL, "dispatchd's answer is too long");
}

/* ---- what is said ---- */

/* {"ok": true, …}, or {"ok": false, "error": "sentence", "code": 67}. */
static bool judge(const json_t *answer, struct error *err)
{
	const char *fault = jsontext_at(answer, "error");
	if (json_is_true(json_object_get(answer, "ok")))
		return true;
	bool elsewhere = json_integer_value(json_object_get(answer, "code")) == EX_NOUSER;
	return error_set(err, elsewhere ? EX_NOUSER : EX_TEMPFAIL, "%s",
	                 *fault ? fault : "dispatchd gave no reason");
}

/* The answer, the caller's; NULL with `err`. */
static json_t *receive_answer(int fd, struct error *err)
{
	struct buf line = {0};
	json_t *answer = NULL;
	if (receive_line(fd, &line, err)) {
		answer = jsontext_read(line.data, line.len, err);
		if (answer == NULL) {
			(void)error_prefix(err, "dispatchd's answer");
			err->code = EX_TEMPFAIL;
		}
	}
	buf_free(&line);
	if (answer == NULL || judge(answer, err))
		return answer;
	json_decref(answer);
	return NULL;
}

static json_t *ask(int fd, const json_t *request, struct error *err)
{
	struct buf line = {0};
	jsontext_write(&line, request, JSONTEXT_AS_IS);
	buf_addc(&line, '\n');
	bool sent = line.len <= SEND_LINE_MAX
	                    ? send_all(fd, line.data, line.len, err)
	                    : error_set(err, EX_TEMPFAIL, "the report is too long to be sent");
	buf_free(&line);
	return sent ? receive_answer(fd, err) : NULL;
}

bool send_ask(const char *socket, const char *recipient, struct error *err)
{
	int fd;
	if (!open_socket(socket, &fd, err))
		return false;
	json_t *request = json_pack("{s:s}", "recipient", recipient);
	json_t *answer = request ? ask(fd, request, err) : NULL;
	if (request == NULL)
		(void)error_set(err, EX_NOUSER, "the recipient is not UTF-8");
	(void)close(fd);
	json_decref(request);
	bool ok = answer != NULL;
	json_decref(answer);
	return ok;
}

/* The second half: only the daemon knows whether it wants the bytes. */
static json_t *hand_over(int fd, json_t *answer, const struct buf *reply, struct error *err)
{
	if (!json_is_true(json_object_get(answer, "send")))
		return answer;
	json_decref(answer);
	if (reply == NULL) {
		(void)error_set(err, EX_TEMPFAIL, "dispatchd asked for a mail that wasn't offered");
		return NULL;
	}
	return send_all(fd, reply->data, reply->len, err) ? receive_answer(fd, err) : NULL;
}

bool send_report(const char *socket, const json_t *line, const struct buf *reply,
                 char ret_did[SEND_ANSWER_MAX], struct error *err)
{
	int fd;
	if (!open_socket(socket, &fd, err))
		return false;
	json_t *answer = ask(fd, line, err);
	if (answer != NULL)
		answer = hand_over(fd, answer, reply, err);
	(void)close(fd);
	if (answer == NULL)
		return false;
	(void)snprintf(ret_did, SEND_ANSWER_MAX, "%s", jsontext_at(answer, "took"));
	json_decref(answer);
	return true;
}
