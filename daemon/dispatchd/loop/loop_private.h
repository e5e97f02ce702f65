/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_LOOP_LOOP_PRIVATE_H
#define DISPATCHD_LOOP_LOOP_PRIVATE_H

/*
 * For loop*.c only.
 *
 *   loop.c          start, the turn, the end
 *   loop_signals.c  which signals are ours, and when they are heard
 *   loop_reload.c   new settings while it runs
 *   loop_stop.c     the way to the end, step by step
 *   loop_wake.c     asks for a turn
 *
 * loop.c knows the others; of them signals and reload know the stop, and all may wake the loop. All
 * of it runs in the loop's thread, but for what says otherwise.
 */
#include "base/instant.h"
#include "dispatchd/loop/loop.h"
#include "dispatchd/loop/relays.h"
#include "dispatchd/sys/daemon_view.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The way to the end. Each step ends by its condition or when its time is over. */
enum stop_step {
	STOP_NOT,     /* runs */
	STOP_MAILS,   /* no more events; mails in flight finish */
	STOP_RESULTS, /* the engine writes down what became of them */
	STOP_FLUSH,   /* Redis gets acknowledgements and outcomes */
	STOP_DONE,
};

enum { LOOP_SIGNALS = 3 };

struct retired; /* settings that a reload has replaced */

struct loop {
	struct event_base *base;
	struct settings *settings;
	struct templates *templates;
	struct retired *retired;
	struct daemon_view view;
	struct http_server *http;
	struct control *control;
	struct report_socket *report;
	struct clock_watch *clock;
	struct reload *reload;
	struct relays relays;
	bool reload_again; /* another SIGHUP came meanwhile */
	struct event *turn, *tick, *soon, *watchdog, *signals[LOOP_SIGNALS];
	enum stop_step stop;
	struct tick stop_until; /* of this step */
	int64_t stop_turns;     /* that the engine had made when it began */
	bool stop_at_once;      /* a second signal */
	bool lost;              /* the cluster's lease was */
};

/* Asks for a turn. From any thread; the argument is the loop. */
void loop_wake(void *loop);

/* Hears signals from now on, in this thread. */
void loop_take_signals(struct loop *loop);
/* The loop runs no more: a late signal ends the program at once and without fault. Does nothing
 * where none were taken. */
void loop_end_signals(struct loop *loop);

/* Reads the configuration again, in a thread. One more reload requested meanwhile follows. */
void loop_start_reload(void *loop);
/* Frees settings replaced so long ago that no thread reads them anymore. */
void loop_free_retired(struct loop *loop, int64_t older_than_ms);

/* `signal`: its name, for the log. */
void loop_start_stop(struct loop *loop, const char *signal);
/* Each turn: takes the step that is due, the last of which breaks the loop. Does nothing while it
 * runs on. */
void loop_go_on_stopping(struct loop *loop);
/* At the next turn, whatever is under way. */
void loop_stop_at_once(struct loop *loop);

#endif
