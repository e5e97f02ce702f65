/* SPDX-License-Identifier: MIT */
/* Rendering: the templates that are built in, and what every page knows. */
#include "center/pages/page.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "center/pages/assets.h"
#include "center/pages/labels.h"
#include "center/pages/panel.h"
#include "center/pages/when.h"
#include "center/pages/words.h"
#include "model/kind.h"
#include "template/catalogue.h"
#include "template/mustache.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static struct mustache **parsed; /* beside page_files[]; NULL for what is not a template */

static bool is_template(const struct page_file *asset)
{
	size_t len = strlen(asset->name);
	return len > 5 && strcmp(asset->name + len - 5, ".html") == 0;
}

bool pages_prepare(struct error *err)
{
	parsed = mem_alloc(n_page_files * sizeof(struct mustache *));
	for (size_t i = 0; i < n_page_files; i++) {
		if (!is_template(&page_files[i]))
			continue;
		parsed[i] = mustache_parse(page_files[i].text, strlen(page_files[i].text),
		                           page_files[i].name, 1, err);
		if (parsed[i] == NULL)
			return false;
	}
	return true;
}

void pages_free(void)
{
	for (size_t i = 0; parsed && i < n_page_files; i++)
		if (parsed[i])
			(void)mustache_free(parsed[i]);
	free(parsed);
	parsed = NULL;
}

static const struct mustache *find(const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < n_page_files; i++)
		if (parsed[i] && strncmp(page_files[i].name, name, len) == 0 &&
		    strcmp(page_files[i].name + len, ".html") == 0)
			return parsed[i];
	return NULL;
}

/* `{{> content}}` in the frame is the page itself. */
static const struct mustache *partial(void *arg, const char *name)
{
	return strcmp(name, "content") == 0 ? arg : find(name);
}

static json_t *account_of(const struct call *call)
{
	enum role role = call->account.role;
	if (!call->known)
		return json_null();
	return json_pack("{s:s, s:s, s:b, s:b, s:b}", "name", call->account.name, "role",
	                 role_name(role), "can_change", role >= ROLE_CLERK, "can_manage",
	                 role >= ROLE_MANAGER, "can_admin", role >= ROLE_ADMIN);
}

/* -- what all pages know ----------------------------------------------------------------------- */

bool page_leads(const struct call *call, const char *path)
{
	for (size_t t = 0; call->tables[t]; t++)
		for (const struct route *route = call->tables[t]; route->path; route++)
			if (strcmp(route->method, "GET") == 0 && strcmp(route->path, path) == 0)
				return (int)call->account.role >=
				       (int)route->access - (int)ACCESS_READER;
	return false;
}

static json_t *nav_of(const struct call *call)
{
	static const struct {
		const char *path, *label;
	} rows[] = {{"/today", "nav.today"}, {"/lists", "nav.lists"}, {"/jobs", "nav.jobs"},
	            {"/holds", "nav.holds"}, {"/mails", "nav.mails"}, {"/dead", "nav.dead"},
	            {"/users", "users"}};
	json_t *nav = json_array();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (page_leads(call, rows[i].path))
			json_array_append_new(
			        nav, json_pack("{s:s, s:s, s:b}", "path", rows[i].path, "label",
			                       words(call, rows[i].label), "current",
			                       strcmp(call->request->path, rows[i].path) == 0));
	return nav;
}

/* What find.js says of a customer, where the language has words of its own for it: JSON as text. */
static json_t *fixed_words(const struct call *call)
{
	static const char *const others[] = {"suspended", "new", "released", "active", "inactive"};
	json_t *words = json_object();
	for (int by = BY_NAME; by < BY_COUNT; by++) {
		const char *name = search_by_name((enum search_by)by);
		json_object_set_new(words, name, json_string(words_find(call, "word", name)));
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		json_object_set_new(words, others[i],
		                    json_string(words_find(call, "word", others[i])));
	char *text = json_dumps(words, JSON_COMPACT);
	json_t *dumped = json_string(text ? text : "{}");
	free(text);
	json_decref(words);
	return dumped;
}

static void add_common(struct call *call, const char *title, json_t *data)
{
	char token[SECRET_SIZE] = "";
	if (call->session)
		form_token(call->session, token);
	json_t *page = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:b, s:b, s:b, s:b}",
	                         "language", words_language(call), "title", title, "path",
	                         call->request->path, "target", call->request->target, "token",
	                         token, "me", account_of(call), "nav", nav_of(call), "since",
	                         call->since, "live", page_leads(call, "/api/v1/live"),
	                         "has_account", page_leads(call, "/account"), "leads_jobs",
	                         page_leads(call, "/jobs/:job"), "no_panel", panel_hidden(call));
	if (call->known) {
		json_object_set_new(page, "fixed", fixed_words(call));
		json_object_set_new(page, "blanks", json_pack("{s:s}", "who", "{who}"));
	}
	json_object_set_new(data, "page", page);
}

/* -- rendering --------------------------------------------------------------------------------- */

/* {{#url}}…{{/url}}: a part of a path or query, percent-encoded. */
static void url_helper(void *arg, const char *text, struct buf *ret)
{
	(void)arg;
	request_encode(text, ret);
}

static void when_helper(void *arg, const char *text, struct buf *ret)
{
	buf_adds(ret, when_words(arg, text));
}

static void day_helper(void *arg, const char *text, struct buf *ret)
{
	buf_adds(ret, when_day(arg, text));
}

static void word_helper(void *arg, const char *text, struct buf *ret)
{
	buf_adds(ret, label_word(arg, text));
}

static void label_helper(void *arg, const char *text, struct buf *ret)
{
	buf_adds(ret, label_name(arg, text));
}

static const struct mustache *phrase(void *arg, const char *name)
{
	const char *key = catalogue_key(name);
	return key ? words_template(arg, key) : NULL;
}

static void clock_helper(void *arg, const char *text, struct buf *ret)
{
	buf_adds(ret, when_clock(arg, text));
}

void page_answer(struct call *call, int status, const char *name, const char *title, json_t *data)
{
	static const struct mustache_helper helpers[] = {
	        {"url", url_helper},     {"when", when_helper}, {"day", day_helper},
	        {"clock", clock_helper}, {"word", word_helper}, {"label", label_helper}};
	struct mustache_options options = {.escape = true,
	                                   .partial = partial,
	                                   .partial_arg = (void *)(uintptr_t)find(name),
	                                   .lambda = phrase,
	                                   .lambda_arg = call,
	                                   .helpers = helpers,
	                                   .n_helpers = sizeof helpers / sizeof *helpers,
	                                   .helper_arg = call};
	struct error err;
	add_common(call, title, data);
	buf_reset(&call->response->body);
	call->response->status = status;
	call->response->type = "text/html; charset=utf-8";
	if (!mustache_render(find("frame"), data, &options, &call->response->body, &err))
		response_text(call->response, 500, err.text);
	json_decref(data);
}

void page_fail_status(struct call *call, int status, const char *detail)
{
	enum { SHOWN_MAX = 600 }; /* a fault's text may have been cut within a character */
	char shown[SHOWN_MAX];
	page_answer(call, status, "fault", words(call, "fault.title"),
	            json_pack("{s:s}", "detail", utf8_show(detail, shown, sizeof shown)));
}

void page_fail(struct call *call, const struct error *err)
{
	int status = response_status_of(err);
	if (status == 503)
		response_header(call->response, call->request, "Retry-After", "5");
	page_fail_status(call, status == 422 ? 400 : status, call_fault_text(call, err));
}
