/* SPDX-License-Identifier: MIT */
/*
 * What a mail's context has of the records and settings (contract, section 5). Written as text: it
 * is done for every mail. What somebody wrote into the database that isn't UTF-8 is left out.
 */
#include "engine/context_parts.h"

#include "base/jsontext.h"
#include "base/utf8.h"
#include "engine/trace.h"
#include "mail/mail_tokens.h"
#include "model/kind.h"
#include "model/suspension.h"

#include <string.h>

void context_put_name(struct buf *out, const char *name)
{
	char last = out->len > 0 ? out->data[out->len - 1] : '{';
	buf_adds(out, last == '{' || last == '[' ? "\"" : ",\"");
	buf_adds(out, name);
	buf_adds(out, "\":");
}

void context_put_text(struct buf *out, const char *name, const char *text)
{
	if (text == NULL || *text == '\0' || !utf8_valid(text, strlen(text)))
		return;
	context_put_name(out, name);
	json_quote(out, text);
}

static void put_integer(struct buf *out, const char *name, int64_t value)
{
	context_put_name(out, name);
	buf_add_integer(out, value);
}

void context_put_time(struct buf *out, const char *name, struct instant t, const struct zone *zone)
{
	char text[INSTANT_TEXT_MAX];
	if (!instant_is_none(t))
		context_put_text(out, name, instant_format(t, zone_offset_s(zone, t), text));
}

static void put_day(struct buf *out, const char *name, struct day day)
{
	char text[DAY_TEXT_MAX];
	context_put_text(out, name, day_format(day, text));
}

static void put_field(struct buf *out, const struct field *field, const char *text)
{
	if (field->type != FIELD_FLAG || *text == '\0') {
		context_put_text(out, field->name, text);
		return;
	}
	context_put_name(out, field->name);
	buf_adds(out, strcmp(text, "true") == 0 ? "true" : "false");
}

void context_put_customer(struct buf *out, const struct customer *customer, const struct zone *zone)
{
	const struct kind *kind = kind_find("customer");
	buf_addc(out, '{');
	for (size_t i = 0; i < kind->n_fields; i++) {
		if (!kind->fields[i].not_in_mail)
			put_field(out, &kind->fields[i], customer_text(customer, i));
	}
	if (zone != NULL && *customer_timezone(customer) == '\0')
		context_put_text(out, "timezone", zone_name(zone));
	if (customer->parent != NULL) {
		context_put_name(out, "parent");
		context_put_customer(out, customer->parent, NULL);
	}
	buf_addc(out, '}');
}

void context_put_contact(struct buf *out, const struct contact *contact)
{
	const struct kind *kind = kind_find("contact");
	buf_addc(out, '{');
	for (size_t i = 0; i < kind->n_fields; i++) {
		const struct field *field = &kind->fields[i];
		if (!field->not_in_mail && strcmp(field->name, "name") != 0)
			put_field(out, field, contact->texts[i]);
	}
	context_put_text(out, "name", contact->name);
	put_integer(out, "id", contact->id);
	buf_addc(out, '}');
}

void context_put_suspension(struct buf *out, const struct suspension *suspension)
{
	char scopes[WORDS_TEXT_MAX];
	buf_addc(out, '{');
	put_integer(out, "id", suspension->id);
	context_put_text(out, "customer", suspension->customer);
	context_put_text(out, "scopes", scopes_format(suspension->scopes, scopes));
	put_day(out, "from", suspension->from);
	put_day(out, "until", suspension->until);
	context_put_text(out, "note", suspension->note);
	context_put_text(out, "author", suspension->author);
	buf_addc(out, '}');
}

void context_put_bounce(struct buf *out, const struct settings *settings, bool replies)
{
	char url[MAIL_TOKENS_URL_MAX + 1];
	size_t len = strnlen(settings->center.url, MAIL_TOKENS_URL_MAX);
	while (len > 0 && settings->center.url[len - 1] == '/')
		len--;
	memcpy(url, settings->center.url, len);
	url[len] = '\0';
	buf_addc(out, '{');
	context_put_text(out, "address", settings->bounce.address);
	context_put_text(out, "delimiter", settings->bounce.delimiter);
	context_put_text(out, "url", url);
	if (replies) {
		context_put_name(out, "replies");
		buf_adds(out, "true");
	}
	buf_addc(out, '}');
}

void context_put_company(struct buf *out, const struct settings *settings)
{
	buf_addc(out, '{');
	context_put_text(out, "name", settings->company.name);
	context_put_text(out, "phone", settings->company.phone);
	context_put_text(out, "website", settings->company.website);
	context_put_text(out, "email", settings->office.email);
	buf_addc(out, '}');
}

/* From midnight to midnight: "00:00 to 00:00" would be meaningless. */
static bool is_all_day(struct hours_span span, const struct zone *zone)
{
	struct day day = zone_day(zone, span.open);
	return span.open.ms == zone_day_start(zone, day).ms &&
	       span.close.ms == zone_day_start(zone, (struct day){day.n + 1}).ms;
}

void context_put_window(struct buf *out, struct hours_span span, const struct zone *zone)
{
	buf_addc(out, '{');
	context_put_time(out, "arrive_by", span.open, zone);
	context_put_time(out, "leave_by", span.close, zone);
	if (is_all_day(span, zone)) {
		context_put_name(out, "all_day");
		buf_adds(out, "true");
	}
	buf_addc(out, '}');
}

/* ---- As JSON, for what is rare ---- */

static json_t *read_back(struct buf *text)
{
	struct error err;
	json_t *json = jsontext_read(buf_text(text), text->len, &err);
	if (json == NULL)
		bug("a part of a mail's context: %s", err.text);
	buf_free(text);
	return json;
}

json_t *context_customer_json(const struct customer *customer, const struct zone *zone)
{
	struct buf text = {0};
	context_put_customer(&text, customer, zone);
	return read_back(&text);
}

json_t *context_suspension_json(const struct suspension *suspension)
{
	struct buf text = {0};
	context_put_suspension(&text, suspension);
	return read_back(&text);
}

json_t *context_company_json(const struct settings *settings)
{
	struct buf text = {0};
	context_put_company(&text, settings);
	return read_back(&text);
}

json_t *context_window_json(struct hours_span span, const struct zone *zone)
{
	struct buf text = {0};
	context_put_window(&text, span, zone);
	return read_back(&text);
}
