/* SPDX-License-Identifier: MIT */
#include "common/line_client.h"

#include "base/jsontext.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

int line_client_connect(const struct socket_path *place, int patience_s)
{
	const struct timeval patience = {.tv_sec = patience_s};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
	     setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
	     connect(fd, (const struct sockaddr *)&place->address, sizeof place->address) == 0))
		return fd;
	int fault = errno;
	(void)close(fd);
	errno = fault;
	return -1;
}

bool line_client_send_bytes(int fd, const char *bytes, size_t len, struct error *err)
{
	for (size_t sent = 0; sent < len;) {
		ssize_t n = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return error_set(err, EX_UNAVAILABLE,
			                 "lost the connection to dispatchd: %s", strerror(errno));
		sent += n > 0 ? (size_t)n : 0;
	}
	return true;
}

bool line_client_send(int fd, const json_t *object, struct error *err)
{
	struct buf line = {0};
	jsontext_write(&line, object, JSONTEXT_AS_IS);
	buf_addc(&line, '\n');
	bool sent = line_client_send_bytes(fd, line.data, line.len, err);
	buf_free(&line);
	return sent;
}

static bool receive_line(int fd, size_t max, struct buf *line, struct error *err)
{
	char bytes[16384];
	while (line->len < max) {
		ssize_t n = recv(fd, bytes, sizeof bytes, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return error_set(err, EX_TEMPFAIL, "dispatchd did not answer in time");
		if (n <= 0)
			return error_set(err, EX_UNAVAILABLE,
			                 "dispatchd closed the connection without an answer");
		buf_add(line, bytes, (size_t)n);
		if (bytes[n - 1] == '\n')
			return true;
	}
	return error_set(err, EX_SOFTWARE, "dispatchd's answer is too long");
}

json_t *line_client_receive(int fd, size_t max, struct error *err)
{
	struct buf line = {0};
	json_t *answer = NULL;
	if (receive_line(fd, max, &line, err)) {
		answer = jsontext_read(line.data, line.len, err);
		if (answer == NULL)
			(void)error_prefix(err, "dispatchd's answer");
	}
	buf_free(&line);
	return answer;
}
