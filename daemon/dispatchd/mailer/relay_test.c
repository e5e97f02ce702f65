/* SPDX-License-Identifier: MIT */
/*
 * A test of the relays. The supervisor bounds its connections like those of mailers, through their
 * watches; what is late at the end of the test, or under way when the pool ends, is cut off.
 */
#include "dispatchd/mailer/relay_test.h"

#include "base/address.h"
#include "base/mem.h"
#include "common/clock_ms.h"
#include "dispatchd/mailer/coroutine.h"
#include "dispatchd/mailer/pool_private.h"
#include "dispatchd/sys/log.h"
#include "mail/compose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* A person waits: shorter than for a mail, long enough for a relay that is only slow. */
static const struct mailer_limits test_limits = {
        .connect_ms = 8 * 1000,
        .race_ms = 250,
        .family_ms = 60 * 1000,
        .greeting_ms = 15 * 1000,
        .tls_ms = 10 * 1000,
        .auth_ms = 10 * 1000,
        .command_ms = 15 * 1000,
        .body_ms = 15 * 1000,
        .dot_ms = 20 * 1000,
        .quit_ms = 2 * 1000,
        .mails = 1,
        .bare_ms = 60 * 1000,
};

/* A relay's. */
struct trial {
	struct relay_test *test;
	size_t target;
	struct watch watch;
	struct steps steps;
	bool fed; /* the mail was handed over */
	bool ok;
};

struct relay_test {
	struct pool *pool;
	struct mailer_config *config; /* a reference */
	char *to;                     /* "" for none */
	struct outgoing_mail *mail;   /* NULL: one that says what it is */
	pool_wake *wake;
	void *arg;
	int64_t end_ms; /* monotonic */
	struct trial *trials;
	size_t n;
	size_t n_tried;                 /* of these; the others are left alone */
	struct coroutines *connections; /* of all trials, run by the thread */
	pthread_t thread;
	bool started;
	size_t n_running; /* under the pool's lock */
};

/* ---- the mail ---- */

static const char *recipient_of(const struct relay_test *test)
{
	const struct mailer_config *config = test->config;
	if (test->to[0] == '\0')
		return config->from.address; /* and nothing is sent */
	return config->redirect_to[0] != '\0' ? config->redirect_to : test->to;
}

/* The address that somebody named, where the mail goes elsewhere; NULL where it doesn't. */
static const char *meant_for(const struct relay_test *test)
{
	return test->to[0] != '\0' && test->config->redirect_to[0] != '\0' ? test->to : NULL;
}

static void write_mail(const struct trial *trial, struct buf *ret)
{
	const struct mailer_config *config = trial->test->config;
	const char *relay = config->targets.list[trial->target].name;
	struct instant now = clock_wall();
	struct buf subject = {0}, text = {0}, id = {0};

	buf_printf(&subject, "Test mail through %s", relay);
	buf_printf(&text,
	           "This is a test mail from dispatchd, sent by hand.\n\nRelay: %s\n"
	           "No action is needed.\n",
	           relay);
	buf_printf(&id, "<relay-test.%lld.%zu@%s>", (long long)now.ms, trial->target,
	           address_domain(config->from.address));
	compose_mail(&(struct compose_mail){.from_name = config->from.name,
	                                    .from = config->from.address,
	                                    .to_name = "",
	                                    .to = recipient_of(trial->test),
	                                    .meant_for = meant_for(trial->test),
	                                    .reply_to_name = "",
	                                    .reply_to = "",
	                                    .subject = buf_text(&subject),
	                                    .message_id = buf_text(&id),
	                                    .thread_id = "",
	                                    .made = now,
	                                    .text = buf_text(&text)},
	             ret);
	buf_free(&subject);
	buf_free(&text);
	buf_free(&id);
}

/* By the templates in force. A template that breaks is replaced, as in a customer's mail. */
static void render_mail(const struct relay_test *test, struct buf *ret)
{
	struct dates *dates = dates_new();
	struct templates_mail mail = {.has_html = false};
	struct error err = {0};
	bool broken;
	if (!templates_render_parts(test->config->templates, dates, test->mail, &mail, &broken,
	                            &err))
		log_write(LOG_ERR, "a mail to try out a template can't be rendered: %s", err.text);
	else if (broken)
		log_write(LOG_WARNING, "template broken: %s", err.text);
	buf_add(ret, buf_text(&mail.message), mail.message.len);
	templates_mail_clear(&mail);
	dates_free(dates);
}

static bool next_mail(void *arg, struct transport_mail *ret)
{
	struct trial *trial = arg;

	if (trial->fed)
		return false;
	trial->fed = true;
	*ret = (struct transport_mail){.from = trial->test->config->envelope,
	                               .to = recipient_of(trial->test)};
	if (trial->test->mail != NULL)
		render_mail(trial->test, &ret->message);
	else
		write_mail(trial, &ret->message);
	return ret->message.len > 0;
}

/* Where the connection ended without a reply that says why, its stage is the step. */
static const char *step_of(enum smtp_stage stage)
{
	static const char *const names[] = {
	        [SMTP_CONNECT] = "connect", [SMTP_GREETING] = "greeting", [SMTP_TLS] = "tls",
	        [SMTP_AUTH] = "login",      [SMTP_MAIL] = "mail",         [SMTP_RCPT] = "rcpt",
	        [SMTP_DATA] = "message",    [SMTP_BODY] = "message",
	};

	return stage < sizeof names / sizeof names[0] ? names[stage] : "message";
}

static void mail_done(void *arg, void *caller, const struct smtp_report *report, const char *reply)
{
	struct trial *trial = arg;

	(void)caller;
	trial->ok = report->code >= 200 && report->code <= 299;
	if (!trial->ok)
		steps_give_up(&trial->steps, step_of(report->stage), reply);
}

/* ---- the thread ---- */

static void try_relay(struct trial *trial)
{
	struct relay_test *test = trial->test;
	const struct transport_feed feed = {
	        .next = next_mail, .done = mail_done, .arg = trial, .steps = &trial->steps};

	trial->steps.envelope = test->to[0] == '\0';
	steps_start(&trial->steps);
	test->config->transport->run(&test->config->targets, trial->target, &test_limits,
	                             &trial->watch, &feed);
}

/* Until one has the mail. */
static void try_in_order(struct relay_test *test)
{
	bool sent = false;
	for (test->n_tried = 0; test->n_tried < test->n && !sent; test->n_tried++) {
		try_relay(&test->trials[test->n_tried]);
		sent = test->trials[test->n_tried].ok;
	}
}

static void trial_main(void *arg)
{
	struct trial *trial = arg;
	struct relay_test *test = trial->test;

	if (test->mail != NULL)
		try_in_order(test);
	else
		try_relay(trial);
	pthread_mutex_lock(&test->pool->lock);
	if (--test->n_running == 0)
		test->wake(test->arg);
	pthread_mutex_unlock(&test->pool->lock);
}

static void *relay_test_main(void *arg)
{
	struct relay_test *test = arg;

	(void)pthread_setname_np(pthread_self(), "relay test");
	coroutines_run(test->connections);
	return NULL;
}

/* With a mail, the first trial's coroutine tries all relays. */
static bool run_trials(struct relay_test *test)
{
	size_t n_coroutines = test->mail != NULL ? 1 : test->config->targets.n;

	test->connections = coroutines_new();
	bool ok = test->connections != NULL;
	test->n = test->n_tried = test->config->targets.n;
	test->trials = mem_alloc(test->n * sizeof test->trials[0]);
	for (size_t i = 0; i < test->n; i++) {
		test->trials[i] = (struct trial){.test = test, .target = i};
		watch_init(&test->trials[i].watch);
	}
	for (size_t i = 0; i < n_coroutines; i++)
		ok = ok && coroutines_add(test->connections, trial_main, &test->trials[i]);
	ok = ok && pool_start_thread(&test->thread, relay_test_main, test);
	test->n_running = ok ? n_coroutines : 0;
	test->started = ok;
	return ok;
}

static bool may_start(const struct pool *pool, struct error *err)
{
	if (pool->stopping)
		return error_set(err, EX_TEMPFAIL, "dispatchd is stopping");
	if (pool->test)
		return error_set(err, EX_TEMPFAIL,
		                 "another test of the relays is under way; try again in a moment");
	return pool->config->transport->connects ||
	       error_set(err, EX_CONFIG, "[mail] transport is %s: there is no relay to test",
	                 pool->config->transport->name);
}

static void stamp(struct outgoing_mail *mail, const struct mailbox *from)
{
	mail->made = clock_wall();
	mail->message_id = arena_printf(mail->arena, "<template-test.%lld@%s>",
	                                (long long)mail->made.ms, address_domain(from->address));
}

/* Takes over the mail. */
static struct relay_test *relay_test_new(struct pool *pool, const char *to,
                                         struct outgoing_mail *mail)
{
	struct relay_test *test = mem_alloc(sizeof *test);

	*test = (struct relay_test){.pool = pool,
	                            .config = mailer_config_ref(pool->config),
	                            .to = mem_strdup(mail ? mail->to
	                                             : to ? to
	                                                  : ""),
	                            .mail = mail,
	                            .end_ms = clock_mono_ms() + RELAY_TEST_S * 1000};
	if (mail != NULL) {
		stamp(mail, &test->config->from);
		mail->meant_for = meant_for(test);
		mail->to = recipient_of(test);
	}
	return test;
}

bool pool_test_start(struct pool *pool, const char *to, struct outgoing_mail *mail, pool_wake *wake,
                     void *arg, struct error *err)
{
	struct relay_test *test = NULL;
	bool good;

	pthread_mutex_lock(&pool->lock);
	good = may_start(pool, err);
	if (good) {
		test = relay_test_new(pool, to, mail);
		mail = NULL;
		test->wake = wake;
		test->arg = arg;
		good = run_trials(test) ||
		       error_set(err, EX_TEMPFAIL, "can't start a thread for the relays");
	}
	if (good) {
		pool->test = test;
		pthread_cond_signal(&pool->clock);
	}
	pthread_mutex_unlock(&pool->lock);
	if (!good)
		relay_test_free(test);
	outgoing_mail_free(mail);
	return good;
}

int64_t pool_test_check(struct pool *pool, int64_t now_ms)
{
	struct relay_test *test = pool->test;

	if (!test || test->n_running == 0)
		return CLOCK_NEVER_MS;
	for (size_t i = 0; i < test->n; i++) {
		watch_check(&test->trials[i].watch, now_ms);
		if (pool->stopping)
			watch_cut(&test->trials[i].watch, "dispatchd is stopping");
		else if (now_ms >= test->end_ms)
			watch_cut(&test->trials[i].watch, "the test has taken too long");
	}
	return now_ms + POOL_LOOK_MS;
}

/* ---- the end ---- */

struct relay_test *pool_test_take(struct pool *pool)
{
	struct relay_test *test = NULL;

	pthread_mutex_lock(&pool->lock);
	if (pool->test && pool->test->n_running == 0) {
		test = pool->test;
		pool->test = NULL;
	}
	pthread_mutex_unlock(&pool->lock);
	return test;
}

struct relay_test *relay_test_free(struct relay_test *test)
{
	if (!test)
		return NULL;
	if (test->started)
		pthread_join(test->thread, NULL);
	coroutines_free(test->connections);
	pthread_mutex_lock(&test->pool->lock);
	if (test->pool->test == test)
		test->pool->test = NULL; /* the pool ends: the supervisor has looked at it so far */
	pthread_mutex_unlock(&test->pool->lock);
	for (size_t i = 0; i < test->n; i++)
		watch_destroy(&test->trials[i].watch);
	mailer_config_unref(test->config);
	outgoing_mail_free(test->mail);
	free(test->trials);
	free(test->to);
	free(test);
	return NULL;
}

bool relay_test_row(const struct relay_test *test, size_t i, struct relay_test_row *ret)
{
	if (i >= test->n_tried)
		return false;
	const struct trial *trial = &test->trials[i];
	*ret = (struct relay_test_row){.relay = test->config->targets.list[trial->target].name,
	                               .ok = trial->ok,
	                               .steps = &trial->steps};
	return true;
}

const char *relay_test_to(const struct relay_test *test)
{
	return test->to;
}
