/* SPDX-License-Identifier: MIT */
/* The owner's entries on their way into the journal: tried until it has them or the lease is lost.
 */
#include "dispatchd/cluster/journal_writer.h"

#include "base/mem.h"
#include "dispatchd/cluster/journal_tail.h"
#include "dispatchd/cluster/request.h"
#include "dispatchd/sys/lease_clock.h"
#include "dispatchd/sys/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

enum { AGAIN_MS = 100 };

struct journal_writer {
	const struct member *member;
	struct lease *lease;
	struct sync *redis; /* NULL: not connected */
	struct journal_tail tail;
	atomic_bool stop, waits;
};

struct journal_writer *journal_writer_new(const struct member *member, struct lease *lease)
{
	struct journal_writer *writer = mem_alloc(sizeof *writer);
	writer->member = member;
	writer->lease = lease;
	return writer;
}

struct journal_writer *journal_writer_free(struct journal_writer *writer)
{
	if (!writer)
		return NULL;
	sync_close(writer->redis);
	journal_tail_clear(&writer->tail);
	free(writer);
	return NULL;
}

void journal_writer_stop(struct journal_writer *writer)
{
	atomic_store(&writer->stop, true);
}

bool journal_writer_waits(struct journal_writer *writer)
{
	return atomic_load(&writer->waits);
}

static bool is_over(struct journal_writer *writer, struct error *err)
{
	struct error why = {0};
	if (lease_is_lost(writer->lease, &why))
		return !error_set(err, EX_TEMPFAIL, "the cluster's lease was lost: %s", why.text);
	if (atomic_load(&writer->stop))
		return !error_set(err, EX_TEMPFAIL, "the journal is closed");
	return false;
}

static enum appended try_once(struct journal_writer *writer, const struct journal_position *before,
                              const struct journal_entry *entry, struct error *err)
{
	int patience_ms = (int)(writer->member->lease_ms / 3);
	if (!writer->redis)
		writer->redis = sync_open(writer->member->settings, patience_ms, err);
	if (!writer->redis)
		return APPEND_FAILED;
	enum appended is = request_append(writer->redis, writer->member, lease_ours(writer->lease),
	                                  lease_wait(writer->lease), before, entry, err);
	if (is == APPEND_FAILED)
		writer->redis = sync_close(writer->redis);
	return is;
}

/* Once Redis has said that the lease isn't ours, the thread that renews it finds out, too. */
static void pause_before_next_try(void)
{
	const struct timespec pause = {.tv_nsec = AGAIN_MS * 1000000L};
	(void)nanosleep(&pause, NULL);
}

/* Until the journal has it for good, or it never will. */
static enum appended try_on(struct journal_writer *writer, const struct journal_position *before,
                            const struct journal_entry *entry, struct error *err)
{
	while (!is_over(writer, err)) {
		struct error fault = {0};
		enum appended is = try_once(writer, before, entry, &fault);
		if (is == APPENDED || is == APPEND_BEFORE)
			return is;
		if (is == APPEND_BEHIND) {
			error_set(err, EX_TEMPFAIL,
			          "the journal has another entry %" PRId64 " than ours",
			          entry->number);
			return is;
		}
		if (is == APPEND_FAILED)
			log_fault(LOG_WARNING, "the journal can't be written: %s", fault.text);
		atomic_store(&writer->waits, true);
		pause_before_next_try();
	}
	return APPEND_LOST;
}

/* ---- a journal that has lost its end, which only Redis itself can have done ---- */

/* The end can't be had back: a fence behind what we have on disk goes on, and members who have as
 * much follow. */
static bool bridge(struct journal_writer *writer, struct journal_position *before,
                   const struct journal_entry *entry, struct error *err)
{
	struct journal_entry fence = {.kind = JOURNAL_FENCE,
	                              .epoch = entry->epoch,
	                              .spool = entry->spool,
	                              .customers = entry->customers};
	journal_seal(&writer->member->key, before, &fence);
	log_fault(
	        LOG_ERR,
	        "Redis has lost the end of the journal: it goes on behind a gap, and standbys that "
	        "were behind have to be seeded again number=%" PRId64,
	        before->number);
	if (try_on(writer, before, &fence, err) != APPENDED)
		return false;
	journal_tail_keep(&writer->tail, before, &fence);
	*before = journal_behind(&fence);
	return true;
}

/* All that is behind the journal's last entry. True also where that is lost once more: then it is
 * begun again. */
static bool append_again(struct journal_writer *writer, const struct kept_entry *kept,
                         struct error *err)
{
	enum appended is = APPENDED;
	log_fault(LOG_NOTICE,
	          "Redis has lost the end of the journal: it is appended again number=%" PRId64,
	          kept->before.number);
	for (; kept != NULL && is == APPENDED; kept = kept->next)
		is = try_on(writer, &kept->before, &kept->entry, err);
	return is == APPENDED || is == APPEND_BEFORE;
}

/* True where the entry behind `before`, which may be another then, is to be tried again. */
static bool mend_end(struct journal_writer *writer, struct journal_position *before,
                     const struct journal_entry *entry, struct error *err)
{
	struct journal_ends ends;
	struct error fault;
	if (!request_ends(writer->redis, writer->member, &ends, &fault)) {
		writer->redis = sync_close(writer->redis);
		return true;
	}
	const struct kept_entry *kept = journal_tail_behind(&writer->tail, &ends.last);
	return kept ? append_again(writer, kept, err) : bridge(writer, before, entry, err);
}

bool journal_writer_append(void *arg, const struct journal_position *before,
                           struct journal_entry *entry, struct error *err)
{
	struct journal_writer *writer = arg;
	struct journal_position behind = *before;
	enum appended is;
	entry->epoch = lease_ours(writer->lease)->epoch;
	do {
		journal_seal(&writer->member->key, &behind, entry);
		is = try_on(writer, &behind, entry, err);
	} while (is == APPEND_BEFORE && mend_end(writer, &behind, entry, err));
	if (is == APPENDED)
		journal_tail_keep(&writer->tail, &behind, entry);
	atomic_store(&writer->waits, false);
	return is == APPENDED;
}
