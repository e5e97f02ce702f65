/* SPDX-License-Identifier: MIT */
#include "common/args.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct args_number {
	struct args_number *next;
	char text[24];
};

void args_add_bytes(struct args *args, const char *bytes, size_t len)
{
	if (args->n == args->cap) {
		args->cap = args->cap ? args->cap * 2 : 16;
		args->argv = mem_realloc(args->argv, (size_t)args->cap, sizeof(*args->argv));
		args->lens = mem_realloc(args->lens, (size_t)args->cap, sizeof(*args->lens));
	}
	args->argv[args->n] = bytes;
	args->lens[args->n++] = len;
}

void args_add(struct args *args, const char *text)
{
	args_add_bytes(args, text, strlen(text));
}

void args_add_number(struct args *args, int64_t number)
{
	struct args_number *kept = mem_alloc(sizeof(*kept));
	snprintf(kept->text, sizeof(kept->text), "%" PRId64, number);
	kept->next = args->numbers;
	args->numbers = kept;
	args_add(args, kept->text);
}

void args_add_all(struct args *args, ...)
{
	va_list texts;
	va_start(texts, args);
	for (const char *text = va_arg(texts, const char *); text;
	     text = va_arg(texts, const char *))
		args_add(args, text);
	va_end(texts);
}

void args_reset(struct args *args)
{
	while (args->numbers) {
		struct args_number *next = args->numbers->next;
		free(args->numbers);
		args->numbers = next;
	}
	args->n = 0;
}

void args_free(struct args *args)
{
	args_reset(args);
	free(args->argv);
	free(args->lens);
	*args = (struct args){0};
}
