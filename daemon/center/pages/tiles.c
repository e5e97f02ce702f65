/* SPDX-License-Identifier: MIT */
#include "center/pages/tiles.h"

#include "center/pages/page.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Of Debian's libjs-leaflet. */
#define LEAFLET "/usr/share/javascript/leaflet/"
static const struct {
	const char *name, *type;
} files[] = {{"leaflet.esm.min.js", "text/javascript; charset=utf-8"},
             {"leaflet.css", "text/css; charset=utf-8"}};

/* How much of the address is scheme and host, what Content-Security-Policy calls an origin. */
static size_t origin_length(const char *url)
{
	const char *host = strstr(url, "://");
	return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/") : 0;
}

static bool is_origin(const char *url, size_t len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                              "0123456789-.:/[]";
	for (size_t i = 0; i < len; i++) {
		if (strncmp(url + i, "{s}", 3) == 0)
			i += 2;
		else if (strchr(letters, url[i]) == NULL)
			return false;
	}
	return len > strlen("https://");
}

bool tiles_check(const struct settings *settings, struct error *err)
{
	const char *url = settings->center.tiles;
	static const char *const parts[] = {"{z}", "{x}", "{y}"};
	if (*url == '\0')
		return true;
	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		return error_set(err, EX_CONFIG,
		                 "[center] tiles: expected an address that begins with https:// or "
		                 "http://");
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (strstr(url, parts[i]) == NULL)
			return error_set(err, EX_CONFIG, "[center] tiles: %s is missing", parts[i]);
	return is_origin(url, origin_length(url)) ||
	       error_set(err, EX_CONFIG, "[center] tiles: there is no host in it");
}

/* Scheme and host of the tiles; {s} stands for any host below the rest. */
static const char *origin_of(const struct call *call, const char *url)
{
	const char *origin = arena_strndup(call->request->arena, url, origin_length(url));
	const char *any = strstr(origin, "{s}");
	return any ? arena_printf(call->request->arena, "%.*s*%s", (int)(any - origin), origin,
	                          any + 3)
	           : origin;
}

json_t *tiles_add(struct call *call)
{
	const struct settings *settings = stores_settings(call->stores);
	const char *url = settings->center.tiles;
	if (*url == '\0' || access(LEAFLET "leaflet.esm.min.js", R_OK) != 0)
		return json_null();
	response_header(call->response, call->request, "Content-Security-Policy",
	                response_policy(call->request, origin_of(call, url)));
	response_header(call->response, call->request, "Referrer-Policy",
	                "strict-origin-when-cross-origin");
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "url", url, "note",
	                 settings->center.tiles_note, "what", "{what}", "latitude", "{latitude}",
	                 "longitude", "{longitude}");
}

static void page_tiles_file(struct call *call)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		const char *path = arena_printf(call->request->arena, LEAFLET "%s", files[i].name);
		if (strcmp(files[i].name, call->names[0]) != 0 ||
		    (call->response->file = fopen(path, "re")) == NULL)
			continue;
		call->response->status = 200;
		call->response->type = files[i].type;
		response_header(call->response, call->request, "Cache-Control", "max-age=3600");
		return;
	}
	response_problem(call->response, 404, "there is no such file");
}

const struct route tile_page_routes[] = {
        {ROUTE("GET", "/leaflet/:name", ACCESS_READER, page_tiles_file)},
        {0},
};
