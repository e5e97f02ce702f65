/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_OFFICE_CHORE_THREAD_H
#define DISPATCHD_OFFICE_CHORE_THREAD_H

#include "engine/engine.h"
#include "engine/office_writer.h"

/*
 * The thread that writes customers.db for the engine (invariant 6): one batch of chores at a time, so
 * that an import's lock holds nothing but this. Called from the engine's thread only.
 */
struct chore_thread;
typedef void chore_wake(void *arg); /* from the chores' thread: results are there */

/* `path`, of customers.db, is copied. Never NULL. */
struct chore_thread *chore_thread_start(const char *path, const char *spool_path, chore_wake *wake,
                                        void *arg);
bool chore_thread_idle(struct chore_thread *thread); /* a batch may be given */
void chore_thread_give(struct chore_thread *thread, const struct spool_chore *rows, size_t n); /* copied */

/* The finished batch's results, NULL while there is none; free() them. The thread is idle then. */
struct chore_result *chore_thread_take(struct chore_thread *thread, size_t *ret_n);
/* From any thread: whether customers.db could be written the last time; else what was wrong. */
bool chore_thread_well(struct chore_thread *thread, struct error *ret);
/* A batch under way is finished or given up. One that hangs in the disk is left behind after some seconds.
 * Takes NULL; returns NULL. */
struct chore_thread *chore_thread_stop(struct chore_thread *thread);

#endif
