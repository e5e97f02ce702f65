/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_BULK_FORM_H
#define CENTER_PAGES_BULK_FORM_H

#include "center/entry/call.h"
#include "records/bulk_edit.h"

#include <jansson.h>

/* An edit of many customers as a form, and as commands. */

/* The edit that was typed: its `values` are the caller's. 65 where the form has none. */
bool bulk_form_read(const struct call *call, struct bulk_edit *ret, json_t **ret_values,
                    struct error *err) MUST_CHECK;
/* All that was typed, as hidden fields [{name, value}]; the caller's. */
json_t *bulk_form_hidden(const struct call *call);
/* The fields that can be set [{value, label}], besides status and sales rep. */
json_t *bulk_form_fields(const struct call *call);
/* The commands that edit a previewed customer likewise, added to the array `commands`. */
void bulk_form_commands(const struct call *call, const struct bulk_edit *edit,
                        const json_t *customer, json_t *commands);

#endif
