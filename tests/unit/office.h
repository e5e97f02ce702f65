/* SPDX-License-Identifier: MIT */
#ifndef UNIT_OFFICE_H
#define UNIT_OFFICE_H

#include "records/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* An office to test in: a customers.db in a directory of its own, a manager and a clerk. */
struct office {
	char dir[64], path[96];
	struct customers *store;
	struct arena *arena;
	struct error err;
	struct change_context boss, clerk;
};

int office_open(void **state); /* cmocka's setup */
int office_close(void **state);

/* Values as JSON text with ' for ". */
json_t *office_json(const char *text);
/* These fail the test where the function does; the result is the id. */
int64_t office_add(struct office *office, const char *kind, const char *owner, const char *values);
void office_set(struct office *office, const char *kind, const char *name, const char *values);
/* This fails it where it doesn't fail, with that code and those words in the message. `name` NULL
 * adds. */
void office_refuses(struct office *office, const struct change_context *context, const char *kind,
                    const char *owner, const char *name, const char *values, int code,
                    const char *words);
/* Shown as compact JSON with ' for ", in the office's arena. */
const char *office_show(struct office *office, const char *kind, const char *name);
const char *office_list(struct office *office, const char *kind, const char *owner);
const char *office_text(struct office *office, json_t *json); /* takes it */
void office_has(const char *text, const char *part);
void office_has_not(const char *text, const char *part);
void office_ok(struct office *office, bool good);
const char *office_id(struct office *office, int64_t id);

#endif
