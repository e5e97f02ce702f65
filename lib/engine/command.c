/* SPDX-License-Identifier: MIT */
/*
 * What people ask of the engine, by the control socket or by dispatchctl where no daemon runs: one
 * JSON object in, one out. A command is a row.
 *
 *   {"do": "mail.retry", "id": 5, "by": "sam"}  ─▶  {"ok": true, "mails": [5]}
 *                                               ─▶  {"ok": false, "code": 66, "error": "there is no
 * mail 5"}
 */
#include "engine/command.h"

#include "base/jsontext.h"
#include "db/fields.h"
#include "engine/bounce.h"
#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/gate.h"
#include "engine/gate_answer.h"
#include "engine/intake.h"
#include "engine/mail_pause.h"
#include "engine/mail_state.h"
#include "engine/mail_supersede.h"
#include "engine/mail_wait.h"
#include "engine/opt_out.h"
#include "engine/outcome.h"
#include "engine/redirect.h"
#include "model/request.h"
#include "spool/spool_limits.h"
#include "spool/spool_pause.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { BATCH = 500, BATCH_BYTES = 2 << 20 };

struct ask {
	struct engine *engine;
	const struct turn_command *command;
	const json_t *in; /* its text, read */
	json_t *out;      /* an object with ok = true; a command adds its own */
	struct error err;
};

typedef bool run_fn(struct ask *ask);

static const char *json_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static bool get_mail(struct ask *ask, int64_t id, struct spool_mail *ret)
{
	if (spool_mail_load(ask->engine->spool, id, ask->engine->arena, ret))
		return true;
	return error_set(&ask->err, EX_NOINPUT, "there is no mail %lld", (long long)id);
}

static void add_id(struct ask *ask, const char *list, int64_t id)
{
	if (json_object_get(ask->out, list) == NULL)
		json_object_set_new(ask->out, list, json_array());
	json_array_append_new(json_object_get(ask->out, list), json_integer(id));
}

/*
 * It is due now, or when its contact's limit allows. Counted apart: one that waits for that
 * (`limited`, too); one whose job has moved on meanwhile, which goes nowhere; one whose shelf life
 * is over before.
 */
static void go_now(struct ask *ask, struct spool_mail *mail, bool joins)
{
	const struct contact_verdict now = {
	        .status = STATUS_QUEUED, .reason = REASON_OK, .due = ask->engine->now, .to = ""};
	int64_t id = mail->id;
	engine_mail_wait(ask->engine, mail, &now, joins);
	if (id == mail->id && mail->status != STATUS_EXPIRED)
		engine_supersede_brought_back(ask->engine, mail);
	if (status_in(mail->status, STATUSES_WAITING))
		add_id(ask, "mails", id);
	else
		add_id(ask, status_name(mail->status), id);
	if (mail->status == STATUS_DEFERRED)
		add_id(ask, "limited", id);
}

static void release(struct ask *ask, struct spool_mail *mail)
{
	if (spool_mail_is_held(mail))
		go_now(ask, mail, true);
}

static void retry(struct ask *ask, struct spool_mail *mail)
{
	go_now(ask, mail, true);
}

/* All of a long list are taken in batches, each a turn: who asks goes on `after` the answer's
 * `next`. */
static int64_t batch_after(const struct ask *ask)
{
	return json_integer_value(json_object_get(ask->in, "after"));
}

static void set_next(struct ask *ask, size_t n, int64_t last)
{
	if (n == BATCH)
		json_object_set_new(ask->out, "next", json_integer(last));
}

static bool retry_failed(struct ask *ask)
{
	int64_t ids[BATCH];
	size_t n =
	        spool_mails_with(ask->engine->spool, STATUS_FAILED, batch_after(ask), ids, BATCH);
	for (size_t i = 0; i < n; i++) {
		struct spool_mail mail;
		if (spool_mail_load(ask->engine->spool, ids[i], ask->engine->arena, &mail))
			retry(ask, &mail);
	}
	set_next(ask, n, n > 0 ? ids[n - 1] : 0);
	return true;
}

/* Those of `ids` with one of these statuses; who asks sees from the answer which these were. */
static bool run_listed(struct ask *ask, unsigned statuses,
                       void (*run)(struct ask *ask, struct spool_mail *mail))
{
	const json_t *ids = json_object_get(ask->in, "ids"), *id;
	size_t i;
	if (json_array_size(ids) > REQUEST_IDS_MAX)
		return error_set(&ask->err, EX_USAGE, "at most %d ids at a time", REQUEST_IDS_MAX);
	json_array_foreach(ids, i, id)
	{
		struct spool_mail mail;
		if (spool_mail_load(ask->engine->spool, json_integer_value(id), ask->engine->arena,
		                    &mail) &&
		    status_in(mail.status, statuses))
			run(ask, &mail);
	}
	return true;
}

static bool run_mail_retry(struct ask *ask)
{
	struct spool_mail mail;
	json_object_set_new(ask->out, "mails", json_array());
	if (json_is_true(json_object_get(ask->in, "all_failed")))
		return retry_failed(ask);
	if (json_object_get(ask->in, "ids"))
		return run_listed(ask, STATUSES_RETRIED, retry);
	if (!get_mail(ask, json_integer_value(json_object_get(ask->in, "id")), &mail))
		return false;
	if (status_in(mail.status, STATUSES_RETRIED)) {
		go_now(ask, &mail, false); /* who asks by its id finds it by that */
		return true;
	}
	return error_set(
	        &ask->err, EX_DATAERR,
	        "mail %lld is %s: only one that failed, is retrying or deferred can be retried",
	        (long long)mail.id, status_name(mail.status));
}

static void cancel(struct ask *ask, struct spool_mail *mail)
{
	engine_mail_set_status(ask->engine, mail, STATUS_CANCELLED, REASON_BY_HAND);
	json_array_append_new(json_object_get(ask->out, "mails"), json_integer(mail->id));
}

static bool run_mail_cancel(struct ask *ask)
{
	struct spool_mail mail;
	json_object_set_new(ask->out, "mails", json_array());
	if (json_object_get(ask->in, "ids"))
		return run_listed(ask, STATUSES_WAITING, cancel);
	if (!get_mail(ask, json_integer_value(json_object_get(ask->in, "id")), &mail))
		return false;
	if (!status_in(mail.status, STATUSES_WAITING))
		return error_set(&ask->err, EX_DATAERR,
		                 "mail %lld is %s: it can't be cancelled anymore",
		                 (long long)mail.id, status_name(mail.status));
	cancel(ask, &mail);
	return true;
}

static void discard(struct ask *ask, struct spool_mail *mail)
{
	if (spool_mail_is_held(mail))
		cancel(ask, mail);
}

/* {"do", "ids"}: those of them that are held back. */
static bool run_breaker_release(struct ask *ask)
{
	json_object_set_new(ask->out, "mails", json_array());
	return run_listed(ask, 1u << STATUS_DEFERRED, release);
}

static bool run_breaker_discard(struct ask *ask)
{
	json_object_set_new(ask->out, "mails", json_array());
	return run_listed(ask, 1u << STATUS_DEFERRED, discard);
}

/* How it is now: `paused` is null where mails go out. */
static void add_pause(struct ask *ask)
{
	json_object_set_new(ask->out, "paused",
	                    spool_pause_json(ask->engine->spool, ask->engine->now));
}

static bool run_mail_pause(struct ask *ask)
{
	if (!engine_pause(ask->engine, json_text(ask->in, "by"), json_text(ask->in, "note"),
	                  &ask->err))
		return false;
	add_pause(ask);
	return true;
}

/* `due`: how many mails were; each of them is judged again. */
static bool run_mail_resume(struct ask *ask)
{
	json_t *pause = spool_pause_json(ask->engine->spool, ask->engine->now);
	json_object_set_new(ask->out, "resumed",
	                    json_boolean(engine_resume(ask->engine, json_text(ask->in, "by"))));
	json_object_set_new(ask->out, "due",
	                    json_integer(json_integer_value(json_object_get(pause, "due"))));
	json_decref(pause);
	add_pause(ask);
	return true;
}

/* ---- The gate ---- */

/* "sam: the driver is there already" */
static const char *note_of(const struct ask *ask)
{
	const char *by = json_string_value(json_object_get(ask->in, "by"));
	const char *why = json_string_value(json_object_get(ask->in, "note"));
	return arena_printf(ask->engine->arena, "%s%s%s", by ? by : "", by && why ? ": " : "",
	                    why ? why : "");
}

static bool run_hold(struct ask *ask,
                     bool (*decide)(struct engine *engine, int64_t *id, const char *job,
                                    const char *note, struct error *err))
{
	int64_t id = json_integer_value(json_object_get(ask->in, "id"));
	if (!decide(ask->engine, &id, json_text(ask->in, "job"), note_of(ask), &ask->err))
		return false;
	json_object_set_new(ask->out, "id", json_integer(id));
	return true;
}

static bool run_hold_release(struct ask *ask)
{
	return run_hold(ask, engine_release_by_hand);
}

static bool run_hold_cancel(struct ask *ask)
{
	return run_hold(ask, engine_cancel_by_hand);
}

/* Each turn begins with it: there is nothing left to do. */
static bool run_numbers(struct ask *ask)
{
	(void)ask;
	return true;
}

static bool run_gate(struct ask *ask)
{
	return gate_answer(ask->engine->settings, ask->engine->zones, ask->engine->arena,
	                   ask->engine->now,
	                   engine_customer(ask->engine, json_text(ask->in, "customer")), ask->in,
	                   ask->out, &ask->err);
}

/* ---- Dead letters ---- */

static enum entry_feed feed_of(const char *name)
{
	for (enum entry_feed feed = FEED_EVENTS; feed <= FEED_CUSTOMERS; feed++) {
		if (strcmp(entry_feed_name(feed), name) == 0)
			return feed;
	}
	return FEED_EVENTS;
}

/* dead_reason, dead_detail, dead_entry: the last ones; fields of these names before them came from
 * outside. */
enum { DEAD_FIELDS = 3 };

/* As it came, without what we had added. */
static void retry_dead(struct ask *ask, const struct spool_outcome *dead)
{
	struct entry_field *fields;
	size_t n;
	if (!fields_unpack(dead->fields, dead->fields_len, ask->engine->arena, &fields, &n) ||
	    n < DEAD_FIELDS)
		return;
	struct entry entry = {.feed = feed_of(dead->key),
	                      .id = fields[n - 1].value,
	                      .fields = fields,
	                      .n_fields = n - DEAD_FIELDS,
	                      .received = ask->engine->now};
	spool_dead_retried(ask->engine->spool, dead->seq);
	engine_process_entry(ask->engine, &entry);
	json_array_append_new(json_object_get(ask->out, "dead"), json_integer(dead->seq));
}

/* The number in the `dead_id` that Redis has, or that `dead list` shows; 0 where it is none. */
static int64_t dead_number(const struct ask *ask, const char *asked)
{
	const char *instance = spool_instance(ask->engine->spool);
	size_t len = strlen(instance);
	char *end;
	if (strncmp(asked, instance, len) == 0 && asked[len] == '-')
		asked += len + 1;
	long long number = strtoll(asked, &end, 10);
	return *end == '\0' && number > 0 ? number : 0;
}

/* What is put aside again on the way comes behind `until`, and is not taken again. */
static bool retry_dead_letters(struct ask *ask)
{
	struct engine *engine = ask->engine;
	const json_t *given = json_object_get(ask->in, "until");
	int64_t until = given ? json_integer_value(given) : spool_last_outcome(engine->spool);
	size_t n;
	struct spool_outcome *dead = spool_dead_after(engine->spool, batch_after(ask), until, BATCH,
	                                              BATCH_BYTES, engine->arena, &n);
	for (size_t i = 0; i < n; i++)
		retry_dead(ask, &dead[i]);
	if (n > 0) /* there may be others, however few these are: bytes count, too */
		set_next(ask, BATCH, dead[n - 1].seq);
	json_object_set_new(ask->out, "until", json_integer(until));
	return true;
}

static bool run_dead_retry(struct ask *ask)
{
	struct engine *engine = ask->engine;
	const char *asked = json_string_value(json_object_get(ask->in, "entry"));
	size_t n;
	json_object_set_new(ask->out, "dead", json_array());
	if (asked == NULL && json_is_true(json_object_get(ask->in, "all")))
		return retry_dead_letters(ask);
	if (asked == NULL)
		return error_set(&ask->err, EX_USAGE, "dead.retry needs entry or all");
	struct spool_outcome *dead =
	        spool_dead_named(engine->spool, asked, dead_number(ask, asked), engine->arena, &n);
	for (size_t i = 0; i < n; i++)
		retry_dead(ask, &dead[i]);
	return n > 0 || error_set(&ask->err, EX_NOINPUT, "there is no dead letter %s", asked);
}

static bool run_status(struct ask *ask)
{
	const struct engine *engine = ask->engine;
	json_t *mails = json_object();
	for (enum status s = STATUS_QUEUED; s < STATUS_COUNT; s++) {
		if (status_in(s, STATUSES_MAIL))
			json_object_set_new(mails, status_name(s),
			                    json_integer(spool_mail_count(engine->spool, s)));
	}
	json_object_set_new(ask->out, "mails", mails);
	json_object_set_new(ask->out, "waiting", json_integer(spool_wait_count(engine->spool)));
	json_object_set_new(ask->out, "held", json_integer(spool_held_count(engine->spool)));
	json_object_set_new(ask->out, "unpublished", json_integer(engine->unpublished));
	add_pause(ask);
	json_object_set_new(ask->out, "breaker", spool_breaker_json(engine->spool));
	json_object_set_new(ask->out, "redirect_to", json_string(engine_redirects_to(engine)));
	json_object_set_new(ask->out, "instance", json_string(spool_instance(engine->spool)));
	return true;
}

/* Done before the turn's first step (follow.c): without it there would have been none. */
static bool run_adopt(struct ask *ask)
{
	json_object_set_new(ask->out, "identity", json_string(ask->engine->seen.identity));
	return true;
}

static bool run_opt_out_show(struct ask *ask)
{
	return engine_opt_out_show(ask->engine, ask->in, ask->out, &ask->err);
}

static bool run_opt_out_set(struct ask *ask)
{
	return engine_opt_out_set(ask->engine, ask->in, ask->out, &ask->err);
}

static bool run_bounce_take(struct ask *ask)
{
	return engine_bounce_take(ask->engine, ask->in, ask->out, &ask->err);
}

static bool run_bounce_forward(struct ask *ask)
{
	return engine_bounce_forward(ask->engine, ask->in, ask->command->bytes,
	                             ask->command->n_bytes, ask->out, &ask->err);
}

static bool run_bounce_report(struct ask *ask)
{
	return engine_bounce_report(ask->engine, ask->in, ask->out, &ask->err);
}

/* None for REQUEST_RELOAD, which is the loop's. */
static run_fn *const runs[REQUEST_COUNT] = {
        [REQUEST_STATUS] = run_status,
        [REQUEST_MAIL_RETRY] = run_mail_retry,
        [REQUEST_MAIL_CANCEL] = run_mail_cancel,
        [REQUEST_MAIL_PAUSE] = run_mail_pause,
        [REQUEST_MAIL_RESUME] = run_mail_resume,
        [REQUEST_BREAKER_RELEASE] = run_breaker_release,
        [REQUEST_BREAKER_DISCARD] = run_breaker_discard,
        [REQUEST_DEAD_RETRY] = run_dead_retry,
        [REQUEST_HOLD_RELEASE] = run_hold_release,
        [REQUEST_HOLD_CANCEL] = run_hold_cancel,
        [REQUEST_GATE] = run_gate,
        [REQUEST_NUMBERS] = run_numbers,
        [REQUEST_CUSTOMERS_ADOPT] = run_adopt,
        [REQUEST_OPT_OUT_SHOW] = run_opt_out_show,
        [REQUEST_OPT_OUT_SET] = run_opt_out_set,
        [REQUEST_BOUNCE_TAKE] = run_bounce_take,
        [REQUEST_BOUNCE_REPORT] = run_bounce_report,
        [REQUEST_BOUNCE_FORWARD] = run_bounce_forward,
};

static bool command_run(struct ask *ask)
{
	enum control_request request = control_request_find(ask->in);
	run_fn *run_request = runs[request];
	if (request != REQUEST_GATE) /* which is about no mail */
		engine_new_mails_write_all(ask->engine);
	if (run_request != NULL)
		return run_request(ask);
	const char *name = json_string_value(json_object_get(ask->in, "do"));
	return error_set(&ask->err, EX_USAGE, "the daemon knows no command '%s'", name ? name : "");
}

static const char *command_answer(struct engine *engine, const struct turn_command *command)
{
	struct ask ask = {.engine = engine, .command = command, .out = json_pack("{s:b}", "ok", 1)};
	json_t *in = jsontext_read(command->text, strlen(command->text), &ask.err);
	ask.in = in;
	if (in == NULL || !command_run(&ask)) {
		json_decref(ask.out);
		ask.out = control_fault(&ask.err);
	}
	char *reply = json_dumps(ask.out, JSON_COMPACT);
	const char *copy = arena_strdup(engine->out->arena, reply ? reply : "{\"ok\":false}");
	free(reply);
	json_decref(ask.out);
	json_decref(in);
	return copy;
}

void engine_process_commands(struct engine *engine)
{
	const struct turn_input *in = engine->in;
	const char **replies = arena_new_array(engine->out->arena, in->n_commands, const char *);
	for (size_t i = 0; i < in->n_commands; i++)
		replies[i] = command_answer(engine, &in->commands[i]);
	engine->out->replies = replies;
}
