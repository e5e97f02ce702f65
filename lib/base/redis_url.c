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

static const char expected[] = "expected redis://HOST:PORT/DB, rediss://HOST:PORT/DB (TLS), "
                               "unix:///PATH?db=DB or "
                               "sentinel://HOST:PORT,HOST:PORT/SERVICE/DB";

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

static bool unix_parse(char *rest, struct arena *arena, struct redis_url *url, struct error *err)
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

/* Cuts /DB off `text`, which may be missing. */
static bool path_db_parse(char *text, struct redis_url *url, struct error *err)
{
	char *slash = strchr(text, '/');
	if (slash == NULL)
		return true;
	*slash = '\0';
	if (slash[1] == '\0' || db_parse(slash + 1, &url->db))
		return true;
	return error_set(err, EX_CONFIG,
	                 "the database must be an integer between 0 and %d (got \"%s\")",
	                 REDIS_DB_MAX, slash + 1);
}

static bool host_parse(const char *text, int port, struct arena *arena, const char **ret_host,
                       int *ret_port, struct error *err)
{
	struct endpoint endpoint;
	if (strncmp(text, "unix:", 5) == 0 || !endpoint_parse(text, port, &endpoint, NULL))
		return error_set(err, EX_CONFIG, "invalid host and port \"%s\"; %s", text,
		                 expected);
	*ret_host = arena_strdup(arena, endpoint.host);
	*ret_port = endpoint.port;
	return true;
}

static bool tcp_parse(char *rest, struct arena *arena, struct redis_url *url, struct error *err)
{
	return path_db_parse(rest, url, err) &&
	       host_parse(rest, REDIS_PORT, arena, &url->host, &url->port, err);
}

static bool tls_parse(char *rest, struct arena *arena, struct redis_url *url, struct error *err)
{
	url->tls = true;
	return tcp_parse(rest, arena, url, err);
}

static bool sentinels_parse(char *hosts, struct arena *arena, struct redis_url *url,
                            struct error *err)
{
	struct redis_sentinel *all =
	        arena_new_array(arena, REDIS_SENTINELS_MAX, struct redis_sentinel);
	url->sentinels = all;
	for (char *host = hosts, *next; host != NULL; host = next) {
		next = strchr(host, ',');
		if (next != NULL)
			*next++ = '\0';
		struct redis_sentinel *sentinel = &all[url->n_sentinels];
		if (url->n_sentinels++ == REDIS_SENTINELS_MAX)
			return error_set(err, EX_CONFIG, "at most %d sentinels can be named",
			                 REDIS_SENTINELS_MAX);
		if (!host_parse(host, SENTINEL_PORT, arena, &sentinel->host, &sentinel->port, err))
			return false;
	}
	return true;
}

/* A service's name has the characters that Redis' sentinel.conf allows. */
static bool sentinel_parse(char *rest, struct arena *arena, struct redis_url *url,
                           struct error *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                              "0123456789._-";
	char *service = strchr(rest, '/');
	if (service != NULL)
		*service++ = '\0';
	if (service != NULL && !path_db_parse(service, url, err))
		return false;
	if (service == NULL || *service == '\0')
		return error_set(err, EX_CONFIG,
		                 "sentinel:// needs the name of a service behind the hosts; %s",
		                 expected);
	if (service[strspn(service, letters)] != '\0')
		return error_set(err, EX_CONFIG,
		                 "invalid name of a service \"%s\": letters, digits, ., _ and - "
		                 "are allowed",
		                 service);
	url->service = arena_strdup(arena, service);
	return sentinels_parse(rest, arena, url, err);
}

static const struct scheme {
	const char *prefix;
	bool (*parse)(char *rest, struct arena *arena, struct redis_url *url, struct error *err);
} schemes[] = {
        {"redis://", tcp_parse},
        {"rediss://", tls_parse},
        {"unix://", unix_parse},
        {"sentinel://", sentinel_parse},
};

static const struct scheme *scheme_of(const char *text)
{
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
		if (strncmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) == 0)
			return &schemes[i];
	return NULL;
}

bool redis_url_parse(const char *text, struct arena *arena, struct redis_url *ret,
                     struct error *err)
{
	struct redis_url url = {.host = "", .path = "", .service = "", .user = "", .password = ""};
	const struct scheme *scheme = scheme_of(text);
	if (scheme == NULL)
		return error_set(err, EX_CONFIG, "not a Redis address; %s", expected);
	const char *rest = text + strlen(scheme->prefix);
	if (!credentials_parse(&rest, arena, &url, err))
		return false;
	char *copy = arena_strdup(arena, rest);
	if (!query_parse(copy, &url, err) || !scheme->parse(copy, arena, &url, err))
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
