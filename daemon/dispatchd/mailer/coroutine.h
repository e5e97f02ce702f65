/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_COROUTINE_H
#define DISPATCHD_MAILER_COROUTINE_H

#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Many connections on one thread. Each is a coroutine: code that reads as if it blocked, on a stack
 * of its own, which runs until it waits for a socket, a condition, a time, or something that is
 * done aside. Then the thread goes on with the next that has what it waited for; while none has, it
 * sleeps in epoll_wait(), which a whole batch of them shares.
 *
 *   coroutines_add() ──▶ ready ───────▶ running ──▶ ended
 *                          ▲               │
 *     socket ready,        │               ▼
 *     signal, time over    └─────────── waiting
 *
 * A coroutine stays on its thread for good. What is thread-local belongs to all of them, and is not
 * what it was after a wait (errno is 0 then). A lock is never held across a wait, but the one that
 * coroutine_wait() releases. Whatever else blocks, blocks them all.
 *
 * What waits is called by coroutines alone; what adds or signals, by any thread.
 */
struct coroutine;
struct coroutines; /* those of one thread */

/* Takes two descriptors; NULL where there are none. */
struct coroutines *coroutines_new(void) MUST_CHECK;
/* When no thread uses the set anymore; coroutines that have not ended are dropped. Takes NULL;
 * returns NULL. */
struct coroutines *coroutines_free(struct coroutines *all);

/* Another one, which calls `run`. False for lack of memory. */
bool coroutines_add(struct coroutines *all, void (*run)(void *arg), void *arg);
/* On the thread that is theirs: returns when all have ended. */
void coroutines_run(struct coroutines *all);

/* Waits for one of poll()'s `events` on a socket. Returns which; where the socket has failed all of
 * them; 0 where none came by `until_ms` (monotonic; CLOCK_NEVER_MS: ever). A socket that the kernel
 * can't watch for lack of memory is shut down, and so has failed: errno says why then, and is 0
 * else. */
short coroutine_poll(int fd, short events, int64_t until_ms);
/* Before a socket is closed that this coroutine has waited for. */
void coroutine_forget(int fd);

/*
 * A condition like pthread_cond_t; `{0}` to begin with. It is used with the lock held that goes
 * with it, which a wait releases meanwhile. A signal is for the one that has waited longest, and is
 * lost if none waits.
 */
struct coroutine_condition {
	struct coroutine *first, *last;
};
/* False: nobody has signaled by `until_ms`. */
bool coroutine_wait(struct coroutine_condition *condition, pthread_mutex_t *lock, int64_t until_ms);
void coroutine_signal(struct coroutine_condition *condition);
void coroutine_broadcast(struct coroutine_condition *condition);

/* Has a thread of its own call `run`, which may block, and waits until it returns. Where no thread
 * can be started, all wait for it. */
void coroutine_aside(void (*run)(void *arg), void *arg);

/* Something of the caller's that belongs to this coroutine; NULL for none, as to begin with, and
 * where no coroutine calls. */
void coroutine_keep(void *own);
void *coroutine_kept(void);

#endif
