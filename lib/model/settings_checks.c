/* SPDX-License-Identifier: MIT */
/*
 * What one key of the configuration says about another: a row each, with the key that the fault
 * names. Those of relays, which are asked of each section, are in model/settings_relays.c.
 */
#include "base/address.h"
#include "base/redis_url.h"
#include "model/settings_table.h"

#include <string.h>
#include <sysexits.h>

static bool has_from(const struct settings *settings, struct arena *arena, struct error *err)
{
	(void)arena;
	return settings->mail.from[0] != '\0' ||
	       error_set(err, EX_CONFIG,
	                 "required: the sender of mails, such as "
	                 "Example Hauling <dispatch@example.com>");
}

static bool has_maildir(const struct settings *settings, struct arena *arena, struct error *err)
{
	(void)arena;
	return settings->mail.transport != TRANSPORT_MAILDIR || settings->mail.maildir[0] != '\0' ||
	       error_set(err, EX_CONFIG,
	                 "required with transport = maildir: the folder for the mails");
}

static bool has_source(const struct settings *settings, struct arena *arena, struct error *err)
{
	(void)arena;
	return settings->redis.stream[0] != '\0' || settings->redis.list[0] != '\0' ||
	       settings->redis.channel[0] != '\0' ||
	       error_set(err, EX_CONFIG,
	                 "at least one of stream, list and channel is required: the source of job "
	                 "events");
}

static bool one_password(const struct settings *settings, struct arena *arena, struct error *err)
{
	struct redis_url url;
	if (settings->redis.password_file[0] == '\0' ||
	    !redis_url_parse(settings->redis.url, arena, &url, NULL))
		return true;
	return url.password[0] == '\0' ||
	       error_set(err, EX_CONFIG, "url already has a password; give only one of the two");
}

static bool delimiter_delimits(const struct settings *settings, struct arena *arena,
                               struct error *err)
{
	(void)arena;
	const char *delimiter = settings->bounce.delimiter;
	return (strlen(delimiter) == 1 && strchr("+-=_.", *delimiter) != NULL) ||
	       error_set(err, EX_CONFIG, "must be one of + - = _ . (got \"%s\")", delimiter);
}

/* Local part and address, RFC 5321 section 4.5.3.1. */
static bool has_room(const struct settings *settings, struct arena *arena, struct error *err)
{
	(void)arena;
	const char *address = settings->bounce.address;
	enum { MORE = 1 + BOUNCE_TOKEN_LENGTH, LOCAL_MAX = 64 - MORE };
	size_t local = strcspn(address, "@"), len = strlen(address);
	if (len == 0)
		return true;
	if (strchr(address, '"') != NULL)
		return error_set(err, EX_CONFIG,
		                 "a quoted local part has no room for a token (got \"%s\")",
		                 address);
	return (local <= LOCAL_MAX && len <= ADDRESS_MAX - MORE) ||
	       error_set(err, EX_CONFIG,
	                 "must have at most %d characters before the @ and %d in all, so that a "
	                 "token fits in (got %zu and %zu)",
	                 LOCAL_MAX, ADDRESS_MAX - MORE, local, len);
}

static bool wait_counts(const struct settings *settings, struct arena *arena, struct error *err)
{
	(void)arena;
	const char *wait = settings->cluster.wait;
	return *wait == '\0' || (*wait >= '0' && *wait <= '9') ||
	       error_set(err, EX_CONFIG, "must be empty, or a digit (got \"%s\")", wait);
}

const struct setting_check setting_checks[] = {
        {.section = "redis", .key = "stream", .holds = has_source},
        {.section = "redis", .key = "password_file", .holds = one_password},
        {.section = "mail", .key = "from", .holds = has_from},
        {.section = "mail", .key = "maildir", .because = "transport", .holds = has_maildir},
        {.section = "bounce", .key = "delimiter", .holds = delimiter_delimits},
        {.section = "bounce", .key = "address", .holds = has_room},
        {.section = "cluster", .key = "wait", .holds = wait_counts},
};
const size_t setting_checks_len = sizeof setting_checks / sizeof setting_checks[0];
