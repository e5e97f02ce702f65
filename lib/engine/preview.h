/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PREVIEW_H
#define ENGINE_PREVIEW_H

#include "base/error.h"
#include "base/instant.h"
#include "mail/outgoing_mail.h"
#include "model/settings.h"
#include "records/customers.h"

/*
 * A mail as a customer would get it now, for people who write templates: customer, contact, hours
 * and suspension as they are on record, a job that is made up. Nothing is written.
 */
struct preview {
	const char *mail;     /* "completed", "collision" */
	const char *customer; /* its number */
	const char *locale;   /* NULL: the contact's, else the customer's */
	struct instant now;
};

/*
 * NULL on a fault; code 66 where there is no such customer. Its `to` is the address of the first
 * contact that gets such mails, "" for none; it has neither Message-ID nor thread. The caller's.
 */
struct outgoing_mail *preview_mail(const struct settings *settings, struct customers *customers,
                                   const struct preview *preview, struct error *err) MUST_CHECK;

#endif
