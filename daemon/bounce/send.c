/* SPDX-License-Identifier: MIT */
/*
 * The client of report.sock, for whoever takes a mail (take.c) and for LMTP, which wants to know of
 * each recipient before the mail comes. Whether a fault is this mail's, its recipient's or nobody's
 * is all that the callers ask.
 */
#include "bounce/send.h"

#include "base/jsontext.h"
#include "common/line_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { PATIENCE_S = 60 };

/* ---- a connection ---- */

static bool open_socket(const char *path, int *ret_fd, struct error *err)
{
	struct socket_path place;
	const char *slash = strrchr(path, '/');
	if (!socket_path_set(&place, path, slash ? slash + 1 : path, err)) {
		err->code = EX_TEMPFAIL;
		return false;
	}
	*ret_fd = line_client_connect(&place, PATIENCE_S);
	bool ok = *ret_fd >= 0 || error_set(err, EX_TEMPFAIL, "can't reach dispatchd at %s: %s",
	                                    place.path, strerror(errno));
	socket_path_clear(&place);
	return ok;
}

/* ---- what is said ---- */

/* By the daemon's code. It understood nothing of this one, or failed at it: others may pass. */
static int code_of(json_int_t code)
{
	return code == EX_NOUSER                           ? EX_NOUSER
	       : code == EX_DATAERR || code == EX_SOFTWARE ? EX_DATAERR
	                                                   : EX_TEMPFAIL;
}

/* {"ok": true, …}, or {"ok": false, "error": "sentence", "code": 67}. */
static bool judge(const json_t *answer, struct error *err)
{
	const char *fault = jsontext_at(answer, "error");
	if (json_is_true(json_object_get(answer, "ok")))
		return true;
	return error_set(err, code_of(json_integer_value(json_object_get(answer, "code"))), "%s",
	                 *fault ? fault : "dispatchd gave no reason");
}

/* No fault of the connection is the mail's: the mail server tries again. */
static json_t *for_now(struct error *err)
{
	err->code = EX_TEMPFAIL;
	return NULL;
}

/* The answer, the caller's; NULL with `err`. */
static json_t *receive_answer(int fd, struct error *err)
{
	json_t *answer = line_client_receive(fd, SEND_LINE_MAX, err);
	if (answer == NULL)
		return for_now(err);
	if (judge(answer, err))
		return answer;
	json_decref(answer);
	return NULL;
}

static json_t *ask(int fd, const json_t *request, struct error *err)
{
	return line_client_send(fd, request, err) ? receive_answer(fd, err) : for_now(err);
}

bool send_ask(const char *socket, const char *recipient, struct error *err)
{
	int fd;
	if (!open_socket(socket, &fd, err))
		return false;
	json_t *request = json_pack("{s:s}", "recipient", recipient);
	json_t *answer = ask(fd, request, err);
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
	return line_client_send_bytes(fd, reply->data, reply->len, err) ? receive_answer(fd, err)
	                                                                : for_now(err);
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
