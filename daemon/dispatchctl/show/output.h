/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_SHOW_OUTPUT_H
#define DISPATCHCTL_SHOW_OUTPUT_H

#include "dispatchctl/show/table.h"

#include <jansson.h>
#include <stdio.h>

/*
 * Where a command puts its answer. Nothing reaches standard output before the command has
 * succeeded, so that `--json` prints one whole document or nothing.
 */
struct output;

struct output *output_new(bool json, const struct zone *zone); /* in which times are shown */
struct output *output_free(struct output *out);                /* takes NULL; returns NULL */

bool output_json(const struct output *out);
const struct look *output_look(const struct output *out);
struct buf *output_text(struct output *out); /* text for a person; discarded with `--json` */

/* A line for a person; nothing with `--json`. */
void output_print(struct output *out, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A line on standard error, "dispatchctl: …"; control characters are escaped. */
void output_fault(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The document for `--json`; takes the reference. A later call replaces it. */
void output_document(struct output *out, json_t *document);

/* The rows as a table and as the document; prints `none` if there are no rows. Takes the
 * reference. */
void output_rows(struct output *out, json_t *rows, const struct column *columns, size_t n,
                 const char *none);
/* A table under its own title, for a person; nothing if there are no rows. */
void output_section(struct output *out, const json_t *rows, const char *title,
                    const struct column *columns, size_t n);
/* The same in pieces, for lists too long to keep in memory; `more` is true except for the last.
 * Each piece is printed at once, at a terminal through the pager. False if it can't be printed. */
bool output_piece(struct output *out, json_t *rows, const struct column *columns, size_t n,
                  const char *none, bool more, struct error *err) MUST_CHECK;
/* Whether the person has left the pager, so that further pieces aren't needed. */
bool output_left(const struct output *out);
/* The same for a single thing. */
void output_sheet(struct output *out, json_t *object, const struct column *columns, size_t n);

/* For answers with one object per line: written at once. False if standard output fails. */
bool output_line(struct output *out, const char *text, size_t len, struct error *err) MUST_CHECK;

/* Prints what was collected, through a pager if it is long and standard output is a terminal. */
bool output_end(struct output *out, struct error *err) MUST_CHECK;

#define COLUMNS(...)                                                                               \
	(const struct column[]){__VA_ARGS__},                                                      \
	        sizeof((const struct column[]){__VA_ARGS__}) / sizeof(struct column)

#endif
