/* SPDX-License-Identifier: MIT */
/*
 * The client of the daemon's control socket. A fault that the engine answers is the caller's to
 * read (spool.c).
 */
#include "common/control.h"

#include "common/line_client.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { PATIENCE_S = 30, ANSWER_MAX = 256 * 1024 * 1024 };

static enum control_answer control_connect(const struct socket_path *place, int *ret_fd,
                                           struct error *err)
{
	*ret_fd = line_client_connect(place, PATIENCE_S);
	if (*ret_fd >= 0)
		return CONTROL_ANSWERED;
	int fault = errno;
	error_set(err, fault == EACCES ? EX_NOPERM : EX_UNAVAILABLE,
	          "can't reach dispatchd at %s: %s", place->path, strerror(fault));
	return fault == ENOENT || fault == ECONNREFUSED ? CONTROL_ABSENT : CONTROL_FAULT;
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
	json_t *answer = line_client_send(fd, request, err)
	                         ? line_client_receive(fd, ANSWER_MAX, err)
	                         : NULL;
	return answer != NULL ? control_judge(answer, ret, err) : CONTROL_FAULT;
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
