/* SPDX-License-Identifier: MIT */
/*
 * The short form of an outcome's fields. Every mail has two outcomes or more, each with a dozen
 * fields that other rows have, too: written out they were a quarter of the spool. Called by
 * spool_outcome.c and spool_erase.c alone; everybody else sees all fields.
 */
#include "spool/outcome_pack.h"

#include "base/format.h"
#include "base/varint.h"
#include "db/fields.h"

#include <string.h>

enum { SHORT = 1 }; /* the full form begins with the length of "time" */

enum form { AS_TEXT, AS_TIME, AS_MAIL };

/* By number; only ever added to at the end. */
#define NAME(text) .name = (text), .len = sizeof(text) - 1
static const struct name {
	const char *name;
	size_t len;
	enum form form;
	bool persons; /* goes when the customer is erased */
} names[] = {
        {.name = NULL},
        {NAME("customer")},
        {NAME("contact")},
        {NAME("to"), .persons = true},
        {NAME("mail"), .form = AS_MAIL},
        {NAME("attempts")},
        {NAME("due"), .form = AS_TIME},
        {NAME("reply"), .persons = true},
        {NAME("note"), .persons = true},
        {NAME("until")},
        {NAME("outside_hours")},
};
enum { N_NAMES = sizeof names / sizeof names[0], CUSTOMER = 1 };

bool outcome_is_short(const void *pack, size_t len)
{
	return len > 0 && *(const unsigned char *)pack == SHORT;
}

/* -- writing ----------------------------------------------------------------------------------- */

static void add_bytes(struct buf *out, const char *bytes, size_t len)
{
	varint_add(out, len);
	buf_add(out, bytes, len);
}

static size_t find_name(const struct entry_field *field)
{
	for (size_t i = 1; i < N_NAMES; i++) {
		if (names[i].len == field->name_len &&
		    memcmp(names[i].name, field->name, field->name_len) == 0)
			return i;
	}
	return 0;
}

/* Whether the text is the one that is made from `t` when it is read. */
static bool is_time(const struct entry_field *field, struct instant *ret)
{
	char text[INSTANT_TEXT_MAX], again[INSTANT_TEXT_MAX];
	if (field->value_len >= sizeof text)
		return false;
	memcpy(text, field->value, field->value_len);
	text[field->value_len] = '\0';
	return instant_parse(text, ret) && ret->ms >= 0 &&
	       strcmp(instant_format(*ret, 0, again), text) == 0;
}

static bool is_mail(const struct entry_field *field, const struct outcome_head *head)
{
	char text[INTEGER_TEXT_MAX];
	const char *mail = format_integer(head->mail, text);
	return strlen(mail) == field->value_len &&
	       memcmp(mail, field->value, field->value_len) == 0;
}

static void shorten_one(const struct entry_field *field, const struct outcome_head *head,
                        struct buf *out)
{
	size_t name = find_name(field);
	struct instant t;
	/* A form that can't be had back is written as an unknown name's. */
	if ((names[name].form == AS_TIME && !is_time(field, &t)) ||
	    (names[name].form == AS_MAIL && !is_mail(field, head)))
		name = 0;
	varint_add(out, name);
	if (name == 0)
		add_bytes(out, field->name, field->name_len);
	if (names[name].form == AS_TIME)
		varint_add(out, (uint64_t)t.ms);
	else if (names[name].form == AS_TEXT)
		add_bytes(out, field->value, field->value_len);
}

void outcome_shorten(const void *fields, size_t len, const char *customer,
                     const struct outcome_head *head, struct buf *ret)
{
	struct entry_field field;
	buf_addc(ret, SHORT);
	varint_add(ret, CUSTOMER);
	add_bytes(ret, customer, strlen(customer));
	for (size_t at = 0; fields_next(fields, len, &at, &field);)
		shorten_one(&field, head, ret);
}

/* -- reading ----------------------------------------------------------------------------------- */

struct reader {
	const unsigned char *at, *end;
	bool damaged;
};

static uint64_t take_number(struct reader *r)
{
	uint64_t n = 0;
	size_t len = varint_read(r->at, (size_t)(r->end - r->at), &n);
	r->at += len;
	r->damaged |= len == 0;
	return n;
}

static const char *take_bytes(struct reader *r, size_t *ret_len)
{
	uint64_t len = take_number(r);
	const char *bytes = (const char *)r->at;
	if (r->damaged || len > (size_t)(r->end - r->at)) {
		r->damaged = true;
		*ret_len = 0;
		return "";
	}
	r->at += len;
	*ret_len = (size_t)len;
	return bytes;
}

struct short_field {
	size_t name; /* its number */
	struct entry_field field;
	struct instant time; /* AS_TIME: its value */
};

static bool take_field(struct reader *r, struct short_field *ret)
{
	if (r->at == r->end)
		return false;
	*ret = (struct short_field){.name = (size_t)take_number(r)};
	if (ret->name >= N_NAMES)
		r->damaged = true;
	else if (ret->name == 0)
		ret->field.name = take_bytes(r, &ret->field.name_len);
	else
		ret->field.name = names[ret->name].name;
	if (ret->name > 0 && !r->damaged)
		ret->field.name_len = names[ret->name].len;
	if (r->damaged)
		return false;
	if (names[ret->name].form == AS_TIME)
		ret->time.ms = (int64_t)take_number(r);
	else if (names[ret->name].form == AS_TEXT)
		ret->field.value = take_bytes(r, &ret->field.value_len);
	return !r->damaged;
}

static void lengthen_one(const struct short_field *from, const struct outcome_head *head,
                         struct buf *ret)
{
	char time[INSTANT_TEXT_MAX], mail[INTEGER_TEXT_MAX];
	struct entry_field field = from->field;
	enum form form = names[from->name].form;
	if (form == AS_TIME)
		field.value = instant_format(from->time, 0, time);
	else if (form == AS_MAIL)
		field.value = format_integer(head->mail, mail);
	if (form != AS_TEXT)
		field.value_len = strlen(field.value);
	fields_add_bytes(ret, &field);
}

static struct entry_field field_of(const char *name, const char *value)
{
	return (struct entry_field){name, strlen(name), value, strlen(value)};
}

/* The customer is kept, for its number may change. */
void outcome_head_fields(const struct outcome_head *head, const char *customer, size_t customer_len,
                         char time[INSTANT_TEXT_MAX], struct entry_field ret[OUTCOME_HEAD_FIELDS])
{
	const struct entry_field fields[OUTCOME_HEAD_FIELDS] = {
	        field_of("time", instant_format(head->time, 0, time)),
	        field_of("event", head->event),
	        field_of("source", head->source),
	        field_of("job", head->job),
	        {names[CUSTOMER].name, names[CUSTOMER].len, customer, customer_len},
	        field_of("type", head->type),
	        field_of("status", head->status),
	        field_of("reason", head->reason),
	};
	memcpy(ret, fields, sizeof fields);
}

static void add_head(const struct outcome_head *head, const struct entry_field *customer,
                     struct buf *ret)
{
	char time[INSTANT_TEXT_MAX];
	struct entry_field fields[OUTCOME_HEAD_FIELDS];
	outcome_head_fields(head, customer->value, customer->value_len, time, fields);
	for (size_t i = 0; i < OUTCOME_HEAD_FIELDS; i++)
		fields_add_bytes(ret, &fields[i]);
}

bool outcome_lengthen(const void *pack, size_t len, const struct outcome_head *head,
                      struct buf *ret)
{
	struct reader r = {.at = (const unsigned char *)pack + 1};
	struct short_field field;
	r.end = (const unsigned char *)pack + len;
	if (!take_field(&r, &field) || field.name != CUSTOMER)
		return false;
	add_head(head, &field.field, ret);
	while (take_field(&r, &field))
		lengthen_one(&field, head, ret);
	return !r.damaged;
}

void outcome_wipe(const void *pack, size_t len, struct buf *ret)
{
	struct reader r = {.at = (const unsigned char *)pack + 1};
	struct short_field field;
	r.end = (const unsigned char *)pack + len;
	buf_addc(ret, SHORT);
	for (const unsigned char *from = r.at; take_field(&r, &field); from = r.at) {
		if (field.name != 0 && !names[field.name].persons)
			buf_add(ret, from, (size_t)(r.at - from));
	}
}
