/* SPDX-License-Identifier: MIT */
#ifndef BOUNCE_READ_MIME_H
#define BOUNCE_READ_MIME_H

#include "mail/report.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The one place that knows MIME (RFC 2045 to 2047), on GMime. What it is given may be anything:
 * time and memory are bounded by these.
 */
enum {
	MIME_BYTES_MAX = 16 * 1024 * 1024, /* of a mail; a longer one is excessive */
	MIME_PARSED_MAX = 1024 * 1024,     /* so much of it is looked at: a report says it first */
	MIME_DEPTH_MAX = 20,               /* of multiparts in each other */
	MIME_OBJECTS_MAX = 200, /* parts of any type, those of a returned mail included */
	MIME_DASHES_MAX = 2000, /* lines that may be a boundary */
	MIME_GROUPS_MAX = 500,  /* groups in each other in a field of addresses */
};

/* To be called once, before mime_read(). */
void mime_start(void);

/*
 * The parts of a mail that say what it reports. A mail that is returned isn't descended into: of
 * it only the header is read, so that a report within a report counts for nothing. Texts are
 * decoded to UTF-8, HTML is read where there is no plain text. All of it lives in `arena`. Where
 * the mail is too large, has too many parts or nests too deeply, `ret->excessive` is set, and what
 * was found until then is there.
 */
void mime_read(const char *bytes, size_t len, struct arena *arena, struct mail_report_mail *ret);

/* Whether a mail may have more parts, or deeper ones, than are looked at, or addresses that are
 * nested too deeply for GMime's stack: counted without a parser. */
bool mime_is_excessive(const char *bytes, size_t len);

#endif
