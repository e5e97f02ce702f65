/* SPDX-License-Identifier: MIT */
/* What the API's answers share: faults by field, lists in pieces, versions. */
#include "center/api/answer.h"

#include "center/api/change.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum { LIMIT = 20, LIMIT_MAX = 200 };

void answer_status(struct call *call, int status, const char *detail)
{
	response_problem(call->response, status, detail);
}

/* The name of the field that the text begins with, be it known or not: "email: expected …". ""
 * where it begins with none. */
static const char *field_at_fault(const struct call *call, const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return text[len] == ':' ? arena_strndup(call->request->arena, text, len) : "";
}

void answer_fault(struct call *call, const struct error *err)
{
	if (response_status_of(err) != 422) {
		call_fail(call, err);
		return;
	}
	const char *field = field_at_fault(call, err->text);
	const char *detail = err->text + (*field ? strlen(field) + 1 : 0);
	detail += strspn(detail, " ");
	json_t *fault = json_pack("{s:s, s:s}", "field", field, "detail", detail);
	response_json(call->response, 422,
	              json_pack("{s:s, s:i, s:s, s:[o]}", "title", "Unprocessable Content",
	                        "status", 422, "detail", err->text, "errors", fault));
	call->response->type = "application/problem+json";
}

void answer_values_fault(struct call *call, const struct kind *kind, const json_t *values,
                         const char *own, const struct error *err)
{
	const struct field *first = &kind->fields[0];
	const char *name = json_string_value(json_object_get(values, first->name));
	struct error ignored;
	int64_t version;
	struct customers *store = stores_customers(call->stores, &ignored);
	if (err->code == EX_DATAERR && store && first->type == FIELD_NAME && name &&
	    (own == NULL || strcmp(own, name) != 0) &&
	    record_version(store, kind, name, &version, &ignored))
		answer_status(call, 409, err->text);
	else
		answer_fault(call, err);
}

bool answer_values(struct call *call, json_t **ret)
{
	const char *type = request_header(call->request, "Content-Type");
	struct error err;
	if (call->request->body_len > 0 &&
	    (type == NULL || strncasecmp(type, "application/json", 16) != 0)) {
		answer_status(call, 415, "send JSON (Content-Type: application/json)");
		return false;
	}
	if (request_json(call->request, ret, &err))
		return true;
	answer_status(call, 400, err.text);
	return false;
}

static bool read_number(struct call *call, const char *name, int64_t least, int64_t most,
                        int64_t *ret)
{
	const char *text = request_value(&call->request->query, name);
	char *end;
	if (text == NULL)
		return true;
	int64_t value = strtoll(text, &end, 10);
	if (*text != '\0' && strspn(text, "0123456789") == strlen(text) && value >= least &&
	    value <= most) {
		*ret = value;
		return true;
	}
	answer_status(call, 400,
	              arena_printf(call->request->arena,
	                           "%s must be an integer between %lld and %lld", name,
	                           (long long)least, (long long)most));
	return false;
}

bool answer_page(struct call *call, struct page *ret)
{
	*ret = (struct page){.limit = LIMIT};
	return read_number(call, "limit", 1, LIMIT_MAX, &ret->limit) &&
	       read_number(call, "before", 1, INT64_MAX, &ret->before);
}

static int64_t id_of(const json_t *row)
{
	return json_integer_value(json_object_get(row, "id"));
}

static int by_falling_id(const void *a, const void *b)
{
	int64_t one = id_of(*(json_t *const *)a), two = id_of(*(json_t *const *)b);
	return (one < two) - (one > two);
}

/* The page's rows by falling id, and whether there are more; takes over `rows`. */
static json_t *cut(struct call *call, json_t *rows, const struct page *page, bool *ret_more)
{
	size_t n = json_array_size(rows), i;
	json_t **sorted = arena_new_array(call->request->arena, n + 1, json_t *), *row;
	json_t *list = json_array();
	*ret_more = false;
	json_array_foreach(rows, i, row) sorted[i] = row;
	qsort(sorted, n, sizeof(json_t *), by_falling_id);
	for (i = 0; i < n && !*ret_more; i++) {
		if (page->before != 0 && id_of(sorted[i]) >= page->before)
			continue;
		*ret_more = (int64_t)json_array_size(list) == page->limit;
		if (!*ret_more)
			json_array_append(list, sorted[i]);
	}
	json_decref(rows);
	return list;
}

static void answer_rows(struct call *call, const char *name, json_t *list, bool more)
{
	response_json(call->response, 200, json_pack("{s:o, s:b}", name, list, "more", more));
}

void answer_list(struct call *call, const char *name, json_t *rows, const struct page *page)
{
	bool more;
	json_t *list = cut(call, rows, page, &more);
	answer_rows(call, name, list, more);
}

void answer_history(struct call *call, bool good, json_t *rows, const struct error *err)
{
	struct page page;
	bool more;
	if (!good) {
		answer_fault(call, err);
		return;
	}
	if (!answer_page(call, &page)) {
		json_decref(rows);
		return;
	}
	json_t *latest = cut(call, rows, &page, &more), *list = json_array();
	for (size_t i = json_array_size(latest); i-- > 0;)
		json_array_append(list, json_array_get(latest, i));
	json_decref(latest);
	answer_rows(call, "history", list, more);
}

void answer_piece(struct call *call, const char *name, json_t *rows, const struct page *page)
{
	bool more = (int64_t)json_array_size(rows) > page->limit;
	if (more)
		json_array_remove(rows, (size_t)page->limit);
	answer_rows(call, name, rows, more);
}

void answer_etag(struct call *call, int64_t version)
{
	response_header(call->response, call->request, "ETag",
	                arena_printf(call->request->arena, "\"%lld\"", (long long)version));
}

void answer_record(struct call *call, int status, const struct kind *kind, const char *name)
{
	struct error err;
	json_t *record = NULL;
	int64_t version;
	struct customers *store = stores_customers(call->stores, &err);
	/* The version first: should somebody change the record in between, what is shown is newer
	 * than what the version says, and their change is merged, not taken back. */
	if (store == NULL || !record_version(store, kind, name, &version, &err) ||
	    !records_show(store, kind, name, &record, &err)) {
		answer_fault(call, &err);
		return;
	}
	json_object_set_new(record, "version", json_integer(version));
	answer_etag(call, version);
	response_json(call->response, status, record);
}

bool answer_expected(struct call *call, struct expected *ret)
{
	const char *text = request_header(call->request, "If-Match");
	char *end;
	if (text == NULL) {
		answer_status(call, 428, "If-Match is required: the version that you saw");
		return false;
	}
	text += *text == '"';
	*ret = (struct expected){.version = strtoll(text, &end, 10)};
	if (end != text && (strcmp(end, "\"") == 0 || *end == '\0') && ret->version >= 0)
		return true;
	answer_status(call, 400, "If-Match is not a version");
	return false;
}

void answer_conflicts(struct call *call, struct expected *expected)
{
	response_json(call->response, 409,
	              json_pack("{s:s, s:i, s:s, s:o}", "title", "Conflict", "status", 409,
	                        "detail", "somebody else has changed this in the meantime",
	                        "fields", expected->conflicts));
	call->response->type = "application/problem+json";
}

void answer_change(struct call *call, const struct kind *kind, const char *name)
{
	struct expected expected;
	struct error err;
	json_t *values;
	if (!answer_expected(call, &expected) || !answer_values(call, &values))
		return;
	bool good = center_set(call, kind, name, values, &expected, &err);
	const char *renamed = json_string_value(json_object_get(values, kind->fields[0].name));
	if (good)
		answer_record(call, 200, kind,
		              kind->fields[0].type == FIELD_NAME && renamed ? renamed : name);
	else if (expected.conflicts)
		answer_conflicts(call, &expected);
	else
		answer_values_fault(call, kind, values, name, &err);
	json_decref(values);
}

void answer_remove(struct call *call, const struct kind *kind, const char *name)
{
	struct error err;
	if (center_remove(call, kind, name, &err))
		call->response->status = 204;
	else
		answer_fault(call, &err);
}
