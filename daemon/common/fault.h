/* SPDX-License-Identifier: MIT */
#ifndef COMMON_FAULT_H
#define COMMON_FAULT_H

/*
 * Faults on standard error, a line each. What somebody else wrote may be in them, so control
 * characters, invalid UTF-8 and the like are escaped (base/utf8.h).
 */
void fault_print(const char *program, const char *text);
/* The text alone, which names a file or the program itself; as settings_load() calls it. */
void fault_line(void *unused, const char *text);

/*
 * Of a command line: what is wrong, and the word. getopt() would print it as it is: who calls it
 * sets `opterr` to 0, and has its letters begin with ":".
 */
void fault_usage(const char *program, const char *what, const char *word);
/* What getopt_long() has just refused: `result` is what it returned, '?' or ':'. */
void fault_refused(const char *program, char *const *argv, int result);

#endif
