/* SPDX-License-Identifier: MIT */
/*
 * Whether a customer's contacts can be reached. Which address counts is contact_address()'s to say,
 * as for a mail; since when one is marked is in the contact's record, by whom in its history.
 */
#include "overview/reachable.h"

#include "base/jsontext.h"
#include "model/job_state.h"
#include "records/records.h"
#include "spool/spool_read.h"

#include <string.h>

/* The two addresses of a contact, by their fields. */
static const struct address_field {
	const char *which, *since, *words;
} address_fields[] = {
        {"email", "email_invalid", "email_invalid_why"},
        {"alt_email", "alt_email_invalid", "alt_email_invalid_why"},
};
enum { ADDRESSES = sizeof address_fields / sizeof address_fields[0] };

static json_t *text_or_null(const char *text)
{
	return text != NULL && *text != '\0' ? json_string(text) : json_null();
}

/* Who marked it last. */
static json_t *marked_by(const json_t *history, const struct address_field *field)
{
	for (size_t i = json_array_size(history); i-- > 0;) {
		const json_t *change = json_array_get(history, i);
		const json_t *after = json_object_get(change, "after");
		if (*jsontext_at(after, field->words) != '\0')
			return text_or_null(jsontext_at(change, "user"));
	}
	return json_null();
}

/* The latest mail that was refused there, whoever's it was: an address is refused for all. */
static bool find_mail(struct spool *spool, const char *address, json_t **ret, struct error *err)
{
	const struct spool_filter filter = {.to = address,
	                                    .reason = reason_name(REASON_ADDRESS_REFUSED),
	                                    .before = INSTANT_NONE,
	                                    .limit = 1};
	json_t *mails;
	*ret = json_null();
	if (spool == NULL)
		return true;
	if (!spool_read_mails(spool, &filter, &mails, err))
		return false;
	if (json_array_size(mails) > 0)
		*ret = json_incref(json_object_get(json_array_get(mails, 0), "id"));
	json_decref(mails);
	return true;
}

static json_t *mark_json(const json_t *record, const json_t *history,
                         const struct address_field *field, json_t *mail)
{
	const char *words = jsontext_at(record, field->words);
	bool by_hand = strcmp(words, RECORDS_MARKED_BY_HAND) == 0;
	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "which", field->which, "address",
	                 jsontext_at(record, field->which), "since",
	                 jsontext_at(record, field->since), "by_hand", by_hand, "words",
	                 text_or_null(by_hand ? NULL : words), "by", marked_by(history, field),
	                 "mail", mail);
}

static bool add_marks(const struct overview *view, struct spool *spool, const char *id, json_t *row,
                      struct error *err)
{
	const struct kind *kind = kind_find("contact");
	json_t *record = NULL, *history = NULL, *marks = json_array(), *mail;
	bool good = records_show(view->customers, kind, id, &record, err);
	for (size_t i = 0; good && i < ADDRESSES; i++) {
		const struct address_field *field = &address_fields[i];
		if (*jsontext_at(record, field->since) == '\0')
			continue;
		good = (history || record_history(view->customers, kind, id, &history, err)) &&
		       find_mail(spool, jsontext_at(record, field->which), &mail, err);
		if (good)
			json_array_append_new(marks, mark_json(record, history, field, mail));
	}
	json_object_set_new(row, "marks", marks);
	json_decref(history);
	json_decref(record);
	return good;
}

static json_t *states_json(unsigned states)
{
	json_t *names = json_array();
	for (int s = 0; s < JOB_STATE_COUNT; s++)
		if (states & JOB_BIT(s))
			json_array_append_new(names,
			                      json_string(job_state_name((enum job_state)s)));
	return names;
}

static json_t *contact_json(const struct contact *contact, bool inherited)
{
	enum reason reason;
	const char *address = contact_address(contact, &reason);
	const char *which = address == contact->email       ? "email"
	                    : address == contact->alt_email ? "alt_email"
	                                                    : NULL;
	return json_pack(
	        "{s:I, s:s, s:s, s:b, s:o, s:o, s:o, s:s}", "contact", (json_int_t)contact->id,
	        "name", contact->name, "customer", contact->customer, "inherited", inherited,
	        "notify", states_json(contact->notify), "address", text_or_null(address), "which",
	        text_or_null(*address != '\0' ? which : NULL), "reason", reason_name(reason));
}

bool reachable(const struct overview *view, struct spool *spool, const char *number, json_t **ret,
               struct error *err)
{
	const struct customer *customer;
	size_t n = 0;
	if (!customers_load(view->customers, view->arena, number, &customer, err))
		return false;
	const struct contact *const *contacts =
	        customer ? customer_contacts(customer, view->arena, &n) : NULL;
	json_t *rows = json_array();
	bool good = true;
	for (size_t i = 0; good && i < n; i++) {
		json_t *row = contact_json(contacts[i], i >= customer->n_contacts);
		const char *id = arena_printf(view->arena, "%lld", (long long)contacts[i]->id);
		good = add_marks(view, spool, id, row, err);
		json_array_append_new(rows, row);
	}
	if (good)
		*ret = rows;
	else
		json_decref(rows);
	return good;
}
