/* SPDX-License-Identifier: MIT */
/* `customer merge` and `customer erase`: the two ways to end a customer's record. */
#include "dispatchctl/nouns/customer.h"

#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/spool.h"

#include <string.h>
#include <sysexits.h>

static bool find_name(struct ctl *ctl, const struct change_context *context, const char *number,
                      const char **ret, struct error *err)
{
	json_t *customer;
	if (!records_show(context->store, kind_find("customer"), number, &customer, err))
		return false;
	*ret = arena_strdup(ctl->arena, json_string_value(json_object_get(customer, "name")));
	json_decref(customer);
	return true;
}

/* Asks with both names: two numbers are easily mixed up. */
static bool confirm_merge(struct ctl *ctl, const struct change_context *context, const char *from,
                          const char *into, struct error *err)
{
	const char *from_name, *into_name;
	if (!find_name(ctl, context, from, &from_name, err) ||
	    !find_name(ctl, context, into, &into_name, err))
		return false;
	return ctl_confirm(
	        ctl, err,
	        arena_printf(
	                ctl->arena,
	                "Merge customer %s, %s, into %s, %s? All its records and jobs go to %s.",
	                from, from_name, into, into_name, into));
}

bool customer_run_merge(struct ctl *ctl, struct error *err)
{
	const char *from = ctl_arg(ctl, 0), *into = ctl_arg(ctl, 1);
	struct change_context context;
	json_t *customer;
	if (!store_open(ctl, DB_WRITE, &context, err) ||
	    !confirm_merge(ctl, &context, from, into, err) ||
	    !customer_merge(&context, from, into, err))
		return false;
	spool_follow_numbers(ctl);
	if (!customer_show(context.store, into, &customer, err))
		return false;
	output_print(ctl->out,
	             "customer %s merged into %s; its number means that customer from now on", from,
	             into);
	output_document(ctl->out, customer);
	return true;
}

bool customer_run_erase(struct ctl *ctl, struct error *err)
{
	const char *number = ctl_arg(ctl, 0), *name;
	struct change_context context;
	if (!store_open(ctl, DB_WRITE, &context, err) ||
	    !find_name(ctl, &context, number, &name, err))
		return false;
	const char *question = arena_printf(
	        ctl->arena, "Erase customer %s, %s, with all its records, files and history?",
	        number, name);
	if (!ctl_confirm(ctl, err, question) || !customer_erase(&context, number, err))
		return false;
	spool_follow_numbers(ctl);
	output_print(ctl->out,
	             "customer %s erased; data of jobs still in progress goes when they end",
	             number);
	output_document(ctl->out, json_pack("{s:s}", "erased", number));
	return true;
}
