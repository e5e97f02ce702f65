/* SPDX-License-Identifier: MIT */
/*
 * An SMTP server that takes everything as fast as it can and keeps nothing, for measuring what
 * sends to it: one thread, epoll, PIPELINING. Prints its port, ends with its standard input.
 *
 *	smtp_sink [RECORD]
 *
 * RECORD gets a line for each mail: when it was accepted (microseconds of the monotonic clock), and
 * its last recipient.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_MAX = 65536, OUTPUT_MAX = 8192, EVENTS = 64, ADDRESS_MAX = 128 };

static FILE *record;

struct client {
	int fd;
	bool in_body, quit;
	size_t len, out_len;
	char in[INPUT_MAX], out[OUTPUT_MAX], to[ADDRESS_MAX];
};

static void send_reply(struct client *c, const char *text)
{
	size_t len = strlen(text);

	if (c->out_len + len <= sizeof c->out) {
		memcpy(c->out + c->out_len, text, len);
		c->out_len += len;
	}
}

static void note_recipient(struct client *c, const char *line)
{
	const char *open = strchr(line, '<');

	if (open)
		(void)snprintf(c->to, sizeof c->to, "%.*s", (int)strcspn(open + 1, ">"), open + 1);
}

static void note_accepted(const struct client *c)
{
	struct timespec now;

	if (!record)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	fprintf(record, "%lld %s\n", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000, c->to);
}

static void on_line(struct client *c, const char *line)
{
	static const struct {
		const char *verb, *reply;
	} rows[] = {
	        {"EHLO", "250-sink\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n"},
	        {"MAIL", "250 2.1.0 ok\r\n"},
	        {"RCPT", "250 2.1.5 ok\r\n"},
	        {"DATA", "354 go on\r\n"},
	        {"RSET", "250 2.0.0 ok\r\n"},
	        {"QUIT", "221 2.0.0 bye\r\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strncasecmp(line, rows[i].verb, 4) == 0) {
			send_reply(c, rows[i].reply);
			if (i == 2)
				note_recipient(c, line);
			c->in_body = i == 3;
			c->quit = i == 5;
			return;
		}
	send_reply(c, "500 5.5.2 what?\r\n");
}

/* How many bytes of the input are done with. */
static size_t take_body(struct client *c)
{
	char *end = c->len >= 5 ? memmem(c->in, c->len, "\r\n.\r\n", 5) : NULL;

	if (!end)
		return c->len > 4 ? c->len - 4 : 0;
	c->in_body = false;
	send_reply(c, "250 2.0.0 taken\r\n");
	note_accepted(c);
	return (size_t)(end - c->in) + 5;
}

static size_t take_line(struct client *c)
{
	char *end = memchr(c->in, '\n', c->len);

	if (!end)
		return 0;
	*end = '\0';
	on_line(c, c->in);
	return (size_t)(end - c->in) + 1;
}

static bool serve(struct client *c)
{
	ssize_t n = read(c->fd, c->in + c->len, sizeof c->in - c->len);
	size_t done;

	if (n <= 0)
		return false;
	c->len += (size_t)n;
	do {
		done = c->in_body ? take_body(c) : take_line(c);
		c->len -= done;
		memmove(c->in, c->in + done, c->len);
	} while (done > 0 && c->len > 0);
	if (c->out_len > 0 && write(c->fd, c->out, c->out_len) < 0)
		return false;
	c->out_len = 0;
	return !c->quit;
}

static void accept_one(int listener, int poller)
{
	struct client *c = calloc(1, sizeof *c);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	int on = 1;

	if (!c)
		abort();
	c->fd = accept(listener, NULL, NULL);
	if (c->fd < 0) {
		free(c);
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
	send_reply(c, "220 sink\r\n");
	if (write(c->fd, c->out, c->out_len) < 0)
		return;
	c->out_len = 0;
}

static int listen_anywhere(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
		perror("smtp_sink");
		exit(1);
	}
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	static int stdin_mark, listener_mark;

	if (argc > 1 && !(record = fopen(argv[1], "w"))) {
		perror(argv[1]);
		return 1;
	}
	int listener = listen_anywhere(), poller = epoll_create1(0);
	struct epoll_event events[EVENTS], in = {.events = EPOLLIN, .data.ptr = &stdin_mark};

	epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &in);
	in.data.ptr = &listener_mark;
	epoll_ctl(poller, EPOLL_CTL_ADD, listener, &in);
	for (;;) {
		int n = epoll_wait(poller, events, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			struct client *c = events[i].data.ptr;
			if (events[i].data.ptr == &stdin_mark)
				return record && fclose(record) != 0;
			if (events[i].data.ptr == &listener_mark) {
				accept_one(listener, poller);
			} else if (!serve(c)) {
				close(c->fd);
				free(c);
			}
		}
	}
}
