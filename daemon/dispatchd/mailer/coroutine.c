/* SPDX-License-Identifier: MIT */
/*
 * Coroutines of one thread that wait in one epoll_wait() (see the header): the mailers, and the
 * connections of a relay test.
 *
 * A socket stays in the epoll set from the first wait on, so that a mail costs no epoll_ctl(). The
 * set reports what is there, not only what is new; an event that nobody waits for takes its socket
 * out, and the next wait puts it back.
 *
 * Locks: that of a condition, which is the caller's, comes before the set's.
 *
 * Known limit: a debugger shows the coroutine that runs; a core dump has the stacks of those that
 * wait, but no thread that leads to them.
 */
#include "dispatchd/mailer/coroutine.h"

#include "base/mem.h"
#include "common/clock_ms.h"
#include "dispatchd/mailer/stack.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, SLEEP_MAX_MS = 3600 * 1000 };

struct coroutine {
	struct coroutines *all;
	struct stack *stack;
	void (*run)(void *arg);
	void *arg, *own;
	bool ended;
	/* What it waits for; events is 0 where that is no socket. */
	int64_t until_ms;
	short events, got;
	/* The socket that it has waited for, -1 for none, and for what it is in the epoll set. */
	int fd;
	short watched;
	/* Under the set's lock. */
	struct coroutine *prev, *next; /* of all that have not ended */
	struct coroutine *next_ready;
	bool waits; /* only one that waits becomes ready, and then waits no more */
	/* Under the condition's lock. */
	struct coroutine_condition *condition;
	struct coroutine *next_waiting;
};

struct coroutines {
	int epoll, wake;
	int64_t due_ms; /* nobody's time is over before */
	pthread_mutex_t lock;
	/* Under the lock. */
	struct coroutine *list;
	struct coroutine *ready, **ready_end;
	size_t n_ready;
	bool asleep; /* until `wake` is written */
};

static _Thread_local struct coroutine *running;

/* ---- ready ones: with the lock held ---- */

static void coroutine_make_ready(struct coroutine *one)
{
	struct coroutines *all = one->all;

	if (!one->waits)
		return;
	one->waits = false;
	one->next_ready = NULL;
	*all->ready_end = one;
	all->ready_end = &one->next_ready;
	all->n_ready++;
	if (all->asleep) {
		all->asleep = false;
		eventfd_write(all->wake, 1);
	}
}

static struct coroutine *take_ready(struct coroutines *all)
{
	struct coroutine *one = all->ready;

	all->ready = one->next_ready;
	if (!all->ready)
		all->ready_end = &all->ready;
	all->n_ready--;
	return one;
}

/* ---- beginning and end ---- */

struct coroutines *coroutines_new(void)
{
	struct coroutines *all = mem_alloc(sizeof *all);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET}; /* it is never read */

	pthread_mutex_init(&all->lock, NULL);
	all->ready_end = &all->ready;
	all->due_ms = CLOCK_NEVER_MS;
	all->epoll = epoll_create1(EPOLL_CLOEXEC);
	all->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (all->epoll >= 0 && all->wake >= 0 &&
	    epoll_ctl(all->epoll, EPOLL_CTL_ADD, all->wake, &event) == 0)
		return all;
	return coroutines_free(all);
}

static void coroutine_main(void *arg)
{
	struct coroutine *one = arg;

	one->run(one->arg);
	one->ended = true;
	stack_leave(one->stack, true);
}

static void coroutine_free(struct coroutine *one)
{
	struct coroutines *all = one->all;

	pthread_mutex_lock(&all->lock);
	if (one->prev)
		one->prev->next = one->next;
	else
		all->list = one->next;
	if (one->next)
		one->next->prev = one->prev;
	pthread_mutex_unlock(&all->lock);
	stack_free(one->stack);
	free(one);
}

struct coroutines *coroutines_free(struct coroutines *all)
{
	if (!all)
		return NULL;
	for (struct coroutine *one = all->list, *next; one; one = next) {
		next = one->next;
		stack_free(one->stack);
		free(one);
	}
	pthread_mutex_destroy(&all->lock);
	if (all->wake >= 0)
		close(all->wake);
	if (all->epoll >= 0)
		close(all->epoll);
	free(all);
	return NULL;
}

bool coroutines_add(struct coroutines *all, void (*run)(void *arg), void *arg)
{
	struct coroutine *one = mem_alloc(sizeof *one);

	*one = (struct coroutine){.all = all,
	                          .run = run,
	                          .arg = arg,
	                          .waits = true,
	                          .fd = -1,
	                          .until_ms = CLOCK_NEVER_MS};
	one->stack = stack_new(coroutine_main, one);
	if (!one->stack) {
		free(one);
		return false;
	}
	pthread_mutex_lock(&all->lock);
	one->next = all->list;
	if (one->next)
		one->next->prev = one;
	all->list = one;
	coroutine_make_ready(one);
	pthread_mutex_unlock(&all->lock);
	return true;
}

/* ---- the thread ---- */

static void coroutine_resume(struct coroutine *one)
{
	running = one;
	stack_enter(one->stack);
	running = NULL;
	if (one->ended)
		coroutine_free(one);
}

/* All that are ready now; what becomes so meanwhile comes after a look at the sockets. False: there
 * are none anymore. */
static bool run_ready(struct coroutines *all)
{
	pthread_mutex_lock(&all->lock);
	for (size_t n = all->n_ready; n > 0; n--) {
		struct coroutine *one = take_ready(all);
		pthread_mutex_unlock(&all->lock);
		coroutine_resume(one);
		pthread_mutex_lock(&all->lock);
	}
	bool any = all->list != NULL;
	pthread_mutex_unlock(&all->lock);
	return any;
}

/* How long epoll_wait() may sleep. */
static int fall_asleep(struct coroutines *all)
{
	int64_t left_ms = SLEEP_MAX_MS;

	if (all->due_ms != CLOCK_NEVER_MS)
		left_ms = all->due_ms - clock_mono_ms();
	left_ms = left_ms < 0 ? 0 : left_ms < SLEEP_MAX_MS ? left_ms : SLEEP_MAX_MS;
	pthread_mutex_lock(&all->lock);
	if (all->ready)
		left_ms = 0;
	all->asleep = left_ms > 0;
	pthread_mutex_unlock(&all->lock);
	return (int)left_ms;
}

static void on_event(struct coroutine *one, unsigned events)
{
	unsigned wanted = (unsigned)one->events;

	if (events & (EPOLLERR | EPOLLHUP))
		events |= wanted;
	if (wanted == 0) {
		epoll_ctl(one->all->epoll, EPOLL_CTL_DEL, one->fd, NULL);
		one->watched = 0;
	} else if (events & wanted) {
		one->got = (short)(events & wanted);
		coroutine_make_ready(one);
	}
}

static void wake_late(struct coroutines *all)
{
	int64_t now_ms;

	if (all->due_ms == CLOCK_NEVER_MS || (now_ms = clock_mono_ms()) < all->due_ms)
		return;
	all->due_ms = CLOCK_NEVER_MS;
	for (struct coroutine *one = all->list; one; one = one->next)
		if (one->until_ms <= now_ms)
			coroutine_make_ready(one);
		else if (one->until_ms < all->due_ms)
			all->due_ms = one->until_ms;
}

static void sleep_until_ready(struct coroutines *all)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(all->epoll, events, EVENTS_MAX, fall_asleep(all));

	pthread_mutex_lock(&all->lock);
	all->asleep = false;
	for (int i = 0; i < n; i++)
		if (events[i].data.ptr)
			on_event(events[i].data.ptr, events[i].events);
	wake_late(all);
	pthread_mutex_unlock(&all->lock);
}

void coroutines_run(struct coroutines *all)
{
	while (run_ready(all))
		sleep_until_ready(all);
}

/* ---- waiting ---- */

/* From here on it can become ready. A signal that comes for a wait whose time was over already
 * finds it running, and is dropped. */
static void begin_wait(struct coroutine *one)
{
	pthread_mutex_lock(&one->all->lock);
	one->waits = true;
	pthread_mutex_unlock(&one->all->lock);
}

static void coroutine_suspend(struct coroutine *one, int64_t until_ms)
{
	one->until_ms = until_ms;
	if (until_ms < one->all->due_ms)
		one->all->due_ms = until_ms;
	stack_leave(one->stack, false);
	one->until_ms = CLOCK_NEVER_MS;
	errno = 0;
}

void coroutine_forget(int fd)
{
	struct coroutine *one = running;

	if (!one || one->fd != fd)
		return;
	if (one->watched)
		epoll_ctl(one->all->epoll, EPOLL_CTL_DEL, fd, NULL);
	one->fd = -1;
	one->watched = 0;
}

static bool coroutine_watch(struct coroutine *one, int fd, short events)
{
	struct epoll_event event = {.events = (unsigned)events, .data.ptr = one};
	int what = one->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (one->watched == events)
		return true;
	if (epoll_ctl(one->all->epoll, what, fd, &event) < 0)
		return false;
	one->watched = events;
	return true;
}

short coroutine_poll(int fd, short events, int64_t until_ms)
{
	struct coroutine *one = running;

	if (one->fd != fd)
		coroutine_forget(one->fd);
	one->fd = fd;
	one->got = 0;
	if (!coroutine_watch(one, fd, events)) {
		int error = errno;
		shutdown(fd, SHUT_RDWR);
		errno = error;
		return events;
	}
	one->events = events;
	begin_wait(one);
	coroutine_suspend(one, until_ms);
	one->events = 0;
	return one->got;
}

/* False where a signal has taken it out. */
static bool leave_condition(struct coroutine_condition *condition, struct coroutine *one)
{
	struct coroutine **at = &condition->first, *before = NULL;

	if (!one->condition)
		return false;
	for (; *at != one; at = &(*at)->next_waiting)
		before = *at;
	*at = one->next_waiting;
	if (condition->last == one)
		condition->last = before;
	one->condition = NULL;
	return true;
}

bool coroutine_wait(struct coroutine_condition *condition, pthread_mutex_t *lock, int64_t until_ms)
{
	struct coroutine *one = running;

	one->condition = condition;
	one->next_waiting = NULL;
	*(condition->last ? &condition->last->next_waiting : &condition->first) = one;
	condition->last = one;
	begin_wait(one);
	pthread_mutex_unlock(lock);
	coroutine_suspend(one, until_ms);
	pthread_mutex_lock(lock);
	return !leave_condition(condition, one);
}

void coroutine_signal(struct coroutine_condition *condition)
{
	struct coroutine *one = condition->first;

	if (!one)
		return;
	(void)leave_condition(condition, one);
	pthread_mutex_lock(&one->all->lock);
	coroutine_make_ready(one);
	pthread_mutex_unlock(&one->all->lock);
}

void coroutine_broadcast(struct coroutine_condition *condition)
{
	while (condition->first)
		coroutine_signal(condition);
}

/* ---- aside ---- */

struct aside {
	void (*run)(void *arg);
	void *arg;
	pthread_mutex_t lock;
	struct coroutine_condition returned;
	bool done;
};

static void *aside_main(void *arg)
{
	struct aside *aside = arg;

	aside->run(aside->arg);
	pthread_mutex_lock(&aside->lock);
	aside->done = true;
	coroutine_signal(&aside->returned);
	pthread_mutex_unlock(&aside->lock);
	return NULL;
}

void coroutine_aside(void (*run)(void *arg), void *arg)
{
	struct aside aside = {.run = run, .arg = arg};
	pthread_t thread;

	pthread_mutex_init(&aside.lock, NULL);
	if (pthread_create(&thread, NULL, aside_main, &aside) != 0) {
		run(arg);
		pthread_mutex_destroy(&aside.lock);
		return;
	}
	pthread_mutex_lock(&aside.lock);
	while (!aside.done)
		(void)coroutine_wait(&aside.returned, &aside.lock, CLOCK_NEVER_MS);
	pthread_mutex_unlock(&aside.lock);
	pthread_join(thread, NULL);
	pthread_mutex_destroy(&aside.lock);
}

/* ---- what belongs to one ---- */

void coroutine_keep(void *own)
{
	running->own = own;
}

void *coroutine_kept(void)
{
	return running ? running->own : NULL;
}
