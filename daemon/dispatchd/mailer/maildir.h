/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_MAILDIR_H
#define DISPATCHD_MAILER_MAILDIR_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * `transport = maildir`: each mail becomes a file in `path`/new, written in `path`/tmp and on disk
 * before it is linked there, so that a reader never sees half of one and a crash loses none that
 * was reported. The three directories are made where they are missing. Return-Path and
 * Delivered-To are put before the message, its line ends become LF, as a delivery agent does it.
 */
struct maildir_mail {
	const char *from, *to;
	const char *data;
	size_t len;
	int64_t mail; /* part of the file's name */
};
bool maildir_write(const char *path, const struct maildir_mail *mail, struct error *err) MUST_CHECK;

#endif
