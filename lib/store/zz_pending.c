/* SPDX-License-Identifier: MIT */
/* Stand-ins for what search and import are going to be, so that the programs link meanwhile. Weak, and last
 * in the archive: the real ones win. Goes when they are there. */
#include "store/records.h"

#include <sysexits.h>

#define WEAK __attribute__((weak))

static bool pending(struct error *err)
{
	return error_set(err, EX_UNAVAILABLE, "this isn't built yet");
}

WEAK bool customers_search(struct customers *store, const char *text, enum search_by by, int limit,
                           json_t **ret, struct error *err)
{
	(void)store, (void)text, (void)by, (void)limit, (void)ret;
	return pending(err);
}

WEAK bool customers_related(struct customers *store, const char *number, int limit, json_t **ret,
                            struct error *err)
{
	(void)store, (void)number, (void)limit, (void)ret;
	return pending(err);
}

WEAK bool customers_duplicates(struct customers *store, int limit, json_t **ret, struct error *err)
{
	(void)store, (void)limit, (void)ret;
	return pending(err);
}

WEAK bool records_format_of(const char *path, enum records_format *ret)
{
	(void)path, (void)ret;
	return false;
}

WEAK bool records_import(const struct act *act, const struct kind *kind, FILE *in,
                         const struct records_import *how, struct records_counts *ret, struct error *err)
{
	(void)act, (void)kind, (void)in, (void)how, (void)ret;
	return pending(err);
}

WEAK bool records_export(struct customers *store, const struct kind *kind, enum records_format format,
                         FILE *out, records_progress *progress, void *arg, int64_t *ret_rows,
                         struct error *err)
{
	(void)store, (void)kind, (void)format, (void)out, (void)progress, (void)arg, (void)ret_rows;
	return pending(err);
}

WEAK bool records_upsert_json(const struct act *act, const char *json, size_t len, struct error *err)
{
	(void)act, (void)json, (void)len;
	return pending(err);
}
