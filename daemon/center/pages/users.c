/* SPDX-License-Identifier: MIT */
/* Accounts, for an admin: who may come in and as what, links to set a password, and who did what.
 */
#include "base/jsontext.h"
#include "center/entry/guard.h"
#include "center/pages/command.h"
#include "center/pages/form_command.h"
#include "center/pages/page.h"
#include "center/pages/words.h"

#include <string.h>
#include <sysexits.h>

enum { AUDIT_MAX = 100 };

/* -- the page ---------------------------------------------------------------------------------- */

/* `named` is there where the language has a word of its own. */
static json_t *roles_of(const struct call *call, const char *selected)
{
	json_t *roles = json_array();
	for (int i = 0; i < ROLE_COUNT; i++) {
		const char *name = role_name((enum role)i);
		json_array_append_new(roles, json_pack("{s:s, s:s?, s:b}", "value", name, "named",
		                                       words_find(call, "word", name), "selected",
		                                       strcmp(name, selected) == 0));
	}
	return roles;
}

struct shown {
	int status;
	const char *fault, *name, *role; /* what was typed, where it was wrong */
	const char *link, *whose;        /* a new link, to hand over */
};

/* -- as commands ------------------------------------------------------------------------------- */

/* What the buttons of each account do. */
static json_t *accounts_fold(const struct call *call, const json_t *users)
{
	json_t *commands = json_array(), *row;
	size_t i;
	command_add(call, commands, json_pack("[s, s]", "user", "list"), NULL);
	json_array_foreach((json_t *)(uintptr_t)users, i, row)
	{
		const char *name = jsontext_at(row, "name"), *role = jsontext_at(row, "role");
		command_add(call, commands, json_pack("[s, s, s, s]", "user", "role", name, role),
		            NULL);
		command_add(call, commands, json_pack("[s, s, s]", "user", "password", name), NULL);
		if (json_is_true(json_object_get(row, "token")))
			command_add(call, commands, json_pack("[s, s, s]", "user", "token", name),
			            json_pack("[s]", "--revoke"));
	}
	return json_pack("{s:o}", "commands", commands);
}

static json_t *add_fold(const struct call *call, const struct shown *shown)
{
	json_t *words = json_pack("[s, s]", "user", "add");
	json_t *follow = form_command_follow(words, "name");
	json_array_append_new(words,
	                      json_string(shown->name && *shown->name ? shown->name : "NAME"));
	json_t *options = json_pack("[s, s]", "--role", shown->role ? shown->role : "clerk");
	json_t *fold = command_fold(command_line(call, words, options), NULL);
	json_object_set_new(fold, "follow", follow);
	return fold;
}

/* -- showing it -------------------------------------------------------------------------------- */

static void show(struct call *call, const struct shown *shown)
{
	struct error err;
	json_t *users = NULL, *audit = NULL, *row;
	size_t i;
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (accounts == NULL || !accounts_list(accounts, &users, &err) ||
	    !accounts_audit_list(accounts, AUDIT_MAX, &audit, &err)) {
		json_decref(users);
		page_fail(call, &err);
		return;
	}
	json_array_foreach(users, i, row)
	{
		const char *role = json_string_value(json_object_get(row, "role"));
		json_object_set_new(row, "roles", roles_of(call, role ? role : ""));
	}
	page_answer(call, shown->status, "users", words(call, "users"),
	            json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:s, s:s}", "users", users,
	                      "accounts_fold", accounts_fold(call, users), "add_fold",
	                      add_fold(call, shown), "audit", audit, "fault",
	                      shown->fault ? shown->fault : "", "name",
	                      shown->name ? shown->name : "", "roles",
	                      roles_of(call, shown->role ? shown->role : "clerk"), "link",
	                      shown->link ? shown->link : "", "whose",
	                      shown->whose ? shown->whose : ""));
}

static void users(struct call *call)
{
	const struct shown shown = {.status = 200};
	show(call, &shown);
}

/* -- changes ----------------------------------------------------------------------------------- */

static void fail(struct call *call, const struct error *err)
{
	const struct shown shown = {.status = 422, .fault = err->text};
	if (err->code == EX_DATAERR)
		show(call, &shown);
	else
		page_fail(call, err);
}

static bool audit(struct call *call, struct accounts *accounts, const char *what, const char *name,
                  struct error *err)
{
	return accounts_audit(accounts, call->account.name, "account",
	                      arena_printf(call->request->arena, "%s %s", name, what),
	                      &call->client, call->now, err);
}

/* As the browser reaches us: by [center] url, or by the name that it used. */
static const char *link_to(struct call *call, const char *secret)
{
	const char *url = stores_settings(call->stores)->center.url;
	const char *host = request_header(call->request, "Host");
	size_t len = strlen(url);
	while (len > 0 && url[len - 1] == '/')
		len--;
	if (len > 0)
		return arena_printf(call->request->arena, "%.*s/password/%s", (int)len, url,
		                    secret);
	return arena_printf(call->request->arena, "%s://%s/password/%s",
	                    guard_secure(call) ? "https" : "http", host ? host : "localhost",
	                    secret);
}

static void show_link(struct call *call, struct accounts *accounts, const char *name)
{
	char secret[SECRET_SIZE];
	struct error err;
	if (!accounts_link(accounts, name, call->now, secret, &err) ||
	    !audit(call, accounts, "link", name, &err)) {
		fail(call, &err);
		return;
	}
	const struct shown shown = {.status = 200, .link = link_to(call, secret), .whose = name};
	show(call, &shown);
}

static void page_users_add(struct call *call)
{
	const char *name = request_value(&call->request->form, "name");
	const char *word = request_value(&call->request->form, "role");
	struct error err;
	enum role role;
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (accounts && role_find(word ? word : "", &role, &err) &&
	    accounts_add(accounts, name ? name : "", role, NULL, call->now, &err) &&
	    audit(call, accounts, arena_printf(call->request->arena, "added as %s", word), name,
	          &err)) {
		show_link(call, accounts, name);
		return;
	}
	const struct shown shown = {.status = 422, .fault = err.text, .name = name, .role = word};
	if (err.code == EX_DATAERR)
		show(call, &shown);
	else
		page_fail(call, &err);
}

static void set_role(struct call *call)
{
	const char *word = request_value(&call->request->form, "role");
	struct error err;
	enum role role;
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (accounts && role_find(word ? word : "", &role, &err) &&
	    accounts_set_role(accounts, call->names[0], role, &err) &&
	    audit(call, accounts, arena_printf(call->request->arena, "is %s", word), call->names[0],
	          &err))
		response_redirect(call->response, call->request, "/users");
	else
		fail(call, &err);
}

static void new_link(struct call *call)
{
	struct error err;
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (accounts)
		show_link(call, accounts, call->names[0]);
	else
		page_fail(call, &err);
}

static void revoke_token(struct call *call)
{
	struct error err;
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (accounts && accounts_set_token(accounts, call->names[0], NULL, &err) &&
	    audit(call, accounts, "token revoked", call->names[0], &err))
		response_redirect(call->response, call->request, "/users");
	else
		fail(call, &err);
}

static void page_users_ask_to_remove(struct call *call)
{
	page_answer(call, 200, "sure", words(call, "sure"),
	            json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o}", "question",
	                      words_fill(call, "users.remove.question",
	                                 json_pack("{s:s}", "name", call->names[0])),
	                      "detail", words(call, "users.remove.detail"), "action",
	                      call->request->path, "verb", words(call, "remove"), "back", "/users",
	                      "removes", 1, "fold",
	                      command_fold(command_line(call,
	                                                json_pack("[s, s, s]", "user", "remove",
	                                                          call->names[0]),
	                                                NULL),
	                                   NULL)));
}

static void remove_user(struct call *call)
{
	struct error err;
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (accounts && accounts_remove(accounts, call->names[0], &err) &&
	    audit(call, accounts, "removed", call->names[0], &err))
		response_redirect(call->response, call->request, "/users");
	else
		fail(call, &err);
}

const struct route user_page_routes[] = {
        {ROUTE("GET", "/users", ACCESS_ADMIN, users)},
        {ROUTE("POST", "/users", ACCESS_ADMIN, page_users_add)},
        {ROUTE("POST", "/users/:name/role", ACCESS_ADMIN, set_role)},
        {ROUTE("POST", "/users/:name/link", ACCESS_ADMIN, new_link)},
        {ROUTE("POST", "/users/:name/revoke", ACCESS_ADMIN, revoke_token)},
        {ROUTE("GET", "/users/:name/remove", ACCESS_ADMIN, page_users_ask_to_remove)},
        {ROUTE("POST", "/users/:name/remove", ACCESS_ADMIN, remove_user)},
        {0},
};
