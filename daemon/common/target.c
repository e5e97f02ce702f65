/* SPDX-License-Identifier: MIT */
/*
 * Which Redis is used and as whom: [redis] url, with the password from a systemd credential, a file
 * or the URL itself. It is read again for each new connection, since it may have been changed.
 */
#include "common/target.h"

#include "base/mem.h"
#include "base/redis_url.h"
#include "base/secret_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* The file's first line; NULL with `err` where it can't be read. */
static char *read_password(const char *path, struct error *err)
{
	struct secret_text text;
	if (!secret_file_read(path, "password", SECRET_FILE_MAX, &text, err)) {
		error_prefix(err, "[redis] password_file");
		return NULL;
	}
	text.text[secret_text_line(&text)] = '\0';
	char *password = text.text[0] ? mem_strdup(text.text) : NULL;
	secret_text_wipe(&text);
	if (!password)
		error_set(err, EX_CONFIG, "[redis] password_file: %s: its first line is empty",
		          path);
	return password;
}

static bool find_password(struct target *target, const struct settings *settings,
                          const char *in_url, struct error *err)
{
	char credential[SECRET_PATH_MAX];
	bool given = *secret_file_path("", "redis-password", credential) != '\0';
	const char *path = given ? credential : settings->redis.password_file;
	if (*path)
		target->password = read_password(path, err);
	else if (*in_url)
		target->password = mem_strdup(in_url);
	bool ok = !*path || target->password;
	if (*path && ok)
		target->password_path = mem_strdup(path);
	return ok;
}

static bool user_has_password(const struct target *target, const struct redis_url *url,
                              struct error *err)
{
	return !*url->user || target->password ||
	       error_set(err, EX_CONFIG,
	                 "[redis] url has a user but no password: write USER:PASSWORD@ or set "
	                 "password_file");
}

static void take_sentinels(struct target *target, const struct redis_url *url)
{
	struct sentinel_place places[REDIS_SENTINELS_MAX];
	if (!url->n_sentinels)
		return;
	for (size_t i = 0; i < url->n_sentinels; i++)
		places[i] = (struct sentinel_place){(char *)url->sentinels[i].host,
		                                    url->sentinels[i].port};
	struct sentinels sentinels = {
	        .service = (char *)url->service, .places = places, .n = url->n_sentinels};
	target->sentinels = sentinels_copy(&sentinels);
}

struct target *target_new(const struct settings *settings, struct error *err)
{
	struct arena *arena = arena_new_private();
	struct target *target = mem_alloc(sizeof(*target));
	struct redis_url url;
	if (!redis_url_parse(settings->redis.url, arena, &url, err) ||
	    !find_password(target, settings, url.password, err) ||
	    !user_has_password(target, &url, err)) {
		arena_free(arena);
		return target_free(target);
	}
	if (url.tls && !(target->trust = tls_trust_new(settings->redis.ca_file, err))) {
		error_prefix(err, "[redis] ca_file");
		arena_free(arena);
		return target_free(target);
	}
	target->socket = *url.path ? mem_strdup(url.path) : NULL;
	target->host = mem_strdup(url.host);
	target->port = url.port;
	target->user = *url.user ? mem_strdup(url.user) : NULL;
	target->db = url.db;
	take_sentinels(target, &url);
	target->name = mem_strdup(redis_url_redacted(settings->redis.url, arena));
	arena_free(arena);
	return target;
}

static void forget_password(struct target *target)
{
	if (target->password)
		explicit_bzero(target->password, strlen(target->password));
	free(target->password);
	target->password = NULL;
}

bool target_reread(struct target *target, struct error *err)
{
	if (!target->password_path)
		return true;
	char *password = read_password(target->password_path, err);
	if (!password)
		return false;
	forget_password(target);
	target->password = password;
	return true;
}

const char *target_host(const struct target *target)
{
	return target->moved_host ? target->moved_host : target->host;
}

int target_port(const struct target *target)
{
	return target->moved_host ? target->moved_port : target->port;
}

void target_return(struct target *target)
{
	free(target->moved_host);
	target->moved_host = NULL;
}

bool target_follow(struct target *target, const char *words)
{
	int slot, start = 0, port;
	if (target->socket || sscanf(words, "MOVED %d %n", &slot, &start) < 1 || start == 0)
		return false;
	const char *place = words + start, *colon = strrchr(place, ':');
	if (!colon || sscanf(colon, ":%d", &port) != 1 || port < 1 || port > 65535)
		return false;
	/* A node that doesn't know its own name leaves it out: it is the one that was asked. */
	char *host = colon == place ? mem_strdup(target_host(target))
	                            : strndup(place, (size_t)(colon - place));
	if (!host)
		bug("no memory");
	target_return(target);
	target->moved_host = host;
	target->moved_port = port;
	return true;
}

void target_turn_sentinels(struct target *target)
{
	struct sentinels *sentinels = target->sentinels;
	if (!sentinels)
		return;
	struct sentinel_place first = sentinels->places[0];
	memmove(sentinels->places, sentinels->places + 1,
	        (sentinels->n - 1) * sizeof(*sentinels->places));
	sentinels->places[sentinels->n - 1] = first;
}

struct target *target_free(struct target *target)
{
	if (!target)
		return NULL;
	forget_password(target);
	free(target->password_path);
	free(target->socket);
	free(target->host);
	target_return(target);
	sentinels_free(target->sentinels);
	tls_trust_free(target->trust);
	free(target->user);
	free(target->name);
	free(target);
	return NULL;
}
