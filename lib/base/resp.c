/* SPDX-License-Identifier: MIT */
/*
 * The grammar of Redis' replies as a state machine that sees bytes as they come and keeps none. It
 * bounds lengths, counts and nesting before hiredis, which believes them, allocates anything.
 */
#include "base/resp.h"

#include <string.h>

#define ARRAY_TOO_LONG  "protocol error: an array is too long"
#define STRING_TOO_LONG "protocol error: a string is too long"
#define ANSWER_TOO_LONG "protocol error: an answer is too long"

enum { DIGITS_MAX = 18 }; /* what an int64_t holds in any case; a full one has 19 */

/* An element is complete; with it, perhaps, the arrays that it is the last of. */
static void end_part(struct resp *resp)
{
	resp->state = RESP_TYPE;
	while (resp->depth > 0 && --resp->open[resp->depth] == 0)
		resp->depth--;
	if (resp->depth == 0)
		resp->parts = resp->bytes = 0;
}

static const char *begin_array(struct resp *resp)
{
	if (resp->number <= 0) {
		end_part(resp);
		return NULL;
	}
	if (resp->depth == RESP_DEPTH_MAX)
		return "protocol error: arrays nest too deep";
	if (resp->number > (int64_t)(RESP_PARTS_MAX - resp->parts))
		return ARRAY_TOO_LONG;
	resp->parts += (size_t)resp->number;
	resp->open[++resp->depth] = (size_t)resp->number;
	resp->state = RESP_TYPE;
	return NULL;
}

static const char *begin_bulk(struct resp *resp)
{
	if (resp->number < 0) {
		end_part(resp);
		return NULL;
	}
	if (resp->number > RESP_BULK_MAX)
		return STRING_TOO_LONG;
	resp->bulk_left = (size_t)resp->number + 2;
	resp->state = RESP_BULK;
	return NULL;
}

static const char *end_number(struct resp *resp)
{
	if (resp->digits == 0)
		return "protocol error: a number has no digits";
	if (resp->negative)
		resp->number = -resp->number;
	if (resp->type != ':' && resp->number < -1)
		return "protocol error: a length is negative";
	if (resp->type == '$')
		return begin_bulk(resp);
	if (resp->type == '*')
		return begin_array(resp);
	end_part(resp);
	return NULL;
}

static const char *take_type(struct resp *resp, char c)
{
	resp->type = c;
	resp->negative = resp->carriage = false;
	resp->digits = 0;
	resp->number = 0;
	resp->line = 0;
	switch (c) {
	case '+':
	case '-':
		resp->state = RESP_TEXT;
		return NULL;
	case ':':
	case '$':
	case '*':
		resp->state = RESP_NUMBER;
		return NULL;
	default:
		return "protocol error: an answer begins with an unknown byte";
	}
}

static const char *take_text(struct resp *resp, char c)
{
	if (resp->carriage && c == '\n') {
		end_part(resp);
		return NULL;
	}
	resp->carriage = c == '\r';
	return ++resp->line > RESP_LINE_MAX ? "protocol error: a line is too long" : NULL;
}

static const char *take_digit(struct resp *resp, char c)
{
	if (resp->carriage)
		return c == '\n' ? end_number(resp)
		                 : "protocol error: a line doesn't end where it should";
	if (c == '\r') {
		resp->carriage = true;
	} else if (c == '-' && resp->digits == 0 && !resp->negative) {
		resp->negative = true;
	} else if (c >= '0' && c <= '9') {
		/* A full int64_t is not a length: only `:` may have 19 digits, and its value
		 * doesn't count here. */
		if (++resp->digits > DIGITS_MAX + 1 ||
		    (resp->digits > DIGITS_MAX && resp->type != ':'))
			return "protocol error: a number is too long";
		if (resp->digits <= DIGITS_MAX)
			resp->number = resp->number * 10 + (c - '0');
	} else {
		return "protocol error: a number has other bytes than digits";
	}
	return NULL;
}

/* Takes as much of the string as is there; returns how much. */
static size_t skip_bulk(struct resp *resp, const char *bytes, size_t n, const char **ret_fault)
{
	size_t content = resp->bulk_left > 2 ? resp->bulk_left - 2 : 0;
	if (content > 0) {
		size_t taken = content < n ? content : n;
		resp->bulk_left -= taken;
		return taken;
	}
	if (bytes[0] != (resp->bulk_left == 2 ? '\r' : '\n'))
		*ret_fault = "protocol error: a string is longer than announced";
	else if (--resp->bulk_left == 0)
		end_part(resp);
	return 1;
}

static const char *take_byte(struct resp *resp, char c)
{
	if (resp->state == RESP_TYPE)
		return take_type(resp, c);
	return resp->state == RESP_TEXT ? take_text(resp, c) : take_digit(resp, c);
}

const char *resp_scan(struct resp *resp, const char *bytes, size_t n)
{
	const char *fault = NULL;
	resp->whole = 0;
	for (size_t i = 0; i < n && fault == NULL;) {
		size_t taken = 1;
		if (resp->state == RESP_BULK)
			taken = skip_bulk(resp, bytes + i, n - i, &fault);
		else
			fault = take_byte(resp, bytes[i]);
		i += taken;
		/* Between two replies there are none. */
		if (resp->depth > 0 || resp->state != RESP_TYPE)
			resp->bytes += taken;
		if (fault == NULL && resp->bytes > RESP_REPLY_MAX)
			fault = ANSWER_TOO_LONG;
		if (fault == NULL && resp->depth == 0 && resp->state == RESP_TYPE)
			resp->whole = i;
	}
	return fault;
}

bool resp_is_too_long(const char *fault)
{
	static const char *const faults[] = {ARRAY_TOO_LONG, STRING_TOO_LONG, ANSWER_TOO_LONG,
	                                     RESP_ALL_TOO_LONG};
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (!strcmp(fault, faults[i]))
			return true;
	return false;
}
