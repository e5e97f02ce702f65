/* SPDX-License-Identifier: MIT */
#ifndef UNIT_TEMPLATE_SET_H
#define UNIT_TEMPLATE_SET_H

#include "base/buf.h"
#include "mail/templates.h"

#define SET_FROM "Example <d@example.com>"

/* A folder of templates made for a test, and what comes of it. */
extern char set_directory[];
int set_setup(void **state); /* of cmocka: the folder is there for one test */
int set_teardown(void **state);

/* Writes a file of the folder; "fr/started.txt" makes fr, too. */
void set_put(const char *name, const char *text);

/* Loads the folder. Its faults, without the folder's path, are added to `faults`, a line each; the
 * test fails where they aren't as many as expected. */
struct templates *set_load(struct buf *faults, int expected);

/* For templates_load(): fails the test. */
void set_no_fault(void *arg, const char *text);

struct outcome {
	struct buf out;
	bool ok, broken;
	struct error err;
};

/* One mail; the caller frees `out`. */
struct outcome set_render(const struct templates *templates, const char *template,
                          const char *locale, const char *context);

/* Fails unless the mail about a job 4711, with n = "<&>", has the text in it. */
void set_expect(const struct templates *templates, const char *template, const char *locale,
                const char *text);

#endif
