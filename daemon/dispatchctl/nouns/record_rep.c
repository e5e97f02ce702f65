/* SPDX-License-Identifier: MIT */
/* `rep link` and `rep unlink`: which sales reps are assigned to a customer. */
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/record.h"

static bool reps_of(struct ctl *ctl, const struct change_context *context, const char *what,
                    struct error *err)
{
	const char *number = ctl_arg(ctl, 0), *rep = ctl_arg(ctl, 1);
	json_t *customer;
	if (!customer_show(context->store, number, &customer, err))
		return false;
	output_print(ctl->out, "%s %s customer %s", rep, what, number);
	output_document(ctl->out, customer);
	return true;
}

bool record_rep_link(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	return store_open(ctl, DB_WRITE, &context, err) &&
	       rep_link(&context, ctl_arg(ctl, 0), ctl_arg(ctl, 1),
	                ctl_option(ctl, "first") != NULL, err) &&
	       reps_of(ctl, &context, "is now assigned to", err);
}

bool record_rep_unlink(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	return store_open(ctl, DB_WRITE, &context, err) &&
	       rep_unlink(&context, ctl_arg(ctl, 0), ctl_arg(ctl, 1), err) &&
	       reps_of(ctl, &context, "is no longer assigned to", err);
}
