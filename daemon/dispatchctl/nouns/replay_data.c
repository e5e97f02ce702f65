/* SPDX-License-Identifier: MIT */
/* Other customer data for a replay. The real records are never changed. */
#include "dispatchctl/nouns/replay_data.h"

#include "db/db_copy.h"
#include "dispatchctl/base/office.h"
#include "engine/known.h"
#include "model/settings.h"
#include "records/customers_changes.h"
#include "records/records.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static void bad_row(void *arg, int64_t line, int64_t column, const char *text)
{
	(void)column;
	output_fault("%s:%lld: %s", (const char *)arg, (long long)line, text);
}

static bool copy_ours(const struct ctl *ctl, const char *to, struct error *err)
{
	struct customers *ours =
	        known_open(ctl->settings->customers.path, ctl->settings->spool.path, DB_READ, err);
	if (ours == NULL)
		return false;
	bool ok = db_copy(customers_db(ours), to, err);
	customers_close(ours);
	return ok;
}

static bool import_into(const struct ctl *ctl, const char *path, const char *file,
                        enum records_format format, struct error *err)
{
	struct records_import how = {
	        .format = format, .bad_row = bad_row, .arg = (void *)(uintptr_t)file};
	struct records_counts counts;
	struct change_context context = {.actor = {.user = "replay", .manager = true},
	                                 .when = ctl->now};
	FILE *in = office_open_given(file, "rbe");
	if (in == NULL)
		return error_set(err, EX_NOINPUT, "can't read %s: %s", file, strerror(errno));
	context.store = customers_open(path, DB_WRITE, err);
	bool ok = context.store != NULL &&
	          customers_set_role(context.store, CLUSTER_NONE, NULL, err) &&
	          records_import(&context, kind_find("customer"), in, &how, &counts, err);
	customers_close(context.store);
	(void)fclose(in);
	return ok;
}

bool replay_data_find(const struct ctl *ctl, const char *file, struct replay_data *ret,
                      struct error *err)
{
	enum records_format format;
	const char *temp = getenv("TMPDIR");
	*ret = (struct replay_data){.path = file ? file : ctl->settings->customers.path};
	if (file != NULL && access(file, R_OK) != 0)
		return error_set(err, EX_NOINPUT, "can't read %s: %s", file, strerror(errno));
	if (file == NULL || !records_format_of(file, &format))
		return true;
	int n = snprintf(ret->directory, sizeof ret->directory, "%s/dispatchctl-XXXXXX",
	                 temp != NULL && *temp && strlen(temp) < 40 ? temp : "/tmp");
	if (n < 0 || mkdtemp(ret->directory) == NULL) {
		error_set(err, EX_IOERR, "can't make %s: %s", ret->directory, strerror(errno));
		ret->directory[0] = '\0';
		return false;
	}
	ret->path = arena_printf(ctl->arena, "%s/customers.db", ret->directory);
	return copy_ours(ctl, ret->path, err) && import_into(ctl, ret->path, file, format, err);
}

void replay_data_end(struct replay_data *data)
{
	static const char *const names[] = {"customers.db", "customers.db-wal", "customers.db-shm"};
	char path[128];
	if (data->directory[0] == '\0')
		return;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", data->directory, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(data->directory);
	data->directory[0] = '\0';
}
