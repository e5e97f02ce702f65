/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_OFFICE_OFFICE_THREAD_H
#define DISPATCHD_OFFICE_OFFICE_THREAD_H

#include "base/mem.h"
#include "engine/office_writer.h"
#include "engine/turn_output.h"

/*
 * The thread that writes customers.db for the engine (invariant 6): one batch of office writes at a
 * time, so that an import's lock holds nothing but this. Called from the engine's thread only.
 */
struct office_thread;
typedef void office_wake(void *arg); /* from the office's thread: results are there */

/* `path`, of customers.db, is copied. Never NULL. */
struct office_thread *office_thread_start(const char *path, const char *spool_path,
                                          office_wake *wake, void *arg);
bool office_thread_idle(struct office_thread *thread); /* a batch may be given */
/* Takes the batch over. */
void office_thread_give(struct office_thread *thread, struct office_writes *writes);

/* The journal of a cluster has the office's changes up to that one: they go some time. */
void office_thread_drop(struct office_thread *thread, int64_t upto);

/* The finished batch's results, in the arena; NULL while there is none. The thread is idle then. */
const struct office_write_result *office_thread_take(struct office_thread *thread,
                                                     struct arena *arena, size_t *ret_n);
/* From any thread: whether customers.db could be written the last time; else what was wrong. */
bool office_thread_well(struct office_thread *thread, struct error *ret);
/* A batch under way is finished or given up. One that hangs in the disk is left behind after some
 * seconds. Takes NULL; returns NULL. */
struct office_thread *office_thread_stop(struct office_thread *thread);

#endif
