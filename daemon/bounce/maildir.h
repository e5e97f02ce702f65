/* SPDX-License-Identifier: MIT */
#ifndef BOUNCE_MAILDIR_H
#define BOUNCE_MAILDIR_H

/*
 * Takes what is in `new/` of a Maildir, oldest first by name, and moves each mail to `new/` of the
 * folder `.done` or `.unknown` in it (Maildir++) once the daemon has it on disk: to `.unknown` what
 * the daemon made nothing of, what is another domain's, and what isn't a mail of ours (a link, a
 * folder, another user's file: never followed, opened or deleted). Both folders are made where they
 * are missing. Where the daemon can't be reached the rest stays in `new/`.
 *
 * A crash between the daemon's answer and the move has a mail handed over again, which the daemon
 * knows. Only one of several processes works in a Maildir at a time; the others wait. Returns an
 * exit status: 0, 66 without such a Maildir, 74, 75, 77.
 */
int maildir_take(const char *path, const char *socket);

#endif
