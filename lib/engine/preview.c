/* SPDX-License-Identifier: MIT */
/*
 * What a template sees of a customer's records and of a job that has everything a job can have, in
 * the short form of mail/context.h. The job's words are English: they stand for what a publisher
 * writes.
 */
#include "engine/preview.h"

#include "engine/context_parts.h"
#include "model/suspension.h"
#include "rules/rules.h"

#include <string.h>
#include <sysexits.h>

#define JOB_ID "4711"

enum { HOUR_MS = 3600 * 1000 };

/* In the making. */
struct sketch {
	const struct preview *preview;
	const struct customer *customer;
	const struct contact *contact; /* NULL: none, or the mail is to the office */
	const struct zone *zone;
	struct arena *arena;
	enum job_state state;
	bool to_office;
	struct buf out;
};

/* ---- to whom ---- */

/* The first who wants this state and has an address, else the first who has one. */
static const struct contact *first_contact(const struct sketch *sketch)
{
	size_t n;
	enum reason ignored;
	const struct contact *found = NULL;
	const struct contact *const *all = customer_contacts(sketch->customer, sketch->arena, &n);
	for (size_t i = n; i-- > 0;)
		if (*contact_address(all[i], &ignored) != '\0')
			found = all[i];
	for (size_t i = n; i-- > 0;)
		if (*contact_address(all[i], &ignored) != '\0' &&
		    (all[i]->notify & JOB_BIT(sketch->state)) != 0)
			found = all[i];
	return found;
}

/* ---- the job ---- */

static struct instant scheduled(const struct sketch *sketch)
{
	return (struct instant){sketch->preview->now.ms + 2 * HOUR_MS};
}

static void put_event(struct sketch *sketch, struct instant at)
{
	const char *state = job_state_name(sketch->state);
	context_put_name(&sketch->out, "event");
	buf_addc(&sketch->out, '{');
	context_put_text(&sketch->out, "id", "preview");
	context_put_text(&sketch->out, "type", arena_printf(sketch->arena, "job.%s", state));
	context_put_text(&sketch->out, "state", state);
	context_put_time(&sketch->out, "time", at, sketch->zone);
	context_put_text(&sketch->out, "job", JOB_ID);
	context_put_text(&sketch->out, "customer", sketch->customer->number);
	buf_addc(&sketch->out, '}');
}

static void put_data(struct sketch *sketch)
{
	struct buf *out = &sketch->out;
	unsigned explained = JOB_BIT(JOB_FAILED) | JOB_BIT(JOB_PAUSED) | JOB_BIT(JOB_CANCELLED);
	context_put_name(out, "data");
	buf_addc(out, '{');
	context_put_text(out, "reference", "PO 12345");
	context_put_text(out, "service", "Roll-off exchange");
	context_put_text(out, "driver", "Sam Ortiz");
	context_put_text(out, "vehicle", "Truck 12");
	context_put_text(out, "asset", "RO-118, 30 yard");
	context_put_text(out, "note", "Put the new one beside the barn.");
	context_put_time(out, "scheduled", scheduled(sketch), sketch->zone);
	context_put_time(out, "eta", scheduled(sketch), sketch->zone);
	if ((explained & JOB_BIT(sketch->state)) != 0)
		context_put_text(out, "reason", "The gate was locked.");
	if (sketch->state == JOB_COMPLETED)
		context_put_text(out, "amount", "$385.00");
	buf_addc(out, '}');
}

static void put_row(struct sketch *sketch, enum job_state state, struct instant at, bool is_event)
{
	struct buf *out = &sketch->out;
	if (out->data[out->len - 1] != '[')
		buf_addc(out, ',');
	buf_addc(out, '{');
	context_put_text(out, "event", is_event ? "preview" : "preview-before");
	context_put_text(out, "state", job_state_name(state));
	context_put_text(out, "type", arena_printf(sketch->arena, "job.%s", job_state_name(state)));
	context_put_time(out, "time", at, sketch->zone);
	if (!is_event)
		buf_adds(out, ",\"data\":{}");
	buf_addc(out, '}');
}

/* A driver had it before. */
static void put_history(struct sketch *sketch)
{
	if (sketch->state == JOB_DISPATCHED)
		return;
	struct instant before = {sketch->preview->now.ms - HOUR_MS};
	context_put_name(&sketch->out, "history");
	buf_addc(&sketch->out, '[');
	put_row(sketch, JOB_DISPATCHED, before, false);
	put_row(sketch, sketch->state, sketch->preview->now, true);
	buf_addc(&sketch->out, ']');
}

/* ---- what is on record ---- */

static void put_window(struct sketch *sketch)
{
	struct hours_span window;
	if (!hours_arrival_window(customer_hours(sketch->customer, sketch->arena), sketch->zone,
	                          scheduled(sketch), &window))
		return;
	context_put_name(&sketch->out, "window");
	context_put_window(&sketch->out, window, sketch->zone);
}

/* The one that holds, else one that might. */
static void put_suspension(struct sketch *sketch)
{
	const struct suspension *suspension = suspension_find(
	        sketch->customer, SCOPE_JOBS | SCOPE_ROUTES, sketch->zone, sketch->preview->now);
	const struct suspension one = {.id = 1,
	                               .customer = sketch->customer->number,
	                               .scopes = SCOPE_JOBS,
	                               .from = zone_day(sketch->zone, sketch->preview->now),
	                               .until = DAY_NONE,
	                               .note = "Unpaid",
	                               .author = "kim"};
	context_put_name(&sketch->out, "suspension");
	context_put_suspension(&sketch->out, suspension != NULL ? suspension : &one);
}

/* What the answer to a wish for fewer mails says. */
static void put_choice(struct sketch *sketch)
{
	context_put_name(&sketch->out, "choice");
	buf_adds(&sketch->out, "{\"completed\":true}");
}

/* What mails to the office about reports say. */
static void put_report(struct sketch *sketch)
{
	static const char words[] = "550 5.7.1 Message refused by policy";
	struct buf *out = &sketch->out;
	context_put_name(out, "report");
	buf_adds(out, "{\"hour\":5,\"day\":7");
	context_put_text(out, "address", "rosa@example.com");
	context_put_text(out, "words", words);
	buf_adds(out, "}");
	context_put_name(out, "reports");
	buf_adds(out, "[{");
	context_put_text(out, "address", "rosa@example.com");
	context_put_text(out, "words", words);
	context_put_time(out, "time", sketch->preview->now, sketch->zone);
	buf_adds(out, "}]");
}

static void put_all(struct sketch *sketch, const struct settings *settings)
{
	struct buf *out = &sketch->out;
	buf_adds(out, "{\"v\":1");
	put_event(sketch, sketch->preview->now);
	put_data(sketch);
	put_history(sketch);
	context_put_name(out, "customer");
	context_put_customer(out, sketch->customer, sketch->zone);
	put_window(sketch);
	context_put_name(out, "company");
	context_put_company(out, settings);
	if (sketch->contact != NULL) {
		context_put_name(out, "contact");
		context_put_contact(out, sketch->contact);
	}
	if (sketch->to_office) {
		put_suspension(sketch);
		put_report(sketch);
		put_choice(sketch);
	}
	buf_addc(out, '}');
}

/* ---- */

static struct outgoing_mail *finish(const struct sketch *sketch)
{
	struct outgoing_mail *mail = outgoing_mail_new();
	json_t *context = json_loads(buf_text(&sketch->out), 0, NULL);
	enum reason ignored;
	mail->context = arena_strdup(mail->arena, buf_text(&sketch->out));
	mail->template = arena_strdup(mail->arena, sketch->preview->mail);
	mail->made = sketch->preview->now;
	outgoing_mail_read(mail, context);
	if (sketch->contact != NULL)
		mail->to = arena_strdup(mail->arena, contact_address(sketch->contact, &ignored));
	if (sketch->preview->locale != NULL)
		mail->locale = arena_strdup(mail->arena, sketch->preview->locale);
	json_decref(context);
	return mail;
}

struct outgoing_mail *preview_mail(const struct settings *settings, struct customers *customers,
                                   const struct preview *preview, struct error *err)
{
	struct sketch sketch = {.preview = preview, .arena = arena_new()};
	struct outgoing_mail *mail = NULL;
	sketch.state = job_state_find(preview->mail);
	sketch.to_office = sketch.state == JOB_NONE;
	if (sketch.to_office)
		sketch.state = JOB_STARTED;
	if (!customers_load(customers, sketch.arena, preview->customer, &sketch.customer, err))
		goto out;
	if (sketch.customer == NULL) {
		(void)error_set(err, EX_NOINPUT, "there is no customer %s", preview->customer);
		goto out;
	}
	sketch.zone = rules_zone(settings, customers_zones(customers), sketch.customer);
	if (!sketch.to_office)
		sketch.contact = first_contact(&sketch);
	put_all(&sketch, settings);
	mail = finish(&sketch);
out:
	buf_free(&sketch.out);
	arena_free(sketch.arena);
	return mail;
}
