/* SPDX-License-Identifier: MIT */
#ifndef DB_UTF16_H
#define DB_UTF16_H

#include <stdio.h>

/*
 * A file of text in UTF-16, as spreadsheets write "Unicode text": where `in` begins with a byte
 * order mark of UTF-16, or with an ASCII character in two bytes, a stream that gives the same text
 * in UTF-8; else NULL, and nothing is taken from `in`. Half a surrogate pair or character comes out
 * as bytes that are not UTF-8. The caller closes the stream, then `in`.
 */
FILE *utf16_open(FILE *in);

#endif
