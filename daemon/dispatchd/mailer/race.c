/* SPDX-License-Identifier: MIT */
/*
 * Connecting to several addresses at once. A coroutine waits for one descriptor: that is an epoll
 * set of all attempts, made when the first of them has to be waited for. Most often none has: a
 * literal address, which is next to us.
 */
#include "dispatchd/mailer/race.h"

#include "common/clock_ms.h"
#include "dispatchd/mailer/coroutine.h"
#include "dispatchd/mailer/libc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long we wait at a time, so that a pool that ends is noticed. */
enum { SLICE_MS = 250 };

/* A call of race_run(). */
struct running {
	struct race *race;
	int epoll;    /* -1: none yet */
	bool no_room; /* in the kernel, for a set of them */
	int64_t next_ms, end_ms;
	struct race_try *won;
};

/* ---- in which order ---- */

static const struct addrinfo *next_of(const struct addrinfo *from, int family, bool same)
{
	while (from && (from->ai_family == family) != same)
		from = from->ai_next;
	return from;
}

void race_set(struct race *race, const struct addrinfo *found, int family)
{
	if (found && !next_of(found, family, true))
		family = found->ai_family;
	const struct addrinfo *same = next_of(found, family, true),
	                      *other = next_of(found, family, false);

	*race = (struct race){.n = 0};
	while ((same || other) && race->n < RACE_MAX) {
		bool from_same = same && (race->n % 2 == 0 || !other);
		const struct addrinfo **from = from_same ? &same : &other;
		race->tries[race->n++] = (struct race_try){.address = *from, .fd = -1};
		*from = next_of((*from)->ai_next, family, from_same);
	}
}

static struct race_try *first_in(struct race *race, enum race_state state)
{
	for (size_t i = 0; i < race->n; i++)
		if (race->tries[i].state == state)
			return &race->tries[i];
	return NULL;
}

bool race_is_open(const struct race *race)
{
	for (size_t i = 0; i < race->n; i++)
		if (race->tries[i].state == RACE_WAITS)
			return true;
	return false;
}

/* ---- one attempt ---- */

static void try_fail(struct race_try *one, int error)
{
	if (one->fd >= 0)
		close(one->fd);
	one->fd = -1;
	one->state = RACE_OVER;
	one->error = error;
}

static void try_win(struct running *running, struct race_try *one)
{
	one->state = RACE_OVER;
	one->error = 0;
	running->won = one;
}

static void try_begin(struct running *running, struct race_try *one)
{
	const struct addrinfo *address = one->address;

	one->state = RACE_UNDER_WAY;
	one->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	                 address->ai_protocol);
	if (one->fd < 0)
		try_fail(one, errno);
	else if (libc_connect(one->fd, address->ai_addr, address->ai_addrlen) == 0)
		try_win(running, one);
	else if (errno != EINPROGRESS && errno != EINTR)
		try_fail(one, errno);
}

/* What became of those that the kernel has an answer for. */
static void finish_answered(struct running *running)
{
	for (size_t i = 0; i < running->race->n && !running->won; i++) {
		struct race_try *one = &running->race->tries[i];
		struct pollfd p = {.fd = one->fd, .events = POLLOUT};
		int error = 0;
		socklen_t len = sizeof error;
		if (one->state != RACE_UNDER_WAY || libc_poll(&p, 1, 0) != 1)
			continue;
		if (getsockopt(one->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			error = errno;
		if (error)
			try_fail(one, error);
		else
			try_win(running, one);
	}
}

/* ---- all of them ---- */

/* A descriptor that can be read once one of them is ready; -1: there is none left. */
static int set_of_all(struct running *running)
{
	struct race *race = running->race;

	if (running->epoll < 0)
		running->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < race->n && running->epoll >= 0; i++) {
		struct epoll_event event = {.events = EPOLLOUT};
		if (race->tries[i].state == RACE_UNDER_WAY &&
		    epoll_ctl(running->epoll, EPOLL_CTL_ADD, race->tries[i].fd, &event) < 0 &&
		    errno != EEXIST)
			return -1;
	}
	return running->epoll;
}

/* False: it can't be waited for. */
static bool wait_for_set(struct running *running, int64_t until_ms)
{
	int fd = running->no_room ? -1 : set_of_all(running);

	if (fd < 0)
		return false;
	(void)coroutine_poll(fd, POLLIN, until_ms);
	running->no_room = errno != 0;
	return !running->no_room;
}

static void wait_for_any(struct running *running, int64_t now_ms)
{
	int64_t until_ms = now_ms + SLICE_MS;
	int fd;

	if (race_is_open(running->race) && running->next_ms < until_ms)
		until_ms = running->next_ms;
	if (running->end_ms < until_ms)
		until_ms = running->end_ms;
	if (wait_for_set(running, until_ms))
		return;
	/* Of the first one alone; the others are looked at whenever that comes back. */
	fd = first_in(running->race, RACE_UNDER_WAY)->fd;
	(void)coroutine_poll(fd, POLLOUT, until_ms);
	coroutine_forget(fd);
}

static void begin_due(struct running *running, int64_t now_ms, int64_t each_ms)
{
	struct race_try *next;

	while (!running->won && (next = first_in(running->race, RACE_WAITS)) != NULL &&
	       (now_ms >= running->next_ms || !first_in(running->race, RACE_UNDER_WAY))) {
		try_begin(running, next);
		running->next_ms = now_ms + each_ms;
	}
}

/* Losers may be tried again; where nobody has won, their time is over. */
static void end_all(struct running *running, int error)
{
	struct race *race = running->race;

	if (running->epoll >= 0) {
		coroutine_forget(running->epoll);
		close(running->epoll);
	}
	for (size_t i = 0; i < race->n; i++) {
		struct race_try *one = &race->tries[i];
		if (one->state == RACE_UNDER_WAY)
			try_fail(one, error);
		else if (error && one->state == RACE_WAITS)
			try_fail(one, error);
		else
			continue;
		if (running->won)
			one->state = RACE_WAITS;
	}
}

/* Those that won an earlier call have none. */
static int last_error(const struct race *race)
{
	for (size_t i = race->n; i > 0; i--)
		if (race->tries[i - 1].error)
			return race->tries[i - 1].error;
	return ECONNREFUSED;
}

int race_run(struct race *race, struct watch *watch, int64_t each_ms, int64_t timeout_ms,
             const struct race_try **ret)
{
	struct running running = {.race = race, .epoll = -1};
	int64_t now_ms = clock_mono_ms();
	int error = 0, fd;

	running.next_ms = now_ms;
	running.end_ms = now_ms + timeout_ms;
	for (;; now_ms = clock_mono_ms()) {
		finish_answered(&running);
		begin_due(&running, now_ms, each_ms);
		if (running.won || !first_in(race, RACE_UNDER_WAY))
			break;
		error = watch_is_cut(watch) ? ECANCELED : now_ms >= running.end_ms ? ETIMEDOUT : 0;
		if (error)
			break;
		wait_for_any(&running, now_ms);
	}
	end_all(&running, error);
	if (!running.won)
		return -last_error(race);
	*ret = running.won;
	fd = running.won->fd;
	running.won->fd = -1;
	return fd;
}
