/* SPDX-License-Identifier: MIT */
/* Who may act as whom, and what a manager is: the same for the command line and for pages. */
#include "records/actor.h"

#include <string.h>
#include <sysexits.h>

static bool is_manager(const struct identity *identity)
{
	for (const char *const *name = identity->managers; name && *name; name++) {
		if (strcmp(*name, identity->login) == 0)
			return true;
	}
	return identity->owner;
}

bool actor_decide(const struct identity *identity, struct actor *ret, struct error *err)
{
	const char *as = identity->as;
	bool manager = is_manager(identity);
	if (as && !manager)
		return error_set(err, EX_NOPERM,
		                 "--as is for root, the owner of customers.db, and those whom "
		                 "[office] managers names");
	if (as && *as == '\0')
		return error_set(err, EX_USAGE, "--as needs a user's name");
	*ret = (struct actor){.user = as ? as : identity->login, .manager = manager};
	return true;
}

bool actor_needs_manager(const struct actor *actor, const char *what, struct error *err)
{
	return actor->manager || error_set(err, EX_NOPERM, "%s: only a manager may do that", what);
}
