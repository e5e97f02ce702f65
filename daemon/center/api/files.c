/* SPDX-License-Identifier: MIT */
/*
 * Documents and pictures: in by a form, out as they are. A file's type is that of its content, not
 * of its name; only pictures of four kinds are shown, everything else is handed over as an
 * attachment that no browser runs.
 */
#include "base/jsontext.h"
#include "center/api/answer.h"
#include "center/api/change.h"
#include "center/api/records.h"
#include "records/records.h"

#include <stdio.h>
#include <string.h>

/* -- in ---------------------------------------------------------------------------------------- */

static void upload(struct call *call, const struct kind *kind)
{
	struct error err;
	int64_t id = 0;
	if (!request_is_multipart(call->request))
		answer_status(call, 415, "send the file as multipart/form-data");
	else if (center_upload_too_large(call))
		answer_status(call, 413, "the file is too large");
	else if (center_upload(call, kind, call->names[0], &id, &err))
		answer_record(call, 201, kind,
		              arena_printf(call->request->arena, "%lld", (long long)id));
	else
		answer_fault(call, &err);
}

static void upload_document(struct call *call)
{
	upload(call, kind_find("document"));
}

static void upload_picture(struct call *call)
{
	upload(call, kind_find("picture"));
}

/* -- out --------------------------------------------------------------------------------------- */

/* The types that a browser shows as they are. */
static const char *shown_type(const char *type)
{
	static const char *const types[] = {"image/jpeg", "image/png", "image/webp", "image/gif"};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (type && strcmp(types[i], type) == 0)
			return types[i];
	return NULL;
}

/* RFC 6266, with the name in UTF-8 (RFC 8187). */
static void set_attachment(struct call *call, const char *name)
{
	struct buf value = {0};
	buf_adds(&value, "attachment; filename*=UTF-8''");
	request_encode(name && *name ? name : "file", &value);
	response_header(call->response, call->request, "Content-Disposition",
	                arena_strdup(call->request->arena, buf_text(&value)));
	buf_free(&value);
}

static void set_headers(struct call *call, const json_t *record)
{
	struct response *response = call->response;
	const char *type = shown_type(jsontext_at(record, "type"));
	response->type = type ? type : "application/octet-stream";
	if (type == NULL)
		set_attachment(call, jsontext_at(record, "name"));
	response_header(response, call->request, "Content-Security-Policy",
	                "default-src 'none'; sandbox");
	response_header(response, call->request, "Cache-Control", "private, no-cache");
}

/* Whether the browser has it already (RFC 9110, section 13.1.2). */
static bool is_known(struct call *call, const json_t *record)
{
	const char *hash = jsontext_at(record, "hash");
	const char *known = request_header(call->request, "If-None-Match");
	const char *tag = arena_printf(call->request->arena, "\"%s\"", hash ? hash : "");
	response_header(call->response, call->request, "ETag", tag);
	return known && strcmp(known, tag) == 0;
}

static void send_content(struct call *call, const struct kind *kind, const json_t *record)
{
	struct error err;
	struct customers *store = stores_customers(call->stores, &err);
	FILE *out = tmpfile();
	if (out == NULL || store == NULL) {
		answer_status(call, 503, "the file can't be read for now");
	} else if (file_fetch(store, kind, call->names[0], out, &err) && fflush(out) == 0) {
		set_headers(call, record);
		call->response->status = 200;
		call->response->file = out;
		return;
	} else {
		answer_fault(call, &err);
	}
	if (out)
		(void)fclose(out);
}

static void content(struct call *call, const struct kind *kind)
{
	struct error err;
	json_t *record;
	struct customers *store = stores_customers(call->stores, &err);
	if (store == NULL || !records_show(store, kind, call->names[0], &record, &err)) {
		answer_fault(call, &err);
		return;
	}
	if (is_known(call, record))
		call->response->status = 304;
	else
		send_content(call, kind, record);
	json_decref(record);
}

static void document(struct call *call)
{
	content(call, kind_find("document"));
}

static void picture(struct call *call)
{
	content(call, kind_find("picture"));
}

#define OF_CUSTOMER "/api/v1/customers/:number"

const struct route api_file_routes[] = {
        {ROUTE("POST", OF_CUSTOMER "/documents", ACCESS_CLERK, upload_document), .kind = "document",
         .summary = "Add documents", .upload = true},
        {ROUTE("POST", OF_CUSTOMER "/pictures", ACCESS_CLERK, upload_picture), .kind = "picture",
         .summary = "Add pictures", .upload = true},
        {ROUTE("GET", "/api/v1/documents/:id/content", ACCESS_READER, document),
         .answers = "application/octet-stream", .summary = "A document's content"},
        {ROUTE("GET", "/api/v1/pictures/:id/content", ACCESS_READER, picture),
         .answers = "application/octet-stream", .summary = "A picture's content"},
        {0},
};
