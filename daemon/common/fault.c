/* SPDX-License-Identifier: MIT */
#include "common/fault.h"

#include "base/utf8.h"

#include <getopt.h>
#include <stdio.h>

enum { SHOWN_MAX = 4000 };

void fault_print(const char *program, const char *text)
{
	char shown[SHOWN_MAX];
	(void)fprintf(stderr, "%s: %s\n", program, utf8_show(text, shown, sizeof shown));
}

void fault_line(void *unused, const char *text)
{
	char shown[SHOWN_MAX];
	(void)unused;
	(void)fprintf(stderr, "%s\n", utf8_show(text, shown, sizeof shown));
}

void fault_usage(const char *program, const char *what, const char *word)
{
	char shown[SHOWN_MAX];
	(void)fprintf(stderr, "%s: %s '%s'\n", program, what, utf8_show(word, shown, sizeof shown));
}

/* getopt has already passed the word; one letter of several is in `optopt`. */
void fault_refused(const char *program, char *const *argv, int result)
{
	char letter[] = {'-', (char)optopt, '\0'};
	if (result == ':')
		fault_usage(program, "missing value after", argv[optind - 1]);
	else
		fault_usage(program, "unknown option",
		            optopt > 0 && optopt < 256 ? letter : argv[optind - 1]);
}
