/* SPDX-License-Identifier: MIT */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/error.h"
#include "base/mem.h"

#include <stddef.h>

/*
 * A configuration as text: what was written where. What the keys mean is model/settings.
 *
 *     ; a comment          # another
 *     [section]
 *     key = value          ; a comment after white space
 *     key = " value; "     ; quotes keep spaces and semicolons; \" and \\ inside them
 *
 * CRLF and a byte order mark are taken. A section may be opened again. Reading goes on after a
 * fault, so that all of them are reported at once.
 */
/* A place in a file; `{0}` is the main file as a whole. */
struct conf_place {
	const char *section; /* NULL for none */
	int file;            /* index into `files` */
	int line;            /* from 1; 0 for the whole file */
};

struct conf_value {
	struct conf_place place;
	const char *key, *value;
};

struct conf_fault {
	struct conf_place place;
	int code; /* an exit status: 66, 74, 77 or 78 */
	const char *text;
};

struct conf {
	struct arena *arena;         /* holds all texts; belongs to the conf */
	const char **files;          /* in the order in which they were read */
	struct conf_place *sections; /* each header, for those who care about unknown ones */
	struct conf_value *values;   /* as written; a later one wins */
	struct conf_fault *faults;
	size_t n_files, n_sections, n_values, n_faults;
	int last_line; /* of the main file; 1 where it is empty */
};

enum { CONF_LINE_MAX = 4096, CONF_FILE_MAX = 256 * 1024 };

struct conf *conf_new(void);
struct conf *conf_free(struct conf *conf); /* takes NULL; returns NULL */

/* Reads FILE, then every *.conf in conf.d/ beside it in name order. A missing FILE is a fault, a
 * missing conf.d is none. What is wrong is in `faults`. */
void conf_read(struct conf *conf, const char *file);

/* Adds a fault that asks for exit status `code`. */
void conf_add_fault(struct conf *conf, int code, struct conf_place place, const char *fmt, ...)
        PRINTF_LIKE(4, 5);

/* Puts the faults in the order of files and lines, and says one as "FILE:LINE: message" ("FILE:
 * message" without a line; in the arena). */
void conf_sort_faults(struct conf *conf);
const char *conf_fault_text(struct conf *conf, const struct conf_fault *fault);

#endif
