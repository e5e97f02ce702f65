/* SPDX-License-Identifier: MIT */
/*
 * Notifies systemd. A failure is ignored: systemd acts on silence by itself.
 *
 * sd_notify() waits while the receiver's queue is full, and the loop would wait with it for
 * somebody who doesn't read. So messages are sent here without waiting, and those that don't fit
 * are sent again a little later. Called by the loop's thread alone.
 */
#include "dispatchd/sys/notify.h"

#include "base/mem.h"
#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

enum { TEXT_MAX = 256, WAITING_MAX = 64 };

/* Messages that did not fit, the oldest first. Of too many the oldest matter least. */
static char waiting[WAITING_MAX][TEXT_MAX];
static size_t n_waiting;

/* Where to (sd_notify(3)): a path, or a name behind `@`. False where nobody listens. */
static bool find_receiver(struct sockaddr_un *ret, socklen_t *ret_len)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name ? strlen(name) : 0;
	if (len < 2 || len > sizeof(ret->sun_path) || (*name != '/' && *name != '@'))
		return false;
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path, name, len);
	if (*name == '@')
		ret->sun_path[0] = '\0';
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

/* False where it has to be sent again. */
static bool notify_try(const char *text)
{
	static int fd = -1;
	struct sockaddr_un to;
	socklen_t len;
	if (!find_receiver(&to, &len))
		return true;
	if (fd < 0)
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t sent = sendto(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
	                      (struct sockaddr *)&to, len);
	return sent >= 0 || errno != EAGAIN;
}

static void drop_oldest(void)
{
	n_waiting--;
	memmove(waiting[0], waiting[1], n_waiting * sizeof(waiting[0]));
}

void notify_again(void)
{
	while (n_waiting > 0 && notify_try(waiting[0]))
		drop_oldest();
}

static void notify_send(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void notify_send(const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	notify_again();
	if (n_waiting == 0 && notify_try(text))
		return;
	if (n_waiting == WAITING_MAX)
		drop_oldest();
	memcpy(waiting[n_waiting++], text, sizeof(text));
}

void notify_ready(const char *status)
{
	notify_send("READY=1\nSTATUS=%s", status);
}

void notify_waiting(const char *why, int64_t ms)
{
	enum { MARGIN_MS = 5 * 60 * 1000 }; /* opening a large spool takes its time */
	notify_send("EXTEND_TIMEOUT_USEC=%" PRId64 "\nSTATUS=Not started yet: %.150s",
	            (ms + MARGIN_MS) * 1000, why);
}

bool notify_wanted(void)
{
	struct sockaddr_un to;
	socklen_t len;
	return find_receiver(&to, &len);
}

/* Type=notify-reload distinguishes an answer to its signal from an older one by the time, so it is
 * to the microsecond. */
void notify_reloading(void)
{
	notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_usec());
}

void notify_stopping(void)
{
	notify_send("STOPPING=1\nSTATUS=Stopping");
}

/* One that doesn't fit would be late. */
void notify_watchdog(void)
{
	(void)notify_try("WATCHDOG=1");
}

int64_t notify_watchdog_ms(void)
{
	uint64_t usec;
	return sd_watchdog_enabled(0, &usec) > 0 ? (int64_t)(usec / 2000) : 0;
}
