/* SPDX-License-Identifier: MIT */
/* Reports about mails: which mail they are about, what comes of them, and that each does it once.
 */
#include "engine/engine_private.h"
#include "engine_world.h"
#include "mail/token.h"
#include "records/contact_choice.h"
#include "records/records.h"
#include "spool/spool_bounce.h"
#include "spool/spool_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world *w;
static struct token_keys keys = {.n = 1, .key = {{1, 2, 3}}};

static int setup(void **state)
{
	(void)state;
	w = world_new("2026-06-03T08:00:00Z");
	w->settings.bounce.address = "bounce@mail.example.com";
	w->settings.bounce.delimiter = "+";
	engine_set_token_keys(w->engine, &keys);
	world_sql(w, "INSERT INTO customer (id, number, name) VALUES (1, '1001', 'Farm'), "
	             "(2, '1002', 'Other');"
	             "INSERT INTO contact (id, customer, email, alt_email) VALUES "
	             "(1, 1, 'a@example.com', 'alt@example.com');"
	             "INSERT INTO contact (id, customer, email) VALUES (2, 2, 'b@example.com')");
	world_turn(w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

/* A mail about a completed job that the relay took; its id. */
static int64_t sent_mail(const char *customer, const char *job)
{
	world_event(w, "job.completed", job, customer, NULL, NULL);
	assert_int_equal(w->n_in_flight, 1);
	int64_t id = w->in_flight[0].mail;
	world_deliver(w, DELIVERY_SENT);
	return id;
}

static struct spool_mail load(int64_t id, struct arena *arena)
{
	struct error err;
	struct spool_mail mail;
	struct spool *spool = spool_open(w->settings.spool.path, DB_READ, &err);
	assert_true(spool_begin_read(spool, &err));
	assert_true(spool_mail_load(spool, id, arena, &mail));
	spool_end_read(spool);
	spool_close(spool);
	return mail;
}

static void assert_mail(int64_t id, enum status status, enum reason reason)
{
	struct arena *arena = arena_new();
	struct spool_mail mail = load(id, arena);
	assert_string_equal(status_name(mail.status), status_name(status));
	assert_string_equal(reason_name(mail.reason), reason_name(reason));
	arena_free(arena);
}

/* The address where reports about the mail come, when it went to `to`. */
static const char *address_of(int64_t id, const char *to)
{
	static char address[TOKEN_ADDRESS_SIZE];
	char text[TOKEN_SIZE];
	struct arena *arena = arena_new();
	struct spool_mail mail = load(id, arena);
	struct token token = {.kind = TOKEN_REPORT, .id = id};
	token_make(&keys, &token, to, mail.message_id, text);
	token_address(w->settings.bounce.address, "+", text, address);
	arena_free(arena);
	return address;
}

/* What the command said: its `took`, else "CODE error". */
static const char *ask(const char *request)
{
	static char said[256];
	char *reply = world_command(w, request);
	json_t *json = json_loads(reply, 0, NULL);
	const char *took = json_string_value(json_object_get(json, "took"));
	if (took != NULL)
		(void)snprintf(said, sizeof said, "%s", took);
	else
		(void)snprintf(said, sizeof said, "%d %s",
		               (int)json_integer_value(json_object_get(json, "code")),
		               json_string_value(json_object_get(json, "error")));
	json_decref(json);
	free(reply);
	world_turn(w); /* its outcomes */
	return said;
}

static const char *take(const char *recipient, const char *kind, const char *address,
                        const char *verdict, const char *words)
{
	char request[1024];
	(void)snprintf(request, sizeof request,
	               "{\"do\":\"bounce.take\",\"recipient\":\"%s\",\"sender\":\"\",\"facts\":"
	               "{\"kind\":\"%s\",\"recipients\":[{\"address\":\"%s\",\"status\":\"5.1.1\","
	               "\"diagnostic\":\"%s\",\"verdict\":\"%s\"}]}}",
	               recipient, kind, address, words, verdict);
	return ask(request);
}

static const char *report(int64_t mail, const char *code)
{
	char request[256];
	(void)snprintf(request, sizeof request,
	               "{\"do\":\"bounce.report\",\"mail\":%lld,\"code\":\"%s\",\"by\":\"sam\"}",
	               (long long)mail, code);
	return ask(request);
}

static void assert_has(const struct buf *text, const char *part)
{
	const char *all = text->len > 0 ? text->data : "";
	if (text->len == 0 || memmem(text->data, text->len, part, strlen(part)) == NULL)
		fail_msg("no \"%s\" in \"%.*s\"", part, (int)text->len, all);
}

static void gone_marks_and_goes_to_the_alternate(void **state)
{
	(void)state;
	int64_t id = sent_mail("1001", "J");
	char message_id[128];
	world_event(w, "job.failed", "K", "1002", NULL, NULL); /* another's is untouched */
	world_deliver(w, DELIVERY_SENT);
	assert_string_equal(take(address_of(id, "a@example.com"), "failed", "a@example.com", "gone",
	                         "550 5.1.1 no such user"),
	                    "marked");
	assert_mail(id, STATUS_BOUNCED, REASON_ADDRESS_REFUSED);
	assert_has(&w->outcomes, "bounced address_refused J\nqueued ok J\n");
	assert_has(&w->fields, "reply=550 5.1.1 no such user");
	assert_has(&w->fields, "to=alt@example.com");
	/* The same Message-ID, and what it said then. */
	struct arena *arena = arena_new();
	assert_int_equal(w->n_in_flight, 1);
	(void)snprintf(message_id, sizeof message_id, "%s", w->message_ids[0]);
	assert_string_equal(load(id, arena).message_id, message_id);
	assert_string_equal(w->in_flight[0].to, "alt@example.com");
	int64_t second = w->in_flight[0].mail;
	assert_true(second > id);
	world_deliver(w, DELIVERY_SENT);
	assert_has(&w->outcomes, "sent ok J\n");
	/* And once more for the last address: nothing is left, the office hears. */
	assert_string_equal(take(address_of(second, "alt@example.com"), "failed", "alt@example.com",
	                         "gone", "550 gone"),
	                    "marked");
	assert_mail(second, STATUS_BOUNCED, REASON_ADDRESS_REFUSED);
	assert_int_equal(w->n_in_flight, 1);
	assert_string_equal(w->templates[0], "unreachable");
	assert_string_equal(w->in_flight[0].to, "office@example.com");
	assert_non_null(strstr(w->contexts[0], "\"words\":\"550 gone\""));
	assert_non_null(strstr(w->contexts[0], "\"address\":\"alt@example.com\""));
	world_deliver(w, DELIVERY_SENT);
	/* Later events find nobody. */
	world_event(w, "job.completed", "L", "1001", NULL, NULL);
	assert_string_equal(buf_text(&w->outcomes), "suppressed address_invalid L\n");
	arena_free(arena);
}

static void the_same_twice_changes_nothing(void **state)
{
	(void)state;
	int64_t id = sent_mail("1002", "J");
	char to[TOKEN_ADDRESS_SIZE];
	(void)strcpy(to, address_of(id, "b@example.com"));
	assert_string_equal(take(to, "failed", "b@example.com", "gone", "550 x"), "marked");
	assert_int_equal(w->n_in_flight, 1); /* the office's */
	world_deliver(w, DELIVERY_SENT);
	assert_string_equal(take(to, "failed", "b@example.com", "gone", "550 x"), "again");
	assert_int_equal(w->outcomes.len, 0);
	/* In other words: the same about the same mail. */
	assert_string_equal(take(to, "failed", "b@example.com", "gone", "550 y"), "again");
	assert_int_equal(w->outcomes.len, 0);
	/* Another verdict is another report, but the mail moved once. */
	assert_string_equal(take(to, "failed", "b@example.com", "refused", "550 z"), "counted");
	assert_mail(id, STATUS_BOUNCED, REASON_ADDRESS_REFUSED);
	assert_int_equal(w->outcomes.len, 0);
	assert_int_equal(world_mails(w, STATUS_BOUNCED), 1);
	assert_int_equal(w->n_in_flight, 0);
}

static void forged_old_and_foreign_tokens_do_nothing(void **state)
{
	(void)state;
	int64_t id = sent_mail("1001", "J");
	char address[TOKEN_ADDRESS_SIZE], token[TOKEN_SIZE];
	struct arena *arena = arena_new();
	struct spool_mail mail = load(id, arena);
	struct token_keys others = {.n = 1, .key = {{9}}};
	struct token report_token = {.kind = TOKEN_REPORT, .id = id},
	             reply_token = {.kind = TOKEN_REPLY, .id = id},
	             unknown_token = {.kind = TOKEN_REPORT, .id = id + 7};
	const struct {
		const struct token_keys *keys;
		const struct token *token;
		const char *over, *why;
	} cases[] = {
	        {&others, &report_token, "a@example.com", "forged"},
	        {&keys, &report_token, "b@example.com", "forged"},
	        {&keys, &reply_token, "a@example.com", "other_kind"},
	        {&keys, &unknown_token, "a@example.com", "forged"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		token_make(cases[i].keys, cases[i].token, cases[i].over, mail.message_id, token);
		token_address(w->settings.bounce.address, "+", token, address);
		assert_string_equal(take(address, "failed", "a@example.com", "gone", "550"),
		                    "unknown");
		assert_int_equal(w->outcomes.len, 0);
		json_t *list;
		struct error err;
		struct spool *spool = spool_open(w->settings.spool.path, DB_READ, &err);
		struct spool_bounce_filter filter = {.unknown = true, .limit = 10};
		assert_true(spool_read_bounces(spool, &filter, &list, &err));
		assert_int_equal(json_array_size(list), i + 1);
		assert_string_equal(
		        json_string_value(json_object_get(json_array_get(list, 0), "why")),
		        cases[i].why);
		json_decref(list);
		spool_close(spool);
	}
	assert_string_equal(take("bounce@mail.example.com", "failed", "a@example.com", "gone", "x"),
	                    "unknown");
	assert_mail(id, STATUS_SENT, REASON_OK);
	/* An unknown one doesn't stand in the way of the true one. */
	assert_string_equal(
	        take(address_of(id, "a@example.com"), "failed", "a@example.com", "gone", "550"),
	        "marked");
	arena_free(arena);
}

static void other_domains_are_told_so(void **state)
{
	(void)state;
	assert_string_equal(take("bounce@example.org", "failed", "a@example.com", "gone", "x"),
	                    "67 reports come to mail.example.com, not to example.org");
	assert_string_equal(take("bounce", "failed", "a@example.com", "gone", "x"),
	                    "67 reports come to mail.example.com, not to bounce");
	assert_string_equal(ask("{\"do\":\"bounce.take\",\"facts\":{\"kind\":\"whim\"}}"),
	                    "65 a report of no known kind");
	assert_string_equal(ask("{\"do\":\"bounce.take\"}"), "65 bounce.take needs facts");
	w->settings.bounce.address = "";
	assert_string_equal(take("bounce@mail.example.com", "failed", "a@example.com", "gone", "x"),
	                    "69 no reports are taken: [bounce] address is not set");
}

static void refused_never_marks(void **state)
{
	(void)state;
	int64_t id = sent_mail("1001", "J");
	assert_string_equal(take(address_of(id, "a@example.com"), "failed", "a@example.com",
	                         "refused", "554 5.7.1 spam"),
	                    "bounced");
	assert_mail(id, STATUS_BOUNCED, REASON_MAIL_REFUSED);
	assert_string_equal(buf_text(&w->outcomes), "bounced mail_refused J\n");
	id = sent_mail("1001", "K");
	struct arena *arena = arena_new();
	assert_string_equal(load(id, arena).address, "a@example.com");
	arena_free(arena);
}

static void many_refused_alarm_the_office_once(void **state)
{
	(void)state;
	char job[16];
	size_t alarms = 0;
	/* So many that 2 % of a day's mails are more than five. */
	for (int i = 0; i < 400; i++) {
		(void)snprintf(job, sizeof job, "J%d", i);
		int64_t id = sent_mail("1001", job);
		if (i < 393)
			continue;
		(void)report(id, "5.7.1");
		if (w->n_in_flight > 0) {
			alarms++;
			assert_int_equal(i, 397); /* the fifth */
			assert_string_equal(w->templates[0], "refusals");
			world_deliver(w, DELIVERY_SENT);
		}
	}
	assert_int_equal(alarms, 1);
	/* Two days later a few of few. */
	world_at(w, "2026-06-05T09:00:00Z");
	(void)report(sent_mail("1001", "X"), "5.7.1");
	assert_int_equal(w->n_in_flight, 0);
	(void)report(sent_mail("1001", "Y"), "5.7.1");
	assert_int_equal(w->n_in_flight, 1);
	assert_string_equal(w->templates[0], "refusals");
}

static void three_days_of_busy_mark(void **state)
{
	(void)state;
	static const struct {
		const char *at, *took;
	} days[] = {{"2026-06-03T08:00:00Z", "struck"},
	            {"2026-06-03T23:00:00Z", "struck"}, /* the same day */
	            {"2026-06-05T08:00:00Z", "struck"},
	            {"2026-06-06T08:00:00Z", "marked"}};
	char job[16];
	for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
		(void)snprintf(job, sizeof job, "J%zu", i);
		world_at(w, days[i].at);
		int64_t id = sent_mail("1001", job);
		assert_string_equal(report(id, "5.2.2"), days[i].took);
		assert_mail(id, STATUS_BOUNCED, REASON_MAIL_BUSY);
	}
	/* The mail of the third day still goes to the other address. */
	assert_int_equal(w->n_in_flight, 1);
	assert_string_equal(w->in_flight[0].to, "alt@example.com");
}

static void a_quiet_week_clears_busy_days(void **state)
{
	(void)state;
	static const struct {
		const char *at;
		bool busy;
		const char *took;
	} days[] = {{"2026-06-01T08:00:00Z", true, "struck"},
	            {"2026-06-02T08:00:00Z", true, "struck"},
	            {"2026-06-04T08:00:00Z", false, NULL},
	            {"2026-06-11T08:00:00Z", true, "struck"},
	            {"2026-06-12T08:00:00Z", true, "struck"},
	            /* nothing was taken in between: they are remembered */
	            {"2026-07-02T08:00:00Z", true, "marked"}};
	char job[16];
	for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
		(void)snprintf(job, sizeof job, "J%zu", i);
		world_at(w, days[i].at);
		if (i == 3) { /* whose days are kept over a restart */
			world_reopen(w);
			engine_set_token_keys(w->engine, &keys);
		}
		int64_t id = sent_mail("1002", job);
		if (days[i].busy)
			assert_string_equal(report(id, "5.2.2"), days[i].took);
	}
}

static void a_complaint_ends_all_mails(void **state)
{
	(void)state;
	int64_t id = sent_mail("1002", "J");
	assert_string_equal(take(address_of(id, "b@example.com"), "complaint", "b@example.com",
	                         "none", "abuse"),
	                    "complained");
	assert_mail(id, STATUS_BOUNCED, REASON_COMPLAINED);
	assert_has(&w->outcomes, "bounced complained J\n");
	assert_string_equal(w->templates[0], "unreachable");
	world_deliver(w, DELIVERY_SENT);
	/* At once, before it is written into customers.db. */
	world_event(w, "job.completed", "K", "1002", NULL, NULL);
	assert_string_equal(buf_text(&w->outcomes), "suppressed not_wanted K\n");
}

/* The token of List-Unsubscribe is the contact's. */
static void a_complaint_by_a_contacts_token_is_about_its_mail(void **state)
{
	(void)state;
	char token[TOKEN_SIZE], address[TOKEN_ADDRESS_SIZE], request[1024];
	int64_t others = sent_mail("1001", "J"), own = sent_mail("1002", "K");
	const struct token opt_out = {.kind = TOKEN_OPT_OUT, .id = 2, .state = JOB_COMPLETED};
	struct arena *arena = arena_new();
	struct contact_choice choice;
	struct error err;
	assert_true(contact_choice_load(w->engine->customers, 2, arena, &choice, &err));
	token_make(&keys, &opt_out, choice.link, "", token);
	arena_free(arena);
	token_address(w->settings.bounce.address, "+", token, address);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(request, sizeof request,
		               "{\"do\":\"bounce.take\",\"recipient\":\"%s\",\"facts\":{\"kind\":"
		               "\"complaint\",\"recipients\":[],\"envelope_id\":\"dispatchd-%lld\","
		               "\"from\":\"%d\"}}",
		               address, (long long)(i == 0 ? others : own), i);
		assert_string_equal(ask(request), "complained");
	}
	assert_mail(others, STATUS_SENT, REASON_OK);
	assert_mail(own, STATUS_BOUNCED, REASON_COMPLAINED);
	world_event(w, "job.completed", "L", "1001", NULL, NULL);
	assert_has(&w->outcomes, "queued ok L\n");
}

static void what_says_nothing_is_counted(void **state)
{
	(void)state;
	int64_t id = sent_mail("1001", "J");
	static const char *const harmless[] = {"delayed", "delivered", "auto_reply", "unknown"};
	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
		assert_string_equal(take(address_of(id, "a@example.com"), harmless[i],
		                         "a@example.com", "none", ""),
		                    "counted");
		assert_int_equal(w->outcomes.len, 0);
	}
	assert_mail(id, STATUS_SENT, REASON_OK);
	/* A person's answer to where reports come is none. */
	assert_string_equal(
	        take(address_of(id, "a@example.com"), "reply", "a@example.com", "none", ""),
	        "unknown");
	struct buf metrics = {0};
	world_metrics(w, &metrics);
	assert_has(&metrics, "dispatchd_reports_total{kind=\"delayed\",verdict=\"none\"} 1\n");
	assert_has(&metrics, "dispatchd_reports_total{kind=\"failed\",verdict=\"gone\"} 0\n");
	buf_free(&metrics);
}

static void a_report_may_come_before_the_result(void **state)
{
	(void)state;
	world_event(w, "job.completed", "J", "1001", NULL, NULL);
	int64_t id = w->in_flight[0].mail;
	assert_string_equal(
	        take(address_of(id, "a@example.com"), "failed", "a@example.com", "gone", "550 no"),
	        "marked");
	assert_mail(id, STATUS_SENDING, REASON_OK);
	assert_int_equal(w->outcomes.len, 0);
	world_deliver(w, DELIVERY_SENT);
	assert_string_equal(buf_text(&w->outcomes),
	                    "sent ok J\nbounced address_refused J\nqueued ok J\n");
	assert_mail(id, STATUS_BOUNCED, REASON_ADDRESS_REFUSED);
	assert_string_equal(w->in_flight[0].to, "alt@example.com");
	/* And where the result isn't "sent", the next try goes by what is known. */
	int64_t second = w->in_flight[0].mail;
	assert_string_equal(take(address_of(second, "alt@example.com"), "failed", "alt@example.com",
	                         "refused", "554 no"),
	                    "bounced");
	world_deliver(w, DELIVERY_DOUBT);
	assert_mail(second, STATUS_RETRYING, REASON_IN_DOUBT);
}

static void an_outdated_mail_goes_nowhere_else(void **state)
{
	(void)state;
	world_event(w, "job.dispatched", "J", "1001", "2026-06-03T08:00:00Z", NULL);
	int64_t id = w->in_flight[0].mail;
	world_deliver(w, DELIVERY_SENT);
	world_at(w, "2026-06-03T21:00:00Z"); /* its shelf life is 12 hours */
	assert_string_equal(report(id, "5.1.1"), "marked");
	assert_string_equal(buf_text(&w->outcomes), "bounced address_refused J\n");
	assert_int_equal(w->n_in_flight, 0);
	/* Nor one that the job has left behind. */
	world_sql(w, "INSERT INTO customer (id, number, name) VALUES (3, '1003', 'Third');"
	             "INSERT INTO contact (id, customer, email, alt_email) VALUES "
	             "(3, 3, 'c@example.com', 'c2@example.com')");
	world_event(w, "job.dispatched", "K", "1003", "2026-06-03T21:00:00Z", NULL);
	id = w->in_flight[0].mail;
	world_deliver(w, DELIVERY_SENT);
	world_event(w, "job.completed", "K", "1003", "2026-06-03T21:00:01Z", NULL);
	world_deliver(w, DELIVERY_SENT);
	assert_string_equal(report(id, "5.1.1"), "marked");
	assert_string_equal(buf_text(&w->outcomes), "bounced address_refused K\n");
	assert_int_equal(w->n_in_flight, 0);
}

/* It was quicker than the relay's 250, and then the process died. */
static void an_early_report_waits_over_a_restart(void **state)
{
	(void)state;
	world_event(w, "job.completed", "J", "1001", NULL, NULL);
	int64_t id = w->in_flight[0].mail;
	assert_string_equal(take(address_of(id, "a@example.com"), "failed", "a@example.com",
	                         "refused", "554 5.7.1 spam"),
	                    "bounced");
	world_reopen(w);
	engine_set_token_keys(w->engine, &keys);
	assert_int_equal(w->n_in_flight, 1);
	assert_int_equal(w->in_flight[0].mail, id);
	world_deliver(w, DELIVERY_SENT);
	assert_mail(id, STATUS_BOUNCED, REASON_MAIL_REFUSED);
	assert_has(&w->outcomes, "bounced mail_refused J\n");
}

static void by_hand_needs_a_mail_that_was_sent(void **state)
{
	(void)state;
	assert_string_equal(report(99, "5.1.1"), "66 there is no mail 99");
	assert_string_equal(report(1, "oops"),
	                    "64 a report needs an enhanced code such as 5.1.1 (got \"oops\")");
	w->room = 0;
	world_event(w, "job.completed", "J", "1001", NULL, NULL);
	w->room = 16;
	char *reply = world_command(w, "{\"do\":\"bounce.report\",\"mail\":1,\"code\":\"5.1.1\"}");
	assert_non_null(strstr(reply, "mail 1 is queued: it was never sent"));
	free(reply);
	world_turn(w);
	world_deliver(w, DELIVERY_SENT);
	int64_t id = sent_mail("1002", "K");
	assert_string_equal(report(id, "2.0.0"), "counted");
	assert_string_equal(report(id, "4.2.2"), "struck");
	assert_string_equal(report(id, "4.2.2"), "again");
}

static const char *take_unsigned(const char *envelope_id, const char *address, const char *queue_id)
{
	char request[1024];
	(void)snprintf(
	        request, sizeof request,
	        "{\"do\":\"bounce.take\",\"recipient\":\"bounce@mail.example.com\",\"facts\":"
	        "{\"kind\":\"failed\",\"recipients\":[{\"address\":\"%s\",\"status\":\"5.1.1\","
	        "\"diagnostic\":\"550\",\"verdict\":\"gone\"}],\"envelope_id\":\"%s\","
	        "\"queue_ids\":[\"%s\"]}}",
	        address, envelope_id, queue_id);
	return ask(request);
}

static void without_a_token_relay_and_recipient_must_agree(void **state)
{
	(void)state;
	int64_t ids[8];
	char envelope[64], job[16], message_id[128];
	for (int i = 0; i < 8; i++) {
		(void)snprintf(job, sizeof job, "J%d", i);
		world_event(w, "job.completed", job, i == 0 ? "1001" : "1002", NULL, NULL);
		ids[i] = w->in_flight[0].mail;
		struct delivery_result result = w->in_flight[0];
		if (i == 0)
			(void)strcpy(message_id, w->message_ids[0]);
		(void)snprintf(result.reply, sizeof result.reply, "250 queued as 4F1A%d3", i);
		result.delivery = DELIVERY_SENT;
		struct turn_input in = {.now = w->now, .results = &result, .n_results = 1};
		struct turn_output out;
		struct error err;
		assert_true(engine_turn(w->engine, &in, &out, &err));
		turn_output_clear(&out);
		w->n_in_flight = 0;
	}
	(void)snprintf(envelope, sizeof envelope, "dispatchd-%lld", (long long)ids[0]);
	assert_string_equal(take_unsigned(envelope, "a@example.com", "4F1A99"), "unknown");
	assert_string_equal(take_unsigned(envelope, "a@example.com", "4F1A0"), "unknown");
	assert_string_equal(take_unsigned(envelope, "x@example.com", "4F1A03"), "unknown");
	assert_string_equal(take_unsigned("", "a@example.com", "4F1A03"), "unknown");
	assert_mail(ids[0], STATUS_SENT, REASON_OK);
	assert_string_equal(take_unsigned(envelope, "A@example.com", "4f1a03"), "marked");
	assert_mail(ids[0], STATUS_BOUNCED, REASON_ADDRESS_REFUSED);
	/* At most five an hour do anything. */
	for (int i = 1; i < 8; i++) {
		char queue_id[16];
		(void)snprintf(envelope, sizeof envelope, "dispatchd-%lld", (long long)ids[i]);
		(void)snprintf(queue_id, sizeof queue_id, "4F1A%d3", i);
		const char *took = take_unsigned(envelope, "b@example.com", queue_id);
		assert_string_equal(took, i == 1 ? "marked" : i < 5 ? "bounced" : "unknown");
	}
	/* Two weeks later it is nobody's. */
	world_at(w, "2026-06-18T08:00:00Z");
	assert_string_equal(take_unsigned(envelope, "b@example.com", "4F1A73"), "again");
	(void)snprintf(envelope, sizeof envelope, "dispatchd-%lld", (long long)ids[6]);
	assert_string_equal(take_unsigned(envelope, "B@example.com", "4F1A63"), "unknown");
	assert_mail(ids[6], STATUS_SENT, REASON_OK);
}

static void a_message_id_finds_a_mail(void **state)
{
	(void)state;
	char request[1024], message_id[128];
	world_event(w, "job.completed", "J", "1001", NULL, NULL);
	int64_t id = w->in_flight[0].mail;
	(void)snprintf(message_id, sizeof message_id, "%s", w->message_ids[0] + 1);
	message_id[strlen(message_id) - 1] = '\0';
	struct delivery_result result = w->in_flight[0];
	(void)strcpy(result.reply, "250 2.0.0 Ok: queued as ABCDEF12");
	struct turn_input in = {.now = w->now, .results = &result, .n_results = 1};
	struct turn_output out;
	struct error err;
	assert_true(engine_turn(w->engine, &in, &out, &err));
	turn_output_clear(&out);
	w->n_in_flight = 0;
	(void)snprintf(request, sizeof request,
	               "{\"do\":\"bounce.take\",\"recipient\":\"\",\"facts\":{\"kind\":\"failed\","
	               "\"recipients\":[{\"address\":\"a@example.com\",\"verdict\":\"refused\"}],"
	               "\"message_id\":\"%s\",\"queue_ids\":[\"ABCDEF12\"]}}",
	               message_id);
	assert_string_equal(ask(request), "bounced");
	assert_mail(id, STATUS_BOUNCED, REASON_MAIL_REFUSED);
}

static void of_several_recipients_ours_counts_else_the_mildest(void **state)
{
	(void)state;
	int64_t id = sent_mail("1001", "J");
	char request[1024];
	(void)snprintf(
	        request, sizeof request,
	        "{\"do\":\"bounce.take\",\"recipient\":\"%s\",\"facts\":{\"kind\":\"failed\","
	        "\"recipients\":[{\"address\":\"x@example.org\",\"verdict\":\"gone\"},"
	        "{\"address\":\"y@example.org\",\"verdict\":\"none\"}]}}",
	        address_of(id, "a@example.com"));
	assert_string_equal(ask(request), "counted");
	(void)snprintf(
	        request, sizeof request,
	        "{\"do\":\"bounce.take\",\"recipient\":\"%s\",\"facts\":{\"kind\":\"failed\","
	        "\"recipients\":[{\"address\":\"x@example.org\",\"verdict\":\"none\"},"
	        "{\"address\":\"a@EXAMPLE.com\",\"verdict\":\"gone\"}]}}",
	        address_of(id, "a@example.com"));
	assert_string_equal(ask(request), "marked");
}

/* Of a grouped mail each event bounces, and the alternate address gets them together. */
static void a_grouped_mail_bounces_as_a_whole(void **state)
{
	(void)state;
	w->settings.notify[JOB_STARTED].group_wait_ms = 60000;
	world_event(w, "job.started", "J", "1001", NULL, NULL);
	world_event(w, "job.started", "K", "1001", NULL, NULL);
	world_at(w, "2026-06-03T08:02:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	int64_t id = w->in_flight[0].mail;
	world_deliver(w, DELIVERY_SENT);
	assert_string_equal(report(id, "5.1.1"), "marked");
	assert_string_equal(buf_text(&w->outcomes),
	                    "bounced address_refused J\nbounced address_refused K\n"
	                    "queued ok J\nqueued ok K\n");
	assert_int_equal(w->n_in_flight, 1);
	assert_string_equal(w->in_flight[0].to, "alt@example.com");
	assert_non_null(strstr(w->contexts[0], "\"grouped\":true"));
	world_deliver(w, DELIVERY_SENT);
	assert_string_equal(buf_text(&w->outcomes), "sent ok J\nsent ok K\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(gone_marks_and_goes_to_the_alternate),
	        TEST(the_same_twice_changes_nothing),
	        TEST(forged_old_and_foreign_tokens_do_nothing),
	        TEST(other_domains_are_told_so),
	        TEST(refused_never_marks),
	        TEST(many_refused_alarm_the_office_once),
	        TEST(three_days_of_busy_mark),
	        TEST(a_quiet_week_clears_busy_days),
	        TEST(a_complaint_ends_all_mails),
	        TEST(a_complaint_by_a_contacts_token_is_about_its_mail),
	        TEST(what_says_nothing_is_counted),
	        TEST(a_report_may_come_before_the_result),
	        TEST(an_early_report_waits_over_a_restart),
	        TEST(an_outdated_mail_goes_nowhere_else),
	        TEST(by_hand_needs_a_mail_that_was_sent),
	        TEST(without_a_token_relay_and_recipient_must_agree),
	        TEST(a_message_id_finds_a_mail),
	        TEST(of_several_recipients_ours_counts_else_the_mildest),
	        TEST(a_grouped_mail_bounces_as_a_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
