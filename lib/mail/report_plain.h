/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_PLAIN_H
#define MAIL_REPORT_PLAIN_H

#include "base/mem.h"

#include <stdbool.h>

/*
 * `text` as the tables of phrases have it: lower case, one space between words; without addresses,
 * URLs, and the codes that begin each line of a reply in several, so that a phrase may cross lines.
 */
char *mail_report_plain(struct arena *arena, const char *text);

/* `text` in small letters, as far as mail servers and responders write others. */
char *mail_report_small(struct arena *arena, const char *text);

/* Whether plain text holds a phrase; `*` in it stands for at most 60 characters. */
bool mail_report_phrase_in(const char *plain, const char *phrase);

#endif
