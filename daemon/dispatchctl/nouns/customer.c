/* SPDX-License-Identifier: MIT */
/* `customer …`: commands on a customer itself. Searching is in search.c, files in transfer.c. */
#include "dispatchctl/nouns/customer.h"

#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/fields.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "dispatchctl/nouns/transfer.h"
#include "dispatchctl/nouns/views.h"
#include "engine/known.h"
#include "model/request.h"
#include "model/settings.h"
#include "overview/calendar.h"
#include "overview/customer_jobs.h"

#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

/* Prints what was done; the document for `--json` is the record as it is now. */
static bool print_done(struct ctl *ctl, const struct change_context *context, const char *number,
                       const char *what, struct error *err)
{
	json_t *customer;
	if (!customer_show(context->store, number, &customer, err))
		return false;
	output_print(ctl->out, "customer %s %s", number, what);
	output_document(ctl->out, customer);
	return true;
}

static const struct kind *customer_kind(void)
{
	return kind_find("customer");
}

/* Options that aren't fields of the customer but of its first contact. */
static void take_contact(const struct ctl *ctl, json_t *values)
{
	static const char *const keys[] = {"email", "contact"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (ctl_option(ctl, keys[i]) != NULL)
			json_object_set_new(values, keys[i], json_string(ctl_option(ctl, keys[i])));
}

static void warn_of_former(struct ctl *ctl, const struct change_context *context,
                           const char *number)
{
	const char *present;
	struct error ignored;
	int64_t id;
	bool former = false;
	if (number &&
	    customer_named(context->store, number, ctl->arena, &id, &present, &former, &ignored) &&
	    former)
		output_fault("warning: %s is a former number of customer %s; from now on it means "
		             "this customer",
		             number, present);
}

/* A customer is easily entered twice: warns of similar ones, and at a terminal asks. */
static bool is_new(struct ctl *ctl, const struct change_context *context, const json_t *values,
                   struct error *err)
{
	const char *name = json_string_value(json_object_get(values, "name"));
	const json_t *row;
	json_t *alike;
	size_t i;
	if (name == NULL)
		return true;
	if (!customers_like(context->store, name,
	                    json_string_value(json_object_get(values, "city")),
	                    json_string_value(json_object_get(values, "parent")), &alike, err))
		return false;
	json_array_foreach(alike, i, row)
	{
		const char *city = json_string_value(json_object_get(row, "city"));
		output_fault("warning: similar to customer %s, %s%s%s",
		             json_string_value(json_object_get(row, "number")),
		             json_string_value(json_object_get(row, "name")), city ? ", " : "",
		             city ? city : "");
	}
	bool any = json_array_size(alike) > 0;
	json_decref(alike);
	return !any || ctl_confirm_at_terminal(ctl, err, "Add this customer anyway?");
}

static bool customer_run_add(struct ctl *ctl, struct error *err)
{
	const char *number = ctl_arg(ctl, 0);
	struct change_context context;
	json_t *values = fields_given(ctl, err);
	if (values == NULL)
		return false;
	json_object_set_new(values, "number", json_string(number));
	take_contact(ctl, values);
	bool ok = store_open(ctl, DB_WRITE, &context, err) && is_new(ctl, &context, values, err);
	if (ok)
		warn_of_former(ctl, &context, number);
	ok = ok && records_add(&context, customer_kind(), NULL, values, NULL, err);
	number = fields_name(ctl, values, "number");
	json_decref(values);
	return ok && print_done(ctl, &context, number, "added", err);
}

static bool customer_run_set(struct ctl *ctl, struct error *err)
{
	const char *number = ctl_arg(ctl, 0);
	struct change_context context;
	json_t *values = fields_given(ctl, err);
	if (values == NULL)
		return false;
	const char *other = fields_name(ctl, values, "number");
	bool ok =
	        json_object_size(values) > 0 || error_set(err, EX_USAGE,
	                                                  "customer set needs at least one field; "
	                                                  "see dispatchctl customer set --help");
	ok = ok && store_open(ctl, DB_WRITE, &context, err) &&
	     records_set(&context, customer_kind(), number, values, err);
	json_decref(values);
	if (ok && other && strcmp(other, number) != 0)
		spool_follow_numbers(ctl);
	return ok && print_done(ctl, &context, other ? other : number, "changed", err);
}

/* Which suspensions are in force depends on today in the customer's time zone. */
static bool with_suspensions(struct ctl *ctl, const struct change_context *context,
                             json_t *customer, struct error *err)
{
	json_t *rows;
	if (!suspensions_list(context->store, ctl_arg(ctl, 0), store_default_zone(ctl), ctl->now,
	                      false, &rows, err))
		return false;
	json_object_set_new(customer, "suspensions", rows);
	return true;
}

/* null if the spool can't be read. */
static json_t *jobs_of(struct ctl *ctl, const char *number)
{
	struct error ignored = {0};
	json_t *jobs = NULL;
	struct spool *spool = spool_view(ctl, &ignored);
	if (spool == NULL || !customer_jobs(store_overview(ctl), spool, number, &jobs, &ignored))
		jobs = json_null();
	spool_close(spool);
	return jobs;
}

static bool customer_run_show(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	json_t *customer;
	if (!store_open(ctl, DB_READ, &context, err) ||
	    !customer_show(context.store, ctl_arg(ctl, 0), &customer, err))
		return false;
	if (!with_suspensions(ctl, &context, customer, err) ||
	    !calendar_add(store_overview(ctl), ctl_arg(ctl, 0), json_object_get(customer, "hours"),
	                  err)) {
		json_decref(customer);
		return false;
	}
	const char *number = json_string_value(json_object_get(customer, "number"));
	json_object_set_new(customer, "jobs", jobs_of(ctl, number));
	view_customer(ctl, customer);
	return true;
}

enum { PIECE = 2000 }; /* rows in memory at a time */

/* In pieces, since a million rows don't fit in memory as one document; all from one view. */
static bool list_pieces(struct ctl *ctl, const struct change_context *context,
                        struct customer_filter *filter, int64_t limit, struct error *err)
{
	bool more = true;
	for (int64_t left = limit > 0 ? limit : INT64_MAX; more && !output_left(ctl->out);
	     left -= PIECE) {
		json_t *rows;
		filter->limit = left < PIECE ? left : PIECE;
		if (!customer_list(context->store, filter, &rows, err))
			return false;
		more = json_array_size(rows) == PIECE && left > PIECE;
		const json_t *last = json_array_get(rows, more ? PIECE - 1 : 0);
		filter->after =
		        more ? arena_strdup(ctl->arena,
		                            json_string_value(json_object_get(last, "number")))
		             : NULL;
		if (!output_piece(ctl->out, rows, customer_columns, customer_columns_n,
		                  "no customers", more, err))
			return false;
	}
	return true;
}

/* A word that no customer has is a slip of the pen, and not a list without any. */
static bool check_word(const char *option, const char *word, const char *const *words,
                       const char *expected, struct error *err)
{
	for (size_t i = 0; word && words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return word == NULL ||
	       error_set(err, EX_USAGE, "--%s must be %s (got \"%s\")", option, expected, word);
}

static bool customer_run_list(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	int64_t limit = 0;
	struct customer_filter filter = {.rep = ctl_option(ctl, "rep"),
	                                 .parent = ctl_option(ctl, "parent"),
	                                 .status = ctl_option(ctl, "status"),
	                                 .city = ctl_option(ctl, "city"),
	                                 .text = ctl_option(ctl, "search"),
	                                 .sort = ctl_option(ctl, "sort"),
	                                 .suspended = ctl_option(ctl, "suspended") != NULL,
	                                 .default_zone = store_default_zone(ctl),
	                                 .now = ctl->now};
	if (!check_word("status", filter.status, kind_field(customer_kind(), "status")->choices,
	                "new, released, active or inactive", err) ||
	    !check_word("sort", filter.sort, customer_sorts,
	                "name, city, status, sales_rep or renewal", err) ||
	    !ctl_option_number(ctl, "limit", 1, INT32_MAX, &limit, err) ||
	    !store_open(ctl, DB_READ, &context, err) || !customers_begin_read(context.store, err))
		return false;
	bool ok = list_pieces(ctl, &context, &filter, limit, err);
	customers_end_read(context.store);
	return ok;
}

static bool customer_run_reindex(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	if (!store_open(ctl, DB_WRITE, &context, err) || !customers_reindex(context.store, err))
		return false;
	output_print(ctl->out, "search index rebuilt");
	output_document(ctl->out, json_pack("{s:b}", "reindexed", 1));
	return true;
}

/* A customer's name, for a question; false if there is no such customer. */
static bool find_name(struct ctl *ctl, const struct change_context *context, const char *number,
                      const char **ret, struct error *err)
{
	json_t *customer;
	if (!records_show(context->store, customer_kind(), number, &customer, err))
		return false;
	*ret = arena_strdup(ctl->arena, json_string_value(json_object_get(customer, "name")));
	json_decref(customer);
	return true;
}

/* Removes a former number only; the customer stays. */
static bool remove_name(struct ctl *ctl, const struct change_context *context, const char *name,
                        const char *number, struct error *err)
{
	const char *question = arena_printf(
	        ctl->arena, "Remove %s, a former number of customer %s? The customer itself stays.",
	        name, number);
	if (!ctl_confirm(ctl, err, question) ||
	    !records_remove(context, customer_kind(), name, err))
		return false;
	output_print(ctl->out, "%s is no longer a number of customer %s", name, number);
	output_document(ctl->out,
	                json_pack("{s:s, s:s}", "removed", name, "former_number_of", number));
	return true;
}

static bool customer_run_remove(struct ctl *ctl, struct error *err)
{
	const char *number = ctl_arg(ctl, 0);
	struct change_context context;
	const char *name;
	const char *present;
	int64_t id;
	bool former;
	if (!store_open(ctl, DB_WRITE, &context, err) ||
	    !find_name(ctl, &context, number, &name, err) ||
	    !customer_named(context.store, number, ctl->arena, &id, &present, &former, err))
		return false;
	if (former)
		return remove_name(ctl, &context, number, present, err);
	const char *question = arena_printf(
	        ctl->arena, "Remove customer %s, %s, with all contacts, notes and files?", number,
	        name);
	if (!ctl_confirm(ctl, err, question) ||
	    !records_remove(&context, customer_kind(), number, err))
		return false;
	output_print(ctl->out, "customer %s removed", number);
	output_document(ctl->out, json_pack("{s:s}", "removed", number));
	return true;
}

/* The result of each verb that changes the status, for a person. */
static const struct {
	const char *verb, *done;
} moves[] = {
        {"release", "released: accounting can approve it now"},
        {"approve", "approved: it is active"},
        {"decline", "declined: it is new again"},
        {"deactivate", "deactivated: no more mail or jobs"},
};

/* Releasing asks first, since accounting acts on it. */
static bool confirm_move(struct ctl *ctl, const struct change_context *context, const char *number,
                         const char *verb, struct error *err)
{
	const char *name;
	if (strcmp(verb, "release") != 0)
		return true;
	return find_name(ctl, context, number, &name, err) &&
	       ctl_confirm_at_terminal(ctl, err,
	                               arena_printf(ctl->arena,
	                                            "Release customer %s, %s, to accounting?",
	                                            number, name));
}

static bool customer_run_move(struct ctl *ctl, struct error *err)
{
	const char *number = ctl_arg(ctl, 0), *verb = ctl->command->verb;
	struct change_context context;
	size_t i = 0;
	while (strcmp(moves[i].verb, verb) != 0)
		i++;
	if (!store_open(ctl, DB_WRITE, &context, err) ||
	    !confirm_move(ctl, &context, number, verb, err) ||
	    !customer_move(&context, number, verb, err))
		return false;
	return print_done(ctl, &context, number, moves[i].done, err);
}

/* A missing file may be a mistake; an empty one was put there on purpose. */
static bool may_adopt(const struct ctl *ctl, const char *path, struct error *err)
{
	struct actor actor;
	struct stat st;
	if (!actor_find(ctl, &actor, err) || !actor_needs_manager(&actor, "adopt", err))
		return false;
	return stat(path, &st) == 0 || error_set(err, EX_NOINPUT,
	                                         "%s is missing: put the right file there first, "
	                                         "or an empty one to start without customers",
	                                         path);
}

/* Creates the schema if the file is empty; the engine records which file to use. */
static bool customer_run_adopt(struct ctl *ctl, struct error *err)
{
	const char *path = ctl->settings->customers.path;
	char identity[IDENTITY_SIZE];
	json_t *answer;
	bool may =
	        may_adopt(ctl, path, err) && known_may_open(path, ctl->settings->spool.path, err);
	struct customers *store = may ? customers_open(path, DB_WRITE, err) : NULL;
	bool ok = store != NULL && customers_identify(store, err) &&
	          customers_identity(store, identity, err);
	customers_close(store);
	ok = ok &&
	     spool_ask(ctl,
	               json_pack("{s:s, s:s}", "do", control_request_verb(REQUEST_CUSTOMERS_ADOPT),
	                         "identity", identity),
	               &answer, err);
	if (!ok)
		return false;
	json_object_del(answer, "ok");
	output_print(ctl->out, "%s is in use from now on", path);
	output_document(ctl->out, answer);
	return true;
}

static bool customer_run_history(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	json_t *rows;
	if (!store_open(ctl, DB_READ, &context, err) ||
	    !customer_history(context.store, ctl_arg(ctl, 0), &rows, err))
		return false;
	view_changes(ctl, rows);
	return true;
}

const struct column customer_columns[] = {
        {.key = "number", .title = "Number"},
        {.key = "name", .title = "Name", .min = 16, .style = STYLE_URGENT},
        {.key = "city", .title = "City", .min = 8},
        {.key = "state", .title = "State", .min = 5},
        {.key = "status", .title = "Status", .style = STYLE_WORD},
        {.key = "phone", .title = "Phone", .min = 12},
        {.key = "sales_rep", .title = "Sales rep", .min = 8},
        {.key = "suspended", .title = "Suspended"},
};
const size_t customer_columns_n = sizeof customer_columns / sizeof *customer_columns;

static const struct option add_options[] = {
        {.name = "email", .value = "ADDRESS", .help = "email address of its first contact"},
        {.name = "contact", .value = "NAME", .help = "name of its first contact"},
        {0},
};

static const struct option list_options[] = {
        {.name = "rep",
         .value = "REP",
         .help = "only customers of this sales rep, including sites that inherit the rep"},
        {.name = "parent", .value = "NUMBER", .help = "only sites of this customer"},
        {.name = "status",
         .value = "new|released|active|inactive",
         .help = "only customers with this status"},
        {.name = "city", .value = "CITY", .help = "only customers in this city"},
        {.name = "search",
         .value = "TEXT",
         .help = "only customers that customer search TEXT finds, of the first 5000"},
        {.name = "suspended",
         .help = "only customers with a suspension in force, their own or of a customer above "
                 "them"},
        {.name = "sort",
         .value = "name|city|status|sales_rep|renewal",
         .help = "by this field instead of by number"},
        {.name = "limit", .value = "N", .help = "at most this many"},
        {0},
};

static const struct command commands[] = {
        {.verb = "add",
         .args = "NUMBER",
         .options = add_options,
         .kind = "customer",
         .fields = true,
         .without = "number",
         .uses = USES_STORE,
         .help = "Adds a customer, and with --email its first contact, who gets a mail for every "
                 "job state",
         .examples = "customer add 1001 --name \"Example Bakery\" --email orders@example.com\n"
                     "customer add 1001-2 --name \"Example Bakery, depot\" --parent 1001 "
                     "--timezone America/Denver",
         .run = customer_run_add},
        {.verb = "set",
         .args = "NUMBER",
         .kind = "customer",
         .fields = true,
         .uses = USES_STORE,
         .help = "Changes fields of a customer; an empty value clears one",
         .more = "A new --number keeps everything the customer has, including jobs and their "
                 "mails. The old number still works in events, requests and the feed until another "
                 "customer gets it or customer remove takes it away.",
         .examples = "customer set 1001 --phone \"+1 303 555 0100\" --reference \"\"\n"
                     "customer set 1001 --number 2001",
         .run = customer_run_set},
        {.verb = "show",
         .args = "NUMBER",
         .uses = USES_STORE " " USES_SPOOL,
         .help = "Shows a customer with its jobs, contacts, hours, suspensions, notes and "
                 "everything else",
         .examples = "customer show 1001",
         .run = customer_run_show},
        {.verb = "list",
         .options = list_options,
         .uses = USES_STORE,
         .help = "Lists customers by number",
         .examples = "customer list --rep \"Pat Example\"\ncustomer list --status released",
         .run = customer_run_list},
        {.verb = "remove",
         .args = "NUMBER",
         .uses = USES_STORE,
         .help = "Removes a customer and all its records; its sites have to be removed first",
         .more = "With a customer's former number, only that number is removed. If the customer "
                 "may come back, use customer deactivate: it keeps the history with the customer.",
         .examples = "customer remove 1001 --yes",
         .run = customer_run_remove},
        {.verb = "search",
         .args = "TEXT",
         .options = search_options,
         .uses = USES_STORE,
         .help = "Finds customers whose records contain every word, best match first",
         .more = "Words may come in any order and match any part of a value; a word of one or two "
                 "characters matches only a whole word. Case, accents, punctuation and the format "
                 "of phone numbers don't matter.",
         .examples = "customer search bakery\ncustomer search 5550100 --by phone",
         .run = customer_run_search},
        {.verb = "release",
         .args = "NUMBER",
         .uses = USES_STORE,
         .help = "Sends a new customer to accounting for approval",
         .more = "At a terminal it asks first; --yes skips the question.",
         .examples = "customer release 1001",
         .run = customer_run_move},
        {.verb = "approve",
         .args = "NUMBER",
         .uses = USES_STORE,
         .help = "Makes a released or inactive customer active",
         .examples = "customer approve 1001",
         .run = customer_run_move},
        {.verb = "decline",
         .args = "NUMBER",
         .uses = USES_STORE,
         .help = "Sends a released customer back to new",
         .examples = "customer decline 1001",
         .run = customer_run_move},
        {.verb = "deactivate",
         .args = "NUMBER",
         .uses = USES_STORE,
         .help = "Makes an active customer inactive: no more mail or jobs",
         .examples = "customer deactivate 1001",
         .run = customer_run_move},
        {.verb = "related",
         .args = "NUMBER",
         .options = limit_options,
         .uses = USES_STORE,
         .help = "Lists other customers with the same contact name, address, phone or email",
         .examples = "customer related 1001",
         .run = customer_run_related},
        {.verb = "duplicates",
         .options = limit_options,
         .uses = USES_STORE,
         .help = "Lists customers that may be duplicates",
         .examples = "customer duplicates",
         .run = customer_run_duplicates},
        {.verb = "merge",
         .args = "FROM INTO",
         .uses = USES_STORE,
         .help = "Merges two customers: all records and jobs of the first go to the second "
                 "(managers only)",
         .more = "Fields and hours that the second doesn't have come from the first; a contact "
                 "with the same name and address is kept once. The first customer's number means "
                 "the second until another customer gets it or customer remove takes it away.",
         .examples = "customer merge 1001 2001",
         .run = customer_run_merge},
        {.verb = "erase",
         .args = "NUMBER",
         .uses = USES_STORE,
         .help = "Removes a customer and its data for good, also from the history and the record "
                 "of jobs (managers only)",
         .more = "What stays: the number, ids, counts, states and times, and who erased it when. "
                 "Data of mails and held jobs still in progress is erased when they end. Erase it "
                 "from your backups yourself.",
         .examples = "customer erase 1001",
         .run = customer_run_erase},
        {.verb = "history",
         .args = "NUMBER",
         .uses = USES_STORE,
         .help = "Lists every change to a customer and its records: who, when, before and after",
         .examples = "customer history 1001",
         .run = customer_run_history},
        {.verb = "import",
         .args = "FILE",
         .options = import_options,
         .kind = "customer",
         .uses = USES_STORE,
         .help = "Adds and changes customers from CSV or JSON Lines: all rows, or none if one is "
                 "bad",
         .more = "Rows are matched by number. A missing column leaves the value alone; an empty "
                 "cell clears it.",
         .examples = "customer import customers.csv --dry-run\ncustomer import billing.csv --map "
                     "billing.map\ncustomer import billing.csv --map \"Cust Ref=number\" --map "
                     "\"Balance=\"",
         .run = transfer_import},
        {.verb = "export",
         .args = "FILE",
         .options = export_options,
         .kind = "customer",
         .uses = USES_STORE,
         .help = "Writes all customers to a .csv or .jsonl file that import can read",
         .examples = "customer export customers.csv",
         .run = transfer_export},
        {.verb = "reindex",
         .uses = USES_STORE,
         .help = "Rebuilds the search index",
         .more = "Needed only after a program other than dispatchctl and dispatchd has written to "
                 "the database.",
         .examples = "customer reindex",
         .run = customer_run_reindex},
        {.verb = "adopt",
         .uses = USES_ENGINE,
         .help = "Accepts the present customers.db as the one to use",
         .more = "Managers only. dispatchd uses only the customers.db it knows, or a copy of it; "
                 "if that file is missing or a different one is in its place, events wait. Use "
                 "this after you have created a new one; an empty file counts as a database "
                 "without customers.",
         .examples = "customer adopt",
         .run = customer_run_adopt},
};

const struct noun noun_customer = {.name = "customer",
                                   .help = "customers and their sites: add, find, change, import",
                                   COMMANDS(commands)};
