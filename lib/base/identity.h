/* SPDX-License-Identifier: MIT */
#ifndef BASE_IDENTITY_H
#define BASE_IDENTITY_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * As whom the process works. A tool that root runs does the office's work as the user whose folder
 * it is, so that nothing that others put into that folder is done with root's power; what the
 * person named on the command line is opened as the person. Of the whole process: for programs
 * without threads at work.
 */

/*
 * From now on as that user, with its groups (one that the system doesn't know has `group` alone);
 * the person can be gone back to. Nothing happens where we aren't root, or `user` is. 71 where the
 * system refuses.
 */
bool identity_become(uid_t user, gid_t group, struct error *err) MUST_CHECK;

/* For good: there is no way back. */
bool identity_become_for_good(uid_t user, gid_t group, struct error *err) MUST_CHECK;

/* As the person for the rest of the run, after all. */
void identity_return(void);

/* As the person until identity_back(); the two nest. */
void identity_person(void);
void identity_back(void);

/* "dispatchd", or "uid 1234" where no such user is known. `ret` has IDENTITY_NAME_SIZE bytes. */
enum { IDENTITY_NAME_SIZE = 64 };
void identity_name(uid_t user, char *ret);

#endif
