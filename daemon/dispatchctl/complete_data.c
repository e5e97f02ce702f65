/* SPDX-License-Identifier: MIT */
/*
 * Completion from the records. All faults are ignored: without a configuration, Tab offers nothing.
 * The databases are only read, and no more of them than a person can look through.
 */
#include "dispatchctl/complete_data.h"

#include "dispatchctl/base/office.h"
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/spool.h"
#include "model/settings.h"
#include "spool/spool_read.h"

#include <stdio.h>
#include <string.h>

enum { OFFERS = 50 };

static void ignore_fault(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

static bool ready(struct ctl *ctl)
{
	static const char *const sections[] = {"customers", "spool.path", "office.managers",
	                                       "rules.timezone", NULL};
	int status;
	if (ctl->settings == NULL)
		ctl->settings = settings_load(settings_path(ctl->config), sections, ignore_fault,
		                              NULL, &status);
	struct error ignored;
	return ctl->settings != NULL && office_become(ctl->settings, "spool customers", &ignored);
}

static bool open_store(struct ctl *ctl, struct change_context *ret)
{
	struct error ignored = {0};
	return ready(ctl) && store_open(ctl, DB_READ, ret, &ignored);
}

/* Numbers and names that begin with what was typed. */
static size_t offer_begun(struct ctl *ctl, const struct change_context *context,
                          const struct kind *kind, const char *typed)
{
	struct error ignored = {0};
	json_t *names;
	size_t i, n = 0;
	const json_t *name;
	if (kind == NULL ||
	    !records_complete(context->store, kind, typed, OFFERS, &names, &ignored))
		return 0;
	json_array_foreach(names, i, name)
	{
		output_print(ctl->out, "%s", json_string_value(name));
		n++;
	}
	json_decref(names);
	return n;
}

/* The beginning of a name is completed to the number; several matches are listed with names. */
static void offer_by_name(struct ctl *ctl, const struct change_context *context, const char *typed)
{
	struct error ignored = {0};
	json_t *rows;
	size_t i;
	const json_t *row;
	if (!customers_search(context->store, typed, BY_NAME, OFFERS, &rows, &ignored))
		return;
	json_array_foreach(rows, i, row)
	        output_print(ctl->out, "%s  %s", json_string_value(json_object_get(row, "number")),
	                     json_string_value(json_object_get(row, "name")));
	json_decref(rows);
}

static void offer_ids(struct ctl *ctl, const json_t *rows, const char *typed)
{
	size_t i;
	const json_t *row;
	json_array_foreach(rows, i, row)
	{
		char id[24];
		const json_t *text = json_object_get(row, "text");
		text = text ? text : json_object_get(row, "name");
		(void)snprintf(id, sizeof id, "%lld",
		               (long long)json_integer_value(json_object_get(row, "id")));
		if (i < OFFERS && strncmp(id, typed, strlen(typed)) == 0)
			output_print(ctl->out, "%s  %s", id,
			             json_is_string(text) ? json_string_value(text) : "");
	}
}

static void offer_record_ids(struct ctl *ctl, const struct kind *kind, const char *typed)
{
	struct change_context context;
	struct error ignored = {0};
	json_t *rows;
	if (!open_store(ctl, &context) || !records_list(context.store, kind, NULL, &rows, &ignored))
		return;
	offer_ids(ctl, rows, typed);
	json_decref(rows);
}

static void offer_mail_ids(struct ctl *ctl, const char *typed)
{
	struct error ignored = {0};
	json_t *rows;
	struct spool *spool = ready(ctl) ? spool_view(ctl, &ignored) : NULL;
	const struct spool_filter filter = {.before = INSTANT_NONE, .limit = OFFERS};
	if (spool != NULL && spool_read_mails(spool, &filter, &rows, &ignored)) {
		offer_ids(ctl, rows, typed);
		json_decref(rows);
	}
	spool_close(spool);
}

void complete_data(struct ctl *ctl, const struct noun *noun, const char *what, const char *typed)
{
	const struct kind *kind = noun ? kind_find(noun->name) : NULL;
	struct change_context context;
	if ((strcmp(what, "NUMBER") == 0 || strcmp(what, "FROM") == 0 ||
	     strcmp(what, "INTO") == 0) &&
	    open_store(ctl, &context)) {
		if (offer_begun(ctl, &context, kind_find("customer"), typed) == 0)
			offer_by_name(ctl, &context, typed);
	} else if (strcmp(what, "REP") == 0 && open_store(ctl, &context)) {
		offer_begun(ctl, &context, kind_find("rep"), typed);
	} else if (strcmp(what, "NAME") == 0 && kind != NULL && open_store(ctl, &context)) {
		offer_begun(ctl, &context, kind, typed);
	} else if (strcmp(what, "ID") == 0 && kind != NULL) {
		offer_record_ids(ctl, kind, typed);
	} else if (strcmp(what, "ID") == 0 && noun != NULL && strcmp(noun->name, "mail") == 0) {
		offer_mail_ids(ctl, typed);
	}
}
