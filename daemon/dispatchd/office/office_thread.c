/* SPDX-License-Identifier: MIT */
/*
 * The thread that writes customers.db for the engine: takes a batch, carries it out, brings the
 * results back. A locked or broken database only makes it try again later.
 */
#include "dispatchd/office/office_thread.h"

#include "common/clock.h"
#include "dispatchd/sys/log.h"
#include "dispatchd/sys/mono_cond.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum {
	AGAIN_MS = 1000, /* after customers.db was locked or broken */
	END_S = 10,      /* how long the thread may take to end: the wait for a lock is 5 s */
};

enum state { IDLE, GIVEN, DONE };

struct office_thread {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t given;
	char *path, *spool_path; /* of customers.db and of the spool that knows which one */
	office_wake *wake;
	void *arg;
	enum state state;
	int64_t drop, dropped; /* the office's changes that the journal has, and that are gone */
	bool stop;
	atomic_bool ending;           /* the same, for SQLite */
	struct error fault;           /* why customers.db can't be written; code 0: it can */
	struct office_writes *writes; /* the batch */
	struct office_write_result *results;
	size_t n_results;
};

/* Waits a little, or until it is time to stop. */
static bool rest(struct office_thread *t)
{
	int64_t until_ms = clock_tick().ms + AGAIN_MS;
	pthread_mutex_lock(&t->lock);
	if (!t->stop)
		(void)mono_cond_wait(&t->given, &t->lock, until_ms);
	bool stop = t->stop;
	pthread_mutex_unlock(&t->lock);
	return !stop;
}

static void set_fault(struct office_thread *t, const struct error *fault)
{
	pthread_mutex_lock(&t->lock);
	t->fault = *fault;
	pthread_mutex_unlock(&t->lock);
}

static struct office_writer *open_writer(struct office_thread *t, struct error *err)
{
	struct office_writer *writer = office_writer_open(t->path, t->spool_path, err);
	if (writer != NULL)
		office_writer_set_stop(writer, &t->ending);
	return writer;
}

/* Until all rows have a result, however long customers.db is locked. */
static size_t run_batch(struct office_thread *t, struct office_writer **writer)
{
	const struct office_writes *writes = t->writes;
	size_t done = 0;
	struct error err = {0};
	while (done < writes->n) {
		if (*writer == NULL)
			*writer = open_writer(t, &err);
		if (*writer != NULL)
			done += office_writer_run(*writer, writes->rows + done, writes->n - done,
			                          clock_now(), t->results + done, &err);
		if (done == writes->n)
			break;
		if (err.code != EX_TEMPFAIL) /* an import holds the lock for as long as it takes */
			set_fault(t, &err);
		log_fault(LOG_ERR, "customers.db: %s; will retry", err.text);
		*writer = office_writer_close(*writer); /* another file may be there by then */
		if (!rest(t))
			break;
	}
	if (done == writes->n)
		set_fault(t, &(struct error){0});
	return done;
}

/* Which isn't urgent: where it fails, it is done with the next ones. */
static void drop_changes(struct office_thread *t, int64_t upto, struct office_writer **writer)
{
	struct error err;
	if (*writer == NULL)
		*writer = open_writer(t, &err);
	if (*writer != NULL && office_writer_drop(*writer, upto, &err))
		return;
	log_fault(LOG_WARNING, "customers.db: changes that the journal has stay for now: %s",
	          err.text);
	*writer = office_writer_close(*writer);
}

/* Under the lock. */
static bool has_work(const struct office_thread *t)
{
	return t->state == GIVEN || t->drop > t->dropped;
}

static void *main_loop(void *arg)
{
	struct office_thread *t = arg;
	struct office_writer *writer = NULL;
	(void)pthread_setname_np(pthread_self(), "office");
	pthread_mutex_lock(&t->lock);
	for (;;) {
		while (!t->stop && !has_work(t))
			pthread_cond_wait(&t->given, &t->lock);
		if (t->stop)
			break;
		bool given = t->state == GIVEN;
		int64_t drop = t->drop;
		pthread_mutex_unlock(&t->lock);
		size_t n = given ? run_batch(t, &writer) : 0;
		if (drop > t->dropped)
			drop_changes(t, drop, &writer);
		t->dropped = drop;
		pthread_mutex_lock(&t->lock);
		if (!given)
			continue;
		t->n_results = n;
		t->state = DONE;
		t->wake(t->arg);
	}
	pthread_mutex_unlock(&t->lock);
	office_writer_close(writer);
	return NULL;
}

struct office_thread *office_thread_start(const char *path, const char *spool_path,
                                          office_wake *wake, void *arg)
{
	struct office_thread *t = mem_alloc(sizeof *t);
	t->path = mem_strdup(path);
	t->spool_path = mem_strdup(spool_path);
	t->wake = wake;
	t->arg = arg;
	pthread_mutex_init(&t->lock, NULL);
	mono_cond_init(&t->given);
	if (pthread_create(&t->thread, NULL, main_loop, t) != 0)
		bug("can't start the thread for office writes");
	return t;
}

bool office_thread_idle(struct office_thread *t)
{
	pthread_mutex_lock(&t->lock);
	bool idle = t->state == IDLE;
	pthread_mutex_unlock(&t->lock);
	return idle;
}

void office_thread_give(struct office_thread *t, struct office_writes *writes)
{
	pthread_mutex_lock(&t->lock);
	if (t->state != IDLE)
		bug("office writes given while a batch is under way");
	t->writes = writes;
	t->results = mem_alloc(writes->n * sizeof *t->results);
	t->state = GIVEN;
	pthread_cond_signal(&t->given);
	pthread_mutex_unlock(&t->lock);
}

void office_thread_drop(struct office_thread *t, int64_t upto)
{
	pthread_mutex_lock(&t->lock);
	t->drop = upto;
	pthread_cond_signal(&t->given);
	pthread_mutex_unlock(&t->lock);
}

const struct office_write_result *office_thread_take(struct office_thread *t, struct arena *arena,
                                                     size_t *ret_n)
{
	struct office_write_result *results = NULL;
	*ret_n = 0;
	pthread_mutex_lock(&t->lock);
	if (t->state == DONE) {
		*ret_n = t->n_results;
		results = arena_new_array(arena, t->n_results, struct office_write_result);
		memcpy(results, t->results, t->n_results * sizeof *results);
		free(t->results);
		t->results = NULL;
		t->writes = office_writes_free(t->writes);
		t->state = IDLE;
	}
	pthread_mutex_unlock(&t->lock);
	return results;
}

bool office_thread_well(struct office_thread *t, struct error *ret)
{
	pthread_mutex_lock(&t->lock);
	*ret = t->fault;
	pthread_mutex_unlock(&t->lock);
	return ret->code == 0;
}

/* False where it doesn't end: it is left behind with all that it may still touch. */
static bool join(struct office_thread *t)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += END_S;
	if (pthread_clockjoin_np(t->thread, NULL, CLOCK_MONOTONIC, &until) == 0)
		return true;
	log_write(LOG_ERR,
	          "customers.db: the writer hangs and is abandoned; its work is in the spool");
	return false;
}

struct office_thread *office_thread_stop(struct office_thread *t)
{
	if (t == NULL)
		return NULL;
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	atomic_store(&t->ending, true);
	pthread_cond_signal(&t->given);
	pthread_mutex_unlock(&t->lock);
	if (!join(t))
		return NULL;
	office_writes_free(t->writes);
	free(t->results);
	free(t->path);
	free(t->spool_path);
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->given);
	free(t);
	return NULL;
}
