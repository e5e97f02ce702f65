/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_CONTACT_CHOICE_H
#define RECORDS_CONTACT_CHOICE_H

#include "records/customers.h"

/* What a contact chose of its mails, and what a signed link (mail/token.h) may change of that. */
struct contact_choice {
	int64_t contact;
	const char *link;     /* what its links are bound to */
	const char *customer; /* the number */
	const char *locale;   /* the contact's own; "": the customer's */
	unsigned on;          /* JOB_BIT of each state that it gets mails about */
	unsigned off_by_link; /* of each that its recipient switched off, and nobody since */
};

/* In `arena`; 66 where there is no such contact. */
bool contact_choice_load(struct customers *customers, int64_t contact, struct arena *arena,
                         struct contact_choice *ret, struct error *err) MUST_CHECK;

/* The choice after the change that contact_choice_set() makes. */
void contact_choice_change(struct contact_choice *choice, unsigned off, unsigned on);

/*
 * Takes `off` from the states that the contact gets mails about, and adds those of `on` that a link
 * took; in the history as by the recipient. The same again changes nothing. A contact that is gone,
 * or another under the same id (`link` differs; "" for any), is left alone, and that is no fault.
 */
bool contact_choice_set(struct customers *customers, int64_t contact, const char *link,
                        unsigned off, unsigned on, struct instant when,
                        struct error *err) MUST_CHECK;

#endif
