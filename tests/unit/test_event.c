/* SPDX-License-Identifier: MIT */
/*
 * Rule 1: tables of entries in both spellings, each with the event it makes ("type id source job
 * customer data", parted by blanks) or a piece of the sentence it is refused with.
 */
#include "model/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define X16      "xxxxxxxxxxxxxxxx"
#define X64      X16 X16 X16 X16
#define X128     X64 X64
#define X256     X128 X128
#define DEEP8    "[[[[[[[["
#define PEED8    "]]]]]]]]"

enum { MAX_SIZE = 256 * 1024, RECEIVED_MS = 1772000000 };
static const struct instant received = {RECEIVED_MS * INT64_C(1000)}; /* 2026-02-25T06:13:20Z */
static struct arena *arena;

struct verdict {
	const char *event; /* NULL: refused */
	const char *fault;
	enum entry_feed feed; /* the fields' tables only */
};

static void check(bool ok, const struct job_event *event, const struct error *err,
                  struct verdict want, const char *what)
{
	if (ok != (want.event != NULL))
		fail_msg("%s: %s", what, ok ? "is taken" : err->text);
	if (!ok) {
		if (strstr(err->text, want.fault) == NULL || strpbrk(err->text, "\r\n") != NULL)
			fail_msg("%s: \"%s\" doesn't say \"%s\"", what, err->text, want.fault);
		return;
	}
	const char *got = arena_printf(arena, "%s %s %s %s %s %s", event_type(event), event->id,
	                               event->source, event->job, event->customer, event->data);
	if (strcmp(got, want.event) != 0)
		fail_msg("%s: %s, not %s", what, got, want.event);
}

#define EVENT "\"id\":\"e\",\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"c\""

static const struct {
	const char *json;
	struct verdict want;
} json_cases[] = {
        {"{" EVENT "}", {.event = "job.started e  j c {}"}},
        {" \n{" EVENT "}\t", {.event = "job.started e  j c {}"}},
        {"{" EVENT ",\"source\":\"//dispatch/1\"}", {.event = "job.started e //dispatch/1 j c {}"}},
        {"{\"id\":17,\"type\":\"job.failed\",\"job\":-4711,\"customer\":1001}",
         {.event = "job.failed 17  -4711 1001 {}"}},
        {"{\"id\":18446744073709551615,\"type\":\"job.failed\",\"job\":\"12345678901234567890\","
         "\"customer\":1}",
         {.event = "job.failed 18446744073709551615  12345678901234567890 1 {}"}},
        {"{\"id\":\"e\",\"type\":\"job.paused\",\"job\":\"j\",\"customer\":\"007\"}",
         {.event = "job.paused e  j 007 {}"}},
        {"{\"id\":\"e\",\"type\":\"com.example.job.paused\",\"job\":\"j\",\"customer\":\"c\"}",
         {.event = "job.paused e  j c {}"}},
        {"{\"id\":\"e\",\"type\":\"x-1.job.cancelled\",\"job\":\"j\",\"customer\":\"c\"}",
         {.event = "job.cancelled e  j c {}"}},
        {"{\"id\":\"e\",\"type\":\"job.create\",\"job\":\"j\",\"customer\":\"c\"}",
         {.event = "job.create e  j c {}"}},
        {"{\"id\":\"e\",\"type\":\"com.example.job.dispatch\",\"job\":\"j\",\"customer\":\"c\"}",
         {.event = "job.dispatch e  j c {}"}},
        {"{\"specversion\":\"1.0\",\"datacontenttype\":\"application/"
         "json\",\"dataschema\":\"urn:x\"," EVENT "}",
         {.event = "job.started e  j c {}"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"subject\":\"s\",\"customer\":\"c\"}",
         {.event = "job.started e  s c {}"}},
        {"{" EVENT ",\"subject\":\"s\"}", {.event = "job.started e  j c {\"subject\":\"s\"}"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"data\":{\"job\":7,\"customer\":\"8\"}}",
         {.event = "job.started e  7 8 {\"job\":7,\"customer\":\"8\"}"}},
        {"{" EVENT ",\"data\":{\"job\":\"other\"}}",
         {.event = "job.started e  j c {\"job\":\"other\"}"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"subject\":\"s\",\"customer\":\"c\",\"data\":{"
         "\"job\":{"
         "\"a\":1}}}",
         {.event = "job.started e  s c {\"job\":{\"a\":1}}"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"job\":null,\"subject\":\"s\",\"customer\":"
         "\"c\"}",
         {.event = "job.started e  s c {}"}},
        {"{" EVENT ",\"source\":null,\"time\":null,\"data\":null}",
         {.event = "job.started e  j c {}"}},
        {"{" EVENT ",\"data\":{ \"z\" : 1, \"a\" : [ 1.50, true, null ] }}",
         {.event = "job.started e  j c {\"z\":1,\"a\":[1.5,true,null]}"}},
        {"{" EVENT ",\"data\":{\"amount\":49.95,\"n\":1e300,\"w\":2.0}}",
         {.event = "job.started e  j c {\"amount\":49.95,\"n\":1e+300,\"w\":2.0}"}},
        {"{" EVENT ",\"data\":{\"driver\":\"J\\u00fcrgen \\ud83d\\ude9a\"}}",
         {.event = "job.started e  j c {\"driver\":\"Jürgen 🚚\"}"}},
        {"{" EVENT ",\"data\":{\"scheduled\":\"soon\",\"photos\":7,\"route\":[]}}",
         {.event = "job.started e  j c {\"scheduled\":\"soon\",\"photos\":7,\"route\":[]}"}},
        {"{" EVENT ",\"traceparent\":\"00-1\",\"data\":{\"a\":1}}",
         {.event = "job.started e  j c {\"a\":1,\"traceparent\":\"00-1\"}"}},
        {"{" EVENT ",\"a\":2,\"data\":{\"a\":1}}", {.event = "job.started e  j c {\"a\":1}"}},
        {"{" EVENT ",\"time\":\"2026-02-25T06:00:00+01:00\"}", {.event = "job.started e  j c {}"}},
        {"{\"id\":\"" X128 "\",\"type\":\"job.started\",\"job\":\"" X128 "\",\"customer\":\"" X128
         "\"}",
         {.event = "job.started " X128 "  " X128 " " X128 " {}"}},
        {"{" EVENT ",\"source\":\"" X256 "\"}", {.event = "job.started e " X256 " j c {}"}},
        {"{" EVENT ",\"data\":{\"a\":" DEEP8 DEEP8 DEEP8 "[[[[[[[" PEED8 PEED8 PEED8 "]]]]]]]}}",
         {.event = "job.started e  j c {\"a\":" DEEP8 DEEP8 DEEP8 "[[[[[[[" PEED8 PEED8 PEED8
                   "]]]]]]]}"}},

        {"", {.fault = "the event is not JSON"}},
        {"{", {.fault = "the event is not JSON"}},
        {"nonsense", {.fault = "the event is not JSON"}},
        {"[]", {.fault = "the event is an array"}},
        {"7", {.fault = "the event is an integer"}},
        {"null", {.fault = "the event is null"}},
        {"{}", {.fault = "id is missing"}},
        {"{" EVENT "} x", {.fault = "the event is not JSON: line 1"}},
        {"{" EVENT "}{}", {.fault = "the event is not JSON"}},
        {"{" EVENT ",}", {.fault = "the event is not JSON"}},
        {"{" EVENT ",\"id\":\"f\"}", {.fault = "the same key twice"}},
        {"{" EVENT ",\"data\":{\"a\":1,\"a\":2}}", {.fault = "the same key twice"}},
        {"{" EVENT ",\"data\":{\"a\":\"\xff\"}}", {.fault = "not UTF-8"}},
        {"{" EVENT ",\"data\":{\"a\":\"\xed\xa0\x80\"}}", {.fault = "not UTF-8"}},
        {"{" EVENT ",\"data\":[]}", {.fault = "data is an array"}},
        {"{" EVENT ",\"data\":\"{}\"}", {.fault = "data is text"}},
        {"{" EVENT ",\"data\":7}", {.fault = "data is an integer"}},
        {"{" EVENT ",\"data\":{\"a\":" DEEP8 DEEP8 DEEP8 DEEP8 PEED8 PEED8 PEED8 PEED8 "}}",
         {.fault = "data nests deeper than 32"}},
        {"{\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"c\"}", {.fault = "id is missing"}},
        {"{\"id\":\"e\",\"job\":\"j\",\"customer\":\"c\"}", {.fault = "type is missing"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"customer\":\"c\"}", {.fault = "job is missing"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"job\":\"j\"}", {.fault = "customer is missing"}},
        {"{\"id\":null,\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "id is missing"}},
        {"{\"id\":\"\",\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "id is empty"}},
        {"{\"id\":1.0,\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "id is a number with a fraction"}},
        {"{\"id\":true,\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "id is true"}},
        {"{\"id\":[\"e\"],\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "id is an array"}},
        {"{\"id\":\"" X128 "x\",\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "id has 129 bytes"}},
        {"{\"id\":\"a\\nb\",\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "id \"a?b\" contains a control character"}},
        {"{\"id\":\"a\\u0085\",\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "control character"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"job\":\"\\u007f\",\"customer\":\"c\"}",
         {.fault = "job \"?\" contains a control character"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"job\":\"\",\"customer\":\"c\"}",
         {.fault = "job is empty"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"job\":\"\",\"subject\":\"\",\"customer\":\"c\"}",
         {.fault = "job is empty"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"job\":\"" X128 "x\",\"customer\":\"c\"}",
         {.fault = "job has 129 bytes"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"\"}",
         {.fault = "customer is empty"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"job\":\"j\",\"customer\":{}}",
         {.fault = "customer is an object"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"job\":\"j\",\"data\":{\"customer\":false}}",
         {.fault = "customer is false"}},
        {"{" EVENT ",\"source\":7}", {.fault = "source is an integer; expected text"}},
        {"{" EVENT ",\"source\":\"" X256 "x\"}", {.fault = "source has 257 bytes"}},
        {"{" EVENT ",\"source\":\"a\\tb\"}",
         {.fault = "source \"a?b\" contains a control character"}},
        {"{" EVENT ",\"time\":1772000000}", {.fault = "time is an integer"}},
        {"{" EVENT ",\"time\":\"2026-02-25 06:00\"}",
         {.fault = "time \"2026-02-25 06:00\" is not RFC 3339"}},
        {"{" EVENT ",\"time\":\"2026-02-25T06:00:00\"}", {.fault = "is not RFC 3339"}},
        {"{" EVENT ",\"time\":\"2026-02-30T06:00:00Z\"}", {.fault = "is not RFC 3339"}},
        {"{\"id\":\"e\",\"type\":7,\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "type is an integer"}},
        {"{\"id\":\"e\",\"type\":\"job.done\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "type \"job.done\" is unknown; expected job.dispatched"}},
        {"{\"id\":\"e\",\"type\":\"Job.Started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "is unknown"}},
        {"{\"id\":\"e\",\"type\":\"xjob.started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "is unknown"}},
        {"{\"id\":\"e\",\"type\":\".job.started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "is unknown"}},
        {"{\"id\":\"e\",\"type\":\"a..job.started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "is unknown"}},
        {"{\"id\":\"e\",\"type\":\"job.started.v2\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "is unknown"}},
        {"{\"id\":\"e\",\"type\":\"started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "is unknown"}},
        {"{\"id\":\"e\",\"type\":\"job.dispatch\",\"job\":\"j\",\"customer\":\"c\",\"scheduled\":"
         "\"soon\"}",
         {.fault = "scheduled \"soon\" is not RFC 3339"}},
        {"{\"id\":\"e\",\"type\":\"job.dispatch\",\"job\":\"j\",\"customer\":\"c\",\"data\":{"
         "\"scheduled\":1}"
         "}",
         {.fault = "scheduled is an integer"}},
        {"{\"id\":\"e\",\"type\":\"job.dispatch\",\"job\":\"j\",\"customer\":\"c\",\"route\":\"a/"
         "b\"}",
         {.fault = "route \"a/b\" is not a route"}},
        {"{\"id\":\"e\",\"type\":\"job.dispatch\",\"job\":\"j\",\"customer\":\"c\",\"route\":\"" X64
         "x\"}",
         {.fault = "is not a route; expected 1 to 64"}},
        {"{\"id\":\"e\",\"type\":\"job.dispatch\",\"job\":\"j\",\"customer\":\"c\",\"route\":{}}",
         {.fault = "route is an object"}},
        {"{\"id\":\"e\",\"type\":\"job.dispatch\",\"job\":\"j\",\"customer\":\"c\",\"route\":\"R-7."
         "b_2\","
         "\"scheduled\":\"2026-03-05T09:00:00Z\"}",
         {.event = "job.dispatch e  j c "
                   "{\"route\":\"R-7.b_2\",\"scheduled\":\"2026-03-05T09:00:00Z\"}"}},
};

static void json_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(json_cases); i++) {
		struct job_event event;
		struct error err = {0};
		bool ok = event_read_json(json_cases[i].json, strlen(json_cases[i].json), received,
		                          MAX_SIZE, arena, &event, &err);
		check(ok, &event, &err, json_cases[i].want, json_cases[i].json);
	}
}

/* What others write and we can't hold, or need not have (contract, section 2). */
#define ID_  "\"id\":\"e\",\"type\":\"job.started\",\"customer\":\"c\""
#define MARK "\xEF\xBB\xBF"

static const struct {
	const char *json;
	struct verdict want;
} foreign_cases[] = {
        /* data is mended */
        {"{" EVENT ",\"data\":{\"a\":\"x\\u0000y\"}}",
         {.event = "job.started e  j c {\"a\":\"x�y\"}"}},
        {"{" EVENT ",\"data\":{\"a\":\"\\ud800\"}}", {.event = "job.started e  j c {\"a\":\"�\"}"}},
        {"{" EVENT ",\"data\":{\"a\":\"\\uDE9A\\uD83D\"}}",
         {.event = "job.started e  j c {\"a\":\"��\"}"}},
        {"{" EVENT ",\"data\":{\"a\":\"\\ud83d\\ud83d\\ude9a\"}}",
         {.event = "job.started e  j c {\"a\":\"�🚚\"}"}},
        {"{" EVENT ",\"data\":{\"a\":\"\\ud83dx\\u00e9\"}}",
         {.event = "job.started e  j c {\"a\":\"�xé\"}"}},
        {"{" EVENT ",\"data\":{\"a\":\"\\\\ud800\",\"b\":\"\\\"\\u0000\"}}",
         {.event = "job.started e  j c {\"a\":\"\\\\ud800\",\"b\":\"\\\"�\"}"}},
        {"{" EVENT ",\"data\":{\"k\\u0000\":{\"z\\udc00\":[\"\\u0000\"]}}}",
         {.event = "job.started e  j c {\"k�\":{\"z�\":[\"�\"]}}"}},
        {"{" EVENT ",\"data\":{\"c\":123456789012345678901,\"d\":-9223372036854775808}}",
         {.event = "job.started e  j c "
                   "{\"c\":\"123456789012345678901\",\"d\":-9223372036854775808}"}},
        {"{" EVENT ",\"trace\":\"\\ud800\"}", {.event = "job.started e  j c {\"trace\":\"�\"}"}},
        {"{" EVENT ",\"data\":{\"job\":\"\\u0000\"}}",
         {.event = "job.started e  j c {\"job\":\"�\"}"}},
        {"{" ID_ ",\"subject\":\"s\",\"data\":{\"job\":\"\\u0000\"}}",
         {.event = "job.started e  s c {\"job\":\"�\"}"}},
        {"{" EVENT ",\"data\":{\"a\":\"�\"}}", {.event = "job.started e  j c {\"a\":\"�\"}"}},
        {MARK "{" EVENT "}", {.event = "job.started e  j c {}"}},
        {MARK " {" EVENT ",\"data\":{\"a\":\"\\u0000\"}}",
         {.event = "job.started e  j c {\"a\":\"�\"}"}},

        /* attributes are not */
        {"{\"id\":\"a\\u0000\",\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "id holds \\u0000 or half a surrogate pair, which JSON allows and plain text "
                   "can't"}},
        {"{\"id\":\"a\",\"type\":\"job.started\",\"job\":\"\\ud800\",\"customer\":\"c\"}",
         {.fault = "job holds \\u0000 or half a surrogate pair"}},
        {"{\"id\":\"a\",\"type\":\"job.started\\u0000\",\"job\":\"j\",\"customer\":\"c\"}",
         {.fault = "type holds \\u0000 or half a surrogate pair"}},
        {"{" ID_ ",\"subject\":\"\\udfff\"}",
         {.fault = "subject holds \\u0000 or half a surrogate pair"}},
        {"{" ID_ ",\"data\":{\"job\":\"\\u0000\"}}",
         {.fault = "job holds \\u0000 or half a surrogate pair"}},
        {"{" EVENT ",\"source\":\"\\u0000\"}",
         {.fault = "source holds \\u0000 or half a surrogate pair"}},
        {"{" EVENT ",\"time\":\"\\u0000\"}",
         {.fault = "time holds \\u0000 or half a surrogate pair"}},
        {"{\"id\":123456789012345678901,\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"c\"}",
         {.event = "job.started 123456789012345678901  j c {}"}},

        /* what is no JSON stays none, in our words */
        {"{" EVENT ",\"data\":{\"a\":\"\\u00\"}}", {.fault = "an unknown escape in a string"}},
        {"{" EVENT ",\"data\":{\"a\":\"\\x\"}}", {.fault = "an unknown escape in a string"}},
        {"{" EVENT ",\"data\":{\"a\":\"x\ny\"}}", {.fault = "a line break inside a string"}},
        {"{" EVENT ",\"data\":{\"a\":1e999}}", {.fault = "a number beyond the range of a double"}},
        {"{" EVENT ",\"data\":{\"a\":01}}", {.fault = "no JSON value (found 0)"}},
        {"{" EVENT ",\"data\":{\"a\":\"\\u0000\"}",
         {.fault = "expected a comma or }, but the text ends"}},
        {"{" EVENT ",\"data\":{\"a\":\"\\ud800", {.fault = "the text ends inside a string"}},
        {"{" EVENT ",'a':1}", {.fault = "expected a key in quotes or } (found '"}},
        {"{" EVENT ",\"a\" 1}", {.fault = "expected a colon (found 1"}},
        {"{" EVENT "} x", {.fault = "more text behind the JSON value (found x)"}},
        {"{" EVENT ",\"data\":{\"a\\u0000\":1,\"a\\ud800\":2}}", {.fault = "the same key twice"}},
        {" ", {.fault = "the text is empty"}},
        {MARK, {.fault = "the text is empty"}},

        /* empty attributes */
        {"{" EVENT ",\"time\":\"\"}", {.event = "job.started e  j c {}"}},
        {"{" ID_ ",\"job\":\"\",\"subject\":\"s\"}", {.event = "job.started e  s c {}"}},
        {"{" ID_ ",\"job\":\"\",\"data\":{\"job\":7}}",
         {.event = "job.started e  7 c {\"job\":7}"}},
        {"{" ID_ ",\"subject\":\"s\",\"data\":{\"job\":\"\"}}",
         {.event = "job.started e  s c {\"job\":\"\"}"}},
        {"{\"id\":\"e\",\"type\":\"job.started\",\"job\":\"j\",\"customer\":\"\",\"data\":{"
         "\"customer\":"
         "\"c\"}}",
         {.event = "job.started e  j c {\"customer\":\"c\"}"}},

        /* CloudEvents' envelope */
        {"{" EVENT ",\"data_base64\":\"eyJhIjoxLCJiIjoixIUifQ==\"}",
         {.event = "job.started e  j c {\"a\":1,\"b\":\"ą\"}"}},
        {"{" EVENT ",\"data_base64\":\"eyJhIjoxLCJi\\r\\nIjoixIUifQ\"}",
         {.event = "job.started e  j c {\"a\":1,\"b\":\"ą\"}"}},
        {"{" ID_ ",\"data_base64\":\"eyJqb2IiOjQ3MTF9\"}",
         {.event = "job.started e  4711 c {\"job\":4711}"}},
        {"{" EVENT ",\"data\":null,\"data_base64\":\"e30=\"}", {.event = "job.started e  j c {}"}},
        {"{" EVENT ",\"data_base64\":\"\",\"data\":null}", {.event = "job.started e  j c {}"}},
        {"{" EVENT ",\"data\":{},\"data_base64\":null}", {.event = "job.started e  j c {}"}},
        {"{" EVENT ",\"data_base64\":\"eyJhIjoiXHVkODAwIn0=\"}",
         {.event = "job.started e  j c {\"a\":\"�\"}"}},
        {"{" ID_ ",\"data_base64\":\"eyJqb2IiOiJcdTAwMDAifQ==\"}",
         {.fault = "job holds \\u0000 or half a surrogate"}},
        {"{" EVENT ",\"data_base64\":\"77u/e30=\"}", {.event = "job.started e  j c {}"}},
        {"{" EVENT ",\"data\":{},\"data_base64\":\"e30=\"}",
         {.fault = "data and data_base64 are both present"}},
        {"{" EVENT ",\"data_base64\":\"e3!=\"}", {.fault = "data_base64 is not base64"}},
        {"{" EVENT ",\"data_base64\":\"e30=e30=\"}", {.fault = "data_base64 is not base64"}},
        {"{" EVENT ",\"data_base64\":\"//79\"}", {.fault = "data_base64 does not hold UTF-8 text"}},
        {"{" EVENT ",\"data_base64\":\"JVBERi0=\"}",
         {.fault = "data_base64 does not hold JSON: line 1"}},
        {"{" EVENT ",\"data_base64\":\"WzFd\"}",
         {.fault = "data_base64 holds an array; expected a JSON object"}},
        {"{" EVENT ",\"data_base64\":7}", {.fault = "data_base64 is an integer; expected text"}},
        {"{" EVENT
         ",\"datacontenttype\":\"application/json; charset=utf-8\",\"specversion\":\"1.0\"}",
         {.event = "job.started e  j c {}"}},
        {"{" EVENT ",\"datacontenttype\":\"Application/Vnd.Job+JSON\",\"specversion\":\"1.0.2\"}",
         {.event = "job.started e  j c {}"}},
        {"{" EVENT ",\"datacontenttype\":\"text/json;x\",\"specversion\":\"1\"}",
         {.event = "job.started e  j c {}"}},
        {"{" EVENT ",\"datacontenttype\":null,\"specversion\":null}",
         {.event = "job.started e  j c {}"}},
        {"{" EVENT ",\"datacontenttype\":\"application/xml\"}",
         {.fault = "datacontenttype must be application/json or another type of JSON (found "
                   "\"application/xml\")"}},
        {"{" EVENT ",\"datacontenttype\":\"text/plain\",\"data\":{\"a\":1}}",
         {.fault = "datacontenttype must"}},
        {"{" EVENT ",\"datacontenttype\":\"application/jsonp\"}",
         {.fault = "datacontenttype must"}},
        {"{" EVENT ",\"datacontenttype\":\"json\"}", {.fault = "datacontenttype must"}},
        {"{" EVENT ",\"datacontenttype\":\"application/json x\"}",
         {.fault = "datacontenttype must"}},
        {"{" EVENT ",\"datacontenttype\":[]}", {.fault = "datacontenttype must"}},
        {"{" EVENT ",\"specversion\":\"0.3\"}",
         {.fault = "specversion must be 1.0 or another 1.x of CloudEvents (found \"0.3\")"}},
        {"{" EVENT ",\"specversion\":\"2.0\"}", {.fault = "specversion must"}},
        {"{" EVENT ",\"specversion\":\"10.0\"}", {.fault = "specversion must"}},
        {"{" EVENT ",\"specversion\":\"1.x\"}", {.fault = "specversion must"}},
        {"{" EVENT ",\"specversion\":1.0}", {.event = "job.started e  j c {}"}},
        {"{" EVENT ",\"specversion\":0.3}", {.fault = "specversion must"}},
        {"{\"id\":\"e\",\"type\":\"job.dispatch\",\"job\":\"j\",\"customer\":\"c\","
         "\"data_base64\":\"eyJyb3V0ZSI6InI3In0=\"}",
         {.event = "job.dispatch e  j c {\"route\":\"r7\"}"}},
        {"{\"id\":\"e\",\"type\":\"job.dispatch\",\"job\":\"j\",\"customer\":\"c\","
         "\"data_base64\":\"eyJyb3V0ZSI6InIvNyJ9\"}",
         {.fault = "route \"r/7\" is not a route"}},
};

static void what_others_write(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(foreign_cases); i++) {
		struct job_event event;
		struct error err = {0};
		bool ok = event_read_json(foreign_cases[i].json, strlen(foreign_cases[i].json),
		                          received, MAX_SIZE, arena, &event, &err);
		check(ok, &event, &err, foreign_cases[i].want, foreign_cases[i].json);
	}
}

/* Nobody who reads a dead letter has met jansson. */
static void faults_are_in_our_words(void **state)
{
	(void)state;
	static const char *const theirs[] = {"JSON_",       "near",         "token",
	                                     "premature",   "overflow",     "end of file",
	                                     "decode byte", "parsing depth"};
	static const char *const json[] = {"",       "{",       "[",           "x",
	                                   "{\"a\"", "{\"a\":", "[1",          "[1,",
	                                   "\"a",    "\"\\u1",  "\"\\ud800\"", "{\"a\":\"\\u0000",
	                                   "tru",    "[1e999",  "-",           "1.",
	                                   "\"\t\"", "{}{}"};
	for (size_t i = 0; i < N(json); i++) {
		struct job_event event;
		struct error err = {0};
		assert_false(event_read_json(json[i], strlen(json[i]), received, MAX_SIZE, arena,
		                             &event, &err));
		for (size_t k = 0; k < N(theirs); k++)
			if (strstr(err.text, theirs[k]) != NULL)
				fail_msg("%s: %s", json[i], err.text);
	}
}

enum { FIELDS_MAX = 8 };
#define FIELDS "id", "e", "type", "job.started", "job", "j", "customer", "c"

static const struct {
	const char *fields[FIELDS_MAX * 2];
	struct verdict want;
} field_cases[] = {
        {{FIELDS}, {.event = "job.started e  j c {}"}},
        {{FIELDS, "driver", "Sam"}, {.event = "job.started e  j c {\"driver\":\"Sam\"}"}},
        {{FIELDS, "data", "{\"a\":1,\"driver\":\"Kim\",\"b\":2}", "driver", "Sam"},
         {.event = "job.started e  j c {\"a\":1,\"driver\":\"Sam\",\"b\":2}"}},
        {{FIELDS, "source", "s", "time", "2026-02-25T06:00:00Z"},
         {.event = "job.started e s j c {}"}},
        {{FIELDS, "amount", "12"}, {.event = "job.started e  j c {\"amount\":\"12\"}"}},
        {{"id", "e", "type", "job.started", "subject", "s", "customer", "c"},
         {.event = "job.started e  s c {}"}},
        {{FIELDS, "subject", "s"}, {.event = "job.started e  j c {\"subject\":\"s\"}"}},
        {{FIELDS, "", "x"}, {.event = "job.started e  j c {\"\":\"x\"}"}},
        {{FIELDS, "note", "two\nlines"},
         {.event = "job.started e  j c {\"note\":\"two\\nlines\"}"}},
        {{"id", "e", "type", "job.dispatch", "job", "j", "customer", "c", "route", "7", "scheduled",
          "2026-03-05T09:00:00Z"},
         {.event = "job.dispatch e  j c {\"route\":\"7\",\"scheduled\":\"2026-03-05T09:00:00Z\"}",
          .feed = FEED_REQUESTS}},
        {{"event", "{" EVENT "}"}, {.event = "job.started e  j c {}"}},
        {{"event", "{" EVENT ",\"data\":{\"a\":1}}", "a", "2", "trace", "t", "id", "other"},
         {.event = "job.started e  j c {\"a\":1,\"trace\":\"t\",\"id\":\"other\"}"}},

        {{FIELDS, "time", ""}, {.event = "job.started e  j c {}"}},
        {{"id", "e", "type", "job.started", "job", "", "subject", "s", "customer", "c"},
         {.event = "job.started e  s c {}"}},
        {{"id", "e", "type", "job.started", "subject", "s", "job", "", "customer", "c"},
         {.event = "job.started e  s c {}"}},
        {{"id", "e", "type", "job.started", "job", "", "subject", "", "customer", "c"},
         {.fault = "job is empty"}},
        {{FIELDS, "data", "\xEF\xBB\xBF{\"a\":\"\\ud800\\u0000\"}"},
         {.event = "job.started e  j c {\"a\":\"��\"}"}},
        {{FIELDS, "data_base64", "eyJhIjoxfQ==", "a", "2"},
         {.event = "job.started e  j c {\"a\":\"2\"}"}},
        {{FIELDS, "data_base64", "eyJhIjoxfQ==", "data", ""},
         {.event = "job.started e  j c {\"a\":1}"}},
        {{FIELDS, "data_base64", "eyJhIjoxfQ==", "data", "{}"},
         {.fault = "data and data_base64 are both"}},
        {{FIELDS, "data_base64", "JVBERi0="}, {.fault = "data_base64 does not hold JSON"}},
        {{FIELDS, "datacontenttype", "application/xml"}, {.fault = "datacontenttype must"}},
        {{FIELDS, "specversion", "0.3"}, {.fault = "specversion must"}},
        {{FIELDS, "specversion", "1.0", "dataschema", "urn:x"},
         {.event = "job.started e  j c {\"specversion\":\"1.0\",\"dataschema\":\"urn:x\"}"}},
        {{"event", "\xEF\xBB\xBF{" EVENT ",\"data_base64\":\"eyJhIjoxfQ==\"}"},
         {.event = "job.started e  j c {\"a\":1}"}},
        {{"id", "e", "type", "job.create", "job", "j", "customer", "c", "data_base64",
          "eyJhIjoxfQ=="},
         {.event = "job.create e  j c {\"a\":1}", .feed = FEED_REQUESTS}},

        {{NULL}, {.fault = "id is missing"}},
        {{FIELDS, "data", ""}, {.event = "job.started e  j c {}"}},
        {{FIELDS, "data", " "},
         {.fault = "the field \"data\" is not the text of a JSON object: line"}},
        {{FIELDS, "data", "{"},
         {.fault = "the field \"data\" is not the text of a JSON object: line"}},
        {{FIELDS, "data", "[]"}, {.fault = "the field \"data\" is an array"}},
        {{FIELDS, "data", "{\"a\":1,\"a\":2}"}, {.fault = "the same key twice"}},
        {{FIELDS, "data", "{}"}, {.event = "job.started e  j c {}"}},
        {{FIELDS, "a", "1", "a", "2"}, {.fault = "the field \"a\" appears twice"}},
        {{FIELDS, "customer", "d"}, {.fault = "the field \"customer\" appears twice"}},
        {{FIELDS, "driver", "\xc3\x28"}, {.fault = "the field \"driver\" is not UTF-8"}},
        {{FIELDS, "dri\xffver", "x"}, {.fault = "a field's name, \"dri?ver\", is not UTF-8"}},
        {{FIELDS, "source", "\x1b[1m"}, {.fault = "source \"?[1m\" contains a control character"}},
        {{"id", "e", "type", "job.create", "job", "j", "customer", "c"},
         {.fault = "type job.create is a request"}},
        {{"id", "e", "type", "com.example.job.dispatch", "job", "j", "customer", "c"},
         {.fault = "type job.dispatch is a request"}},
        {{FIELDS}, {.fault = "type job.started is a job event", .feed = FEED_REQUESTS}},
        {{"id", "e", "type", "job.started", "customer", "c", "data", "{\"job\":\"j\"}"},
         {.fault = "job is missing"}},
        {{"event", ""}, {.fault = "the event is not JSON"}},
        {{"event", "{}", "event", "{}"}, {.fault = "the field \"event\" appears twice"}},
        {{"event", "{}", FIELDS}, {.fault = "id is missing"}},
};

static struct entry make_entry(const char *const *texts, struct entry_field fields[FIELDS_MAX])
{
	struct entry entry = {.id = "", .fields = fields, .received = received};
	for (; entry.n_fields < FIELDS_MAX && texts[entry.n_fields * 2] != NULL; entry.n_fields++) {
		const char *name = texts[entry.n_fields * 2],
		           *value = texts[entry.n_fields * 2 + 1];
		fields[entry.n_fields] =
		        (struct entry_field){name, strlen(name), value, strlen(value)};
	}
	return entry;
}

static void field_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(field_cases); i++) {
		struct entry_field fields[FIELDS_MAX];
		struct entry entry = make_entry(field_cases[i].fields, fields);
		struct job_event event;
		struct error err = {0};
		char what[40];
		entry.feed = field_cases[i].want.feed;
		(void)snprintf(what, sizeof what, "case %zu", i);
		bool ok = event_read(&entry, MAX_SIZE, arena, &event, &err);
		check(ok, &event, &err, field_cases[i].want, what);
	}
}

static void nul_bytes_are_refused(void **state)
{
	(void)state;
	struct entry_field fields[FIELDS_MAX];
	struct entry entry = make_entry((const char *const[]){FIELDS, "note", "a_b", NULL}, fields);
	struct job_event event;
	struct error err = {0};
	fields[4].value = "a\0b";
	assert_false(event_read(&entry, MAX_SIZE, arena, &event, &err));
	assert_non_null(strstr(err.text, "the field \"note\" is not UTF-8 text"));
	fields[4].value = "a_b";
	fields[4].name = "n\0te";
	assert_false(event_read(&entry, MAX_SIZE, arena, &event, &err));
	static const char json[] = "{" EVENT "}\0";
	assert_false(event_read_json(json, sizeof json, received, MAX_SIZE, arena, &event, &err));
}

static void size_counts_names_and_values(void **state)
{
	(void)state;
	struct entry_field fields[FIELDS_MAX];
	struct entry entry = make_entry((const char *const[]){FIELDS, NULL}, fields);
	size_t size = strlen("ideetypejob.startedjobjcustomerc") - 1;
	struct job_event event;
	struct error err = {0};
	assert_true(event_read(&entry, size, arena, &event, &err));
	assert_false(event_read(&entry, size - 1, arena, &event, &err));
	assert_non_null(strstr(err.text, "bytes; expected at most"));
	assert_true(event_read_json("{" EVENT "}", sizeof "{" EVENT "}" - 1, received,
	                            sizeof "{" EVENT "}" - 1, arena, &event, &err));
	assert_false(event_read_json("{" EVENT "}", sizeof "{" EVENT "}" - 1, received,
	                             sizeof "{" EVENT "}" - 2, arena, &event, &err));
}

static void time_has_three_sources(void **state)
{
	(void)state;
	static const int64_t limit = EVENT_AHEAD_MAX_MS;
	static const struct {
		const char *time, *entry_id;
		int64_t want; /* after receipt */
		bool ahead, given;
	} cases[] = {
	        {"2026-02-25T06:13:20Z", "1772000000000-0", 0, false, true},
	        {"2026-02-25T07:13:20.250+01:00", "", 250, false, true},
	        {"2026-02-25T06:23:20Z", "", limit, false, true},
	        {"2026-02-25T06:23:20.001Z", "", 0, true, true},
	        {"2031-01-01T00:00:00Z", "1771999999000-0", 0, true, true},
	        {NULL, "1771999999000-7", -1000, false, false},
	        {NULL, "1772000600000-0", limit, false, false},
	        {NULL, "1772000600001-0", 0, true, false},
	        {NULL, "5-1", 5 - RECEIVED_MS * INT64_C(1000), false, false},
	        {NULL, "", 0, false, false},
	        {NULL, "18446744073709551615-1", 0, false, false},
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct entry_field fields[FIELDS_MAX];
		struct entry entry =
		        make_entry((const char *const[]){FIELDS, cases[i].time ? "time" : NULL,
		                                         cases[i].time, NULL},
		                   fields);
		struct job_event event;
		struct error err = {0};
		entry.id = cases[i].entry_id;
		assert_true(event_read(&entry, MAX_SIZE, arena, &event, &err));
		assert_int_equal(event.time.ms - received.ms, cases[i].want);
		assert_int_equal(event.time_ahead, cases[i].ahead);
		assert_int_equal(!instant_is_none(event.time_published), cases[i].given);
		assert_string_equal(event.entry_id, cases[i].entry_id);
		assert_int_equal(event.received.ms, received.ms);
	}
}

static void digest_of(const char *json, struct instant at, unsigned char digest[EVENT_DIGEST_SIZE])
{
	struct job_event event;
	struct error err = {0};
	if (!event_read_json(json, strlen(json), at, MAX_SIZE, arena, &event, &err))
		fail_msg("%s: %s", json, err.text);
	event_digest(&event, digest);
}

static void digests_tell_content_apart(void **state)
{
	(void)state;
	static const struct {
		const char *one, *two;
		bool same;
	} cases[] = {
	        {"{" EVENT "}", "{" EVENT ",\"data\":{}}", true},
	        {"{" EVENT ",\"data\":{\"a\":1,\"b\":{\"c\":1,\"d\":2}}}",
	         "{\"data\":{\"b\":{\"d\":2,\"c\":1},\"a\":1}," EVENT "}", true},
	        {"{" EVENT ",\"data\":{\"a\":[1,2]}}", "{" EVENT ",\"data\":{\"a\":[2,1]}}", false},
	        {"{" EVENT ",\"data\":{\"a\":1}}", "{" EVENT ",\"data\":{\"a\":\"1\"}}", false},
	        {"{" EVENT ",\"time\":\"2026-02-25T06:00:00Z\"}",
	         "{" EVENT ",\"time\":\"2026-02-25T07:00:00+01:00\"}", true},
	        {"{" EVENT ",\"time\":\"2031-02-25T06:00:00Z\"}",
	         "{" EVENT ",\"time\":\"2032-02-25T07:00:00+01:00\"}", false},
	        {"{" EVENT "}", "{" EVENT ",\"time\":\"2026-02-25T06:13:20Z\"}", false},
	        {"{\"id\":\"ab\",\"type\":\"job.started\",\"job\":\"c\",\"customer\":\"d\"}",
	         "{\"id\":\"a\",\"type\":\"job.started\",\"job\":\"bc\",\"customer\":\"d\"}",
	         false},
	};
	for (size_t i = 0; i < N(cases); i++) {
		unsigned char one[EVENT_DIGEST_SIZE], two[EVENT_DIGEST_SIZE];
		digest_of(cases[i].one, received, one);
		digest_of(cases[i].two, instant_add(received, 86400000), two);
		if ((memcmp(one, two, sizeof one) == 0) != cases[i].same)
			fail_msg("%s and %s", cases[i].one, cases[i].two);
	}
}

static void data_members_as_text(void **state)
{
	(void)state;
	static const char json[] =
	        "{" EVENT ",\"data\":{\"s\":\"x\",\"n\":7,\"o\":{\"a\":1},\"z\":null,"
	        "\"scheduled\":\"2026-03-05T09:00:00+01:00\"}}";
	struct job_event event;
	struct error err = {0};
	struct instant scheduled = {1};
	char text[INSTANT_TEXT_MAX];
	assert_true(
	        event_read_json(json, sizeof json - 1, received, MAX_SIZE, arena, &event, &err));
	assert_string_equal(event_data_text(&event, "s", arena), "x");
	assert_string_equal(event_data_text(&event, "n", arena), "7");
	assert_string_equal(event_data_text(&event, "o", arena), "{\"a\":1}");
	assert_string_equal(event_data_text(&event, "z", arena), "");
	assert_string_equal(event_data_text(&event, "none", arena), "");
	assert_true(event_scheduled(&event, &scheduled));
	assert_string_equal(instant_format(scheduled, 0, text), "2026-03-05T08:00:00Z");
	event.data = "{\"scheduled\":\"soon\"}";
	assert_false(event_scheduled(&event, &scheduled));
	event.data = "{}";
	assert_false(event_scheduled(&event, &scheduled));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(json_entries),
	        cmocka_unit_test(field_entries),
	        cmocka_unit_test(nul_bytes_are_refused),
	        cmocka_unit_test(size_counts_names_and_values),
	        cmocka_unit_test(time_has_three_sources),
	        cmocka_unit_test(digests_tell_content_apart),
	        cmocka_unit_test(data_members_as_text),
	        cmocka_unit_test(what_others_write),
	        cmocka_unit_test(faults_are_in_our_words),
	};
	arena = arena_new();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena = arena_free(arena);
	return failed;
}
