/* SPDX-License-Identifier: MIT */
/* A customer's documents and pictures: shown, and added by a form. */
#include "base/jsontext.h"
#include "center/api/change.h"
#include "center/api/kinds.h"
#include "center/pages/command.h"
#include "center/pages/form_command.h"
#include "center/pages/head.h"
#include "center/pages/labels.h"
#include "center/pages/page.h"
#include "center/pages/to.h"
#include "center/pages/words.h"
#include "records/records.h"

#include <string.h>

/* -- showing ----------------------------------------------------------------------------------- */

/* The types that a browser shows (those of GET …/content). */
static bool is_shown(const char *type)
{
	static const char *const types[] = {"image/jpeg", "image/png", "image/webp", "image/gif"};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

/* "340 kB". */
static const char *size_words(const struct call *call, json_int_t bytes)
{
	const char *const units[] = {words(call, "files.bytes"), "kB", "MB", "GB"};
	double size = (double)bytes;
	size_t unit = 0;
	while (size >= 1000 && unit + 1 < sizeof units / sizeof *units) {
		size /= 1000;
		unit++;
	}
	return arena_printf(call->request->arena, unit > 0 && size < 10 ? "%.1f %s" : "%.0f %s",
	                    size, units[unit]);
}

/* The newest first. */
static json_t *rows_of(const struct call *call, const json_t *records)
{
	json_t *rows = json_array();
	for (size_t i = json_array_size(records); i-- > 0;) {
		json_t *row = json_copy(json_array_get(records, i));
		json_int_t size = json_integer_value(json_object_get(row, "size"));
		json_object_set_new(row, "weight", json_string(size_words(call, size)));
		json_object_set_new(row, "shown", json_boolean(is_shown(jsontext_at(row, "type"))));
		json_array_append_new(rows, row);
	}
	return rows;
}

/* Uploading, as the form shows it. */
static json_t *add_fold(const struct call *call, const struct kind *kind, const char *number,
                        const char *described)
{
	json_t *words = json_pack("[s, s, s]", kind->name, "add", number);
	json_t *follow = form_command_follow(words, NULL);
	json_array_append_new(words, json_string("FILE"));
	json_t *options =
	        json_pack("[s, s]", "--description", *described ? described : "DESCRIPTION");
	json_t *fold = command_fold(command_line(call, words, options), NULL);
	json_object_set_new(fold, "follow", follow);
	return fold;
}

/* Getting each of them, under the name that it was uploaded by. */
static json_t *fetch_fold(const struct call *call, const struct kind *kind, const json_t *rows)
{
	json_t *commands = json_array(), *row;
	size_t i;
	json_array_foreach((json_t *)(uintptr_t)rows, i, row)
	{
		json_t *words = json_pack("[s, s, o, s]", kind->name, "fetch",
		                          json_sprintf("%lld", (long long)json_integer_value(
		                                                       json_object_get(row, "id"))),
		                          jsontext_at(row, "name"));
		command_add(call, commands, words, NULL);
	}
	return json_pack("{s:s, s:o}", "fold_id", "fetch", "commands", commands);
}

static void show(struct call *call, const struct kind *kind, int status, const char *fault)
{
	json_t *head, *customer;
	const char *kinds_word = kinds_path(kind, call->request->arena);
	if (!head_read(call, call->names[0], kinds_word, &head, &customer))
		return;
	json_t *rows = rows_of(call, json_object_get(customer, kinds_word));
	json_decref(customer);
	const char *described = request_value(&call->request->form, "description");
	json_int_t most = stores_settings(call->stores)->center.max_upload;
	json_t *data = json_pack(
	        "{s:o, s:O, s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:s, s:s}", "head", head, "number",
	        json_object_get(head, "number"), "kind", kind->name, "kinds", kinds_word, "many",
	        label_kinds(call, kind), "action", call->request->path, "has_rows",
	        json_array_size(rows) > 0, "pictures", kind->picture_only, "fault", fault,
	        "description", described ? described : "", "most", size_words(call, most));
	json_object_set_new(data, "fetch_fold", fetch_fold(call, kind, rows));
	json_object_set_new(
	        data, "add_fold",
	        add_fold(call, kind, jsontext_at(head, "number"), described ? described : ""));
	json_object_set_new(data, "rows", rows);
	page_answer(call, status, "files", label_kinds(call, kind), data);
}

static void documents(struct call *call)
{
	show(call, kind_find("document"), 200, "");
}

static void pictures(struct call *call)
{
	show(call, kind_find("picture"), 200, "");
}

/* -- adding ------------------------------------------------------------------------------------ */

static void upload(struct call *call, const struct kind *kind)
{
	struct error err;
	int64_t id;
	if (center_upload_too_large(call))
		show(call, kind, 413, words(call, "files.too_large"));
	else if (center_upload(call, kind, call->names[0], &id, &err))
		to_customer(call, call->names[0], kinds_path(kind, call->request->arena));
	else if (response_status_of(&err) == 422)
		show(call, kind, 422, err.text);
	else
		page_fail(call, &err);
}

static void add_documents(struct call *call)
{
	upload(call, kind_find("document"));
}

static void add_pictures(struct call *call)
{
	upload(call, kind_find("picture"));
}

const struct route file_page_routes[] = {
        {ROUTE("GET", "/customers/:number/documents", ACCESS_READER, documents)},
        {ROUTE("GET", "/customers/:number/pictures", ACCESS_READER, pictures)},
        {ROUTE("POST", "/customers/:number/documents", ACCESS_CLERK, add_documents),
         .upload = true},
        {ROUTE("POST", "/customers/:number/pictures", ACCESS_CLERK, add_pictures), .upload = true},
        {0},
};
