/* SPDX-License-Identifier: MIT */
/* The tabs with documents and pictures: what there is, and a form to add files. */
#include "center/api/change.h"
#include "center/pages/head.h"
#include "center/pages/page.h"
#include "center/pages/to.h"
#include "records/records.h"

#include <string.h>

static bool is_shown(const char *type)
{
	return strncmp(type, "image/", 6) == 0;
}

/* "1.4 MB" */
static json_t *size_words(json_int_t bytes)
{
	static const char *const units[] = {"kB", "MB", "GB"};
	double size = (double)bytes / 1000;
	size_t unit = 0;
	for (; size >= 1000 && unit < 2; unit++)
		size /= 1000;
	return bytes < 1000 ? json_sprintf("%d bytes", (int)bytes)
	                    : json_sprintf("%.1f %s", size, units[unit]);
}

static void show(struct call *call, const struct kind *kind, const char *tab, int status,
                 const char *fault)
{
	struct error err;
	json_t *head, *customer, *rows, *row;
	size_t i;
	struct customers *store = stores_customers(call->stores, &err);
	if (!head_read(call, call->names[0], tab, &head, &customer))
		return;
	json_decref(customer);
	if (store == NULL || !records_list(store, kind, call->names[0], &rows, &err)) {
		json_decref(head);
		page_fail(call, &err);
		return;
	}
	json_array_foreach(rows, i, row)
	{
		json_object_set_new(row, "kinds", json_string(tab));
		json_object_set_new(row, "shown", json_boolean(is_shown(text_at(row, "type"))));
		json_object_set_new(row, "bytes",
		                    size_words(json_integer_value(json_object_get(row, "size"))));
	}
	const char *description = request_value(&call->request->form, "description");
	page_answer(call, status, "files", strcmp(tab, "pictures") == 0 ? "Pictures" : "Documents",
	            json_pack("{s:o, s:o, s:b, s:s, s:s, s:b, s:s}", "head", head, "rows", rows,
	                      "has_rows", json_array_size(rows) > 0, "tab", tab, "fault", fault,
	                      "pictures", kind->picture_only, "description",
	                      description ? description : ""));
}

static void add(struct call *call, const struct kind *kind, const char *tab)
{
	struct error err;
	int64_t id;
	if (center_upload_too_large(call))
		show(call, kind, tab, 413, "The file is too large.");
	else if (center_upload(call, kind, call->names[0], &id, &err))
		to_customer(call, call->names[0], tab);
	else if (response_status_of(&err) == 422)
		show(call, kind, tab, 422, err.text);
	else
		page_fail(call, &err);
}

static void documents(struct call *call)
{
	show(call, kind_find("document"), "documents", 200, "");
}

static void pictures(struct call *call)
{
	show(call, kind_find("picture"), "pictures", 200, "");
}

static void add_document(struct call *call)
{
	add(call, kind_find("document"), "documents");
}

static void add_picture(struct call *call)
{
	add(call, kind_find("picture"), "pictures");
}

const struct route file_page_routes[] = {
        {ROUTE("GET", "/customers/:number/documents", ACCESS_READER, documents)},
        {ROUTE("GET", "/customers/:number/pictures", ACCESS_READER, pictures)},
        {ROUTE("POST", "/customers/:number/documents", ACCESS_CLERK, add_document), .upload = true},
        {ROUTE("POST", "/customers/:number/pictures", ACCESS_CLERK, add_picture), .upload = true},
        {0},
};
