/* SPDX-License-Identifier: MIT */
#ifndef CENTER_API_ANSWER_H
#define CENTER_API_ANSWER_H

#include "center/entry/call.h"
#include "model/kind.h"

#include <jansson.h>

/* What the API's answers share. */

/* A fault of a record function: 422 with the field that the text begins with, where it does; else
 * as call_fail(). */
void answer_fault(struct call *call, const struct error *err);
void answer_status(struct call *call, int status, const char *detail);

/* The same for `values` that were to be a record: 409 where another has their name already. `own`
 * is the name of the record that was to change; NULL for a new one. */
void answer_values_fault(struct call *call, const struct kind *kind, const json_t *values,
                         const char *own, const struct error *err);

/* The values in the body; false with the answer made (400, 415). The caller's. */
bool answer_values(struct call *call, json_t **ret) MUST_CHECK;

/* `limit` (20, at most 200) and `before` (an id); false with the answer made (400). */
struct page {
	int64_t limit, before; /* 0: from the newest */
};
bool answer_page(struct call *call, struct page *ret) MUST_CHECK;
/* 200 with {name: the page's rows by falling id, "more"}; takes over `rows`. */
void answer_list(struct call *call, const char *name, json_t *rows, const struct page *page);
/* A page of a history, the oldest of its changes first, or the fault where there is none (`good`
 * false); takes over `rows`. */
void answer_history(struct call *call, bool good, json_t *rows, const struct error *err);
/* The same of rows that are in order, and at most one more than the page has. */
void answer_piece(struct call *call, const char *name, json_t *rows, const struct page *page);

/* The version as an entity tag (RFC 9110, section 8.8.3). */
void answer_etag(struct call *call, int64_t version);
/* A record with its `version`: answers with `status`. */
void answer_record(struct call *call, int status, const struct kind *kind, const char *name);
/* PATCH and DELETE of a record of any kind, by its name. */
void answer_change(struct call *call, const struct kind *kind, const char *name);
void answer_remove(struct call *call, const struct kind *kind, const char *name);
/* The version in If-Match; false with the answer made (428 where it is missing, 400). */
bool answer_expected(struct call *call, struct expected *ret) MUST_CHECK;
/* 409 with the fields that somebody else has changed, too. */
void answer_conflicts(struct call *call, struct expected *expected);

#endif
