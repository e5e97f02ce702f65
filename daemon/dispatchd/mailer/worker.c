/* SPDX-License-Identifier: MIT */
/*
 * A mailer: waits for a mail and a relay that lets it in, opens a connection, renders and sends
 * one mail after the other over it, reports. It decides nothing: what became of a mail is
 * lib/mail/failure's to say, whether a relay's breaker opens relay.c's. All mailers are coroutines
 * of a few threads, so nothing here blocks but for the pool's lock.
 */
#include "dispatchd/mailer/pool_private.h"

#include "base/address.h"
#include "base/mem.h"
#include "common/clock_ms.h"
#include "dispatchd/sys/lease_clock.h"
#include "mail/forward.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { LARGE_MAIL_BYTES = 128 * 1024 };

/* One connection's run. */
struct run {
	struct worker *worker;
	struct mailer_config *config; /* a reference */
	size_t target;                /* its place in the configuration's */
	struct relay_session session;
	struct queued_mail *first; /* what it was opened for */
	unsigned taken, delivered;
	bool closing;
};

/* Until `ms` from now at most. */
static void wait_on(struct pool *pool, struct coroutine_condition *cond, int64_t ms)
{
	(void)coroutine_wait(cond, &pool->lock, ms == CLOCK_NEVER_MS ? ms : clock_mono_ms() + ms);
}

/* ---- rendering ---- */

static enum delivery judge_ours(enum smtp_stage stage)
{
	return failure_judge(&(struct smtp_report){.stage = stage}, &(struct failure_facts){0})
	        .delivery;
}

/* What is kept of the rendering has placeholders for tokens. */
static bool render_signed(const struct run *run, struct queued_mail *queued, struct buf *ret,
                          struct error *err)
{
	struct templates *templates = run->config->templates;
	struct outgoing_mail *outgoing = queued->outgoing;
	struct templates_mail mail = {.has_html = false};

	outgoing->signs = run->config->keys.n > 0 && outgoing->link[0] != '\0';
	bool ok = templates_render_parts(templates, worker_thread(run->worker)->dates, outgoing,
	                                 &mail, &queued->template_broken, err);
	if (ok) {
		rendering_set(&queued->rendering, templates_digest(templates),
		              buf_text(&mail.message), mail.message.len);
		templates_mail_sign(templates, outgoing, &run->config->keys, &mail);
		*ret = mail.message;
		mail.message = (struct buf){0};
	}
	templates_mail_clear(&mail);
	return ok;
}

/* The office's mails bear no token: nobody need be told of what becomes of them. The null sender
 * has nobody's program answer a reply that goes on, or an answer of ours (RFC 3834, section 3.3).
 */
static const char *envelope_of(const struct run *run, struct queued_mail *queued)
{
	const struct mailer_config *config = run->config;
	char address[TOKEN_ADDRESS_SIZE];

	if (queued->outgoing->forward || outgoing_mail_is_answer(queued->outgoing))
		return "";
	if (config->keys.n == 0 || queued->outgoing->contact == 0)
		return config->envelope;
	mail_tokens_envelope(&config->keys, config->bounce, config->delimiter, queued->outgoing,
	                     address);
	free(queued->envelope); /* of another try, by another key */
	queued->envelope = mem_strdup(address);
	return queued->envelope;
}

/* A person's reply goes on as it came, behind a header of ours. */
static void compose_forward(const struct run *run, const struct outgoing_mail *outgoing,
                            struct buf *ret)
{
	const struct forward forward = {
	        .from = &run->config->from,
	        .to = outgoing->to,
	        .meant_for = outgoing->meant_for,
	        .reply_to = outgoing->forward->reply_to,
	        .job = outgoing->forward->job,
	        .subject = outgoing->forward->subject,
	        .message_id = outgoing->message_id,
	        .thread_id = outgoing->thread_id,
	        .made = outgoing->made,
	        .entity = outgoing->forward->entity,
	        .len = outgoing->forward->len,
	};

	forward_compose(&forward, ret);
}

/* The message, or false with a result that says why there is none. */
static bool worker_render(const struct run *run, struct queued_mail *queued, struct buf *ret,
                          struct delivery_result *result)
{
	struct error err = {0};

	/* The library prints it as it is, line breaks and all. */
	if (!address_check(queued->outgoing->to, &err)) {
		result->delivery = judge_ours(SMTP_NOT_ADDRESSABLE);
		snprintf(result->reply, sizeof result->reply, "not sent: %.400s", err.text);
		return false;
	}
	if (queued->outgoing->forward) {
		compose_forward(run, queued->outgoing, ret);
		return true;
	}
	/* What a template sees takes many times the bytes of its text. */
	bool large = outgoing_mail_bytes(queued->outgoing) > LARGE_MAIL_BYTES;
	bool ok = render_signed(run, queued, ret, &err);
	if (large)
		mem_trim(); /* small blocks by the hundred thousand */
	if (!ok || queued->template_broken)
		snprintf(queued->fault, sizeof queued->fault, "%.255s", err.text);
	if (!ok) {
		result->delivery = judge_ours(SMTP_NOT_RENDERED);
		snprintf(result->reply, sizeof result->reply, "the mail can't be rendered: %.400s",
		         err.text);
	}
	return ok;
}

/* What never reached a relay says nothing of it. */
static void report_unsendable(struct pool *pool, struct queued_mail *queued,
                              struct delivery_result *result)
{
	pthread_mutex_lock(&pool->lock);
	mail_queue_finish_unsent(pool, queued, result);
	pool_unlock(pool, true);
}

/* ---- the next mail ---- */

/* Other connections to the relay have waited for an answer for too long. */
static bool is_better_elsewhere(const struct run *run)
{
	return run->session.relay->stalled &&
	       pool_has_other_relay(run->worker->pool, run->session.relay);
}

static bool goes_on(const struct run *run)
{
	struct pool *pool = run->worker->pool;

	return !run->closing && !pool->stopping && pool->config == run->config &&
	       run->worker->index < pool_size(pool) && run->taken < pool->limits->mails &&
	       relay_goes_on(&run->session) && !relay_choice_calls(pool, run->session.relay) &&
	       !is_better_elsewhere(run);
}

/* Waits for a mail as long as the connection may be idle; NULL to end it. With the lock held. */
static struct queued_mail *wait_for_mail(struct run *run, bool *ret_waited)
{
	struct pool *pool = run->worker->pool;
	/* Without a connection there is nothing to wait for. */
	bool idles = run->config->transport->connects && run->taken > 0;
	int64_t idle_ms = idles ? pool->limits->idle_ms : 0;
	int64_t end_ms = clock_mono_ms() + idle_ms, left_ms, wait_ms;

	*ret_waited = false;
	while (goes_on(run)) {
		struct queued_mail *queued =
		        mail_queue_take(pool, run->session.relay, run->taken == 0, &wait_ms);
		if (queued) {
			relay_choice_note(pool, run->session.relay);
			return queued;
		}
		left_ms = end_ms - clock_mono_ms();
		if (left_ms <= 0)
			break;
		*ret_waited = true;
		pool->n_feeding += wait_ms == 0;
		wait_on(pool, &pool->feed, wait_ms && wait_ms < left_ms ? wait_ms : left_ms);
		pool->n_feeding -= wait_ms == 0;
	}
	/* The signal may have come to us: somebody else has to take the mail. */
	if (pool->head)
		coroutine_signal(&pool->work);
	return NULL;
}

static struct queued_mail *take_mail(struct run *run)
{
	struct pool *pool = run->worker->pool;
	struct queued_mail *queued = run->first;
	bool waited = false;

	run->first = NULL;
	if (queued)
		return queued;
	pthread_mutex_lock(&pool->lock);
	queued = wait_for_mail(run, &waited);
	/* The relay has ended the idle connection: that is not the mail's fault. */
	if (queued && waited && watch_readable(&run->worker->watch)) {
		run->closing = true;
		mail_queue_put_back(pool, run->session.relay, queued);
		queued = NULL;
	}
	run->worker->leaving = !queued;
	pool_unlock(pool, false);
	return queued;
}

/* ---- what the transport is fed with, and reports ---- */

static void give_back(struct run *run, struct queued_mail *queued)
{
	struct pool *pool = run->worker->pool;

	pthread_mutex_lock(&pool->lock);
	mail_queue_return(pool, queued);
	pool_unlock(pool, true);
}

static bool feed_next(void *arg, struct transport_mail *ret)
{
	struct run *run = arg;
	struct queued_mail *queued;

	while ((queued = take_mail(run)) != NULL) {
		struct delivery_result result = {0};
		if (!lease_clock_allows()) { /* another machine may send it soon */
			give_back(run, queued);
			return false;
		}
		struct buf message = {0};
		if (worker_render(run, queued, &message, &result)) {
			run->taken++;
			queued->handed_ms = clock_mono_ms();
			*ret = (struct transport_mail){.from = envelope_of(run, queued),
			                               .to = queued->outgoing->to,
			                               .message = message,
			                               .id = queued->outgoing->mail,
			                               .caller = queued};
			return true;
		}
		buf_free(&message);
		report_unsendable(run->worker->pool, queued, &result);
	}
	return false;
}

/* The connection has carried enough: neither the mail nor the relay is at fault. */
static void renew(struct run *run, struct queued_mail *queued)
{
	queued->second = true;
	mail_queue_put_back(run->worker->pool, run->session.relay, queued);
}

/* How many targets may fail a mail before the engine has it back. */
static size_t count_tries(const struct mailer_config *config)
{
	return config->transport->connects ? config->targets.n : 0;
}

/* The next relay, or a connection that works, may have it; but it doesn't go in circles. */
static void send_elsewhere(struct run *run, struct queued_mail *queued,
                           const struct failure *failure, const char *words)
{
	struct pool *pool = run->worker->pool;

	snprintf(queued->relay, sizeof queued->relay, "%s", run->session.relay->name);
	snprintf(queued->words, sizeof queued->words, "%s", words);
	if (pool->stopping) {
		mail_queue_return(pool, queued);
		return;
	}
	if (failure->suspect) {
		refusals_suspect(&run->session.relay->refusals, queued->outgoing->to,
		                 queued->outgoing->template);
		queued->yields = true;
	}
	relay_fault(&run->session, pool->limits, words);
	pthread_cond_signal(&pool->clock);
	if (pool_has_usable_relay(pool) && queued->faults++ < count_tries(run->config))
		mail_queue_put_back(pool, run->session.relay, queued);
	else
		mail_queue_return(pool, queued);
	if (!pool_has_usable_relay(pool))
		mail_queue_return_all(pool);
}

static void worker_finish(struct run *run, struct queued_mail *queued, enum delivery delivery,
                          const char *reply)
{
	struct delivery_result result = {.delivery = delivery};

	snprintf(result.reply, sizeof result.reply, "%s", reply);
	run->delivered += delivery == DELIVERY_SENT;
	mail_queue_finish(run->worker->pool, &run->session, queued, &result);
}

static void feed_done(void *arg, void *caller, const struct smtp_report *report, const char *reply)
{
	struct run *run = arg;
	struct pool *pool = run->worker->pool;
	struct queued_mail *queued = caller;
	struct relay *relay = run->session.relay;

	pthread_mutex_lock(&pool->lock);
	if (report->code == 0 && !report->body_begun && !lease_clock_allows()) {
		/* Ended before its text went out, by ourselves: nobody is at fault. */
		run->closing = true;
		mail_queue_return(pool, queued);
		pool_unlock(pool, true);
		return;
	}
	if (report->code != 0) {
		relay->answered_ms = clock_mono_ms();
		histogram_add(&relay->answered_s,
		              (double)(relay->answered_ms - queued->handed_ms) / 1e3);
	}
	const struct failure_facts facts = {
	        .renewable = run->delivered > 0 && !queued->second && !pool->stopping,
	        .alone = refusals_alone(&relay->refusals, queued->outgoing->to),
	};
	struct failure failure = failure_judge(report, &facts);
	run->closing |= failure.ends_session;
	if (failure.next == FAILURE_FRESH)
		renew(run, queued);
	else if (failure.next == FAILURE_ELSEWHERE)
		send_elsewhere(run, queued, &failure, reply);
	else
		worker_finish(run, queued, failure.delivery, reply);
	pool_unlock(pool, true);
}

static void send_mails(struct run *run)
{
	struct worker *worker = run->worker;
	struct transport_feed feed = {.next = feed_next, .done = feed_done, .arg = run};

	run->config->transport->run(&run->config->targets, run->target, worker->pool->limits,
	                            &worker->watch, &feed);
}

/* ---- a mailer, and a thread of them ---- */

static bool open_one(struct run *run, bool stalled, int64_t *ret_wait_ms)
{
	int target = relay_choose(run->worker->pool, stalled, &run->session, ret_wait_ms);

	run->target = target >= 0 ? (size_t)target : 0;
	return target >= 0;
}

static bool open_relay(struct run *run, int64_t *ret_wait_ms)
{
	struct pool *pool = run->worker->pool;

	/* A replacement for one that is stuck doesn't get stuck, too. */
	return open_one(run, false, ret_wait_ms) ||
	       (run->worker->index < pool->config->connections && open_one(run, true, ret_wait_ms));
}

/* With the lock held: a relay and a mail for it, or neither. */
static bool worker_begin(struct run *run, int64_t *ret_wait_ms)
{
	struct pool *pool = run->worker->pool;

	*ret_wait_ms = CLOCK_NEVER_MS;
	if (pool->stopping || run->worker->index >= pool_size(pool) || !pool->head ||
	    !open_relay(run, ret_wait_ms))
		return false;
	run->first = mail_queue_take(pool, run->session.relay, true, ret_wait_ms);
	if (!run->first) {
		relay_session_close(&run->session);
		return false;
	}
	relay_choice_note(pool, run->session.relay);
	run->config = mailer_config_ref(pool->config);
	run->worker->relay = run->session.relay;
	run->worker->leaving = false;
	/* The supervisor may be asleep for want of anything to watch. */
	if (run->session.relay->sessions == 1)
		pthread_cond_signal(&pool->clock);
	return true;
}

static bool worker_wait_for_work(struct worker *worker, struct run *run)
{
	struct pool *pool = worker->pool;
	int64_t wait_ms;
	bool begun = false;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		*run = (struct run){.worker = worker};
		begun = worker_begin(run, &wait_ms);
		if (begun || pool->stopping)
			break;
		wait_on(pool, worker->index < pool_size(pool) ? &pool->work : &pool->spare,
		        wait_ms);
	}
	worker->ended = !begun;
	pool_unlock(pool, !begun);
	return begun;
}

static void end_run(struct run *run)
{
	struct pool *pool = run->worker->pool;

	pthread_mutex_lock(&pool->lock);
	relay_session_close(&run->session);
	run->worker->relay = NULL;
	watch_disarm(&run->worker->watch);
	/* A place may have come free at a relay that lets in few. */
	if (pool->head)
		coroutine_signal(&pool->work);
	pool_unlock(pool, false);
	mailer_config_unref(run->config);
}

struct mailer_thread *worker_thread(const struct worker *worker)
{
	return &worker->pool->threads[worker->index % MAILER_THREADS];
}

void worker_main(void *arg)
{
	struct worker *worker = arg;
	struct run run;

	while (worker_wait_for_work(worker, &run)) {
		send_mails(&run);
		end_run(&run);
	}
}

void *mailers_main(void *arg)
{
	struct mailer_thread *thread = arg;

	(void)pthread_setname_np(pthread_self(), "mailer");
	thread->dates = dates_new();
	coroutines_run(thread->workers);
	thread->dates = dates_free(thread->dates);
	return NULL;
}
