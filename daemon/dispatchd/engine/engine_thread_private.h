/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_ENGINE_ENGINE_THREAD_PRIVATE_H
#define DISPATCHD_ENGINE_ENGINE_THREAD_PRIVATE_H

/*
 * For engine_*.c only. While a turn commits, the next batch gathers in the queues by itself: group
 * commit without a timer. A turn that fails keeps its input and is tried again, so that nothing is
 * acknowledged that is not on disk; only its commands are refused, since clients wait for their
 * answers.
 *
 *   dispatchd/engine/engine_thread.c  the loop's side, start and stop
 *   dispatchd/engine/engine_input.c   what a turn is given: struct turn_input
 *   dispatchd/engine/engine_turns.c   turns, and waiting for the next one
 *   dispatchd/engine/engine_output.c  what a turn gave: struct turn_output
 *   dispatchd/engine/engine_metrics.c what it shows of itself
 *
 * The lock guards what the struct lists under it; the engine itself is touched by its thread alone.
 */
#include "dispatchd/engine/engine_thread.h"
#include "dispatchd/mailer/pool.h"
#include "dispatchd/office/office_thread.h"
#include "engine/engine.h"
#include "engine/stats.h"

#include <pthread.h>

enum {
	ENTRIES_A_TURN = 2048,
	BYTES_A_TURN = 2 << 20, /* of entries; one intake more may come */
	RESULTS_A_TURN = 1024,
	ROOM_A_TURN = 512,     /* mails to the mailers */
	ROOM_WAIT_MS = 250,    /* how long events wait for room with the mailers, */
	ROOM_WAIT_MAILS = 256, /* unless so many mails go in that time, and */
	ROOM_WAIT_LEFT = 4096, /* no more than these wait in the spool for the same room */
};

struct engine_thread {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t come;
	engine_wake *wake;
	void *arg;

	/* under the lock: in */
	struct intake *intakes, **intakes_last;
	struct command *commands, **commands_last;
	const struct settings *reload, *settings; /* to be used from the next turn on; in use */
	struct templates *templates;              /* the same: a reference; NULL: no new ones */
	struct pool *new_pool;                    /* the mailers, from the next turn on */
	struct turn_input coming; /* what the next turn is given of what the loop reports */
	uint64_t taken;           /* what the publications weigh that Redis has, since the start */
	bool nudged, stop, drain;
	bool gathering; /* the thread lets a batch gather: results and events don't wake it, and */
	bool urgent;    /* something came for which it ends that at once */
	int64_t proved_ms;
	int64_t look_ms;    /* how often customers.db and the wall clock are looked at */
	int64_t failing_ms; /* since when turns fail; 0: they don't */
	bool journal_over;  /* the cluster's journal takes no further turn from here */

	/* under the lock: out */
	struct effects *effects, **effects_last;
	bool open, spool_ok;
	bool lacks;               /* not for the spool's sake: customers.db is missing or another */
	struct error shown_fault; /* why not */
	int64_t last_turn_ms, turns;
	struct figures figures;
	char *disks; /* their metrics as of disks_ms; NULL at first */

	/* the thread's own */
	struct engine *engine;
	struct office_thread *office;
	struct pool *pool;
	struct delivery_result *results; /* RESULTS_A_TURN of them, for the turn's input */
	uint64_t handed;                 /* what those publications weigh that the loop was given */
	struct instant next;
	int64_t disks_ms;
	int64_t again_ms;   /* how long to wait after a failed turn; 0: the last one worked */
	struct error fault; /* why the last turn failed, if it did */
	bool more;
	int64_t feed_since_ms; /* since when events wait for the feed; 0: they don't */
	bool waiting_for_feed; /* intakes are there that may not be taken yet */
	int64_t room_since_ms; /* since when events wait for room; 0: they don't */
	uint64_t mails;        /* handed to the mailers, since the start, and */
	uint64_t room_mails;   /* when that wait began */
	bool waiting_for_room; /* as above: events that would only wait in the spool */
};

/* What one turn is given, kept until a turn has worked, and what it is made of. */
struct engine_input {
	struct turn_input turn;
	struct arena *arena; /* of the turn's arrays, but for results */
	const struct entry **entries;
	size_t entries_cap;
	struct intake *intakes; /* those that have gone into turns as a whole, with this one */
	struct command *commands;
	size_t bytes; /* of entries */
	uint64_t taken;
};
void engine_input_take(struct engine_thread *t, struct engine_input *ret);
/* The turn's commands are now those of the list. */
void engine_input_set_commands(struct engine_input *in, struct command *list);
void engine_input_free(struct engine_input *in);
/* Has the engine verify tokens by the keys of [bounce]; none without an address. */
void engine_read_keys(struct engine_thread *t);

/* The turn is on disk: only now may anything of it be seen outside. Takes the effects over. */
void engine_give(struct engine_thread *t, struct engine_input *in, struct effects *effects);
void engine_report_failed(struct engine_thread *t, const struct error *err);
/* Commands of the turn that failed and those that have come since: nothing has happened, and each
 * gets a fault as its reply. */
void engine_refuse(struct engine_thread *t, struct engine_input *in, const struct error *err);
void engine_show_metrics(struct engine_thread *t); /* as they are now */

void *engine_main_loop(void *arg); /* the thread: turns until it has to stop */

#endif
