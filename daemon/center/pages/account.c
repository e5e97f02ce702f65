/* SPDX-License-Identifier: MIT */
/* One's own account: password, language, API token, and where one is logged in. */
#include "center/entry/guard.h"
#include "center/pages/command.h"
#include "center/pages/page.h"
#include "center/pages/words.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static struct accounts *accounts_of(struct call *call)
{
	struct error err;
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (accounts == NULL)
		page_fail(call, &err);
	return accounts;
}

/* Puts it on record, and reports where that fails: what isn't on record isn't done quietly. */
static bool audit(struct call *call, struct accounts *accounts, const char *about)
{
	struct error err;
	if (accounts_audit(accounts, call->account.name, "account", about, &call->client, call->now,
	                   &err))
		return true;
	page_fail(call, &err);
	return false;
}

/* What an admin does for this account at the machine. */
static json_t *fold_of(const struct call *call)
{
	const char *name = call->account.name;
	return command_fold(
	        command_line(call, json_pack("[s, s, s]", "user", "password", name), NULL),
	        command_line(call, json_pack("[s, s, s]", "user", "token", name), NULL),
	        command_line(call, json_pack("[s, s, s]", "user", "token", name),
	                     json_pack("[s]", "--revoke")),
	        NULL);
}

static void show(struct call *call, int status, const char *fault, const char *token)
{
	struct error err;
	json_t *sessions;
	struct accounts *accounts = accounts_of(call);
	if (accounts == NULL)
		return;
	if (!sessions_list(accounts, call->account.id, call->session ? call->session : "",
	                   call->now, &sessions, &err)) {
		page_fail(call, &err);
		return;
	}
	page_answer(call, status, "account", words(call, "account.title"),
	            json_pack("{s:s, s:s, s:o, s:o, s:o, s:b, s:b, s:b}", "fault", fault, "token",
	                      token, "fold", fold_of(call), "languages",
	                      words_languages(call->account.language), "sessions", sessions,
	                      "has_password", call->account.has_password, "has_token",
	                      call->account.has_token, "private", guard_private(call)));
}

static void account(struct call *call)
{
	show(call, 200, "", "");
}

/* -- the password ------------------------------------------------------------------------------ */

/* All sessions end with the old one; this browser gets a new one. */
static void go_on(struct call *call, struct accounts *accounts)
{
	char secret[SECRET_SIZE];
	struct error err;
	if (!sessions_begin(accounts, &call->account, &call->client, call->now, secret, &err)) {
		page_fail(call, &err);
		return;
	}
	response_cookie(call->response, call->request, guard_secure(call), secret);
	response_redirect(call->response, call->request, "/account");
}

static void set_password(struct call *call, struct accounts *accounts, const char *password)
{
	struct error err;
	if (!accounts_set_password(accounts, call->account.name, password, &err)) {
		if (err.code == EX_DATAERR)
			show(call, 422, err.text, "");
		else
			page_fail(call, &err);
	} else if (audit(call, accounts, "own password")) {
		go_on(call, accounts);
	}
}

/* The current one is asked for like a login, with the same delays. */
static void change_password(struct call *call)
{
	const char *current = request_value(&call->request->form, "current");
	const char *password = request_value(&call->request->form, "password");
	struct account same;
	struct error err;
	int64_t wait_s;
	struct accounts *accounts = accounts_of(call);
	if (accounts == NULL)
		return;
	if (!guard_private(call)) {
		show(call, 403, words(call, "password.tls"), "");
		return;
	}
	switch (accounts_login(accounts, call->account.name, current ? current : "", &call->client,
	                       call->now, &same, &wait_s, call->request->arena, &err)) {
	case LOGIN_FINE:
		set_password(call, accounts, password ? password : "");
		break;
	case LOGIN_WRONG:
		show(call, 422, words(call, "password.wrong"), "");
		break;
	case LOGIN_WAIT:
		response_header(call->response, call->request, "Retry-After",
		                arena_printf(call->request->arena, "%lld", (long long)wait_s));
		show(call, 429,
		     words_fill(call, "login.wait", json_pack("{s:I}", "n", (json_int_t)wait_s)),
		     "");
		break;
	case LOGIN_FAULT:
		page_fail(call, &err);
		break;
	}
}

/* -- the language ------------------------------------------------------------------------------ */

static void change_language(struct call *call)
{
	const char *code = request_value(&call->request->form, "language");
	struct error err;
	struct accounts *accounts = accounts_of(call);
	if (accounts == NULL)
		return;
	if (code == NULL || (*code != '\0' && !words_has_language(code)))
		show(call, 422, words(call, "account.language.none"), "");
	else if (accounts_set_language(accounts, call->account.name, code, &err))
		response_redirect(call->response, call->request, "/account");
	else
		page_fail(call, &err);
}

/* -- the token --------------------------------------------------------------------------------- */

static void change_token(struct call *call)
{
	char secret[SECRET_SIZE] = "";
	const char *what = request_value(&call->request->form, "what");
	bool revoke = what && strcmp(what, "revoke") == 0;
	struct error err;
	struct accounts *accounts = accounts_of(call);
	if (accounts == NULL)
		return;
	if (!accounts_set_token(accounts, call->account.name, revoke ? NULL : secret, &err)) {
		page_fail(call, &err);
		return;
	}
	if (!audit(call, accounts, revoke ? "own token revoked" : "own token"))
		return;
	call->account.has_token = !revoke;
	if (revoke)
		response_redirect(call->response, call->request, "/account");
	else
		show(call, 200, "", secret);
}

/* -- sessions ---------------------------------------------------------------------------------- */

static void end_session(struct call *call)
{
	struct error err;
	struct accounts *accounts = accounts_of(call);
	if (accounts == NULL)
		return;
	if (sessions_end_one(accounts, call->account.id, strtoll(call->names[0], NULL, 10), &err))
		response_redirect(call->response, call->request, "/account");
	else
		page_fail(call, &err);
}

const struct route account_page_routes[] = {
        {ROUTE("GET", "/account", ACCESS_READER, account)},
        {ROUTE("POST", "/account/password", ACCESS_READER, change_password)},
        {ROUTE("POST", "/account/language", ACCESS_READER, change_language)},
        {ROUTE("POST", "/account/token", ACCESS_READER, change_token)},
        {ROUTE("POST", "/account/sessions/:id/end", ACCESS_READER, end_session)},
        {0},
};
