/* SPDX-License-Identifier: MIT */
/*
 * SIGTERM and SIGINT end the loop, the second one at once; SIGHUP reloads. From main()'s first
 * moment to its last none of them is lost or ends the program with a fault.
 */
#include "dispatchd/loop/loop_private.h"
#include "dispatchd/sys/log.h"

#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

static void on_end_signal(evutil_socket_t number, short what, void *arg)
{
	struct loop *loop = arg;
	(void)what;
	if (!loop->view.stopping) {
		loop_start_stop(loop, number == SIGINT ? "INT" : "TERM");
		return;
	}
	log_write(LOG_WARNING, "second signal: stopping at once");
	loop_stop_at_once(loop);
}

static void on_hup(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	loop_start_reload(arg);
}

static const struct {
	int number;
	event_callback_fn handle;
} signal_rows[LOOP_SIGNALS] = {
        {.number = SIGTERM, .handle = on_end_signal},
        {.number = SIGINT, .handle = on_end_signal},
        {.number = SIGHUP, .handle = on_hup},
};

void loop_signal_set(sigset_t *ret)
{
	sigemptyset(ret);
	for (size_t i = 0; i < LOOP_SIGNALS; i++)
		sigaddset(ret, signal_rows[i].number);
}

static void mask_signals(int how)
{
	sigset_t ours;
	loop_signal_set(&ours);
	pthread_sigmask(how, &ours, NULL);
}

void loop_hold_signals(void)
{
	mask_signals(SIG_BLOCK);
}

void loop_take_signals(struct loop *loop)
{
	for (size_t i = 0; i < LOOP_SIGNALS; i++) {
		loop->signals[i] = evsignal_new(loop->base, signal_rows[i].number,
		                                signal_rows[i].handle, loop);
		event_add(loop->signals[i], NULL);
	}
	mask_signals(SIG_UNBLOCK); /* for this thread; the others were started before */
}

/* What matters is on disk: whoever can't wait for threads to end need not. */
static void on_late_signal(int number)
{
	(void)number;
	_exit(EX_OK);
}

/* The loop doesn't run anymore, so that nobody would hear of a signal; and its default would be an
 * end with a fault. */
void loop_end_signals(struct loop *loop)
{
	if (!loop->signals[0])
		return;
	mask_signals(SIG_BLOCK);
	for (size_t i = 0; i < LOOP_SIGNALS; i++) {
		event_free(loop->signals[i]);
		(void)signal(signal_rows[i].number,
		             signal_rows[i].handle == on_end_signal ? on_late_signal : SIG_IGN);
	}
	mask_signals(SIG_UNBLOCK);
}
