/* SPDX-License-Identifier: MIT */
/*
 * Which customers.db is used: the one that the spool knows by its identity, or a copy of it. The
 * office may put another file in its place, a backup, while the engine runs. As long as there is
 * none that is known, no turn works, so that nothing is decided by the wrong data; what comes
 * waits.
 */
#include "engine/follow.h"

#include "base/jsontext.h"
#include "engine/engine_private.h"
#include "engine/known.h"
#include "engine/report.h"
#include "model/request.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>

enum {
	STEPS_MAX = 50 * 1000 * 1000
}; /* of a statement in customers.db: all of a turn's are look-ups */

static void use_customers(struct engine *engine, struct customers *customers)
{
	engine->office_sent = engine->office_new = 0;
	db_set_limit(customers_db(customers), STEPS_MAX, &engine->interrupted);
	customers_close(engine->customers);
	engine->customers = customers;
	engine->customers_version = -1;
}

bool engine_open_customers(struct engine *engine, struct error *err)
{
	const char *path = engine->settings->customers.path;
	spool_known(engine->spool, &engine->known);
	engine->away = engine->known.identity[0] != '\0' &&
	               (!known_is_there(path, NULL) ||
	                !known_has_own_wal(path, engine->known.stamp, NULL));
	struct customers *customers =
	        engine->away ? customers_open("", DB_READ, err) : customers_open(path, DB_OWN, err);
	if (customers != NULL)
		use_customers(engine, customers);
	return customers != NULL;
}

/* One that was written into while it is open stays unused: SQLite goes on by what it has in memory,
 * and would add that to the file at the end. */
static bool is_whole(struct engine *engine, bool moved, struct error *err)
{
	const char *path = engine->settings->customers.path;
	db_stamp(path, engine->seen.stamp);
	engine->spoiled = engine->spoiled && !moved;
	if (!engine->spoiled && strcmp(engine->seen.stamp, engine->known.stamp) == 0)
		return true;
	if (!engine->spoiled && known_has_own_wal(path, engine->known.stamp, err))
		return true;
	if (engine->spoiled)
		return error_set(err, EX_DATAERR,
		                 "%s was overwritten while it was in use: events wait; stop "
		                 "dispatchd, move %s-wal "
		                 "and %s-shm aside, start it again",
		                 path, path, path);
	if (!moved && !engine->away) {
		engine->spoiled = true;
		db_leave_wal(customers_db(engine->customers));
	}
	return false;
}

bool engine_follow_customers(struct engine *engine, struct error *err)
{
	const char *path = engine->settings->customers.path;
	bool clean = true;
	if (!known_is_there(path, err))
		return false;
	bool moved = db_replaced(customers_db(engine->customers), &clean) || engine->away;
	if (!is_whole(engine, moved, err))
		return false;
	if (!moved)
		return true;
	if (!clean)
		return known_wal_fault(path, err);
	struct customers *found = customers_open(path, DB_OWN, err);
	if (found == NULL)
		return error_prefix(err, "events wait, since the new %s can't be used", path);
	use_customers(engine, found);
	engine->recheck_all = true;
	engine->away = false;
	db_stamp(path, engine->seen.stamp);
	engine_report(engine, LOG_NOTICE, "%s was replaced: the new one is used", path);
	return true;
}

/* {"do": "customers.adopt", "identity": …}: "" where no command of the turn asks for it. */
static void read_adoption(const struct turn_input *in, char ret[IDENTITY_SIZE])
{
	ret[0] = '\0';
	for (size_t i = 0; i < in->n_commands; i++) {
		const char *text = in->commands[i].text;
		json_t *command =
		        engine_is_adoption(text) ? jsontext_read(text, strlen(text), NULL) : NULL;
		const char *identity = json_string_value(json_object_get(command, "identity"));
		if (identity != NULL)
			(void)snprintf(ret, IDENTITY_SIZE, "%s", identity);
		json_decref(command);
	}
}

bool engine_is_adoption(const char *command)
{
	json_t *json = jsontext_read(command, strlen(command), NULL);
	bool is = control_request_find(json) == REQUEST_CUSTOMERS_ADOPT;
	json_decref(json);
	return is;
}

bool engine_knows_customers(struct engine *engine, struct error *err)
{
	const struct spool_known *known = &engine->known;
	char adopted[IDENTITY_SIZE];
	read_adoption(engine->in, adopted);
	if (!customers_identity(engine->customers, engine->seen.identity, err) ||
	    !known_is_this(engine->settings->customers.path, adopted[0] ? adopted : known->identity,
	                   engine->seen.identity, err))
		return false;
	bool same = strcmp(engine->seen.identity, known->identity) == 0;
	engine->recheck_all |= !same;
	if (!same || strcmp(engine->seen.stamp, known->stamp) != 0)
		spool_set_known(engine->spool, &engine->seen);
	if (!same && adopted[0] != '\0')
		engine_report_act(engine, LOG_NOTICE, "%s was adopted: it is used from now on",
		                  engine->settings->customers.path);
	return true;
}
