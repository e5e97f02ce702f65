/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_FILE_TYPE_H
#define RECORDS_FILE_TYPE_H

#include "base/error.h"

#include <stddef.h>

enum {
	FILE_TYPE_SIZE = 128,        /* of a media type, its end included */
	FILE_TYPE_HEAD_SIZE = 16384, /* as much of a file as is worth having */
};

/*
 * The media type of a file by its first bytes, whatever its name is: "image/png". By libmagic, with
 * the database that file(1) has; it is mapped for each call, which costs microseconds and keeps
 * nothing. Code 72 where the database can't be read.
 */
bool file_type(const void *head, size_t len, char ret[FILE_TYPE_SIZE],
               struct error *err) MUST_CHECK;

/* Whether the database can be read: for a program to say at its start. */
bool file_type_check(struct error *err) MUST_CHECK;

#endif
