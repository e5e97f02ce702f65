/* SPDX-License-Identifier: MIT */
#ifndef COMMON_ARGS_H
#define COMMON_ARGS_H

#include <stddef.h>
#include <stdint.h>

/* The words of a command, built one by one, binary-safe. Texts and bytes are borrowed until the
 * command is sent; numbers are kept here. `{0}` is empty; args_free() ends it. */
struct args {
	const char **argv;
	size_t *lens;
	int n, cap;
	struct args_number *numbers;
};

void args_add(struct args *args, const char *text);
void args_add_bytes(struct args *args, const char *bytes, size_t len);
void args_add_number(struct args *args, int64_t number);
/* Several texts at once, up to a NULL. */
void args_add_all(struct args *args, ...) __attribute__((sentinel));
void args_reset(struct args *args); /* empty again, memory kept */
void args_free(struct args *args);

#endif
