/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_ACTOR_H
#define RECORDS_ACTOR_H

#include "base/error.h"

#include <stdbool.h>

/* Who makes a change, and whether as a manager. What only managers may do, the record functions
 * know. */
struct actor {
	const char *user;
	bool manager;
};

/* What a program knows of the person in front of it, before anything is granted. */
struct identity {
	const char *login; /* who is signed in */
	const char *as;    /* whom that person names as the author; NULL: nobody else */
	bool owner;        /* root, or the owner of the records: a manager in any case */
	/* Logins that [office] managers names, NULL-terminated; NULL: none. */
	const char *const *managers;
};

/* Decides who acts: the login, or for managers whom they name. 77 where another may not be named,
 * 64 for an empty name. The texts stay the caller's. */
bool actor_decide(const struct identity *identity, struct actor *ret, struct error *err) MUST_CHECK;

/* True for a manager; else 77, with `what` in front. */
bool actor_needs_manager(const struct actor *actor, const char *what, struct error *err) MUST_CHECK;

#endif
