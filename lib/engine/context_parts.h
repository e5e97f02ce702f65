/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_CONTEXT_PARTS_H
#define ENGINE_CONTEXT_PARTS_H

#include "base/buf.h"
#include "base/instant.h"
#include "base/zone.h"
#include "model/customer.h"
#include "model/hours.h"
#include "model/settings.h"

#include <jansson.h>

/* Members of an object whose text ends `out`, after its `{` or another member. What has no value is
 * not there. */
void context_put_name(struct buf *out, const char *name);
void context_put_text(struct buf *out, const char *name, const char *text);
void context_put_time(struct buf *out, const char *name, struct instant t, const struct zone *zone);

/* What templates see of these, as one object each. Of a customer without a time zone of its own,
 * inherited or not, `zone` is it; NULL: none. */
void context_put_customer(struct buf *out, const struct customer *customer,
                          const struct zone *zone);
void context_put_contact(struct buf *out, const struct contact *contact);
void context_put_suspension(struct buf *out, const struct suspension *suspension);
void context_put_company(struct buf *out, const struct settings *settings);
void context_put_window(struct buf *out, struct hours_span span, const struct zone *zone);
/* What tokens of a mail need (mail/mail_tokens.h). */
void context_put_bounce(struct buf *out, const struct settings *settings, bool replies);

/* The same as JSON; the caller's. */
json_t *context_customer_json(const struct customer *customer, const struct zone *zone);
json_t *context_suspension_json(const struct suspension *suspension);
json_t *context_company_json(const struct settings *settings);
json_t *context_window_json(struct hours_span span, const struct zone *zone);

#endif
