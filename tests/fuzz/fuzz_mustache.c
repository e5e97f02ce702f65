/* SPDX-License-Identifier: MIT */
/*
 * Input: a template, a NUL, data in JSON. The template is its own partial and lambda `p`, which
 * tries the limits. Whatever it is, parsing and rendering end, within the limits, and a fault has a
 * text.
 */
#include "template/mustache.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_LIMIT = 100000 };

static const struct mustache *partial(void *arg, const char *name)
{
	return strcmp(name, "p") == 0 ? arg : NULL;
}

static void helper(void *arg, const char *text, struct buf *ret)
{
	(void)arg;
	buf_printf(ret, "[%s]", text);
}

static void name(void *arg, const char *text, const char *const *around, size_t n_around)
{
	size_t *sum = arg;
	*sum += strlen(text) + (n_around > 0 ? strlen(around[n_around - 1]) : 0);
}

static void render(struct mustache *template, json_t *context, bool escape)
{
	static const struct mustache_helper helpers[] = {{.name = "date", .call = helper}};
	struct buf out = {0};
	struct error err = {0};
	const struct mustache_options options = {.escape = escape,
	                                         .partial = partial,
	                                         .partial_arg = template,
	                                         .lambda = partial,
	                                         .lambda_arg = template,
	                                         .helpers = helpers,
	                                         .n_helpers = 1,
	                                         .max_size = SIZE_LIMIT};
	if (mustache_render(template, context, &options, &out, &err)) {
		if (out.len > SIZE_LIMIT)
			abort();
	} else if (err.code == 0 || err.text[0] == '\0') {
		abort();
	}
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *nul = memchr(text, '\0', size);
	size_t len = nul ? (size_t)(nul - text) : size, sum = 0;
	struct error err = {0};
	json_t *context = nul ? json_loadb(nul + 1, size - len - 1, JSON_DECODE_ANY, NULL) : NULL;
	if (context == NULL)
		context = json_pack("{s:[i,s,{s:b}],s:s}", "a", 1, "x", "b", 1, "c", "<d>");
	struct mustache *template = mustache_parse(text, len, "fuzz", 1, &err);
	if (template != NULL) {
		mustache_each_name(template, name, &sum);
		render(template, context, false);
		render(template, context, true);
	} else if (err.text[0] == '\0') {
		abort();
	}
	mustache_free(template);
	json_decref(context);
	return 0;
}
