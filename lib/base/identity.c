/* SPDX-License-Identifier: MIT */
/*
 * As whom the process works: effective ids and groups, with root's kept as the saved ones where
 * there is a way back. A change that fails half way would go on with the wrong rights, so it ends
 * the program.
 */
#include "base/identity.h"

#include "base/mem.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

enum { GROUPS_MAX = 65536 };

struct ids {
	uid_t user;
	gid_t group;
	gid_t *groups;
	int n_groups;
};

static struct ids person, office;
static bool two;   /* there are two of them */
static int visits; /* how often identity_person() is under way */

static void get_ours(struct ids *ret)
{
	*ret = (struct ids){.user = geteuid(), .group = getegid(), .n_groups = getgroups(0, NULL)};
	ret->groups = mem_alloc(sizeof(gid_t) * (size_t)(ret->n_groups > 0 ? ret->n_groups : 1));
	ret->n_groups = getgroups(ret->n_groups, ret->groups);
}

/* `group` is for a user without an entry. */
static void get_users(uid_t user, gid_t group, struct ids *ret)
{
	const struct passwd *entry = getpwuid(user);
	*ret = (struct ids){.user = user, .group = entry ? entry->pw_gid : group};
	int room = 64;
	ret->groups = mem_alloc(sizeof(gid_t) * (size_t)room);
	ret->n_groups = room;
	while (entry && getgrouplist(entry->pw_name, ret->group, ret->groups, &ret->n_groups) < 0 &&
	       room < GROUPS_MAX) {
		room = ret->n_groups > room ? ret->n_groups : 2 * room;
		ret->groups = mem_realloc(ret->groups, (size_t)room, sizeof(gid_t));
		ret->n_groups = room;
	}
	if (entry == NULL)
		ret->n_groups = 0;
}

static bool change(const struct ids *to)
{
	return seteuid(0) == 0 && setgroups((size_t)to->n_groups, to->groups) == 0 &&
	       setegid(to->group) == 0 && seteuid(to->user) == 0;
}

static void change_or_end(const struct ids *to)
{
	if (!change(to))
		bug("can't work as uid %ld: %s", (long)to->user, strerror(errno));
}

/* LeakSanitizer attaches to its own process at the end: not to one that has changed its user. */
static void let_sanitizer_in(void)
{
#ifdef __SANITIZE_ADDRESS__
	identity_return();
	(void)prctl(PR_SET_DUMPABLE, 1);
#endif
}

static bool fault(uid_t user, struct error *err)
{
	return error_set(err, EX_OSERR, "can't work as uid %ld: %s", (long)user, strerror(errno));
}

bool identity_become(uid_t user, gid_t group, struct error *err)
{
	if (two || geteuid() != 0 || user == 0)
		return true;
	get_ours(&person);
	get_users(user, group, &office);
	if (!change(&office)) {
		fault(user, err);
		change_or_end(&person);
		return false;
	}
	two = true;
	(void)atexit(let_sanitizer_in);
	return true;
}

bool identity_become_for_good(uid_t user, gid_t group, struct error *err)
{
	struct ids ids;
	if (geteuid() != 0 || user == 0)
		return true;
	get_users(user, group, &ids);
	bool good = setgroups((size_t)ids.n_groups, ids.groups) == 0 &&
	            setresgid(ids.group, ids.group, ids.group) == 0 &&
	            setresuid(user, user, user) == 0;
	free(ids.groups);
	(void)atexit(let_sanitizer_in);
	return good || fault(user, err);
}

void identity_return(void)
{
	if (two)
		change_or_end(&person);
	two = false;
}

void identity_person(void)
{
	if (two && visits++ == 0)
		change_or_end(&person);
}

void identity_back(void)
{
	if (!two)
		return;
	if (--visits < 0)
		bug("identity_back() without identity_person()");
	if (visits == 0)
		change_or_end(&office);
}

void identity_name(uid_t user, char *ret)
{
	const struct passwd *entry = getpwuid(user);
	if (entry)
		(void)snprintf(ret, IDENTITY_NAME_SIZE, "%s", entry->pw_name);
	else
		(void)snprintf(ret, IDENTITY_NAME_SIZE, "uid %ld", (long)user);
}
