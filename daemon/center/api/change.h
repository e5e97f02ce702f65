/* SPDX-License-Identifier: MIT */
#ifndef CENTER_API_CHANGE_H
#define CENTER_API_CHANGE_H

#include "center/entry/call.h"
#include "model/kind.h"
#include "records/records.h"

#include <jansson.h>

/* Adding and removing records of any kind by whoever asks; as records_add() and records_remove().
 * What is kept when it is removed, a suspension, is suspended and resumed by its own functions. */
bool center_add(struct call *call, const struct kind *kind, const char *owner, const json_t *values,
                int64_t *ret_id, struct error *err) MUST_CHECK;
/* records_set() with what was seen (`expected`). Where it gave a customer another number, its jobs
 * follow at once. */
bool center_set(struct call *call, const struct kind *kind, const char *name, const json_t *values,
                struct expected *expected, struct error *err) MUST_CHECK;
/* Adds each file that came with the form as a document or picture, with the form's description, or
 * none of them; the last one's id in *ret_id. 65 where there is none. */
bool center_upload(struct call *call, const struct kind *kind, const char *number, int64_t *ret_id,
                   struct error *err) MUST_CHECK;
/* Whether one of them is larger than [center] max_upload. */
bool center_upload_too_large(const struct call *call);
bool center_remove(struct call *call, const struct kind *kind, const char *name,
                   struct error *err) MUST_CHECK;

#endif
