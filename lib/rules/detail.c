/* SPDX-License-Identifier: MIT */
#include "rules/detail.h"

#include "base/format.h"
#include "base/instant.h"
#include "model/words.h"

#include <stdarg.h>

void detail_print(char *detail, size_t size, const char *fmt, ...)
{
	if (size == 0)
		return;
	va_list args;
	va_start(args, fmt);
	(void)format_text(detail, size, fmt, args);
	va_end(args);
}

void detail_customer(char *detail, size_t size, const struct customer *customer)
{
	detail_print(detail, size, "customer %s is %s", customer->number, customer->name);
}

void detail_active(char *detail, size_t size, const struct customer *customer,
                   const struct customer *not_active)
{
	if (not_active == NULL)
		detail_print(detail, size, "customer %s is active%s", customer->number,
		             customer->parent ? ", its parents too" : "");
	else
		detail_print(detail, size, "customer %s is %s, not active", not_active->number,
		             not_active->status);
}

void detail_suspension(char *detail, size_t size, const struct suspension *s)
{
	char scopes[WORDS_TEXT_MAX], from[DAY_TEXT_MAX], until[DAY_TEXT_MAX];
	if (s == NULL || size == 0) {
		detail_print(detail, size, "no suspension covers it");
		return;
	}
	day_format(s->until, until);
	detail_print(detail, size, "suspension %lld of customer %s holds (%s, from %s, %s%s): %s",
	             (long long)s->id, s->customer, scopes_format(s->scopes, scopes),
	             day_format(s->from, from), *until ? "until " : "indefinite", until, s->note);
}
