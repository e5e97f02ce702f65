/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool error_set(struct error *err, int code, const char *fmt, ...)
{
	if (err == NULL)
		return false;
	va_list args;
	va_start(args, fmt);
	err->code = code;
	(void)vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	return false;
}

bool error_prefix(struct error *err, const char *fmt, ...)
{
	if (err == NULL)
		return false;
	char was[sizeof err->text];
	memcpy(was, err->text, sizeof was);
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof err->text)
		return false;
	size_t left = sizeof err->text - (size_t)n; /* what doesn't fit is cut off */
	(void)snprintf(err->text + n, left, ": %.*s", (int)left, was);
	return false;
}

void bug_at(const char *file, int line, const char *fmt, ...)
{
	(void)fprintf(stderr, "BUG %s:%d: ", file, line);
	va_list args;
	va_start(args, fmt);
	char text[1000], shown[2000];
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	(void)fprintf(stderr, "%s\n", utf8_show(text, shown, sizeof shown));
	abort();
}
