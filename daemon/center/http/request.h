/* SPDX-License-Identifier: MIT */
#ifndef CENTER_HTTP_REQUEST_H
#define CENTER_HTTP_REQUEST_H

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * One HTTP request as the center's code sees it, whoever read it from the wire. All of it lives in
 * the arena and ends with the request. Names and values are UTF-8 without NUL: a request that has
 * others is refused before.
 */
struct request_pair {
	const char *name, *value;
};
struct request_pairs {
	struct request_pair *rows;
	size_t n, cap;
};

/* A file that came with a form, in a temporary file without a name. */
struct request_upload {
	FILE *content;    /* at its beginning; closed with the request */
	const char *name; /* as the browser sent it: trusted for nothing */
};
enum { REQUEST_UPLOADS_MAX = 32 };

struct request {
	struct arena *arena;
	const char *method, *target; /* GET, /customers/A%2F1?q=x */
	const char *path;            /* the target without its query, still encoded */
	const char **parts;          /* the path cut at its slashes, each decoded */
	size_t n_parts;
	struct request_pairs query, form, headers, cookies;
	const char *body; /* of a request that isn't a form */
	size_t body_len;
	struct request_upload uploads[REQUEST_UPLOADS_MAX];
	size_t n_uploads;
	const char *address; /* the peer's; "" over a Unix socket */
	bool local;          /* over a Unix socket */
	bool loopback;       /* from this machine */
	bool secure;         /* over TLS of our own */
	uid_t peer;          /* of a Unix socket; (uid_t)-1 else */
	void *kept;          /* the rules' own, from admit() to answer() */
};

void request_pair_add(struct request_pairs *pairs, struct arena *arena, const char *name,
                      const char *value);
/* The first of that name; NULL where there is none. */
const char *request_value(const struct request_pairs *pairs, const char *name);
size_t request_count(const struct request_pairs *pairs, const char *name);
/* A header by its name in any case (RFC 9110, section 5.1); NULL where there is none. */
const char *request_header(const struct request *request, const char *name);
size_t request_header_count(const struct request *request, const char *name);

/* By its Content-Type: whether the body is a form's with files, and whether it is any form's. */
bool request_is_multipart(const struct request *request);
bool request_is_form(const struct request *request);

/*
 * Takes the target apart: path, parts, query. False (65) where an escape is broken, or what it
 * stands for is not UTF-8 or a control character.
 */
bool request_read_target(struct request *request, struct error *err) MUST_CHECK;
/* Reads the Cookie header (RFC 6265, section 5.4; malformed parts are passed over). */
void request_read_cookies(struct request *request);
/* Reads `text` as application/x-www-form-urlencoded (URL standard) into `pairs`. */
bool request_read_form(struct arena *arena, const char *text, size_t len,
                       struct request_pairs *pairs, struct error *err) MUST_CHECK;
/* Adds a part of a path or query, percent-encoded (RFC 3986, section 2.1). */
void request_encode(const char *text, struct buf *ret);
/* The body as a JSON object; 65 where it is none. The caller's (json_decref). */
bool request_json(const struct request *request, json_t **ret, struct error *err) MUST_CHECK;

#endif
