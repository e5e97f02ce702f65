/* SPDX-License-Identifier: MIT */
/* A thread's connections to the three databases. */
#include "center/entry/stores.h"

#include "base/mem.h"
#include "engine/known.h"

#include <stdlib.h>

enum { PATIENCE_MS = 5000 }; /* somebody sits before the page */

struct stores {
	const struct settings *settings;
	struct accounts *accounts;
	struct customers *customers;
	struct spool *spool;
	struct zones *zones;
};

struct stores *stores_new(const struct settings *settings)
{
	struct stores *stores = mem_alloc(sizeof *stores);
	stores->settings = settings;
	stores->zones = zones_new();
	return stores;
}

struct stores *stores_free(struct stores *stores)
{
	if (stores == NULL)
		return NULL;
	(void)accounts_close(stores->accounts);
	(void)customers_close(stores->customers);
	(void)spool_close(stores->spool);
	(void)zones_free(stores->zones);
	free(stores);
	return NULL;
}

const struct settings *stores_settings(const struct stores *stores)
{
	return stores->settings;
}

struct accounts *stores_accounts(struct stores *stores, struct error *err)
{
	if (stores->accounts == NULL)
		stores->accounts = accounts_open(stores->settings->center.path, err);
	return stores->accounts;
}

/* A backup may have been put in the place of the file that is open. */
static void drop_replaced(struct stores *stores)
{
	bool clean;
	if (stores->customers && (db_replaced(customers_db(stores->customers), &clean) ||
	                          db_gone(customers_db(stores->customers))))
		stores->customers = customers_close(stores->customers);
}

struct customers *stores_customers(struct stores *stores, struct error *err)
{
	const struct settings *settings = stores->settings;
	drop_replaced(stores);
	if (stores->customers)
		return stores->customers;
	stores->customers =
	        known_open(settings->customers.path, settings->spool.path, DB_WRITE, err);
	if (stores->customers == NULL)
		return NULL;
	db_set_wait(customers_db(stores->customers), PATIENCE_MS, NULL, NULL);
	if (*settings->customers.key_file != '\0')
		records_set_key_file(stores->customers, settings->customers.key_file,
		                     "[customers] key_file");
	return stores->customers;
}

/* Opened for each request: the engine may replace or migrate it, and it costs little. */
struct spool *stores_spool(struct stores *stores, struct error *err)
{
	stores->spool = spool_close(stores->spool);
	stores->spool = spool_open(stores->settings->spool.path, DB_READ, err);
	return stores->spool;
}

const char *stores_default_zone(const struct stores *stores)
{
	const char *zone = stores->settings->rules.timezone;
	return *zone != '\0' ? zone : NULL;
}

struct zones *stores_zones(struct stores *stores)
{
	return stores->zones;
}
