/* SPDX-License-Identifier: MIT */
#include "base/format.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

char *format_integer(int64_t value, char text[INTEGER_TEXT_MAX])
{
	char *p = text + INTEGER_TEXT_MAX - 1;
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
	*p = '\0';
	do
		*--p = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (value < 0)
		*--p = '-';
	return p;
}

struct output {
	char *to;
	size_t size, len; /* `len`: of all, also of what there is no room for */
};

static void put(struct output *out, const char *bytes, size_t len)
{
	if (out->len < out->size) {
		size_t room = out->size - out->len;
		memcpy(out->to + out->len, bytes, len < room ? len : room);
	}
	out->len += len;
}

/* Up to the next conversion, or the end. */
static const char *put_plain(struct output *out, const char *fmt)
{
	size_t len = 0;
	while (fmt[len] != '\0' && fmt[len] != '%')
		len++;
	put(out, fmt, len);
	return fmt + len;
}

/* False for a conversion that isn't known here. */
static bool format_known(struct output *out, const char *fmt, va_list *args)
{
	char number[INTEGER_TEXT_MAX];
	for (fmt = put_plain(out, fmt); *fmt != '\0'; fmt = put_plain(out, fmt)) {
		const char *text;
		if (fmt[1] == 's') {
			text = va_arg(*args, const char *);
			fmt += 2;
		} else if (fmt[1] == 'd') {
			text = format_integer(va_arg(*args, int), number);
			fmt += 2;
		} else if (strncmp(fmt, "%lld", 4) == 0) {
			text = format_integer(va_arg(*args, long long), number);
			fmt += 4;
		} else {
			return false;
		}
		if (text == NULL)
			return false;
		put(out, text, strlen(text));
	}
	return true;
}

int format_text(char *to, size_t size, const char *fmt, va_list args)
{
	struct output out = {.to = to, .size = size};
	va_list again;
	va_copy(again, args);
	bool known = format_known(&out, fmt, &again);
	va_end(again);
	if (!known || out.len > INT32_MAX)
		return vsnprintf(to, size, fmt, args);
	if (size > 0)
		to[out.len < size ? out.len : size - 1] = '\0';
	return (int)out.len;
}
