/* SPDX-License-Identifier: MIT */
/*
 * What `dispatchd -t` and a start check besides the keys themselves: passwords, certificates,
 * folders, databases. A check is a row with the key whose line is reported.
 */
#include "dispatchd/loop/inspect.h"

#include "base/exposed.h"
#include "base/folder.h"
#include "base/identity.h"
#include "base/mem.h"
#include "common/socket_share.h"
#include "common/target.h"
#include "dispatchd/cluster/member.h"
#include "dispatchd/mailer/mailer_config.h"
#include "dispatchd/mailer/smtp_credential.h"
#include "dispatchd/mailer/transport_check.h"
#include "dispatchd/sys/consumer_name.h"
#include "dispatchd/sys/log.h"
#include "engine/known.h"
#include "mail/templates.h"
#include "records/customers.h"
#include "spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

typedef bool check_fn(const struct settings *settings, struct error *err);

/* What is checked, and the key whose line a fault names: `because` where only that one is set. */
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
static bool can_be_made(const struct settings *settings, const char *key, const char *path,
                        struct error *err)
{
	return settings_has_default(settings, key) || db_has_directory(path, err);
}

/* By root, the daemon's user is looked for, whose credentials only systemd has. */
static bool for_another;

static bool login(enum transport transport, const struct relay_settings *relay, struct error *err)
{
	char credential[SMTP_CREDENTIAL_SIZE];

	smtp_credential(relay, credential);
	if (for_another && *relay->user && !*relay->password_file && !*relay->oauth_token_file &&
	    getenv("CREDENTIALS_DIRECTORY") == NULL) {
		log_write(LOG_NOTICE,
		          "[%s] password: not checked; without password_file it is the "
		          "credential %s, which only the service gets from systemd",
		          relay->section, credential);
		return true;
	}
	return transport_check_relay(transport, relay, TRANSPORT_PART_LOGIN, err);
}

static bool bounce_keys(const struct settings *settings, struct error *err)
{
	struct token_keys keys;
	if (for_another && *settings->bounce.address && !*settings->bounce.key_file &&
	    getenv("CREDENTIALS_DIRECTORY") == NULL) {
		log_write(LOG_NOTICE,
		          "[bounce] key: not checked; without key_file it is the credential "
		          "bounce-key, which only the service gets from systemd");
		return true;
	}
	bool ok = mailer_config_keys(settings, &keys, err);
	token_keys_wipe(&keys);
	return ok;
}

static bool cluster_key(const struct settings *settings, struct error *err)
{
	if (!*settings->cluster.name)
		return exposed_check(settings->cluster.key_file, "key", err) ||
		       error_prefix(err, "[cluster] key_file");
	if (for_another && !*settings->cluster.key_file &&
	    getenv("CREDENTIALS_DIRECTORY") == NULL) {
		log_write(LOG_NOTICE,
		          "[cluster] key: not checked; without key_file it is the credential "
		          "cluster-key, which only the service gets from systemd");
		return true;
	}
	struct member *member = member_new(settings, err);
	bool ok = member != NULL;
	member_free(member);
	return ok;
}

static bool maildir(const struct settings *settings, struct error *err)
{
	return transport_check(settings, err);
}

/* A member's stay of the version that the cluster's owner has. */
static enum db_mode mode_of(const struct settings *settings, const char *path)
{
	struct stat st;
	bool there = stat(path, &st) == 0 && st.st_size > 0;
	return there && *settings->cluster.name ? DB_FOLLOW : DB_READ;
}

/* An absent database counts as an empty one. */
static bool spool_opens_whole(const struct settings *settings, struct error *err)
{
	const char *path = settings->spool.path;
	struct spool *spool =
	        db_may_write(path, err) ? spool_open(path, mode_of(settings, path), err) : NULL;
	bool ok = (spool != NULL && spool_check(spool, err) &&
	           can_be_made(settings, "spool.path", path, err)) ||
	          error_prefix(err, "[spool] path");
	spool_close(spool);
	return ok;
}

static bool customers_open_whole(const struct settings *settings, struct error *err)
{
	const char *path = settings->customers.path;
	struct customers *customers =
	        db_may_write(path, err)
	                ? known_open(path, settings->spool.path, mode_of(settings, path), err)
	                : NULL;
	bool ok = (customers != NULL && db_check(customers_db(customers), err) &&
	           known_compare(customers, settings->spool.path, err) &&
	           can_be_made(settings, "customers.path", path, err)) ||
	          error_prefix(err, "[customers] path");
	customers_close(customers);
	return ok;
}

/* ---- of each section of relays ---- */

struct section_check {
	const char *key, *because;
	bool (*holds)(enum transport transport, const struct relay_settings *relay,
	              struct error *err); /* NULL: what the transport says of `part` */
	enum transport_part part;
};

/* Looked at with a Maildir, too: the file is as open then. */
static bool smtp_password(enum transport transport, const struct relay_settings *relay,
                          struct error *err)
{
	if (!exposed_check(relay->password_file, "password", err))
		return error_prefix(err, "[%s] password_file", relay->section);
	return relay->oauth_token_file[0] != '\0' || login(transport, relay, err);
}

static bool smtp_by_token(enum transport transport, const struct relay_settings *relay,
                          struct error *err)
{
	return relay->oauth_token_file[0] == '\0' || login(transport, relay, err);
}

static const struct section_check relay_files[] = {
        {.key = "password_file", .because = "user", .holds = smtp_password},
        {.key = "oauth_token_file", .holds = smtp_by_token},
        {.key = "client_cert", .part = TRANSPORT_PART_CERTIFICATE},
        {.key = "client_key", .because = "client_cert", .part = TRANSPORT_PART_KEY},
        {.key = "ca_file", .because = "relay", .part = TRANSPORT_PART_RELAYS},
};

/* It may have expired since the last look, with nobody there: mails that can go elsewhere, or to a
 * relay that doesn't ask for it, go on. */
static const struct section_check relay_dates[] = {
        {.key = "client_cert", .part = TRANSPORT_PART_DATES},
};

/* A token isn't missed at the start or by a reload: mails wait for it. */
static const struct section_check relay_places[] = {
        {.key = "oauth_token_file", .part = TRANSPORT_PART_TOKEN},
};

/* ---- of everything else ---- */

/* The daemon needs no key, but its -t speaks of the whole configuration. */
static bool key_is_private(const struct settings *settings, struct error *err)
{
	return exposed_check(settings->customers.key_file, "key", err) ||
	       error_prefix(err, "[customers] key_file");
}

static bool http_group(const struct settings *settings, struct error *err)
{
	return socket_check_group("[http]", settings->http.group, err);
}

static bool bounce_group(const struct settings *settings, struct error *err)
{
	return socket_check_group("[bounce]", settings->bounce.group, err);
}

static const struct check files[] = {
        {.key = "redis.password_file", .because = "redis.url", .holds = redis_password},
        {.key = "customers.key_file", .holds = key_is_private},
        {.key = "bounce.key_file", .because = "bounce.address", .holds = bounce_keys},
        {.key = "cluster.key_file", .because = "cluster.name", .holds = cluster_key},
        {.key = "http.group", .holds = http_group},
        {.key = "bounce.group", .holds = bounce_group},
};

static const struct check places[] = {
        {.key = "customers.path", .holds = customers_open_whole},
        {.key = "spool.path", .holds = spool_opens_whole},
        {.key = "mail.maildir", .holds = maildir},
};

#define RUN(checks, settings, fault, arg)                                                          \
	inspect_run((checks), sizeof(checks) / sizeof((checks)[0]), (settings), (fault), (arg))

#define RUN_RELAYS(checks, settings, fault, arg)                                                   \
	inspect_relays((checks), sizeof(checks) / sizeof((checks)[0]), (settings), (fault), (arg))

static int inspect_run(const struct check *checks, size_t n, const struct settings *settings,
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
		                   settings_place(settings, other ? check->because : check->key),
		                   err.text));
		code = code ? code : err.code;
	}
	arena_free(arena);
	return code;
}

static bool relay_holds(const struct section_check *check, enum transport transport,
                        const struct relay_settings *relay, struct error *err)
{
	return check->holds ? check->holds(transport, relay, err)
	                    : transport_check_relay(transport, relay, check->part, err);
}

static int inspect_relays(const struct section_check *checks, size_t n,
                          const struct settings *settings, settings_fault *fault, void *arg)
{
	int code = EX_OK;
	struct arena *arena = arena_new();
	for (size_t i = 0; i < settings->n_relays * n; i++) {
		const struct section_check *check = &checks[i % n];
		struct error err;
		if (relay_holds(check, settings->mail.transport, &settings->relays[i / n], &err))
			continue;
		fault(arg, arena_printf(arena, "%s: %s",
		                        settings_relay_place(settings, i / n, check->key,
		                                             check->because),
		                        err.text));
		code = code ? code : err.code;
	}
	arena_free(arena);
	return code;
}

int inspect_files(const struct settings *settings, settings_fault *fault, void *arg)
{
	int code = RUN(files, settings, fault, arg);
	int of_relays = RUN_RELAYS(relay_files, settings, fault, arg);
	return code ? code : of_relays;
}

static void warn_of_dates(void *arg, const char *text)
{
	(void)arg;
	log_write(LOG_WARNING, "a relay may refuse our certificate: %s", text);
}

void inspect_dates(const struct settings *settings)
{
	(void)RUN_RELAYS(relay_dates, settings, warn_of_dates, NULL);
}

static int inspect_templates(const struct settings *settings, settings_fault *fault, void *arg)
{
	int n;
	templates_unref(templates_load_set(settings, fault, arg, &n));
	return n ? EX_CONFIG : EX_OK;
}

static void inspect_ignore_fault(void *arg, const char *text)
{
	(void)arg, (void)text;
}

bool inspect_become(const char *file, struct error *err)
{
	int ignored;
	struct folder folder;
	if (geteuid() != 0)
		return true;
	struct settings *settings = settings_read(file, NULL, inspect_ignore_fault, NULL, &ignored);
	bool good = true;
	if (settings && folder_open_of(&folder, settings->spool.path, false, NULL)) {
		for_another = folder.owner != 0;
		good = identity_become_for_good(folder.owner, folder.group, err);
		folder_close(&folder);
	}
	settings_free(settings);
	return good;
}

/* Two hosts of one name are two members of one name. */
static void inspect_member_name(const struct settings *settings)
{
	char name[CONSUMER_NAME_SIZE];
	if (!*settings->cluster.name || *settings->redis.consumer)
		return;
	log_write(LOG_NOTICE,
	          "[redis] consumer is empty: this member of the cluster is called %s, like the "
	          "host",
	          consumer_name(settings, name));
}

int inspect_all(const char *file, settings_fault *fault, void *arg)
{
	int code;
	struct settings *settings = settings_read(file, NULL, fault, arg, &code);
	if (!settings)
		return code;
	inspect_member_name(settings);
	const int codes[] = {
	        code,
	        inspect_files(settings, fault, arg),
	        RUN_RELAYS(relay_dates, settings, fault, arg),
	        inspect_templates(settings, fault, arg),
	        RUN_RELAYS(relay_places, settings, fault, arg),
	        RUN(places, settings, fault, arg),
	};
	settings_free(settings);
	size_t first = 0;
	while (first + 1 < sizeof(codes) / sizeof(codes[0]) && !codes[first])
		first++;
	return codes[first];
}
