/* SPDX-License-Identifier: MIT */
/*
 * A mail's data in its short form against the same in full, as the engine wrote it for all mails
 * before: templates see the same of both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/jsontext.h"
#include "mail/context.h"

#include <stdlib.h>
#include <string.h>

#define CUSTOMER "{'number':'1001','name':'Site','timezone':'UTC','reference':'R-1'}"
#define OTHER    "{'number':'1002','name':'Yard','timezone':'UTC'}"
#define EVENT                                                                                      \
	"'id':'e3','source':'s','type':'job.completed','time':'T3','job':'J','customer':'1001'"
#define COMPANY "{'name':'Example Hauling'}"
#define CONTACT "{'name':'Ann','id':7}"
#define WINDOW  "{'arrive_by':'A','leave_by':'L'}"

/* In both, ' stands for ". */
static const struct {
	const char *what, *brief, *full;
} cases[] = {
        {"an event alone",
         "{'v':1,'event':{" EVENT ",'state':'completed'},'data':{'driver':'Sam','stop':3},"
         "'customer':" CUSTOMER ",'window':" WINDOW ",'contact':" CONTACT ",'company':" COMPANY "}",
         "{'event':{" EVENT ",'driver':'Sam','stop':3,'data':{'driver':'Sam','stop':3}},"
         "'job':{'id':'J','state':'completed','time':'T3','driver':'Sam','stop':3,'reference':"
         "'R-1',"
         "'customer':" CUSTOMER ",'window':" WINDOW ",'completed':true},"
         "'jobs':[{'id':'J','state':'completed','time':'T3','driver':'Sam','stop':3,'reference'"
         ":'R-1',"
         "'customer':" CUSTOMER ",'window':" WINDOW ",'completed':true}],"
         "'timeline':[{'event':'e3','state':'completed','type':'job.completed','time':'T3',"
         "'driver':'Sam','stop':3,'completed':true}],"
         "'company':" COMPANY ",'customer':" CUSTOMER ",'contact':" CONTACT ",'window':" WINDOW
         "}"},
        {"no window, data with names of our own",
         "{'v':1,'event':{" EVENT ",'state':'completed'},'data':{'id':'x','state':'y','job':'z',"
         "'customer':'w','data':'v','reference':'P','completed':'u','history':'t'},"
         "'customer':" CUSTOMER "}",
         "{'event':{" EVENT ",'state':'y','reference':'P','completed':'u','history':'t',"
         "'data':{'id':'x','state':'y','job':'z','customer':'w','data':'v','reference':'P',"
         "'completed':'u','history':'t'}},"
         "'job':{'id':'J','state':'completed','time':'T3','job':'z','data':'v','reference':'P',"
         "'completed':'u','history':'t','customer':" CUSTOMER ",'window':null},"
         "'jobs':[{'id':'J','state':'completed','time':'T3','job':'z','data':'v','reference':"
         "'P',"
         "'completed':'u','history':'t','customer':" CUSTOMER ",'window':null}],"
         "'timeline':[{'event':'e3','id':'x','state':'completed','type':'job.completed','time':"
         "'T3',"
         "'job':'z','customer':'w','data':'v','reference':'P','completed':'u','history':'t'}],"
         "'customer':" CUSTOMER "}"},
        {"a window that was published",
         "{'v':1,'event':{" EVENT ",'state':'completed'},'data':{'window':" WINDOW "},"
         "'customer':" OTHER "}",
         "{'event':{" EVENT ",'window':" WINDOW ",'data':{'window':" WINDOW "}},"
         "'job':{'id':'J','state':'completed','time':'T3','customer':" OTHER ",'window':" WINDOW
         ",'completed':true},"
         "'jobs':[{'id':'J','state':'completed','time':'T3','customer':" OTHER ",'window':" WINDOW
         ",'completed':true}],"
         "'timeline':[{'event':'e3','state':'completed','type':'job.completed','time':'T3',"
         "'window':" WINDOW ",'completed':true}],'customer':" OTHER ",'window':" WINDOW "}"},
        {"the office's, of an unknown customer",
         "{'v':1,'event':{" EVENT ",'state':'completed'},'company':" COMPANY
         ",'suspension':{'id':7}}",
         "{'event':{" EVENT ",'data':{}},"
         "'job':{'id':'J','state':'completed','time':'T3','completed':true},"
         "'jobs':[{'id':'J','state':'completed','time':'T3','completed':true}],"
         "'timeline':[{'event':'e3','state':'completed','type':'job.completed','time':'T3',"
         "'completed':true}],'company':" COMPANY ",'suspension':{'id':7}}"},
        {"a history, of which an event repeats and another's data was left out",
         "{'v':1,'event':{" EVENT ",'state':'completed'},'data':{'driver':'Sam'},'history':["
         "{'event':'e0','state':'dispatched','type':'job.dispatched','time':'T0','data':{}},"
         "{'event':'e1','state':'started','type':'job.started','time':'T1',"
         "'data':{'driver':'Kim','vehicle':'12','reference':'P'}},"
         "{'event':'e2','state':'started','type':'job.started','time':'T2','repeat':true,"
         "'data':{'vehicle':'13'}},"
         "{'event':'e3','state':'completed','type':'job.completed','time':'T3'},"
         "{'event':'e4','state':'failed','type':'job.failed','time':'T4',"
         "'data':{'vehicle':'14','driver':'Lee','failed':false}}],'customer':" CUSTOMER "}",
         "{'event':{" EVENT ",'driver':'Sam','data':{'driver':'Sam'}},"
         "'job':{'id':'J','state':'completed','time':'T3','driver':'Sam','vehicle':'14',"
         "'reference':'P','failed':false,'customer':" CUSTOMER ",'window':null,'completed':true,"
         "'history':true},"
         "'jobs':[{'id':'J','state':'completed','time':'T3','driver':'Sam','vehicle':'14',"
         "'reference':'P','failed':false,'customer':" CUSTOMER ",'window':null,"
         "'completed':true}],"
         "'timeline':["
         "{'event':'e0','state':'dispatched','type':'job.dispatched','time':'T0','dispatched':"
         "true},"
         "{'event':'e1','state':'started','type':'job.started','time':'T1','driver':'Kim',"
         "'vehicle':'12','reference':'P','started':true},"
         "{'event':'e3','state':'completed','type':'job.completed','time':'T3','driver':'Sam',"
         "'completed':true},"
         "{'event':'e4','state':'failed','type':'job.failed','time':'T4','driver':'Lee',"
         "'vehicle':'14','failed':false}],"
         "'customer':" CUSTOMER "}"},
        {"several jobs",
         "{'v':1,'event':{" EVENT ",'state':'completed'},'data':{'driver':'Sam'},"
         "'customer':" CUSTOMER ",'window':" WINDOW ",'contact':" CONTACT ",'events':["
         "{'event':{'id':'f','job':'K','time':'T5','state':'failed'},'data':{'reason':'rain'}},"
         "{'event':{'id':'h','job':'M','time':'T6'},'customer':{},'data':{'reason':'hail'}},"
         "{'event':{'id':'g','job':'L','time':'T6','state':'failed'},'customer':" OTHER
         ",'history':[{'event':'f','state':'started','type':'job.started','time':'T5','data':"
         "{'eta':'E'}},{'event':'g','state':'failed','type':'job.failed','time':'T6'}]}]}",
         "{'event':{" EVENT ",'driver':'Sam','data':{'driver':'Sam'}},"
         "'job':{'id':'J','state':'completed','time':'T3','driver':'Sam','reference':'R-1',"
         "'customer':" CUSTOMER ",'window':" WINDOW ",'completed':true,'grouped':true},"
         "'jobs':[{'id':'J','state':'completed','time':'T3','driver':'Sam','reference':'R-1',"
         "'customer':" CUSTOMER ",'window':" WINDOW ",'completed':true},"
         "{'id':'K','state':'failed','time':'T5','reason':'rain','reference':'R-1',"
         "'customer':" CUSTOMER ",'window':null,'failed':true},"
         "{'id':'M','time':'T6','reason':'hail'},"
         "{'id':'L','state':'failed','time':'T6','eta':'E','customer':" OTHER
         ",'window':null,'failed':true}],"
         "'timeline':[{'event':'e3','state':'completed','type':'job.completed','time':'T3',"
         "'driver':'Sam','completed':true}],"
         "'customer':" CUSTOMER ",'contact':" CONTACT ",'window':" WINDOW "}"},
};

static char *with_quotes(const char *text)
{
	char *copy = strdup(text);
	assert_non_null(copy);
	for (char *p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	return copy;
}

static char *read_and_print(const char *text)
{
	struct arena *arena = arena_new();
	struct buf out = {0};
	struct error err = {0};
	char *json = with_quotes(text);
	const struct jsonview *context = context_read(arena, json, &err);
	if (context == NULL)
		fail_msg("%s: %s", json, err.text);
	json_t *all = jsonview_json(context);
	jsontext_write(&out, all, JSONTEXT_SORTED);
	json_decref(all);
	arena_free(arena);
	free(json);
	return buf_take(&out);
}

/* As it is in full: what older versions recorded. */
static char *expected(const char *text)
{
	struct buf out = {0};
	char *json = with_quotes(text);
	json_t *all = jsontext_read(json, strlen(json), NULL);
	assert_non_null(all);
	jsontext_write(&out, all, JSONTEXT_SORTED);
	json_decref(all);
	free(json);
	return buf_take(&out);
}

static void both_forms_are_the_same_to_a_template(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *full = expected(cases[i].full), *got = read_and_print(cases[i].full);
		print_message("%s\n", cases[i].what);
		assert_string_equal(got, full);
		free(got);
		got = read_and_print(cases[i].brief);
		assert_string_equal(got, full);
		free(got);
		free(full);
	}
}

/* What context_complete() adds to a tree is added to what is read. */
static void what_is_not_complete_is_completed(void **state)
{
	static const char *const texts[] = {
	        "{}",
	        "[]",
	        "'x'",
	        ("{'job':{'state':'paused'},'jobs':[{'state':'paused'},{'state':'none'},3],"
	         "'timeline':[{'state':'started'},{},{'state':7},{'state':'failed','failed':null}]"
	         "}"),
	        "{'job':'x','jobs':[1,2],'timeline':{}}",
	        "{'job':{'history':1,'grouped':2},'timeline':[1]}",
	        "{'job':{'history':1,'grouped':2},'timeline':[1,2],'jobs':[1,2]}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct buf full = {0};
		char *json = with_quotes(texts[i]);
		json_t *tree = jsontext_read(json, strlen(json), NULL);
		assert_non_null(tree);
		context_complete(tree);
		jsontext_write(&full, tree, JSONTEXT_SORTED);
		json_decref(tree);
		free(json);
		char *got = read_and_print(texts[i]);
		assert_string_equal(got, buf_text(&full));
		free(got);
		buf_free(&full);
	}
}

static void what_is_not_json_is_refused(void **state)
{
	struct arena *arena = arena_new();
	struct error err = {0};
	(void)state;
	assert_null(context_read(arena, "{\"v\":1", &err));
	assert_int_equal(err.code, 65);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(both_forms_are_the_same_to_a_template),
	        cmocka_unit_test(what_is_not_complete_is_completed),
	        cmocka_unit_test(what_is_not_json_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
