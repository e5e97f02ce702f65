/* SPDX-License-Identifier: MIT */
/*
 * What a record means together with its ancestors. The store refuses a chain that is too long or a
 * ring; each walk here is bounded all the same, since a hand may have been in the database.
 */
#include "model/customer.h"

#include "model/kind.h"

#include <stddef.h>
#include <string.h>

const char *contact_address(const struct contact *contact, enum reason *ret_reason)
{
	bool any = *contact->email != '\0' || *contact->alt_email != '\0';
	*ret_reason = REASON_OK;
	if (*contact->email != '\0' && instant_is_none(contact->email_invalid))
		return contact->email;
	if (*contact->alt_email != '\0' && instant_is_none(contact->alt_email_invalid))
		return contact->alt_email;
	*ret_reason = any ? REASON_ADDRESS_INVALID : REASON_NO_ADDRESS;
	return "";
}

size_t customer_chain(const struct customer *customer,
                      const struct customer *ret[CUSTOMER_DEPTH_MAX])
{
	size_t n = 0;
	for (; customer != NULL && n < CUSTOMER_DEPTH_MAX; customer = customer->parent)
		ret[n++] = customer;
	return n;
}

/* A text by its place in the record: the nearest that is set. */
static const char *inherited(const struct customer *customer, size_t place)
{
	const struct customer *chain[CUSTOMER_DEPTH_MAX];
	size_t n = customer_chain(customer, chain);
	for (size_t i = 0; i < n; i++) {
		const char *text;
		memcpy(&text, (const char *)chain[i] + place, sizeof text);
		if (text[0] != '\0')
			return text;
	}
	return "";
}

const char *customer_timezone(const struct customer *customer)
{
	return inherited(customer, offsetof(struct customer, timezone));
}

const char *customer_locale(const struct customer *customer)
{
	return inherited(customer, offsetof(struct customer, locale));
}

const char *customer_reference(const struct customer *customer)
{
	return inherited(customer, offsetof(struct customer, reference));
}

const char *customer_location_notes(const struct customer *customer)
{
	return inherited(customer, offsetof(struct customer, location_notes));
}

const char *customer_sales_rep(const struct customer *customer)
{
	return inherited(customer, offsetof(struct customer, sales_rep));
}

const char *customer_text(const struct customer *customer, size_t field)
{
	const struct customer *chain[CUSTOMER_DEPTH_MAX];
	size_t n = kind_find("customer")->fields[field].inherited ? customer_chain(customer, chain)
	                                                          : 0;
	for (size_t i = 0; i < n; i++) {
		if (*chain[i]->texts[field] != '\0')
			return chain[i]->texts[field];
	}
	return customer->texts[field];
}

/* Two lists by day into one; where both have a day, `near` wins. Returns how many there are. */
static size_t merge_dates(const struct hours_date *near, size_t n_near,
                          const struct hours_date *far, size_t n_far, struct hours_date *ret)
{
	size_t i = 0, j = 0, n = 0;
	while (i < n_near || j < n_far) {
		if (j == n_far || (i < n_near && near[i].day.n <= far[j].day.n)) {
			j += j < n_far && near[i].day.n == far[j].day.n;
			ret[n++] = near[i++];
		} else {
			ret[n++] = far[j++];
		}
	}
	return n;
}

static void add_dates(struct hours *hours, const struct hours *far, struct arena *arena)
{
	if (far->n_dates == 0)
		return;
	struct hours_date *dates =
	        arena_new_array(arena, hours->n_dates + far->n_dates, struct hours_date);
	hours->n_dates = merge_dates(hours->dates, hours->n_dates, far->dates, far->n_dates, dates);
	hours->dates = dates;
}

const struct hours *customer_hours(const struct customer *customer, struct arena *arena)
{
	if (customer->parent == NULL && customer->n_office_dates == 0)
		return &customer->hours;
	const struct customer *chain[CUSTOMER_DEPTH_MAX];
	size_t n = customer_chain(customer, chain);
	struct hours *hours = arena_alloc(arena, sizeof *hours);
	*hours = customer->hours;
	for (size_t i = 1; i < n; i++) {
		if (!hours->weekly && chain[i]->hours.weekly) {
			hours->weekly = true;
			memcpy(hours->week, chain[i]->hours.week, sizeof hours->week);
		}
		add_dates(hours, &chain[i]->hours, arena);
	}
	const struct hours office = {.dates = customer->office_dates,
	                             .n_dates = customer->n_office_dates};
	add_dates(hours, &office, arena);
	return hours;
}

const struct contact *const *customer_contacts(const struct customer *customer, struct arena *arena,
                                               size_t *ret_n)
{
	const struct customer *chain[CUSTOMER_DEPTH_MAX];
	size_t n_chain = customer_chain(customer, chain), most = 1, n = 0;
	for (size_t i = 0; i < n_chain; i++)
		most += chain[i]->n_contacts;
	const struct contact **contacts = arena_new_array(arena, most, const struct contact *);
	for (size_t i = 0; i < n_chain; i++)
		for (size_t j = 0; j < chain[i]->n_contacts; j++)
			if (i == 0 || chain[i]->contacts[j].all_sites)
				contacts[n++] = &chain[i]->contacts[j];
	*ret_n = n;
	return contacts;
}

const struct contact *customer_contact(const struct customer *customer, int64_t id)
{
	const struct customer *chain[CUSTOMER_DEPTH_MAX];
	size_t n = customer_chain(customer, chain);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < chain[i]->n_contacts; j++)
			if (chain[i]->contacts[j].id == id &&
			    (i == 0 || chain[i]->contacts[j].all_sites))
				return &chain[i]->contacts[j];
	return NULL;
}

const struct customer *customer_not_active(const struct customer *customer)
{
	const struct customer *chain[CUSTOMER_DEPTH_MAX];
	size_t n = customer_chain(customer, chain);
	for (size_t i = 0; i < n; i++)
		if (strcmp(chain[i]->status, "active") != 0)
			return chain[i];
	return NULL;
}
