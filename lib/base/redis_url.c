/* SPDX-License-Identifier: MIT */
/*
 * Takes the URL of a Redis apart, strictly: what is not understood to the last character is a
 * fault, and no fault repeats the password.
 */
#include "base/redis_url.h"

#include "base/endpoint.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char expected[] = "expected redis://HOST:PORT/DB or unix:///PATH?db=DB";

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *found = strchr(digits, g_ascii_tolower(c));
	return c != '\0' && found != NULL ? (int)(found - digits) : -1;
}

/* Undoes percent-encoding; NULL where it is broken or hides a NUL. */
static const char *decode(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1), *to = copy;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '%') {
			int high = i + 2 < len ? hex(text[i + 1]) : -1;
			int low = high >= 0 ? hex(text[i + 2]) : -1;
			if (high < 0 || low < 0 || (high == 0 && low == 0))
				return NULL;
			c = (char)(high * 16 + low);
			i += 2;
		}
		*to++ = c;
	}
	return copy;
}

static bool db_parse(const char *text, int *ret)
{
	size_t len = strlen(text);
	if (len == 0 || len > 5 || strspn(text, "0123456789") != len || atoi(text) > REDIS_DB_MAX)
		return false;
	*ret = atoi(text);
	return true;
}

/* Takes USER:PASSWORD@ or USER@ from the front, if it is there; moves `*p` behind it. */
static bool credentials_parse(const char **p, struct arena *arena, struct redis_url *url,
                              struct error *err)
{
	const char *at = strrchr(*p, '@');
	if (at == NULL || **p == '/') /* a path may hold an @ of its own */
		return true;
	const char *colon = memchr(*p, ':', (size_t)(at - *p));
	const char *user_end = colon != NULL ? colon : at;
	if (user_end == *p && colon == NULL)
		return error_set(err, EX_CONFIG,
		                 "a password is written USER:PASSWORD@ or :PASSWORD@");
	url->user = decode(arena, *p, (size_t)(user_end - *p));
	if (colon != NULL)
		url->password = decode(arena, colon + 1, (size_t)(at - colon - 1));
	if (url->user == NULL || url->password == NULL)
		return error_set(err, EX_CONFIG,
		                 "the user or the password has an invalid percent-encoding");
	*p = at + 1;
	return true;
}

/* Cuts ?db=N off `text`. */
static bool query_parse(char *text, struct redis_url *url, struct error *err)
{
	char *query = strchr(text, '?');
	if (query == NULL)
		return true;
	*query = '\0';
	if (strncmp(query + 1, "db=", 3) != 0)
		return error_set(err, EX_CONFIG, "unknown parameter \"%s\"; expected db=NUMBER",
		                 query + 1);
	if (!db_parse(query + 4, &url->db))
		return error_set(err, EX_CONFIG,
		                 "the database must be an integer between 0 and %d (got \"%s\")",
		                 REDIS_DB_MAX, query + 4);
	return true;
}

static bool unix_parse(const char *rest, struct arena *arena, struct redis_url *url,
                       struct error *err)
{
	if (*rest != '/')
		return error_set(err, EX_CONFIG,
		                 "unix:// needs an absolute path: unix:///run/redis/redis.sock");
	url->path = decode(arena, rest, strlen(rest));
	if (url->path == NULL)
		return error_set(err, EX_CONFIG, "the path has an invalid percent-encoding");
	if (strlen(url->path) >= ENDPOINT_PATH_MAX)
		return error_set(err, EX_CONFIG,
		                 "the path of a Unix socket is at most %d bytes long",
		                 ENDPOINT_PATH_MAX - 1);
	return true;
}

static bool tcp_parse(char *rest, struct arena *arena, struct redis_url *url, struct error *err)
{
	char *slash = strchr(rest, '/');
	if (slash != NULL)
		*slash = '\0';
	if (slash != NULL && slash[1] != '\0' && !db_parse(slash + 1, &url->db))
		return error_set(err, EX_CONFIG,
		                 "the database must be an integer between 0 and %d (got \"%s\")",
		                 REDIS_DB_MAX, slash + 1);
	struct endpoint endpoint;
	if (strncmp(rest, "unix:", 5) == 0 || !endpoint_parse(rest, REDIS_PORT, &endpoint, NULL))
		return error_set(err, EX_CONFIG, "invalid host and port \"%s\"; %s", rest,
		                 expected);
	url->host = arena_strdup(arena, endpoint.host);
	url->port = endpoint.port;
	return true;
}

bool redis_url_parse(const char *text, struct arena *arena, struct redis_url *ret,
                     struct error *err)
{
	struct redis_url url = {.host = "", .path = "", .user = "", .password = ""};
	bool tcp = strncmp(text, "redis://", 8) == 0;
	if (strncmp(text, "rediss://", 9) == 0)
		return error_set(err, EX_CONFIG,
		                 "TLS to Redis requires a tunnel, such as stunnel; %s", expected);
	if (!tcp && strncmp(text, "unix://", 7) != 0)
		return error_set(err, EX_CONFIG, "not a Redis address; %s", expected);
	const char *rest = text + (tcp ? 8 : 7);
	if (!credentials_parse(&rest, arena, &url, err))
		return false;
	char *copy = arena_strdup(arena, rest);
	if (!query_parse(copy, &url, err))
		return false;
	if (!(tcp ? tcp_parse(copy, arena, &url, err) : unix_parse(copy, arena, &url, err)))
		return false;
	*ret = url;
	return true;
}

const char *redis_url_redacted(const char *text, struct arena *arena)
{
	const char *at = strrchr(text, '@');
	const char *slashes = strstr(text, "://");
	if (at == NULL)
		return text;
	int scheme = slashes != NULL && slashes < at ? (int)(slashes - text) + 3 : 0;
	return arena_printf(arena, "%.*s***%s", scheme, text, at);
}
