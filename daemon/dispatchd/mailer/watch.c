/* SPDX-License-Identifier: MIT */
/*
 * A deadline for one connection, set by the mailer and enforced by the supervisor through a
 * duplicate of the descriptor: libesmtp doesn't share its own and bounds only single reads.
 */
#include "dispatchd/mailer/watch.h"

#include "common/clock_ms.h"
#include "dispatchd/mailer/coroutine.h"
#include "dispatchd/mailer/libc.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

void watch_init(struct watch *watch)
{
	pthread_mutex_init(&watch->lock, NULL);
	watch->fd = -1;
	watch->cut = NULL;
	atomic_init(&watch->deadline_ms, CLOCK_NEVER_MS);
	atomic_init(&watch->waits_since_ms, CLOCK_NEVER_MS);
	atomic_init(&watch->expired, false);
}

void watch_destroy(struct watch *watch)
{
	watch_leave(watch);
	pthread_mutex_destroy(&watch->lock);
}

bool watch_follow(struct watch *watch, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), old;
	bool ok;

	pthread_mutex_lock(&watch->lock);
	old = watch->fd;
	watch->fd = copy;
	ok = copy >= 0 && !watch->cut;
	pthread_mutex_unlock(&watch->lock);
	if (old >= 0) {
		coroutine_forget(old);
		close(old);
	}
	return ok;
}

void watch_leave(struct watch *watch)
{
	int old;

	watch_disarm(watch);
	pthread_mutex_lock(&watch->lock);
	old = watch->fd;
	watch->fd = -1;
	pthread_mutex_unlock(&watch->lock);
	if (old >= 0) {
		coroutine_forget(old);
		close(old);
	}
	atomic_store(&watch->expired, false);
}

void watch_begin(struct watch *watch)
{
	atomic_store(&watch->waits_since_ms, clock_mono_ms());
}

void watch_arm(struct watch *watch, int64_t ms)
{
	int64_t now_ms = clock_mono_ms();

	atomic_store(&watch->deadline_ms, now_ms + ms);
	atomic_store(&watch->waits_since_ms, now_ms);
}

void watch_disarm(struct watch *watch)
{
	atomic_store(&watch->deadline_ms, CLOCK_NEVER_MS);
	atomic_store(&watch->waits_since_ms, CLOCK_NEVER_MS);
}

bool watch_waits(struct watch *watch, int64_t now_ms, int64_t ms, int64_t *ret_since_ms)
{
	int64_t since_ms = atomic_load(&watch->waits_since_ms);

	if (since_ms > now_ms - ms)
		return false;
	*ret_since_ms = since_ms;
	return true;
}

const char *watch_is_cut(struct watch *watch)
{
	const char *cut;

	pthread_mutex_lock(&watch->lock);
	cut = watch->cut;
	pthread_mutex_unlock(&watch->lock);
	return cut;
}

bool watch_readable(struct watch *watch)
{
	struct pollfd p = {.fd = watch->fd, .events = POLLIN};

	return watch->fd < 0 || libc_poll(&p, 1, 0) > 0;
}

void watch_shutdown(struct watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	if (watch->fd >= 0)
		shutdown(watch->fd, SHUT_RDWR);
	pthread_mutex_unlock(&watch->lock);
}

void watch_cut(struct watch *watch, const char *why)
{
	pthread_mutex_lock(&watch->lock);
	watch->cut = why;
	if (watch->fd >= 0)
		shutdown(watch->fd, SHUT_RDWR);
	pthread_mutex_unlock(&watch->lock);
}

int64_t watch_check(struct watch *watch, int64_t now_ms)
{
	int64_t deadline_ms = atomic_load(&watch->deadline_ms);

	if (deadline_ms > now_ms)
		return deadline_ms;
	/* Only this very deadline: the mailer may have armed the next one in the meantime. */
	if (atomic_compare_exchange_strong(&watch->deadline_ms, &deadline_ms, CLOCK_NEVER_MS)) {
		atomic_store(&watch->expired, true);
		watch_shutdown(watch);
	}
	return CLOCK_NEVER_MS;
}
