/* SPDX-License-Identifier: MIT */
#include "center/api/change.h"

#include "records/records.h"

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
