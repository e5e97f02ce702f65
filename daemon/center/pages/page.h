/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_PAGE_H
#define CENTER_PAGES_PAGE_H

#include "center/entry/route.h"

#include <jansson.h>

/*
 * Pages are HTML from our own Mustache, out of the JSON that the API gives: `name` is a file of
 * assets/, embedded by the build, around it the frame of all pages. Besides its own data each has
 * `page`: language, title, path, token (of its forms), and `me`: name, role, can_change,
 * can_manage, can_admin; null where nobody is logged in. `nav` is where all pages lead [{path,
 * label, current}], `live` whether there is a stream of changes, `no_panel` whether this user hides
 * the side panel; `fixed` (JSON) and `blanks` are for the words of scripts.
 * {{#when}}, {{#day}} and {{#clock}} print times as when.h has them, {{phrase.KEY}} and
 * {{#word}}…{{/word}} (a fixed word) print as words.h has them, {{#label}}…{{/label}} (a field's
 * name) as labels.h.
 */
bool pages_prepare(struct error *err) MUST_CHECK; /* parses all templates, once */
void pages_free(void);

/* Answers with the page; takes over `data`. */
void page_answer(struct call *call, int status, const char *name, const char *title, json_t *data);
/* A page that says what failed. */
void page_fail(struct call *call, const struct error *err);
void page_fail_status(struct call *call, int status, const char *detail);

/* Whether pages lead there: whether there is such a route (its path as in the tables) for GET, and
 * for this account. */
bool page_leads(const struct call *call, const char *path);

extern const struct route page_routes[];
extern const struct route record_page_routes[];
extern const struct route contact_page_routes[];
extern const struct route reachable_page_routes[];
extern const struct route test_mail_page_routes[];
extern const struct route hours_page_routes[];
extern const struct route story_page_routes[];
extern const struct route add_page_routes[];
extern const struct route account_page_routes[];
extern const struct route user_page_routes[];
extern const struct route file_page_routes[];
extern const struct route rep_page_routes[];
extern const struct route hold_page_routes[];
extern const struct route jobs_page_routes[];
extern const struct route dead_page_routes[];
extern const struct route job_page_routes[];
extern const struct route today_page_routes[];
extern const struct route pause_page_routes[]; /* before mail_page_routes */
extern const struct route bulk_page_routes[];  /* before list_page_routes */
extern const struct route list_page_routes[];
extern const struct route mail_list_page_routes[]; /* before those of one */
extern const struct route report_page_routes[];    /* the same */
extern const struct route mail_page_routes[];
extern const struct route sent_page_routes[];
extern const struct route plot_page_routes[];
extern const struct route tile_page_routes[];
extern const struct route system_page_routes[];
extern const struct route tab_page_routes[]; /* the last: `:tab` is any */
extern const struct route opt_out_page_routes[];
extern const struct route entry_routes[]; /* login, logout, files of the pages */

#endif
