/* SPDX-License-Identifier: MIT */
/*
 * An office for tests of records: a customers.db of its own, a manager and a clerk, values as JSON
 * text with ' for ".
 */
#include "office.h"

#include "base/buf.h"
#include "base/jsontext.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int office_open(void **state)
{
	struct office *office = mem_alloc(sizeof *office);
	strcpy(office->dir, "/tmp/test-office-XXXXXX");
	assert_non_null(mkdtemp(office->dir));
	(void)snprintf(office->path, sizeof office->path, "%s/customers.db", office->dir);
	office->store = customers_open(office->path, DB_WRITE, &office->err);
	office_ok(office, office->store != NULL);
	office->arena = arena_new();
	struct instant now;
	assert_true(instant_parse("2026-11-22T12:00:00Z", &now));
	office->boss = (struct change_context){
	        .store = office->store, .actor = {.user = "boss", .manager = true}, .when = now};
	office->clerk = (struct change_context){
	        .store = office->store, .actor = {.user = "clerk"}, .when = now};
	*state = office;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int office_close(void **state)
{
	struct office *office = *state;
	customers_close(office->store);
	arena_free(office->arena);
	assert_int_equal(nftw(office->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(office);
	return 0;
}

static void swap_quotes(char *text, char from, char to)
{
	for (; *text; text++) {
		if (*text == from)
			*text = to;
	}
}

json_t *office_json(const char *text)
{
	struct error err;
	char *copy = mem_strdup(text);
	swap_quotes(copy, '\'', '"');
	json_t *json = jsontext_read(copy, strlen(copy), &err);
	if (json == NULL)
		fail_msg("%s: %s", copy, err.text);
	free(copy);
	return json;
}

void office_ok(struct office *office, bool good)
{
	if (!good)
		fail_msg("%s (%d)", office->err.text, office->err.code);
}

int64_t office_add(struct office *office, const char *kind, const char *owner, const char *values)
{
	int64_t id = 0;
	json_t *json = office_json(values);
	office_ok(office,
	          records_add(&office->boss, kind_find(kind), owner, json, &id, &office->err));
	json_decref(json);
	assert_true(id > 0);
	return id;
}

void office_set(struct office *office, const char *kind, const char *name, const char *values)
{
	json_t *json = office_json(values);
	office_ok(office, records_set(&office->boss, kind_find(kind), name, json, &office->err));
	json_decref(json);
}

void office_refuses(struct office *office, const struct change_context *context, const char *kind,
                    const char *owner, const char *name, const char *values, int code,
                    const char *words)
{
	struct error err = {0};
	json_t *json = office_json(values);
	bool good = name ? records_set(context, kind_find(kind), name, json, &err)
	                 : records_add(context, kind_find(kind), owner, json, NULL, &err);
	json_decref(json);
	(void)office;
	if (good)
		fail_msg("%s was accepted", values);
	if (err.code != code || strstr(err.text, words) == NULL)
		fail_msg("%s: '%s' (%d), expected '%s' (%d)", values, err.text, err.code, words,
		         code);
}

const char *office_text(struct office *office, json_t *json)
{
	struct buf buf = {0};
	jsontext_write(&buf, json, JSONTEXT_AS_IS);
	json_decref(json);
	char *text = arena_strdup(office->arena, buf_text(&buf));
	buf_free(&buf);
	swap_quotes(text, '"', '\'');
	return text;
}

const char *office_show(struct office *office, const char *kind, const char *name)
{
	json_t *json;
	office_ok(office, records_show(office->store, kind_find(kind), name, &json, &office->err));
	return office_text(office, json);
}

const char *office_list(struct office *office, const char *kind, const char *owner)
{
	json_t *json;
	office_ok(office, records_list(office->store, kind_find(kind), owner, &json, &office->err));
	return office_text(office, json);
}

void office_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' is not in %s", part, text);
}

void office_has_not(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("'%s' is in %s", part, text);
}

const char *office_id(struct office *office, int64_t id)
{
	return arena_printf(office->arena, "%lld", (long long)id);
}
