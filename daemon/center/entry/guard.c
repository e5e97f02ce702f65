/* SPDX-License-Identifier: MIT */
/*
 * The order matters: a Host that isn't ours is answered before anything else (DNS rebinding), then
 * a request that another site's page sends, then who asks.
 */
#include "center/entry/guard.h"

#include "base/endpoint.h"
#include "base/hostname.h"

#include <arpa/inet.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum { BODY_MAX = 1024 * 1024, FORM_EXTRA = 64 * 1024 };

/* -- which host -------------------------------------------------------------------------------- */

/* "https://center.example.com:8443/x" → "center.example.com:8443". */
static const char *host_of_url(const char *url, struct arena *arena)
{
	const char *slashes = strstr(url, "://");
	return slashes ? arena_strndup(arena, slashes + 3, strcspn(slashes + 3, "/")) : "";
}

/* A Host without its port, and without an IPv6 address's brackets. */
static const char *without_port(const char *host, struct arena *arena)
{
	if (*host == '[')
		return arena_strndup(arena, host + 1, strcspn(host + 1, "]"));
	return arena_strndup(arena, host, strcspn(host, ":"));
}

static bool is_loopback(const char *name)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (inet_pton(AF_INET, name, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127;
	if (inet_pton(AF_INET6, name, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	size_t len = strlen(name);
	static const char local[] = "localhost";
	return strcasecmp(name, local) == 0 || strcasecmp(name, "localhost.") == 0 ||
	       (len > sizeof local && strcasecmp(name + len - sizeof local, ".localhost") == 0);
}

static bool host_is_ours(const struct call *call)
{
	struct arena *arena = call->request->arena;
	const struct settings *settings = stores_settings(call->stores);
	const char *host = request_header(call->request, "Host");
	struct endpoint own;
	struct error ignored;
	if (call->request->local)
		return true;
	if (host == NULL || request_header_count(call->request, "Host") != 1)
		return false;
	host = without_port(host, arena);
	if (is_loopback(host) || (endpoint_parse_own(settings->center.listen, &own, &ignored) &&
	                          *own.host && strcasecmp(host, own.host) == 0))
		return true;
	const char *named = without_port(host_of_url(settings->center.url, arena), arena);
	return *named != '\0' && hostname_same(host, named);
}

/* -- which site -------------------------------------------------------------------------------- */

static bool changes(const struct request *request)
{
	return strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0;
}

/* Whether an Origin is that of our own pages. */
static bool origin_is_ours(const struct call *call, const char *origin)
{
	struct arena *arena = call->request->arena;
	const char *url = stores_settings(call->stores)->center.url;
	const char *theirs = host_of_url(origin, arena);
	if (*url != '\0')
		return strncasecmp(url, origin, strcspn(url, ":")) == 0 &&
		       strcasecmp(theirs, host_of_url(url, arena)) == 0;
	const char *host = request_header(call->request, "Host");
	return host && strcasecmp(theirs, host) == 0;
}

enum site { SITE_UNKNOWN, SITE_OWN, SITE_FOREIGN };

static enum site site_of(const struct call *call)
{
	const char *fetch = request_header(call->request, "Sec-Fetch-Site");
	const char *origin = request_header(call->request, "Origin");
	if (origin && !origin_is_ours(call, origin))
		return SITE_FOREIGN;
	if (fetch && strcmp(fetch, "same-origin") == 0)
		return SITE_OWN;
	if (fetch)
		return strcmp(fetch, "none") == 0 ? SITE_UNKNOWN : SITE_FOREIGN;
	return origin ? SITE_OWN : SITE_UNKNOWN;
}

static bool refuse(struct call *call, int status, const char *detail)
{
	response_problem(call->response, status, detail);
	return false;
}

/* With a cookie, which a browser sends by itself, the request has to come from our own pages. */
static bool site_may(struct call *call)
{
	if (!changes(call->request))
		return true;
	enum site site = site_of(call);
	if (site == SITE_FOREIGN || (site != SITE_OWN && call->session))
		return refuse(call, 403, "this request doesn't come from the center's own pages");
	return true;
}

/* -- who --------------------------------------------------------------------------------------- */

bool guard_secure(const struct call *call)
{
	return call->request->secure ||
	       strncmp(stores_settings(call->stores)->center.url, "https://", 8) == 0;
}

bool guard_private(const struct call *call)
{
	return call->request->secure || call->request->loopback;
}

static bool by_token(struct call *call, const char *header, struct error *err)
{
	static const char scheme[] = "Bearer ";
	struct accounts *accounts = stores_accounts(call->stores, err);
	if (accounts == NULL)
		return false;
	if (strncasecmp(header, scheme, sizeof scheme - 1) != 0)
		return true;
	return accounts_by_token(accounts, header + sizeof scheme - 1, call->request->arena,
	                         &call->account, &call->known, err);
}

static bool by_cookie(struct call *call, struct error *err)
{
	const char *secret = request_value(&call->request->cookies,
	                                   guard_secure(call) ? COOKIE_SECURE : COOKIE_PLAIN);
	struct accounts *accounts = secret ? stores_accounts(call->stores, err) : NULL;
	if (secret == NULL)
		return true;
	if (accounts == NULL || !sessions_find(accounts, secret, call->now, call->request->arena,
	                                       &call->account, &call->known, err))
		return false;
	call->session = call->known ? secret : NULL;
	return true;
}

/* Whose header is believed: that of one system user, over the Unix socket. */
static bool from_proxy(const struct call *call)
{
	const struct settings *settings = stores_settings(call->stores);
	struct passwd entry, *found = NULL;
	char room[4096];
	return *settings->center.user_header != '\0' && call->request->local &&
	       getpwnam_r(settings->center.proxy_user, &entry, room, sizeof room, &found) == 0 &&
	       found && found->pw_uid == call->request->peer;
}

/* Opens a session for whom the proxy names, unless the cookie is that one's already. */
static bool by_proxy(struct call *call)
{
	const char *name = stores_settings(call->stores)->center.user_header;
	const char *user = request_header(call->request, name);
	struct accounts *accounts;
	struct error err;
	char secret[SECRET_SIZE];
	if (user == NULL)
		return true;
	if (request_header_count(call->request, name) != 1 || *user == '\0')
		return refuse(call, 400, "the proxy's header names no user, or more than one");
	if (call->session && strcmp(call->account.name, user) == 0)
		return true;
	call->known = false;
	accounts = stores_accounts(call->stores, &err);
	if (accounts == NULL ||
	    !accounts_find(accounts, user, call->request->arena, &call->account, &err)) {
		if (err.code == EX_NOINPUT)
			return refuse(call, 403, "there is no account of that name");
		call_fail(call, &err);
		return false;
	}
	if (!sessions_begin(accounts, &call->account, &call->client, call->now, secret, &err)) {
		call_fail(call, &err);
		return false;
	}
	call->known = true;
	call->session = arena_strdup(call->request->arena, secret);
	response_cookie(call->response, call->request, guard_secure(call), secret);
	return true;
}

static bool find_who(struct call *call)
{
	const char *header = request_header(call->request, "Authorization");
	struct error err;
	if (header ? !by_token(call, header, &err) : !by_cookie(call, &err)) {
		call_fail(call, &err);
		return false;
	}
	return header || !from_proxy(call) || by_proxy(call);
}

/* -- what -------------------------------------------------------------------------------------- */

static bool role_may(const struct call *call, enum access access)
{
	return access == ACCESS_OPEN ||
	       (call->known && (int)call->account.role >= (int)access - (int)ACCESS_READER);
}

static bool demand_login(struct call *call)
{
	if (call_is_api(call)) {
		response_header(call->response, call->request, "WWW-Authenticate", "Bearer");
		return refuse(call, 401, "log in, or send an API token");
	}
	struct buf path = {0};
	buf_adds(&path, "/login");
	if (!changes(call->request) && strcmp(call->request->path, "/") != 0) {
		buf_adds(&path, "?next=");
		request_encode(call->request->target, &path);
	}
	response_redirect(call->response, call->request,
	                  arena_strdup(call->request->arena, buf_text(&path)));
	buf_free(&path);
	return false;
}

static bool is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = list ? list : ""; *at != '\0'; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");
		if (word == len && memcmp(at, name, len) == 0)
			return true;
		at += word;
	}
	return false;
}

/* An unknown parameter is most likely mistyped. */
static bool query_may(struct call *call)
{
	for (size_t i = 0; i < call->request->query.n; i++) {
		const char *name = call->request->query.rows[i].name;
		if (!is_listed(call->route->query, name))
			return refuse(call, 400,
			              arena_printf(call->request->arena,
			                           "unknown parameter \"%.60s\"", name));
	}
	return true;
}

static bool find_route(struct call *call)
{
	const char *allow;
	call->route = route_find(call, &allow);
	if (call->route)
		return true;
	if (!call->known)
		return demand_login(call);
	if (allow == NULL)
		return refuse(call, 404, "there is no such page");
	response_header(call->response, call->request, "Allow", allow);
	return refuse(call, 405, "this method isn't allowed here");
}

bool guard_admit(struct call *call, int64_t *ret_body_max)
{
	const struct settings *settings = stores_settings(call->stores);
	if (!host_is_ours(call))
		return refuse(call, 421, "this host name isn't the center's; see [center] url");
	if (!find_who(call) || !site_may(call) || !find_route(call))
		return false;
	if (call->route->access != ACCESS_OPEN && !call->known)
		return demand_login(call);
	if (!role_may(call, call->route->access))
		return refuse(call, 403, "your account may not do this");
	*ret_body_max = call->route->upload ? settings->center.max_upload + FORM_EXTRA : BODY_MAX;
	return query_may(call);
}

bool guard_form(struct call *call)
{
	/* An open form, the login's, has none: whoever sends it may be somebody else by now. */
	if (!call->session || !request_is_form(call->request) || call_is_api(call) ||
	    call->route->access == ACCESS_OPEN)
		return true;
	const char *token = request_value(&call->request->form, "token");
	return (token && form_token_fits(call->session, token)) ||
	       refuse(call, 403, "this form is too old; load the page again");
}
