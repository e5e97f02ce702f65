/* SPDX-License-Identifier: MIT */
/* Coming in and going: login, logout, setting a password by a link, the pages' own files, health.
 */
#include "center/entry/guard.h"
#include "center/pages/assets.h"
#include "center/pages/page.h"
#include "center/pages/panel.h"
#include "center/pages/words.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void show_login(struct call *call, int status, const char *name, const char *fault)
{
	page_answer(call, status, "login", words(call, "login"),
	            json_pack("{s:b, s:s, s:s, s:s}", "private", guard_private(call), "name", name,
	                      "fault", fault, "next",
	                      next_of(status == 200 ? &call->request->query : &call->request->form,
	                              "/")));
}

static void login_page(struct call *call)
{
	if (call->known)
		response_redirect(call->response, call->request, "/");
	else
		show_login(call, 200, "", "");
}

static void enter(struct call *call, struct accounts *accounts)
{
	char secret[SECRET_SIZE];
	struct error err;
	if (call->session && !sessions_end(accounts, call->session, &err)) {
		page_fail(call, &err);
		return;
	}
	if (!sessions_begin(accounts, &call->account, &call->client, call->now, secret, &err) ||
	    !accounts_audit(accounts, call->account.name, "login", "", &call->client, call->now,
	                    &err)) {
		page_fail(call, &err);
		return;
	}
	response_cookie(call->response, call->request, guard_secure(call), secret);
	response_redirect(call->response, call->request, next_of(&call->request->form, "/"));
}

/* A wrong password is on record. What is not a name may be a password in the wrong field, and
 * isn't.
 */
static void audit_failure(struct call *call, const char *name)
{
	struct error ignored;
	struct accounts *accounts = stores_accounts(call->stores, &ignored);
	if (accounts)
		(void)!accounts_audit_refusal(accounts, account_name_valid(name) ? name : "",
		                              &call->client, call->now, &ignored);
}

static void refuse(struct call *call, enum login login, const char *name, int64_t wait_s,
                   const struct error *err)
{
	char text[24];
	if (login == LOGIN_WRONG)
		audit_failure(call, name);
	(void)snprintf(text, sizeof text, "%lld", (long long)wait_s);
	if (login == LOGIN_WAIT)
		response_header(call->response, call->request, "Retry-After",
		                arena_strdup(call->request->arena, text));
	if (login == LOGIN_WAIT)
		show_login(call, 429, name,
		           words_fill(call, "login.wait",
		                      json_pack("{s:I}", "n", (json_int_t)wait_s)));
	else if (login == LOGIN_WRONG)
		show_login(call, 401, name, words(call, "login.wrong"));
	else
		show_login(call, 503, name, err->text);
}

static void log_in(struct call *call)
{
	const char *name = request_value(&call->request->form, "name");
	const char *password = request_value(&call->request->form, "password");
	struct error err;
	int64_t wait_s;
	if (!guard_private(call)) {
		show_login(call, 403, "", words(call, "password.tls"));
		return;
	}
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (name == NULL || password == NULL || accounts == NULL) {
		show_login(call, accounts ? 400 : 503, name ? name : "",
		           accounts ? words(call, "login.needed") : err.text);
		return;
	}
	enum login login = accounts_login(accounts, name, password, &call->client, call->now,
	                                  &call->account, &wait_s, call->request->arena, &err);
	if (login == LOGIN_FINE)
		enter(call, accounts);
	else
		refuse(call, login, name, wait_s, &err);
}

static void log_out(struct call *call)
{
	struct error err;
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (accounts == NULL || (call->session && !sessions_end(accounts, call->session, &err)) ||
	    !accounts_audit(accounts, call->account.name, "logout", "", &call->client, call->now,
	                    &err)) {
		page_fail(call, &err);
		return;
	}
	response_cookie(call->response, call->request, guard_secure(call), NULL);
	response_redirect(call->response, call->request, "/login");
}

/* -- a link to set a password ------------------------------------------------------------------ */

static void show_password(struct call *call, int status, const char *whose, const char *fault)
{
	page_answer(call, status, "password", words(call, "password.title"),
	            json_pack("{s:s, s:s, s:b}", "whose", whose, "fault", fault, "private",
	                      guard_private(call)));
}

static const char *whose(struct call *call, struct accounts **ret, struct error *err)
{
	const char *name;
	*ret = stores_accounts(call->stores, err);
	if (*ret == NULL ||
	    !accounts_link_whose(*ret, call->names[0], call->now, call->request->arena, &name, err))
		return NULL;
	return name;
}

static void password_page(struct call *call)
{
	struct accounts *accounts;
	struct error err;
	const char *name = whose(call, &accounts, &err);
	if (name)
		show_password(call, 200, name, "");
	else
		page_fail(call, &err);
}

static void set_password(struct call *call)
{
	const char *password = request_value(&call->request->form, "password");
	struct accounts *accounts;
	struct error err;
	const char *name = whose(call, &accounts, &err);
	if (name == NULL)
		page_fail(call, &err);
	else if (!guard_private(call))
		show_password(call, 403, name, words(call, "password.tls"));
	else if (!accounts_link_use(accounts, call->names[0], password ? password : "", call->now,
	                            &err))
		show_password(call, 400, name, err.text);
	else
		response_redirect(call->response, call->request, "/login");
}

/* -- files and health -------------------------------------------------------------------------- */

static const char *type_of(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot && strcmp(dot, ".css") == 0   ? "text/css; charset=utf-8"
	       : dot && strcmp(dot, ".js") == 0  ? "text/javascript; charset=utf-8"
	       : dot && strcmp(dot, ".svg") == 0 ? "image/svg+xml"
	                                         : NULL;
}

static void page_login_file(struct call *call)
{
	for (size_t i = 0; i < n_page_files; i++) {
		if (strcmp(page_files[i].name, call->names[0]) != 0 || !type_of(page_files[i].name))
			continue;
		call->response->status = 200;
		call->response->type = type_of(page_files[i].name);
		call->response->embedded = page_files[i].text;
		call->response->embedded_len = strlen(page_files[i].text);
		response_header(call->response, call->request, "Cache-Control", "max-age=300");
		return;
	}
	response_problem(call->response, 404, "there is no such file");
}

static void healthz(struct call *call)
{
	response_text(call->response, 200, "ok");
}

const struct route entry_routes[] = {
        {ROUTE("GET", "/healthz", ACCESS_OPEN, healthz)},
        {ROUTE("GET", "/login", ACCESS_OPEN, login_page), .query = "next"},
        {ROUTE("POST", "/login", ACCESS_OPEN, log_in)},
        {ROUTE("POST", "/logout", ACCESS_READER, log_out)},
        {ROUTE("GET", "/password/:secret", ACCESS_OPEN, password_page)},
        {ROUTE("POST", "/password/:secret", ACCESS_OPEN, set_password)},
        {ROUTE("GET", "/assets/:name", ACCESS_OPEN, page_login_file)},
        {0},
};
