/* SPDX-License-Identifier: MIT */
/* Documents and pictures: what came with a file (name, ending) is recorded and trusted for
 * nothing. */
#include "records/records.h"

#include "records/record_content.h"
#include "records/record_find.h"
#include "records/record_row.h"
#include "records/record_write.h"
#include "records/transaction.h"

#include <stdint.h>
#include <string.h>

static json_t *plain_name(const char *name, struct arena *arena)
{
	json_t *json = json_string(content_name(name, arena));
	return json ? json : json_null();
}

static bool add_row(struct transaction *tx, const struct kind *kind, const char *number,
                    const json_t *values, const struct content *content, const char *name,
                    int64_t *ret_id)
{
	struct row row;
	int64_t customer;
	if (!record_find(tx->store, kind_find("customer"), number, &customer, tx->err) ||
	    !row_new(tx, kind, customer, &row))
		return false;
	json_t *complete =
	        json_pack("{s:o, s:s, s:I, s:s}", "name", plain_name(name, tx->arena), "type",
	                  content->type, "size", (json_int_t)content->size, "hash", content->hash);
	json_t *given = json_copy((json_t *)(uintptr_t)values);
	(void)json_object_update_missing(given, complete);
	json_decref(complete);
	tx->stored = true;
	bool good = record_put(tx, &row, given, ret_id, NULL);
	json_decref(given);
	return good;
}

bool file_add(const struct change_context *context, const struct kind *kind, const char *number,
              const char *name, FILE *in, int64_t size_max, const json_t *values, int64_t *ret_id,
              struct error *err)
{
	struct transaction tx;
	struct content content;
	struct incoming incoming;
	bool good = content_take_in(context->store, in, size_max, &incoming, &content, err) &&
	            content_recognize(&content, kind, err) && transaction_begin(&tx, context, err);
	if (good)
		good = transaction_end(&tx,
		                       add_row(&tx, kind, number, values, &content, name, ret_id) &&
		                               content_put_in_place(&tx, &incoming, content.hash));
	incoming_end(&incoming);
	return good;
}

bool file_fetch(struct customers *store, const struct kind *kind, const char *id, FILE *out,
                struct error *err)
{
	struct row row;
	int64_t found;
	struct arena *arena = arena_new();
	bool good = record_find(store, kind, id, &found, err) &&
	            row_get(store, arena, kind, found, &row, err) &&
	            content_fetch(store, row_value(&row, "hash"), out, err);
	arena_free(arena);
	return good;
}
