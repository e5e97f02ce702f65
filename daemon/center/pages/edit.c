/* SPDX-License-Identifier: MIT */
/* One record: its form, saving it beside what others changed, removing it; and a customer's status,
 * each after "are you sure?". */
#include "base/jsontext.h"
#include "center/api/change.h"
#include "center/api/kinds.h"
#include "center/pages/cells.h"
#include "center/pages/command.h"
#include "center/pages/form.h"
#include "center/pages/form_command.h"
#include "center/pages/head.h"
#include "center/pages/labels.h"
#include "center/pages/page.h"
#include "center/pages/panel.h"
#include "center/pages/to.h"
#include "center/pages/words.h"
#include "records/records.h"

#include <stdlib.h>
#include <string.h>

static const struct kind *record_kind(struct call *call)
{
	const struct kind *kind = strcmp(call->names[0], "customers") == 0
	                                  ? kind_find("customer")
	                                  : kinds_by_path(call->names[0], call->request->arena);
	if (kind == NULL || kind->added_only)
		page_fail_status(call, 404, words(call, "fault.no_page"));
	return kind && !kind->added_only ? kind : NULL;
}

/* The customer that a record belongs to, or is. */
static const char *customer_of(const struct kind *kind, const json_t *record)
{
	return jsontext_at(record, kind->is_customer ? "number" : "customer");
}

static json_t *conflict_rows(const struct call *call, const json_t *conflicts)
{
	json_t *rows = json_array(), *one;
	const char *name;
	json_object_foreach((json_t *)(uintptr_t)conflicts, name, one)
	{
		const char *yours = cells_text(call, json_object_get(one, "yours"));
		const char *theirs = cells_text(call, json_object_get(one, "theirs"));
		json_array_append_new(
		        rows, json_pack("{s:s, s:s, s:s}", "label", label_name(call, name), "yours",
		                        yours ? yours : words(call, "nothing"), "theirs",
		                        theirs ? theirs : words(call, "nothing")));
	}
	return rows;
}

/* As a command; of a file also how one gets it. */
static json_t *fold_of(const struct call *call, const struct kind *kind, const json_t *record,
                       const json_t *inputs, bool again)
{
	json_t *fold = form_command_set(call, kind, call->names[1], inputs, again);
	if (kind->file)
		command_add(call, json_object_get(fold, "commands"),
		            json_pack("[s, s, s, s]", kind->name, "fetch", call->names[1],
		                      jsontext_at(record, "name")),
		            NULL);
	return fold;
}

static void show_record(struct call *call, const struct kind *kind, int status, const json_t *typed,
                        const struct error *fault, const json_t *conflicts)
{
	struct error err;
	json_t *record;
	int64_t version;
	struct customers *store = stores_customers(call->stores, &err);
	/* The version first: see answer_record(). */
	if (store == NULL || !record_version(store, kind, call->names[1], &version, &err) ||
	    !records_show(store, kind, call->names[1], &record, &err)) {
		page_fail(call, &err);
		return;
	}
	json_t *inputs = form_inputs(call, kind, false, typed ? typed : record, fault);
	json_t *data =
	        json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:s, s:b}", "number",
	                  customer_of(kind, record), "kind", words_kind(call, kind), "action",
	                  call->request->path, "version", (json_int_t)version, "conflicts",
	                  conflict_rows(call, conflicts), "inputs", inputs, "fold",
	                  fold_of(call, kind, record, inputs, typed != NULL), "fault",
	                  conflicts ? words(call, "edit.changed")
	                  : fault   ? fault->text
	                            : "",
	                  "suspends", kind->kept_when_removed);
	json_decref(record);
	page_answer(
	        call, status, "edit",
	        words_fill(call, "edit.title", json_pack("{s:s}", "kind", words_kind(call, kind))),
	        data);
}

static void page_edit_show(struct call *call)
{
	const struct kind *kind = record_kind(call);
	if (kind)
		show_record(call, kind, 200, NULL, NULL, NULL);
}

/* Where one that is not a customer's is listed: with the others of its owner, or of its kind. */
static const char *list_of(const struct call *call, const struct kind *kind, const json_t *record)
{
	struct arena *arena = call->request->arena;
	const char *plural = kinds_path(kind, arena);
	if (kind->owner == NULL)
		return arena_printf(arena, "/records/%s", plural);
	const json_t *owner = json_object_get(record, kind->owner_key);
	struct buf path = {0};
	buf_printf(&path, "/parts/%s/", kinds_path(kind_find(kind->owner), arena));
	if (json_is_string(owner))
		request_encode(json_string_value(owner), &path);
	else
		buf_printf(&path, "%lld", (long long)json_integer_value(owner));
	buf_printf(&path, "/%s", plural);
	const char *text = arena_strdup(arena, buf_text(&path));
	buf_free(&path);
	return text;
}

/* Where one goes from a record's form: to the page of its customer, or to its list. */
static const char *back_of(const struct call *call, const struct kind *kind, const json_t *record)
{
	const char *number = customer_of(kind, record);
	if (*number == '\0')
		return list_of(call, kind, record);
	return to_customer_path(call, number,
	                        kind->is_customer || kind->kept_when_removed
	                                ? ""
	                                : kinds_path(kind, call->request->arena));
}

/* Once it is saved: by the name that it has now. */
static void after_saving(struct call *call, const struct kind *kind, const char *name)
{
	struct error err;
	json_t *record;
	struct customers *store = stores_customers(call->stores, &err);
	if (store == NULL || !records_show(store, kind, name, &record, &err)) {
		page_fail(call, &err);
		return;
	}
	response_redirect(call->response, call->request, back_of(call, kind, record));
	json_decref(record);
}

/* What a form shows again after a conflict: the record as it is by now, with what this person
 * changed. The next saving is then held against that. */
static json_t *typed_again(struct call *call, const struct kind *kind, json_t *mine,
                           const json_t *conflicts)
{
	struct error ignored;
	const char *name;
	json_t *record, *one;
	struct customers *store = stores_customers(call->stores, &ignored);
	if (store == NULL || !records_show(store, kind, call->names[1], &record, &ignored))
		record = json_object();
	json_object_update(record, mine);
	json_object_foreach((json_t *)(uintptr_t)conflicts, name, one)
	{
		json_object_set(record, name, json_object_get(one, "yours"));
	}
	json_decref(mine);
	return record;
}

static void page_edit_save(struct call *call)
{
	const struct kind *kind = record_kind(call);
	const char *version = request_value(&call->request->form, "version");
	json_t *mine = NULL;
	struct expected expected = {.version = version ? strtoll(version, NULL, 10) : 0,
	                            .ret_mine = &mine};
	struct error err;
	if (kind == NULL)
		return;
	json_t *values = form_values(call, kind, false);
	bool good = center_set(call, kind, call->names[1], values, &expected, &err);
	const struct field *first = &kind->fields[0];
	const char *renamed = first->type == FIELD_NAME ? jsontext_at(values, first->name) : "";
	if (mine) {
		json_decref(values);
		values = typed_again(call, kind, mine, expected.conflicts);
	}
	if (good)
		after_saving(call, kind, *renamed != '\0' ? renamed : call->names[1]);
	else if (response_status_of(&err) == 422)
		show_record(call, kind, expected.conflicts ? 409 : 422, values, &err,
		            expected.conflicts);
	else
		page_fail(call, &err);
	json_decref(expected.conflicts);
	json_decref(values);
}

/* -- removing ---------------------------------------------------------------------------------- */

static const struct kind *removable_kind(struct call *call)
{
	const struct kind *kind = strcmp(call->names[0], "customers") == 0
	                                  ? kind_find("customer")
	                                  : kinds_by_path(call->names[0], call->request->arena);
	if (kind == NULL)
		page_fail_status(call, 404, words(call, "fault.no_record"));
	return kind;
}

/* What the first field says, which is most often its name. */
static const char *words_of(const struct call *call, const struct kind *kind, const json_t *record)
{
	const struct field *field = &kind->fields[0];
	const char *text = cells_field_text(call, field, json_object_get(record, field->name));
	const char *name = kind->is_customer ? jsontext_at(record, "name") : "";
	return arena_printf(call->request->arena, "%s%s%s", text ? text : "", *name ? ", " : "",
	                    name);
}

static void page_edit_ask_to_remove(struct call *call)
{
	const struct kind *kind = removable_kind(call);
	struct error err;
	json_t *record;
	struct customers *store = stores_customers(call->stores, &err);
	if (kind == NULL)
		return;
	if (store == NULL || !records_show(store, kind, call->names[1], &record, &err)) {
		page_fail(call, &err);
		return;
	}
	const char *back = back_of(call, kind, record);
	const char *command = form_command_remove(call, kind, call->names[1], record);
	json_t *data =
	        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o}", "question",
	                  words_fill(call, "remove.question",
	                             json_pack("{s:s, s:s}", "kind", words_kind(call, kind), "what",
	                                       words_of(call, kind, record))),
	                  "detail", words(call, "remove.detail"), "action", call->request->path,
	                  "verb", words(call, "remove"), "next", kind->is_customer ? "/" : back,
	                  "back", back, "removes", true, "fold", command_fold(command, NULL));
	json_decref(record);
	page_answer(call, 200, "sure", words(call, "sure"), data);
}

static void remove_record(struct call *call)
{
	const struct kind *kind = removable_kind(call);
	const char *number = request_value(&call->request->form, "number");
	struct error err;
	if (kind == NULL)
		return;
	if (!center_remove(call, kind, call->names[1], &err))
		page_fail(call, &err);
	else if (number)
		to_customer(call, number, kinds_path(kind, call->request->arena));
	else
		response_redirect(call->response, call->request,
		                  next_of(&call->request->form, "/"));
}

/* -- a customer's status ----------------------------------------------------------------------- */

static const struct {
	const char *verb, *label, *detail;
} moves[] = {
        {"release", "move.release", "move.release.detail"},
        {"approve", "move.approve", "move.approve.detail"},
        {"decline", "move.decline", "move.decline.detail"},
        {"deactivate", "move.deactivate", "move.deactivate.detail"},
};

static void ask_to_move(struct call *call)
{
	struct error err;
	json_t *record;
	struct customers *store = stores_customers(call->stores, &err);
	size_t i = 0;
	while (i < sizeof moves / sizeof *moves && strcmp(moves[i].verb, call->names[1]) != 0)
		i++;
	if (i == sizeof moves / sizeof *moves) {
		page_fail_status(call, 404, words(call, "fault.no_page"));
		return;
	}
	if (store == NULL ||
	    !records_show(store, kind_find("customer"), call->names[0], &record, &err)) {
		page_fail(call, &err);
		return;
	}
	const char *number = jsontext_at(record, "number"), *verb = words(call, moves[i].label);
	json_t *data = json_pack(
	        "{s:s, s:s, s:s, s:s, s:s, s:o}", "question",
	        words_fill(call, "move.question",
	                   json_pack("{s:s, s:s, s:s}", "verb", verb, "number", number, "name",
	                             jsontext_at(record, "name"))),
	        "detail", words(call, moves[i].detail), "action", call->request->path, "verb", verb,
	        "back", to_customer_path(call, number, ""), "fold",
	        command_fold(command_line(call,
	                                  json_pack("[s, s, s]", "customer", moves[i].verb, number),
	                                  NULL),
	                     NULL));
	json_decref(record);
	page_answer(call, 200, "sure", words(call, "sure"), data);
}

static void move(struct call *call)
{
	struct change_context context;
	struct error err;
	if (call_context(call, &context, &err) &&
	    customer_move(&context, call->names[0], call->names[1], &err))
		to_customer(call, call->names[0], "");
	else if (response_status_of(&err) == 422)
		page_fail_status(call, 409, err.text);
	else
		page_fail(call, &err);
}

static void resume_customer(struct call *call)
{
	struct change_context context;
	struct error err;
	if (call_context(call, &context, &err) &&
	    resume(&context, call->names[0], stores_default_zone(call->stores), 0, NULL, &err))
		to_customer(call, call->names[0], "");
	else
		page_fail(call, &err);
}

const struct route record_page_routes[] = {
        {ROUTE("POST", "/customers/:number/resume", ACCESS_CLERK, resume_customer)},
        {ROUTE("GET", "/edit/:kinds/:id", ACCESS_CLERK, page_edit_show)},
        {ROUTE("POST", "/edit/:kinds/:id", ACCESS_CLERK, page_edit_save)},
        {ROUTE("GET", "/remove/:kinds/:id", ACCESS_CLERK, page_edit_ask_to_remove)},
        {ROUTE("POST", "/remove/:kinds/:id", ACCESS_CLERK, remove_record)},
        {ROUTE("GET", "/status/:number/:verb", ACCESS_CLERK, ask_to_move)},
        {ROUTE("POST", "/status/:number/:verb", ACCESS_CLERK, move)},
        {0},
};
