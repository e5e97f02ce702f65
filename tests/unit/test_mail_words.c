/* SPDX-License-Identifier: MIT */
/*
 * Every shipped mail in every language, to the letter: each is rendered with all of its data and
 * with each optional value left out, and compared with mail-digests.txt. A line of that file is a
 * locale, a mail, and a digest for each row of `contexts`. Dates are replaced by a function of this
 * file that prints what it is given, style and all, so that no digest depends on the system's names
 * of days.
 *
 * An intended change of the mails is recorded with
 *
 *      MAIL_DIGESTS=tests/unit/mail-digests.txt build/unit/test_mail_words
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/templates.h"

#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHIPPED "conf/templates"
#define DIGESTS "tests/unit/mail-digests.txt"

static const char *const mails[] = {"dispatched", "started",   "completed", "failed",
                                    "paused",     "cancelled", "collision"};
/* pl is a language that has no words of its own; the last one is the set behind all others. */
static const char *const locales[] = {"none", "en",    "en-GB", "de", "de-AT",
                                      "fr",   "fr-CA", "es",    "pl", "built-in"};
#define FROM "Example <d@example.com>"

enum {
	MAILS = sizeof mails / sizeof *mails,
	LOCALES = sizeof locales / sizeof *locales,
	SHOWN = 8
};

#define SITE  "{'name':'M\xc3\xbcller & <Sons>','address':'1 Main St','city':'Golden'}"
#define HOURS "{'arrive_by':'WINDOW-FROM','leave_by':'WINDOW-TO'}"

static const char everything[] =
        "{'event':{'id':'e1','time':'EVENT-TIME','type':'job.x','reason':'gate \"locked\" & "
        "<shut>'},"
        "'job':{'id':'4711','reference':'PO 2209','service':'Roll-off "
        "swap','scheduled':'SCHEDULED',"
        "'eta':'ETA','driver':'Sam','vehicle':'T12','asset':'RO-118','reason':'gate locked',"
        "'note':'a & b\\n.\\nb','amount':12.5,'photos':['https://example.com/1.jpg','2.jpg']},"
        "'jobs':[{'id':'4711'}],"
        "'customer':{'number':'1001','name':'M\xc3\xbcller & <Sons>','address':'1 \"Main\" St',"
        "'city':'Golden','phone':'+1 303 555 0100'},"
        "'contact':{'name':'Rosa M','first_name':'Rosa & Co'},'window':" HOURS ","
        "'timeline':[{'state':'dispatched','time':'T1'},{'state':'started','time':'T2'},"
        "{'state':'paused','time':'T3','reason':'rain'},{'state':'completed','time':'T4'},"
        "{'state':'failed','time':'T5','reason':'gate "
        "<locked>'},{'state':'cancelled','time':'T6'}],"
        "'company':{'name':'Example & Hauling','phone':'555 0199','email':'d@example.com',"
        "'website':'https://example.com/?a&b'},"
        "'suspension':{'id':7,'customer':'1002','note':'unpaid & late','author':'Kim "
        "<k>','from':'FROM',"
        "'until':'UNTIL'}}";

/* Each job of a mail about several in another state, with more and less known about it. */
#define MANY                                                                                       \
	"=[{'id':'4711','state':'dispatched','service':'Swap','reference':'PO "                    \
	"1','scheduled':'S1',"                                                                     \
	"'driver':'Sam','vehicle':'T12','customer':" SITE ",'window':" HOURS "},"                  \
	"{'id':'4712','state':'started','driver':'Kim','customer':{'name':'Yard'},"                \
	"'window':{'arrive_by':'A','leave_by':'B','all_day':true}},"                               \
	"{'id':'4713','state':'paused','reason':'rain & wind','reference':'<PO>','customer':" SITE \
	"},"                                                                                       \
	"{'id':'4714','state':'failed','reason':'gate','driver':'Sam','window':" HOURS "},"        \
	"{'id':'4715','state':'cancelled','reason':'weather','customer':{'name':'Y','city':'Z'}}," \
	"{'id':'4716','state':'completed','service':'Delivery','scheduled':'S6','window':" HOURS   \
	"},"                                                                                       \
	"{'id':'4717','window':{'arrive_by':'ONLY'}},{}]"

/* All but a job's id. */
#define ALL_BUT_ID                                                                                 \
	"event job.reference job.service job.scheduled job.eta job.driver job.vehicle job.asset "  \
	"job.note "                                                                                \
	"job.amount job.photos customer contact window timeline company suspension"

/* What is taken out of everything, or put in with `=`: paths, between spaces. */
static const char *const contexts[] = {
        "",
        "event job jobs customer contact window timeline company suspension",
        ALL_BUT_ID,
        "event.time",
        "event.reason",
        "job.service",
        "job.reference",
        "job.service job.reference",
        "job.id",
        "job.note job.amount",
        "job.photos job.asset",
        "job.scheduled",
        "job.eta",
        "job.driver",
        "job.vehicle",
        "customer.address",
        "customer.city",
        "customer.number",
        "customer.name",
        "customer.phone",
        "customer.number suspension.id",
        "contact.first_name",
        "contact.first_name contact.name",
        "window",
        "window.leave_by",
        "window.all_day=true",
        "company.phone",
        "company.name",
        "company.website",
        "company.email company.phone",
        "suspension.id",
        "suspension.note",
        "suspension.author",
        "suspension.from",
        "suspension.until",
        "suspension",
        "timeline=[]",
        "timeline=[{'state':'started','time':'T1'}]",
        "timeline=[{'state':'dispatched'},{'state':'completed','time':'T2','reason':'x'}]",
        "jobs" MANY,
        "event.time contact company.phone suspension.until customer.number jobs" MANY,
        "event company jobs=[{'id':'1'},{'id':'2'}]",
};
enum { CONTEXTS = sizeof contexts / sizeof *contexts };

/* ---- in place of template/dates.c */

struct dates *dates_new(void)
{
	return NULL;
}

struct dates *dates_free(struct dates *dates)
{
	return dates;
}

void dates_helper(void *arg, const char *text, struct buf *ret)
{
	const struct dates_reader *reader = arg;
	buf_printf(ret, "<%s %s %s>", text, reader->locale, reader->timezone);
}

/* ---- a row's data */

static json_t *read_quoted(const char *text)
{
	char *copy = g_strdup(text);
	json_error_t error;
	for (char *p = copy; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p == '"' ? '`' : *p;
	json_t *value = json_loads(copy, JSON_DECODE_ANY, &error);
	if (value == NULL)
		fail_msg("%s in %s", error.text, copy);
	g_free(copy);
	return value;
}

static void change(json_t *root, const char *path)
{
	char name[60];
	const char *value = strchr(path, '=');
	size_t len = value ? (size_t)(value - path) : strlen(path);
	(void)snprintf(name, sizeof name, "%.*s", (int)len, path);
	char *dot = strchr(name, '.');
	json_t *object = root;
	if (dot != NULL) {
		*dot = '\0';
		object = json_object_get(root, name);
	}
	const char *member = dot ? dot + 1 : name;
	if (value == NULL)
		json_object_del(object, member);
	else
		json_object_set_new(object, member, read_quoted(value + 1));
}

/* Paths have no spaces, but values have. */
static char *context_of(const char *changes)
{
	json_t *root = read_quoted(everything);
	char **parts = g_strsplit(changes, " ", 0);
	for (size_t i = 0; parts[i] != NULL; i++) {
		if (strchr(parts[i], '=') != NULL) {
			change(root, changes);
			break;
		}
		if (*parts[i] != '\0')
			change(root, parts[i]);
		changes += strlen(parts[i]) + (parts[i + 1] != NULL);
	}
	g_strfreev(parts);
	char *text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return text;
}

/* ---- a mail's digest */

static void print_fault(void *arg, const char *text)
{
	(void)arg;
	fail_msg("%s", text);
}

static void add_digest(const struct templates *templates, struct dates *dates, const char *mail,
                       const char *locale, const char *context, struct buf *ret)
{
	struct outgoing_mail *outgoing = outgoing_mail_new();
	struct buf out = {0};
	struct error err = {0};
	bool broken = true;
	outgoing->to = "rosa@example.com";
	outgoing->to_name = "Rosa";
	outgoing->template = mail;
	outgoing->locale =
	        strcmp(locale, "none") == 0 || strcmp(locale, "built-in") == 0 ? "" : locale;
	outgoing->timezone = "America/Denver";
	outgoing->message_id = "<1@example.com>";
	outgoing->context = context;
	if (!templates_render(templates, dates, outgoing, &out, &broken, &err) || broken)
		fail_msg("%s %s: %s", locale, mail, err.text);
	char *digest =
	        g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)out.data, out.len);
	buf_printf(ret, " %.*s", SHOWN, digest);
	g_free(digest);
	buf_free(&out);
	outgoing_mail_free(outgoing);
}

static void add_line(const struct templates *templates, struct dates *dates, const char *mail,
                     const char *locale, struct buf *ret)
{
	buf_printf(ret, "%s %s", locale, mail);
	for (size_t i = 0; i < CONTEXTS; i++) {
		char *context = context_of(contexts[i]);
		add_digest(templates, dates, mail, locale, context, ret);
		free(context);
	}
	buf_addc(ret, '\n');
}

static char *digests_now(void)
{
	struct buf now = {0};
	int faults = -1;
	struct templates *shipped = templates_load(SHIPPED, FROM, print_fault, NULL, &faults);
	struct templates *built_in = templates_load(NULL, FROM, print_fault, NULL, NULL);
	struct dates *dates = dates_new();
	assert_int_equal(faults, 0);
	for (size_t l = 0; l < LOCALES; l++)
		for (size_t m = 0; m < MAILS; m++)
			add_line(strcmp(locales[l], "built-in") == 0 ? built_in : shipped, dates,
			         mails[m], locales[l], &now);
	dates_free(dates);
	templates_unref(shipped);
	templates_unref(built_in);
	return buf_take(&now);
}

static void compare(const char *before, const char *now)
{
	char **a = g_strsplit(before, " ", 0), **b = g_strsplit(now, " ", 0);
	assert_int_equal(g_strv_length(a), CONTEXTS + 2);
	for (size_t i = 0; i < CONTEXTS + 2; i++)
		if (strcmp(a[i], b[i]) != 0)
			fail_msg("the mail %s in %s has changed; its context is everything, "
			         "changed by \"%s\"",
			         b[1], b[0], i < 2 ? "" : contexts[i - 2]);
	g_strfreev(a);
	g_strfreev(b);
}

static void mails_are_the_same_to_the_letter(void **state)
{
	(void)state;
	char *now = digests_now(), *before;
	if (getenv("MAIL_DIGESTS") != NULL)
		assert_true(g_file_set_contents(getenv("MAIL_DIGESTS"), now, -1, NULL));
	assert_true(g_file_get_contents(DIGESTS, &before, NULL, NULL));
	char **a = g_strsplit(before, "\n", 0), **b = g_strsplit(now, "\n", 0);
	assert_int_equal(g_strv_length(a), LOCALES * MAILS + 1);
	for (size_t i = 0; i < (size_t)LOCALES * MAILS; i++)
		compare(a[i], b[i]);
	g_strfreev(a);
	g_strfreev(b);
	g_free(before);
	free(now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(mails_are_the_same_to_the_letter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
