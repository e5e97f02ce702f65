/* SPDX-License-Identifier: MIT */
/* Records of every kind as JSON, one or a list of them. */
#include "records/records.h"

#include "records/record_find.h"
#include "records/record_json.h"
#include "records/record_operations.h"
#include "records/record_row.h"

static bool show_row(struct customers *store, const struct row *row, struct arena *arena,
                     json_t **ret, struct error *err)
{
	const struct kind_operations *operations = operations_find(row->kind);
	json_t *object;
	if (!record_json(store, row, arena, &object, err))
		return false;
	bool good = operations->show == NULL || operations->show(store, row, object, err);
	if (good)
		*ret = object;
	else
		json_decref(object);
	return good;
}

bool records_show(struct customers *store, const struct kind *kind, const char *name, json_t **ret,
                  struct error *err)
{
	struct row row;
	int64_t id;
	struct arena *arena = arena_new();
	bool good = record_find(store, kind, name, &id, err) &&
	            row_get(store, arena, kind, id, &row, err) &&
	            show_row(store, &row, arena, ret, err);
	arena_free(arena);
	return good;
}

bool records_list(struct customers *store, const struct kind *kind, const char *owner, json_t **ret,
                  struct error *err)
{
	int64_t id = 0;
	bool owned = owner && kind->owner;
	return (!owned || record_find(store, kind_find(kind->owner), owner, &id, err)) &&
	       rows_list(store, kind, owned ? id : 0, show_row, ret, err);
}
