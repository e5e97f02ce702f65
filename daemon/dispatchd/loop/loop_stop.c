/* SPDX-License-Identifier: MIT */
/*
 * The way to the end: no more events, mails in flight finish, the engine records the results, Redis
 * gets the outcomes. Each step has its time; one that doesn't end in it is left behind, and what it
 * did not get done is still on disk.
 */
#include "common/clock.h"
#include "dispatchd/cluster/cluster.h"
#include "dispatchd/engine/engine_thread.h"
#include "dispatchd/loop/loop_private.h"
#include "dispatchd/mailer/pool.h"
#include "dispatchd/redis/client.h"
#include "dispatchd/sys/log.h"
#include "dispatchd/sys/notify.h"

static void enter_step(struct loop *loop, enum stop_step step, int64_t at_most_ms)
{
	loop->stop = step;
	loop->stop_turns = engine_thread_turns(loop->view.engine);
	loop->stop_until.ms = clock_tick().ms + at_most_ms;
	loop_wake(loop);
}

void loop_start_stop(struct loop *loop, const char *signal)
{
	log_write(LOG_NOTICE, "stopping signal=%s", signal);
	notify_stopping();
	loop->view.stopping = true;
	redis_client_close(loop->view.redis);
	engine_thread_drain(loop->view.engine);
	pool_stop(loop->view.pool, LOOP_GRACE_MS);
	enter_step(loop, STOP_MAILS, LOOP_GRACE_MS + LOOP_FLUSH_MS);
}

void loop_stop_at_once(struct loop *loop)
{
	loop->stop_at_once = true;
	loop_wake(loop);
}

static bool time_is_up(const struct loop *loop)
{
	return clock_tick().ms >= loop->stop_until.ms;
}

/* The last results are written down once the engine has begun and ended a turn since: the second
 * that ends is one. */
static bool engine_has_turned(struct loop *loop)
{
	engine_thread_nudge(loop->view.engine);
	return engine_thread_turns(loop->view.engine) >= loop->stop_turns + 2;
}

static const struct timeval stop_pace = {.tv_usec = 10 * 1000};

void loop_go_on_stopping(struct loop *loop)
{
	if (loop->stop == STOP_MAILS && (pool_stopped(loop->view.pool) || time_is_up(loop)))
		enter_step(loop, STOP_RESULTS, LOOP_FLUSH_MS);
	bool turned = loop->stop == STOP_RESULTS && engine_has_turned(loop);
	/* A turn that waits for Redis is given up: what it would have decided has had no effect. */
	if (loop->stop == STOP_RESULTS && !turned && time_is_up(loop) && loop->view.cluster)
		cluster_close_journal(loop->view.cluster);
	if (loop->stop == STOP_RESULTS && (turned || time_is_up(loop)))
		enter_step(loop, STOP_FLUSH, LOOP_FLUSH_MS);
	/* The Redis client has what the engine gave after the next turn of the loop, which
	 * enter_step() asks for. */
	else if (loop->stop == STOP_FLUSH &&
	         (redis_client_quiet(loop->view.redis) || time_is_up(loop)))
		enter_step(loop, STOP_DONE, 0);
	if (loop->stop == STOP_DONE || loop->stop_at_once)
		event_base_loopbreak(loop->base);
	else if (loop->stop != STOP_NOT) /* no event marks the end of a step: check again */
		event_add(loop->soon, &stop_pace);
}
