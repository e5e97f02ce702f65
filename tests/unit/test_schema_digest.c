/* SPDX-License-Identifier: MIT */
/* The digest beside each database's migrations is that of the schema they make; a failure prints
 * the right one. */
#include "center/trust/accounts_private.h"
#include "records/customers_private.h"
#include "spool/spool_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_known(const char *name, struct db *db)
{
	char hex[DB_DIGEST_SIZE];
	if (!db_schema_digest(db, hex))
		fail_msg("the schema of %s has changed: its row's .digest has to be \"%s\"", name,
		         hex);
}

static void in_new_folder(char *ret_path, size_t size, const char *name)
{
	char folder[] = "/tmp/test-schema-XXXXXX";
	assert_non_null(mkdtemp(folder));
	(void)snprintf(ret_path, size, "%s/%s", folder, name);
}

static void remove_folder(char *path)
{
	assert_int_equal(unlink(path), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
}

static void test_customers(void **state)
{
	char path[64];
	struct error err = {0};
	(void)state;
	in_new_folder(path, sizeof path, "customers.db");
	struct customers *customers = customers_open(path, DB_WRITE, &err);
	assert_non_null(customers);
	assert_known("customers.db", customers->db);
	customers_close(customers);
	remove_folder(path);
}

static void test_spool(void **state)
{
	char path[64];
	struct error err = {0};
	(void)state;
	in_new_folder(path, sizeof path, "spool.db");
	struct spool *spool = spool_open(path, DB_WRITE, &err);
	assert_non_null(spool);
	assert_known("spool.db", spool->db);
	spool_close(spool);
	remove_folder(path);
}

static void test_center(void **state)
{
	char path[64];
	struct error err = {0};
	(void)state;
	in_new_folder(path, sizeof path, "center.db");
	struct accounts *accounts = accounts_open(path, "", &err);
	assert_non_null(accounts);
	assert_known("center.db", accounts->db);
	accounts_close(accounts);
	remove_folder(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_customers),
	                                   cmocka_unit_test(test_spool),
	                                   cmocka_unit_test(test_center)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
