/* SPDX-License-Identifier: MIT */
#include "inspect.h"

#include "base/mem.h"
#include "http/server.h"
#include "log.h"
#include "mail/templates.h"
#include "mailer/pool.h"
#include "redis/target.h"
#include "store/customers.h"
#include "store/spool.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

typedef bool check_fn(const struct settings *settings, struct error *err);

/* What is checked, and the key whose line is told; `because` is told where the configuration sets only that.
 */
struct check {
	const char *key, *because;
	check_fn *holds;
};

static bool redis_password(const struct settings *settings, struct error *err)
{
	struct target *target = target_new(settings, err);
	bool ok = target != NULL;
	target_free(target);
	return ok;
}

/* The default one's directory need not be there yet: systemd makes it at the start. */
static bool can_be_made(const struct settings *settings, const char *key, const char *path, struct error *err)
{
	return settings_has_default(settings, key) || db_has_directory(path, err);
}

/* An absent database counts as an empty one. */
static bool spool_opens_whole(const struct settings *settings, struct error *err)
{
	const char *path = settings->spool.path;
	struct spool *spool = spool_open(path, DB_READ, err);
	bool ok = (spool != NULL && spool_check(spool, err) &&
	           can_be_made(settings, "spool.path", path, err)) ||
	          error_prefix(err, "[spool] path");
	spool_close(spool);
	return ok;
}

static bool customers_open_whole(const struct settings *settings, struct error *err)
{
	const char *path = settings->customers.path;
	struct customers *customers = customers_open(path, DB_READ, err);
	bool ok = (customers != NULL && db_check(customers_db(customers), err) &&
	           can_be_made(settings, "customers.path", path, err)) ||
	          error_prefix(err, "[customers] path");
	customers_close(customers);
	return ok;
}

static bool http_group(const struct settings *settings, struct error *err)
{
	return http_check_group(settings->http.group, err);
}

static const struct check files[] = {
        {.key = "redis.password_file", .because = "redis.url", .holds = redis_password},
        {.key = "smtp.password_file", .because = "smtp.user", .holds = pool_check_login},
        {.key = "smtp.ca_file", .because = "smtp.relay", .holds = pool_check_relays},
        {.key = "http.group", .holds = http_group},
};

static const struct check databases[] = {
        {.key = "customers.path", .holds = customers_open_whole},
        {.key = "spool.path", .holds = spool_opens_whole},
};

#define RUN(checks, settings, fault, arg)                                                                    \
	run_checks((checks), sizeof(checks) / sizeof((checks)[0]), (settings), (fault), (arg))

static int run_checks(const struct check *checks, size_t n, const struct settings *settings,
                      settings_fault *fault, void *arg)
{
	int code = EX_OK;
	struct arena *arena = arena_new();
	for (size_t i = 0; i < n; i++) {
		const struct check *check = &checks[i];
		bool other = check->because && !settings_given(settings, check->key);
		struct error err;
		if (check->holds(settings, &err))
			continue;
		fault(arg,
		      arena_printf(arena, "%s: %s",
		                   settings_place(settings, other ? check->because : check->key), err.text));
		code = code ? code : err.code;
	}
	arena_free(arena);
	return code;
}

/* A password that all may read is the admin's to judge: no fault, but a word. */
static void warn_of_exposed(const struct settings *settings, const char *key, const char *file)
{
	struct stat st;
	if (*file && stat(file, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & S_IROTH)
		log_write(LOG_WARNING, "%s: everybody may read the password in %s; chmod o= %s mends that",
		          settings_place(settings, key), file, file);
}

int inspect_files(const struct settings *settings, settings_fault *fault, void *arg)
{
	warn_of_exposed(settings, "redis.password_file", settings->redis.password_file);
	warn_of_exposed(settings, "smtp.password_file", settings->smtp.password_file);
	return RUN(files, settings, fault, arg);
}

static int inspect_templates(const struct settings *settings, settings_fault *fault, void *arg)
{
	int n;
	templates_unref(templates_load_set(settings, fault, arg, &n));
	return n ? EX_CONFIG : EX_OK;
}

int inspect_all(const char *file, settings_fault *fault, void *arg)
{
	int code;
	struct settings *settings = settings_read(file, NULL, fault, arg, &code);
	if (!settings)
		return code;
	const int codes[] = {
	        code,
	        inspect_files(settings, fault, arg),
	        inspect_templates(settings, fault, arg),
	        RUN(databases, settings, fault, arg),
	};
	settings_free(settings);
	size_t first = 0;
	while (first + 1 < sizeof(codes) / sizeof(codes[0]) && !codes[first])
		first++;
	return codes[first];
}
