/* SPDX-License-Identifier: MIT */
#include "center/api/change.h"

#include "center/api/ask_daemon.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

bool center_add(struct call *call, const struct kind *kind, const char *owner, const json_t *values,
                int64_t *ret_id, struct error *err)
{
	struct change_context context;
	if (!call_context(call, &context, err))
		return false;
	return kind->kept_when_removed ? suspend(&context, owner, stores_default_zone(call->stores),
	                                         values, ret_id, err)
	                               : records_add(&context, kind, owner, values, ret_id, err);
}

bool center_set(struct call *call, const struct kind *kind, const char *name, const json_t *values,
                struct expected *expected, struct error *err)
{
	struct change_context context;
	if (!call_context(call, &context, err))
		return false;
	context.expected = expected;
	if (!records_set(&context, kind, name, values, err))
		return false;
	const char *number = json_string_value(json_object_get(values, "number"));
	if (kind->is_customer && number && strcmp(number, name) != 0)
		ask_to_follow_numbers(call);
	return true;
}

bool center_upload_too_large(const struct call *call)
{
	int64_t most = stores_settings(call->stores)->center.max_upload;
	for (size_t i = 0; i < call->request->n_uploads; i++) {
		struct stat st;
		FILE *content = call->request->uploads[i].content;
		if (fstat(fileno(content), &st) != 0 || st.st_size > most)
			return true;
	}
	return false;
}

bool center_upload(struct call *call, const struct kind *kind, const char *number, int64_t *ret_id,
                   struct error *err)
{
	const struct request *request = call->request;
	const char *description = request_value(&request->form, "description");
	struct change_context context;
	if (request->n_uploads == 0)
		return error_set(err, EX_DATAERR, "file: choose a file");
	if (!call_context(call, &context, err))
		return false;
	if (!changes_begin(context.store, err))
		return false;
	json_t *values = json_pack("{s:s}", "description", description ? description : "");
	bool good = true;
	for (size_t i = 0; good && i < request->n_uploads; i++)
		good = file_add(&context, kind, number, request->uploads[i].name,
		                request->uploads[i].content,
		                stores_settings(call->stores)->center.max_upload, values, ret_id,
		                err);
	json_decref(values);
	return changes_end(context.store, good, err);
}

static bool end_suspension(struct call *call, const struct change_context *context,
                           const struct kind *kind, const char *id, struct error *err)
{
	json_t *row;
	if (!records_show(context->store, kind, id, &row, err))
		return false;
	const char *customer = json_string_value(json_object_get(row, "customer"));
	bool good = resume(context, customer ? customer : "", stores_default_zone(call->stores),
	                   json_integer_value(json_object_get(row, "id")), NULL, err);
	json_decref(row);
	return good;
}

bool center_remove(struct call *call, const struct kind *kind, const char *name, struct error *err)
{
	struct change_context context;
	if (!call_context(call, &context, err))
		return false;
	return kind->kept_when_removed ? end_suspension(call, &context, kind, name, err)
	                               : records_remove(&context, kind, name, err);
}
