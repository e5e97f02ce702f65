/* SPDX-License-Identifier: MIT */
/*
 * The engine's thread. While a turn commits, the next batch gathers in the queues by itself: group
 * commit without a timer. A turn that fails keeps its input and is tried again, so that nothing is
 * acknowledged that is not on disk.
 *
 * The lock guards `in`, `out` and what stands below them; the engine itself is touched by its thread
 * alone.
 */
#include "engine_thread.h"

#include "chore_thread.h"
#include "clock.h"
#include "engine/engine.h"
#include "mailer/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>

enum {
	LOOK_EVERY_MS = 400,  /* at customers.db and the wall clock */
	TURN_EVERY_MS = 4000, /* at least */
	ENTRIES_A_TURN = 2048,
	RESULTS_A_TURN = 1024,
	ROOM_A_TURN = 512,
	UNPUBLISHED_MAX = 4096, /* outcomes in Redis' hands */
	AGAIN_FIRST_MS = 100,   /* after a turn that failed, doubling */
	AGAIN_MAX_MS = 5000,
	METRICS_EVERY_MS = 200,
	FEED_WAIT_MS = 3000, /* how long events wait for customers of the feed */
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
	struct pool *new_pool;                    /* the mailers, from the next turn on */
	int64_t published;
	bool nudged, stop, drain;

	/* under the lock: out */
	struct effects out;
	struct intake **done_last;
	struct publications **publications_last;
	struct command **replies_last;
	struct report **reports_last;
	bool open, spool_ok;
	int64_t last_turn_ms, turns;
	char *metrics;

	/* the thread's own */
	struct engine *engine;
	struct chore_thread *chores;
	struct pool *pool;
	int64_t handed, published_seen; /* outcomes handed out and confirmed, by seq */
	struct instant next;
	int64_t metrics_ms;
	int64_t again_ms; /* how long to wait after a failed turn; 0: the last one worked */
	bool more;
	int64_t feed_since_ms; /* since when events wait for the feed; 0: they don't */
	bool waiting_for_feed; /* intakes are there that may not be taken yet */
};

/* What one turn is given, kept until a turn has worked. */
struct input {
	struct intake *intakes;
	struct command *commands;
	size_t n_commands;
	const struct entry **entries;
	const char **texts;
	size_t n_entries;
	struct delivery_result *results;
	size_t n_results;
	struct chore_result *chores;
	size_t n_chores;
	int64_t published;
};

/* ---- The loop's side ---- */

void engine_thread_nudge(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	t->nudged = true;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

void engine_thread_clock_set(struct engine_thread *t)
{
	engine_thread_nudge(t);
}

void engine_thread_set_pool(struct engine_thread *t, struct pool *pool)
{
	pthread_mutex_lock(&t->lock);
	t->new_pool = pool;
	pthread_mutex_unlock(&t->lock);
	engine_thread_nudge(t);
}

bool engine_thread_open(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	bool open = t->open && t->spool_ok && !t->drain;
	pthread_mutex_unlock(&t->lock);
	return open;
}

void engine_thread_submit(struct engine_thread *t, struct intake *intake)
{
	intake->next = NULL;
	pthread_mutex_lock(&t->lock);
	*t->intakes_last = intake;
	t->intakes_last = &intake->next;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

void engine_thread_command(struct engine_thread *t, struct command *command)
{
	command->next = NULL;
	pthread_mutex_lock(&t->lock);
	*t->commands_last = command;
	t->commands_last = &command->next;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

void engine_thread_published(struct engine_thread *t, int64_t seq)
{
	pthread_mutex_lock(&t->lock);
	if (seq > t->published)
		t->published = seq;
	t->nudged = true;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

void engine_thread_reload(struct engine_thread *t, const struct settings *settings)
{
	pthread_mutex_lock(&t->lock);
	t->reload = settings;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

const struct settings *engine_thread_settings(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	const struct settings *settings = t->settings;
	pthread_mutex_unlock(&t->lock);
	return settings;
}

static void out_reset(struct engine_thread *t)
{
	t->out = (struct effects){0};
	t->done_last = &t->out.done;
	t->publications_last = &t->out.publications;
	t->replies_last = &t->out.replies;
	t->reports_last = &t->out.reports;
}

void engine_thread_take(struct engine_thread *t, struct effects *ret)
{
	pthread_mutex_lock(&t->lock);
	*ret = t->out;
	out_reset(t);
	pthread_mutex_unlock(&t->lock);
}

int64_t engine_thread_last_turn_ms(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	int64_t ms = t->last_turn_ms;
	pthread_mutex_unlock(&t->lock);
	return ms;
}

int64_t engine_thread_turns(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	int64_t turns = t->turns;
	pthread_mutex_unlock(&t->lock);
	return turns;
}

bool engine_thread_spool_ok(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	bool ok = t->spool_ok;
	pthread_mutex_unlock(&t->lock);
	return ok;
}

void engine_thread_metrics(struct engine_thread *t, struct buf *out)
{
	pthread_mutex_lock(&t->lock);
	if (t->metrics != NULL)
		buf_adds(out, t->metrics);
	pthread_mutex_unlock(&t->lock);
}

void engine_thread_drain(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	t->drain = true;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

/* ---- The thread: input ---- */

static bool is_feed(const struct intake *intake)
{
	return intake->n > 0 && intake->entries[0].feed == FEED_CUSTOMERS;
}

/*
 * Customers of the feed come before the events: while some are in the queue, or on their way into
 * customers.db, events wait, but not for longer than FEED_WAIT_MS, since an import may have its lock.
 */
static bool feed_first(struct engine_thread *t)
{
	bool queued = false;
	for (const struct intake *i = t->intakes; i != NULL && !queued; i = i->next)
		queued = is_feed(i);
	if (!queued && !engine_feed_pending(t->engine)) {
		t->feed_since_ms = 0;
		return false;
	}
	int64_t now_ms = clock_tick().ms;
	if (t->feed_since_ms == 0)
		t->feed_since_ms = now_ms;
	return queued || now_ms - t->feed_since_ms < FEED_WAIT_MS;
}

static void take_intakes(struct engine_thread *t, struct input *in)
{
	struct intake **last = &in->intakes, **at = &t->intakes;
	bool feed = feed_first(t);
	t->waiting_for_feed = false;
	while (*at != NULL && in->n_entries < ENTRIES_A_TURN) {
		struct intake *intake = *at;
		if (feed && !is_feed(intake)) {
			t->waiting_for_feed = true;
			at = &intake->next;
			continue;
		}
		*at = intake->next;
		intake->next = NULL;
		*last = intake;
		last = &intake->next;
		in->n_entries += intake->n;
	}
	t->intakes_last = &t->intakes;
	while (*t->intakes_last != NULL)
		t->intakes_last = &(*t->intakes_last)->next;
}

static void take_commands(struct engine_thread *t, struct input *in)
{
	in->commands = t->commands;
	t->commands = NULL;
	t->commands_last = &t->commands;
	for (struct command *c = in->commands; c != NULL; c = c->next)
		in->n_commands++;
}

/* Arrays as the turn wants them. */
static void spread(struct input *in)
{
	size_t n = 0;
	in->entries = mem_alloc(in->n_entries * sizeof(struct entry *));
	for (struct intake *intake = in->intakes; intake != NULL; intake = intake->next) {
		for (size_t i = 0; i < intake->n; i++)
			in->entries[n++] = &intake->entries[i];
	}
	n = 0;
	in->texts = mem_alloc(in->n_commands * sizeof(char *));
	for (struct command *c = in->commands; c != NULL; c = c->next)
		in->texts[n++] = c->text;
}

static void input_take(struct engine_thread *t, struct input *in)
{
	pthread_mutex_lock(&t->lock);
	take_intakes(t, in);
	take_commands(t, in);
	in->published = t->published;
	t->pool = t->new_pool;
	if (t->reload != NULL) {
		t->settings = t->reload;
		engine_reload(t->engine, t->reload);
		t->reload = NULL;
	}
	t->nudged = false;
	pthread_mutex_unlock(&t->lock);
	spread(in);
	if (t->pool != NULL) {
		in->results = mem_alloc(RESULTS_A_TURN * sizeof *in->results);
		in->n_results = pool_take_results(t->pool, in->results, RESULTS_A_TURN);
	}
	in->chores = chore_thread_take(t->chores, &in->n_chores);
}

static void input_free(struct input *in)
{
	free(in->entries);
	free(in->texts);
	free(in->results);
	free(in->chores);
	*in = (struct input){0};
}

/* ---- The thread: output ---- */

static struct publications *publications_of(struct engine_thread *t, const struct turn *turn)
{
	struct publications *p = mem_alloc(sizeof *p);
	p->arena = arena_new();
	p->n = turn->n_outcomes;
	p->rows = arena_new_array(p->arena, p->n, struct publication);
	for (size_t i = 0; i < p->n; i++) {
		const struct spool_outcome *outcome = &turn->outcomes[i];
		struct publication *row = &p->rows[i];
		row->seq = outcome->seq;
		row->stream = arena_strdup(p->arena, engine_outcome_stream(t->engine, outcome, &row->maxlen));
		row->fields = engine_outcome_fields(t->engine, outcome, p->arena, &row->n_fields);
	}
	return p;
}

static void add_report(struct engine_thread *t, int level, bool counted, const char *text)
{
	struct report *report = mem_alloc(sizeof *report);
	report->level = level;
	report->counted = counted;
	report->text = mem_strdup(text);
	*t->reports_last = report;
	t->reports_last = &report->next;
}

static void add_replies(struct engine_thread *t, struct input *in, const struct turn *turn)
{
	size_t i = 0;
	for (struct command *c = in->commands; c != NULL; c = c->next) {
		free(c->text);
		c->text = mem_strdup(turn->replies[i++]);
	}
	*t->replies_last = in->commands;
	while (*t->replies_last != NULL)
		t->replies_last = &(*t->replies_last)->next;
}

static void hand_letters(struct engine_thread *t, struct turn *turn)
{
	for (size_t i = 0; i < turn->n_letters; i++) {
		pool_put(t->pool, turn->letters[i]);
		turn->letters[i] = NULL;
	}
	turn->n_letters = 0;
}

/* The turn is on disk: only now may anything of it be seen outside. */
static void give(struct engine_thread *t, struct input *in, struct turn *turn)
{
	hand_letters(t, turn);
	if (turn->n_chores > 0)
		chore_thread_give(t->chores, turn->chores, turn->n_chores);
	struct publications *p = turn->n_outcomes > 0 ? publications_of(t, turn) : NULL;
	if (p != NULL)
		t->handed = p->rows[p->n - 1].seq;
	t->published_seen = in->published > t->published_seen ? in->published : t->published_seen;
	t->next = turn->next;
	t->more = turn->more || in->n_results == RESULTS_A_TURN ||
	          (t->waiting_for_feed && !engine_feed_pending(t->engine));
	bool open = engine_open_for_intake(t->engine);
	pthread_mutex_lock(&t->lock);
	bool news =
	        in->intakes || in->commands || p || turn->n_reports > 0 || open != t->open || !t->spool_ok;
	*t->done_last = in->intakes;
	while (*t->done_last != NULL)
		t->done_last = &(*t->done_last)->next;
	if (p != NULL) {
		*t->publications_last = p;
		t->publications_last = &p->next;
	}
	add_replies(t, in, turn);
	for (size_t i = 0; i < turn->n_reports; i++)
		add_report(t, turn->reports[i].level, turn->reports[i].counted, turn->reports[i].text);
	if (!t->spool_ok)
		add_report(t, LOG_NOTICE, true, "spool written again");
	t->spool_ok = true;
	t->open = open;
	t->turns++;
	pthread_mutex_unlock(&t->lock);
	if (news)
		t->wake(t->arg);
}

static void say_failed(struct engine_thread *t, const struct error *err)
{
	pthread_mutex_lock(&t->lock);
	bool first = t->spool_ok;
	t->spool_ok = false;
	if (first)
		add_report(t, LOG_ERR, true, err->text);
	pthread_mutex_unlock(&t->lock);
	if (first)
		t->wake(t->arg);
}

static void show_metrics(struct engine_thread *t, int64_t now_ms)
{
	struct buf text = {0};
	engine_metrics(t->engine, &text);
	t->metrics_ms = now_ms;
	pthread_mutex_lock(&t->lock);
	free(t->metrics);
	t->metrics = buf_take(&text);
	pthread_mutex_unlock(&t->lock);
}

/* ---- The thread: a turn ---- */

static size_t room_of(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	bool none = t->pool == NULL || t->drain;
	pthread_mutex_unlock(&t->lock);
	if (none)
		return 0;
	size_t room = pool_room(t->pool);
	return room < ROOM_A_TURN ? room : ROOM_A_TURN;
}

static bool turn_once(struct engine_thread *t, struct input *in)
{
	struct error err;
	int64_t began = clock_usec();
	int64_t out = t->handed - (in->published > t->published_seen ? in->published : t->published_seen);
	struct turn turn = {
	        .now = clock_now(),
	        .entries = in->entries,
	        .n_entries = in->n_entries,
	        .results = in->results,
	        .n_results = in->n_results,
	        .commands = in->texts,
	        .n_commands = in->n_commands,
	        .published = in->published > t->published_seen ? in->published : 0,
	        .room = room_of(t),
	        .outcomes_max = out < UNPUBLISHED_MAX ? (size_t)(UNPUBLISHED_MAX - out) : 0,
	        .chores_wanted = chore_thread_idle(t->chores),
	        .chores_done = in->chores,
	        .n_chores_done = in->n_chores,
	};
	if (getrandom(&turn.random, sizeof turn.random, 0) < 0)
		turn.random = 0;
	bool ok = engine_turn(t->engine, &turn, &err);
	if (ok) {
		engine_turn_took(t->engine, (double)(clock_usec() - began) / 1e6);
		give(t, in, &turn);
	} else {
		say_failed(t, &err);
	}
	turn_clear(&turn);
	return ok;
}

/* Waits until there is something to do, or for `ms`. Returns whether something came. */
static bool wait_ms(struct engine_thread *t, int64_t ms)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&t->lock);
	t->last_turn_ms = clock_tick().ms;
	int rc = 0;
	while (rc == 0 && !t->stop && !t->nudged && (t->intakes == NULL || t->waiting_for_feed) &&
	       t->commands == NULL && t->reload == NULL)
		rc = pthread_cond_timedwait(&t->come, &t->lock, &until);
	bool came = rc == 0;
	pthread_mutex_unlock(&t->lock);
	return came;
}

static bool due(const struct engine_thread *t)
{
	return !instant_before(clock_now(), t->next);
}

/* Sleeps until a turn is worth its while. */
static void wait_for_work(struct engine_thread *t)
{
	if (t->more)
		return;
	int64_t began = clock_tick().ms;
	struct instant seen = clock_now();
	for (;;) {
		struct instant now = clock_now();
		int64_t left = t->next.ms - now.ms;
		if (instant_before(now, seen)) /* set back: the engine puts right what waits */
			return;
		seen = now;
		if (left <= 0 || engine_customers_changed(t->engine))
			return;
		int64_t now_ms = clock_tick().ms;
		if (now_ms - t->metrics_ms >= METRICS_EVERY_MS)
			show_metrics(t, now_ms);
		if (wait_ms(t, left < LOOK_EVERY_MS ? left : LOOK_EVERY_MS) || due(t) || t->waiting_for_feed)
			return;
		if (clock_tick().ms - began >= TURN_EVERY_MS)
			return;
	}
}

static bool stopping(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	bool stop = t->stop;
	t->last_turn_ms = clock_tick().ms;
	pthread_mutex_unlock(&t->lock);
	return stop;
}

/* Waits longer after each turn that fails; false when it is time to stop. */
static bool again(struct engine_thread *t)
{
	t->again_ms = t->again_ms == 0 ? AGAIN_FIRST_MS : t->again_ms * 2;
	if (t->again_ms > AGAIN_MAX_MS)
		t->again_ms = AGAIN_MAX_MS;
	struct timespec rest = {.tv_sec = t->again_ms / 1000, .tv_nsec = t->again_ms % 1000 * 1000000};
	(void)nanosleep(&rest, NULL);
	return !stopping(t);
}

static void *main_loop(void *arg)
{
	struct engine_thread *t = arg;
	for (bool stop = false; !stop;) {
		stop = stopping(t);
		struct input in = {0};
		input_take(t, &in);
		bool ok;
		while (!(ok = turn_once(t, &in)) && again(t))
			;
		if (!ok) { /* it never came to disk: Redis has it still */
			while (in.intakes != NULL) {
				struct intake *intake = in.intakes;
				in.intakes = intake->next;
				intake_free(intake);
			}
			stop = true;
		}
		t->again_ms = 0;
		input_free(&in);
		int64_t now_ms = clock_tick().ms;
		if (now_ms - t->metrics_ms >= METRICS_EVERY_MS)
			show_metrics(t, now_ms);
		if (!stop)
			wait_for_work(t);
	}
	return NULL;
}

/* ---- Start and stop ---- */

static void nudge(void *arg)
{
	engine_thread_nudge(arg);
}

static void sync_init(struct engine_thread *t)
{
	pthread_condattr_t attr;
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->come, &attr);
	pthread_condattr_destroy(&attr);
}

struct engine_thread *engine_thread_start(const struct settings *settings, engine_wake *wake, void *arg,
                                          struct error *err)
{
	struct engine *engine = engine_open(settings, clock_now(), err);
	if (engine == NULL)
		return NULL;
	struct engine_thread *t = mem_alloc(sizeof *t);
	t->engine = engine;
	t->settings = settings;
	t->wake = wake;
	t->arg = arg;
	t->open = t->spool_ok = true;
	t->next = INSTANT_NEVER;
	t->intakes_last = &t->intakes;
	t->commands_last = &t->commands;
	t->last_turn_ms = clock_tick().ms;
	out_reset(t);
	sync_init(t);
	t->handed = t->published_seen = engine_handed(engine);
	t->chores = chore_thread_start(settings->customers.path, nudge, t);
	if (pthread_create(&t->thread, NULL, main_loop, t) != 0)
		bug("no thread for the engine");
	return t;
}

static void effects_free(struct effects *effects)
{
	for (struct intake *i = effects->done, *next; i != NULL; i = next) {
		next = i->next;
		intake_free(i);
	}
	for (struct publications *p = effects->publications, *next; p != NULL; p = next) {
		next = p->next;
		publications_free(p);
	}
	for (struct command *c = effects->replies, *next; c != NULL; c = next) {
		next = c->next;
		command_free(c);
	}
	for (struct report *r = effects->reports, *next; r != NULL; r = next) {
		next = r->next;
		report_free(r);
	}
}

struct engine_thread *engine_thread_stop(struct engine_thread *t)
{
	if (t == NULL)
		return NULL;
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	chore_thread_stop(t->chores);
	engine_close(t->engine);
	effects_free(&t->out);
	effects_free(&(struct effects){.done = t->intakes, .replies = t->commands});
	free(t->metrics);
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->come);
	free(t);
	return NULL;
}
