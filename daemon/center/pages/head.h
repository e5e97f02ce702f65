/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_HEAD_H
#define CENTER_PAGES_HEAD_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * What all pages of a customer have: {number, name, dba, account, status, parent, parent_name,
 * version, moves [{verb, label}], tabs [{path, label, count, current}], suspension: that of
 * one_view() with `days`, `what`, and `inherited` {number, name} where it is an ancestor's}.
 * `customer` is as customer_show() gives it, `suspensions` as suspensions_list() does; `tab` is the
 * path of the tab that is shown, "" for the one view. The caller's.
 */
json_t *head_of(struct call *call, const json_t *customer, const json_t *suspensions,
                const char *tab);

/* The same from the records, for a tab; *ret_customer is the caller's, too. False with the answer
 * made. */
bool head_read(struct call *call, const char *number, const char *tab, json_t **ret_head,
               json_t **ret_customer) MUST_CHECK;

#endif
