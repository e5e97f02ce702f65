/* SPDX-License-Identifier: MIT */
/* Coroutines of one thread: who goes on when, what wakes them, and that one that waits holds up no
 * other. */
#include "dispatchd/mailer/coroutine.h"

#include "base/jsontext.h"
#include "base/jsonview.h"
#include "base/mem.h"
#include "common/clock_ms.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { LONG_MS = 60 * 1000 };

/* What a test's coroutines share. */
struct shared {
	struct coroutines *all;
	pthread_mutex_t lock;
	struct coroutine_condition condition, other;
	int pair[2];
	sem_t posted;
	char said[256];
};

static int setup(void **state)
{
	static struct shared shared;

	shared = (struct shared){.lock = PTHREAD_MUTEX_INITIALIZER};
	shared.all = coroutines_new();
	assert_non_null(shared.all);
	sem_init(&shared.posted, 0, 0);
	*state = &shared;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, shared.pair);
}

static int teardown(void **state)
{
	struct shared *shared = *state;

	coroutines_free(shared->all);
	sem_destroy(&shared->posted);
	close(shared->pair[0]);
	close(shared->pair[1]);
	return 0;
}

static void say(struct shared *shared, const char *what)
{
	size_t used = strlen(shared->said);

	snprintf(shared->said + used, sizeof shared->said - used, "%s%s", used ? " " : "", what);
}

static void add(struct shared *shared, void (*run)(void *arg))
{
	assert_true(coroutines_add(shared->all, run, shared));
}

/* Whether somebody has signaled within `ms`. */
static bool wait_here(struct shared *shared, struct coroutine_condition *condition, int64_t ms)
{
	pthread_mutex_lock(&shared->lock);
	bool signaled = coroutine_wait(condition, &shared->lock, clock_mono_ms() + ms);
	pthread_mutex_unlock(&shared->lock);
	return signaled;
}

static void signal_here(struct shared *shared, struct coroutine_condition *condition)
{
	pthread_mutex_lock(&shared->lock);
	coroutine_signal(condition);
	pthread_mutex_unlock(&shared->lock);
}

/* ---- conditions ---- */

static void first_waiter(void *arg)
{
	say(arg, "a");
	say(arg, wait_here(arg, &((struct shared *)arg)->condition, LONG_MS) ? "A" : "late");
}

static void second_waiter(void *arg)
{
	say(arg, "b");
	say(arg, wait_here(arg, &((struct shared *)arg)->condition, LONG_MS) ? "B" : "late");
}

static void signaler(void *arg)
{
	struct shared *shared = arg;

	say(shared, "c");
	signal_here(shared, &shared->condition);
	say(shared, "d");
	signal_here(shared, &shared->condition);
	signal_here(shared, &shared->condition); /* lost */
}

static void test_signals_go_to_the_one_that_has_waited_longest(void **state)
{
	struct shared *shared = *state;

	add(shared, first_waiter);
	add(shared, second_waiter);
	add(shared, signaler);
	coroutines_run(shared->all);
	assert_string_equal(shared->said, "a b c d A B");
	assert_null(shared->condition.first);
	assert_null(shared->condition.last);
}

static void broadcaster(void *arg)
{
	struct shared *shared = arg;

	pthread_mutex_lock(&shared->lock);
	coroutine_broadcast(&shared->condition);
	pthread_mutex_unlock(&shared->lock);
}

static void test_a_broadcast_wakes_all(void **state)
{
	struct shared *shared = *state;

	add(shared, second_waiter);
	add(shared, first_waiter);
	add(shared, broadcaster);
	coroutines_run(shared->all);
	assert_string_equal(shared->said, "b a B A");
}

static void impatient(void *arg)
{
	struct shared *shared = arg;

	errno = EAGAIN;
	say(shared, wait_here(shared, &shared->condition, 20) ? "signaled" : "late");
	assert_int_equal(errno, 0);
}

/* Waits on its own until the others have given up, then signals. */
static void late_signaler(void *arg)
{
	struct shared *shared = arg;

	while (strcmp(shared->said, "a late late") != 0)
		(void)wait_here(shared, &shared->other, 5);
	signal_here(shared, &shared->condition);
}

/* Whoever gave up has left the line, and the one between them is still in it. */
static void test_a_wait_ends_with_its_time(void **state)
{
	struct shared *shared = *state;

	add(shared, impatient);
	add(shared, first_waiter);
	add(shared, impatient);
	add(shared, late_signaler);
	coroutines_run(shared->all);
	assert_string_equal(shared->said, "a late late A");
	assert_null(shared->condition.first);
	assert_null(shared->condition.last);
}

static void *signal_when_posted(void *arg)
{
	struct shared *shared = arg;

	sem_wait(&shared->posted);
	signal_here(shared, &shared->condition);
	return NULL;
}

static void post_and_wait(void *arg)
{
	struct shared *shared = arg;

	pthread_mutex_lock(&shared->lock);
	sem_post(&shared->posted); /* the other thread signals once we wait: it needs the lock */
	bool signaled = coroutine_wait(&shared->condition, &shared->lock, CLOCK_NEVER_MS);
	pthread_mutex_unlock(&shared->lock);
	say(shared, signaled ? "signaled" : "late");
}

static void test_another_thread_signals(void **state)
{
	struct shared *shared = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, signal_when_posted, shared), 0);
	add(shared, post_and_wait);
	coroutines_run(shared->all);
	pthread_join(thread, NULL);
	assert_string_equal(shared->said, "signaled");
}

static void *add_when_posted(void *arg)
{
	struct shared *shared = arg;

	sem_wait(&shared->posted);
	add(shared, signaler);
	return NULL;
}

static void test_another_thread_adds_one(void **state)
{
	struct shared *shared = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, add_when_posted, shared), 0);
	add(shared, post_and_wait);
	coroutines_run(shared->all);
	pthread_join(thread, NULL);
	assert_string_equal(shared->said, "c d signaled");
}

/* ---- sockets ---- */

static void reader(void *arg)
{
	struct shared *shared = arg;
	char byte = '?', text[2] = "";

	assert_int_equal(coroutine_poll(shared->pair[0], POLLIN, clock_mono_ms() + LONG_MS),
	                 POLLIN);
	assert_int_equal(read(shared->pair[0], &byte, 1), 1);
	text[0] = byte;
	say(shared, text);
}

static void writer(void *arg)
{
	struct shared *shared = arg;

	say(shared, "write");
	assert_int_equal(write(shared->pair[1], "x", 1), 1);
}

static void test_a_socket_is_waited_for(void **state)
{
	struct shared *shared = *state;

	add(shared, reader);
	add(shared, writer);
	coroutines_run(shared->all);
	assert_string_equal(shared->said, "write x");
}

static void disappointed_reader(void *arg)
{
	struct shared *shared = arg;

	assert_int_equal(coroutine_poll(shared->pair[0], POLLIN, clock_mono_ms() + 20), 0);
	say(shared, "nothing");
}

static void test_a_socket_may_be_silent(void **state)
{
	struct shared *shared = *state;

	add(shared, disappointed_reader);
	coroutines_run(shared->all);
	assert_string_equal(shared->said, "nothing");
}

static void eof_reader(void *arg)
{
	struct shared *shared = arg;
	char byte;

	assert_int_equal(coroutine_poll(shared->pair[0], POLLIN, CLOCK_NEVER_MS), POLLIN);
	assert_int_equal(read(shared->pair[0], &byte, 1), 0);
	say(shared, "end");
}

static void test_the_end_of_a_connection_is_an_event(void **state)
{
	struct shared *shared = *state;

	close(shared->pair[1]);
	shared->pair[1] = -1;
	add(shared, eof_reader);
	coroutines_run(shared->all);
	assert_string_equal(shared->said, "end");
}

/* It waits for something else while a byte comes in, which is there afterwards. */
static void distracted_reader(void *arg)
{
	struct shared *shared = arg;

	assert_int_equal(coroutine_poll(shared->pair[0], POLLIN, clock_mono_ms()), 0);
	assert_int_equal(write(shared->pair[1], "y", 1), 1);
	assert_false(wait_here(shared, &shared->condition, 20));
	reader(shared);
}

static void test_what_comes_at_another_time_is_kept(void **state)
{
	struct shared *shared = *state;

	add(shared, distracted_reader);
	coroutines_run(shared->all);
	assert_string_equal(shared->said, "y");
}

/* The second connection may have the number of the first. */
static void reader_of_two(void *arg)
{
	struct shared *shared = arg;

	assert_int_equal(write(shared->pair[1], "1", 1), 1);
	reader(shared);
	coroutine_forget(shared->pair[0]);
	close(shared->pair[0]);
	close(shared->pair[1]);
	assert_int_equal(
	        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, shared->pair),
	        0);
	assert_int_equal(coroutine_poll(shared->pair[0], POLLOUT, CLOCK_NEVER_MS), POLLOUT);
	assert_int_equal(write(shared->pair[1], "2", 1), 1);
	reader(shared);
}

static void test_a_socket_may_follow_another(void **state)
{
	struct shared *shared = *state;

	add(shared, reader_of_two);
	coroutines_run(shared->all);
	assert_string_equal(shared->said, "1 2");
}

/* ---- aside ---- */

static void block_until_posted(void *arg)
{
	sem_wait(&((struct shared *)arg)->posted);
	say(arg, "unblocked");
}

static void goes_aside(void *arg)
{
	say(arg, "aside");
	coroutine_aside(block_until_posted, arg);
	say(arg, "back");
}

static void poster(void *arg)
{
	say(arg, "post");
	sem_post(&((struct shared *)arg)->posted);
}

static void test_what_blocks_aside_holds_up_nobody(void **state)
{
	struct shared *shared = *state;

	add(shared, goes_aside);
	add(shared, poster);
	coroutines_run(shared->all);
	assert_string_equal(shared->said, "aside post unblocked back");
}

/* ---- each for itself ---- */

static void keeper(void *arg)
{
	int own;

	assert_null(coroutine_kept());
	coroutine_keep(&own);
	assert_false(wait_here(arg, &((struct shared *)arg)->condition, 1));
	assert_ptr_equal(coroutine_kept(), &own);
}

static void test_each_keeps_its_own(void **state)
{
	struct shared *shared = *state;

	add(shared, keeper);
	add(shared, keeper);
	coroutines_run(shared->all);
	assert_null(coroutine_kept());
}

/* What a template sees is JSON, and both readers of it recurse. */
static void read_deep_json(void *arg)
{
	enum { DEPTH = 2040 };
	struct arena *arena = arena_new();
	char text[2 * DEPTH + 1];
	struct error err;

	memset(text, '[', DEPTH);
	memset(text + DEPTH, ']', DEPTH);
	text[2 * DEPTH] = '\0';
	json_t *json = jsontext_read(text, strlen(text), &err);
	assert_non_null(json);
	json_decref(json);
	assert_non_null(jsonview_read(arena, text, strlen(text), &err));
	arena_free(arena);
	say(arg, "read");
}

static void test_stacks_are_deep_enough(void **state)
{
	struct shared *shared = *state;

	add(shared, read_deep_json);
	add(shared, read_deep_json);
	coroutines_run(shared->all);
	assert_string_equal(shared->said, "read read");
}

/* Those that never began are given back with the rest. */
static void test_none_has_to_run(void **state)
{
	add(*state, first_waiter);
	add(*state, second_waiter);
}

static void test_no_descriptor_is_no_crash(void **state)
{
	struct rlimit before, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	int next = dup(0); /* the first that is free */
	close(next);
	for (int more = 0; more < 2; more++) {
		none.rlim_cur = (rlim_t)(next + more);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		struct coroutines *all = coroutines_new();
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_null(all);
	}
	assert_int_equal(dup(0), next); /* none was left open */
	close(next);
}

/* ---- a time-out and a signal at a time ---- */

/* Holds the lock until the other's time is over, so that it is signaled while it takes the lock. */
static void *late_signal(void *arg)
{
	struct shared *shared = arg;

	pthread_mutex_lock(&shared->lock);
	usleep(100 * 1000);
	coroutine_signal(&shared->condition);
	pthread_mutex_unlock(&shared->lock);
	return NULL;
}

/* Waits for less time than the signal takes; the thread that will send it. */
static pthread_t wait_for_a_late_signal(struct shared *shared)
{
	pthread_t thread;

	pthread_mutex_lock(&shared->lock);
	assert_int_equal(pthread_create(&thread, NULL, late_signal, shared), 0);
	(void)coroutine_wait(&shared->condition, &shared->lock, clock_mono_ms() + 20);
	pthread_mutex_unlock(&shared->lock);
	return thread;
}

static void waits_then_polls(void *arg)
{
	struct shared *shared = arg;
	pthread_t thread = wait_for_a_late_signal(shared);

	int64_t until_ms = clock_mono_ms() + 200;
	assert_int_equal(coroutine_poll(shared->pair[0], POLLIN, until_ms), 0);
	if (clock_mono_ms() < until_ms)
		say(shared, "early");
	pthread_join(thread, NULL);
}

static void waits_then_ends(void *arg)
{
	struct shared *shared = arg;
	pthread_t thread = wait_for_a_late_signal(shared);

	pthread_join(thread, NULL);
}

/* The signal was for that wait: it neither ends the next one nor wakes one that has ended. */
static void test_a_signal_after_the_time_ends_no_later_wait(void **state)
{
	struct shared *shared = *state;

	add(shared, waits_then_polls);
	coroutines_run(shared->all);
	assert_string_equal(shared->said, "");
	add(shared, waits_then_ends);
	coroutines_run(shared->all);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
	        CASE(test_signals_go_to_the_one_that_has_waited_longest),
	        CASE(test_a_broadcast_wakes_all),
	        CASE(test_a_wait_ends_with_its_time),
	        CASE(test_another_thread_signals),
	        CASE(test_a_signal_after_the_time_ends_no_later_wait),
	        CASE(test_another_thread_adds_one),
	        CASE(test_a_socket_is_waited_for),
	        CASE(test_a_socket_may_be_silent),
	        CASE(test_the_end_of_a_connection_is_an_event),
	        CASE(test_what_comes_at_another_time_is_kept),
	        CASE(test_a_socket_may_follow_another),
	        CASE(test_what_blocks_aside_holds_up_nobody),
	        CASE(test_each_keeps_its_own),
	        CASE(test_stacks_are_deep_enough),
	        CASE(test_none_has_to_run),
	        CASE(test_no_descriptor_is_no_crash),
	};
#undef CASE
	return cmocka_run_group_tests(tests, NULL, NULL);
}
