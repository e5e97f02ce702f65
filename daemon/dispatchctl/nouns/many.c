/* SPDX-License-Identifier: MIT */
/* Something is done to many mails: `mail retry` and `cancel` with --all, `breaker release` and
 * `discard`. */
#include "dispatchctl/nouns/many.h"

#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/spool.h"
#include "model/words.h"
#include "overview/local_times.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static bool matching_ids(struct ctl *ctl, const struct many *many, struct spool_filter *filter,
                         json_t **ret, struct error *err)
{
	filter->customer = overview_number(store_overview(ctl), filter->customer);
	if (many->reason != NULL)
		filter->reason = many->reason; /* many_change() has refused another */
	struct spool *spool = spool_view(ctl, err);
	bool ok = spool != NULL &&
	          spool_read_mail_ids(spool, filter, many->statuses, many->but, ret, err);
	spool_close(spool);
	return ok;
}

/* Batch by batch, the oldest first, which a contact's limit lets go first; how many it was done to.
 */
static bool change_ids(struct ctl *ctl, const struct many *many, const json_t *ids, size_t *ret_n,
                       struct error *err)
{
	size_t all = json_array_size(ids);
	*ret_n = 0;
	for (size_t from = 0; from < all; from += REQUEST_IDS_MAX) {
		json_t *piece = json_array(), *answer;
		for (size_t i = from; i < all && i < from + REQUEST_IDS_MAX; i++)
			json_array_append(piece, json_array_get(ids, all - 1 - i));
		if (!spool_ask(ctl,
		               json_pack("{s:s, s:o}", "do", control_request_verb(many->request),
		                         "ids", piece),
		               &answer, err))
			return false;
		*ret_n += json_array_size(json_object_get(answer, "mails"));
		json_decref(answer);
	}
	return true;
}

/* One that names another status or reason than the mails have that this is for. */
static bool check_filter(const struct many *many, const struct spool_filter *filter,
                         struct error *err)
{
	if (many->reason == NULL)
		return true;
	if (filter->reason != NULL && strcmp(filter->reason, many->reason) != 0)
		return error_set(err, EX_USAGE,
		                 "--reason must be %s here, or left out (got \"%s\")", many->reason,
		                 filter->reason);
	if (filter->status != NULL && !status_in(status_find(filter->status), many->statuses))
		return error_set(
		        err, EX_USAGE,
		        "--status must be deferred here, or left out (got \"%s\"): that is "
		        "what mails are that are held back",
		        filter->status);
	return true;
}

bool many_change(struct ctl *ctl, const struct many *many, struct spool_filter *filter,
                 struct error *err)
{
	json_t *ids;
	size_t done = 0;
	char question[80];
	bool dry_run = ctl_option(ctl, "dry-run") != NULL;
	if (!check_filter(many, filter, err) || !matching_ids(ctl, many, filter, &ids, err))
		return false;
	size_t n = json_array_size(ids);
	(void)snprintf(question, sizeof question, many->question, n, n == 1 ? "mail" : "mails");
	bool ok = n == 0 || dry_run ||
	          (ctl_confirm(ctl, err, question) && change_ids(ctl, many, ids, &done, err));
	json_decref(ids);
	if (!ok)
		return false;
	if (n == 0)
		output_print(ctl->out, "no matching mails");
	else if (dry_run)
		output_print(ctl->out, "%zu matching %s", n, n == 1 ? "mail" : "mails");
	else
		output_print(ctl->out, "done: %zu of %zu %s", done, n, n == 1 ? "mail" : "mails");
	output_document(ctl->out, json_pack("{s:I, s:I}", "matched", (json_int_t)n, "done",
	                                    (json_int_t)done));
	return true;
}
