/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_FIELDS_H
#define MAIL_REPORT_FIELDS_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

/* Fields of a header or of a delivery status (RFC 5322, section 2.2), and pieces of text. */

struct mail_report_field {
	const char *name;  /* as it is written */
	const char *value; /* unfolded, without spaces at its ends */
};

/*
 * The next field at `*at`, which is moved behind it; false at a blank line (which it is moved
 * behind) or the end. Lines that are not a field are skipped.
 */
bool mail_report_field_next(const char **at, struct arena *arena, struct mail_report_field *ret);

/* The value of the first field of that name before the blank line; "" where there is none. */
const char *mail_report_field_value(const char *block, const char *name, struct arena *arena);

/*
 * Foreign bytes as text of one line: valid UTF-8 (else U+FFFD), each run of white space and control
 * characters one space, none at its ends, cut between characters at `max` bytes.
 */
char *mail_report_line(struct arena *arena, const char *bytes, size_t len, size_t max);

/* The same with its line ends kept, as "\n". */
char *mail_report_lines(struct arena *arena, const char *bytes, size_t len, size_t max);

/*
 * The address in "rfc822; user@example.com", "<user@example.com>", "Name <user@example.com>"; utf-8
 * ones (RFC 6533, section 3) with "\x{e9}" decoded. "" where there is none.
 */
const char *mail_report_address(const char *text, struct arena *arena);

/* The first address that stands in a text by itself, in `<>`, quotes or not; "" for none.
 * `*ret_end`, if asked for, is behind it. */
const char *mail_report_address_in(const char *text, size_t len, struct arena *arena,
                                   const char **ret_end);

/* A Message-ID without its brackets; "" where there is none. */
const char *mail_report_message_id(const char *text, struct arena *arena);

#endif
