/* SPDX-License-Identifier: MIT */
/*
 * Mustache, the renderer: walks the tree with a stack of contexts, the innermost last. Everything
 * that foreign data or an admin's mistake could make endless has a limit here: the output's size,
 * the steps taken (nested empty loops print nothing but run forever), partials that include
 * themselves.
 */
#include "template/mustache.h"

#include "template/mustache_tree.h"

#include <string.h>
#include <sysexits.h>

/* A partial may be in a section and hold others, each of which adds a context. */
enum { CONTEXTS_MAX = 512 };

struct render {
	const struct mustache *template; /* that the nodes at hand belong to, for messages */
	const struct mustache_options *options;
	const struct jsonview *contexts[CONTEXTS_MAX];
	size_t n_contexts;
	struct buf *indent; /* what partials around put before each line */
	size_t n_partials;
	bool in_lambda; /* its own text is escaped like a value */
	size_t steps;
	size_t max_len; /* of `out` */
	struct buf *out;
	struct error *err;
};

static bool render_nodes(struct render *r, const struct node *node);

static bool fault(struct render *r, const struct node *node, const char *what)
{
	return error_set(r->err, EX_DATAERR, "%s:%d: %s", r->template->file, node->line, what);
}

/* The value of a name: its first part is looked for from the inside out, the others only within
 * that. */
static const struct jsonview *look_up(const struct render *r, const struct node *node)
{
	if (node->n_parts == 0)
		return r->contexts[r->n_contexts - 1];
	const struct jsonview *value = NULL;
	for (size_t i = r->n_contexts; i-- > 0 && value == NULL;)
		value = jsonview_get(r->contexts[i], node->parts[0]);
	for (size_t i = 1; i < node->n_parts && value != NULL; i++)
		value = jsonview_get(value, node->parts[i]);
	return value;
}

static bool is_truthy(const struct jsonview *value)
{
	switch (value ? value->type : JSONVIEW_NULL) {
	case JSONVIEW_NULL:
	case JSONVIEW_FALSE:
		return false;
	case JSONVIEW_LIST:
		return value->first != NULL;
	case JSONVIEW_TEXT:
		return value->len > 0;
	default:
		return true;
	}
}

static void add_escaped(struct buf *out, const char *text, size_t len)
{
	const char *from = text, *end = text + len;
	for (const char *p = text; p < end; p++) {
		const char *entity = *p == '&'   ? "&amp;"
		                     : *p == '<' ? "&lt;"
		                     : *p == '>' ? "&gt;"
		                     : *p == '"' ? "&quot;"
		                                 : NULL;
		if (entity == NULL)
			continue;
		buf_add(out, from, (size_t)(p - from));
		buf_adds(out, entity);
		from = p + 1;
	}
	buf_add(out, from, (size_t)(end - from));
}

static void add_plain(const struct render *r, const char *text, size_t len)
{
	if (r->in_lambda && r->options->escape)
		add_escaped(r->out, text, len);
	else
		buf_add(r->out, text, len);
}

static void print_value(struct render *r, const struct jsonview *value, bool escape)
{
	switch (value ? value->type : JSONVIEW_NULL) {
	case JSONVIEW_TEXT:
		if (escape)
			add_escaped(r->out, value->text, value->len);
		else
			buf_add(r->out, value->text, value->len);
		break;
	case JSONVIEW_NUMBER:
		jsonview_add_number(r->out, value);
		break;
	case JSONVIEW_TRUE:
		buf_adds(r->out, "true");
		break;
	case JSONVIEW_FALSE:
		buf_adds(r->out, "false");
		break;
	default:
		break;
	}
}

static void render_text(struct render *r, const struct node *node)
{
	const char *from = node->text, *end = node->text + node->len;
	if (r->indent->len == 0) {
		add_plain(r, from, node->len);
		return;
	}
	bool begins = node->begins_line;
	do {
		const char *nl = memchr(from, '\n', (size_t)(end - from));
		const char *to = nl ? nl + 1 : end;
		if (begins)
			buf_add(r->out, r->indent->data, r->indent->len);
		buf_add(r->out, from, (size_t)(to - from));
		from = to;
		begins = true;
	} while (from < end);
}

static bool render_within(struct render *r, const struct node *node, const struct jsonview *context)
{
	if (r->n_contexts == CONTEXTS_MAX)
		return fault(r, node, "sections and partials nest too deep");
	r->contexts[r->n_contexts++] = context;
	bool ok = render_nodes(r, node->children);
	r->n_contexts--;
	return ok;
}

static const struct mustache_helper *find_helper(const struct render *r, const struct node *node)
{
	for (size_t i = 0; i < r->options->n_helpers; i++)
		if (strcmp(r->options->helpers[i].name, node->name) == 0)
			return &r->options->helpers[i];
	return NULL;
}

/* The content is rendered separately, unescaped; the helper's result is escaped like a value. */
static bool render_helper(struct render *r, const struct node *node,
                          const struct mustache_helper *helper)
{
	struct buf content = {0}, result = {0};
	struct buf *out = r->out;
	const struct mustache_options *options = r->options;
	struct mustache_options plain = *options;
	size_t max_len = r->max_len;

	plain.escape = false;
	r->options = &plain;
	r->out = &content;
	r->max_len = max_len > out->len ? max_len - out->len : 0;
	bool ok = render_nodes(r, node->children);
	r->options = options;
	r->out = out;
	r->max_len = max_len;
	if (ok) {
		helper->call(options->helper_arg, buf_text(&content), &result);
		if (options->escape)
			add_escaped(out, buf_text(&result), result.len);
		else
			buf_add(out, buf_text(&result), result.len);
	}
	buf_free(&content);
	buf_free(&result);
	return ok;
}

static bool render_section(struct render *r, const struct node *node)
{
	const struct mustache_helper *helper = find_helper(r, node);
	if (helper != NULL)
		return render_helper(r, node, helper);

	const struct jsonview *value = look_up(r, node);
	if (value == NULL || value->type != JSONVIEW_LIST)
		return !is_truthy(value) || render_within(r, node, value);
	for (const struct jsonview *item = value->first; item != NULL; item = item->next)
		if (!render_within(r, node, item))
			return false;
	return true;
}

/* Another template in place of a tag. */
static bool render_inner(struct render *r, const struct node *node, const struct mustache *inner,
                         bool lambda)
{
	const struct mustache *outer = r->template;
	bool in_lambda = r->in_lambda;

	if (r->n_partials == MUSTACHE_PARTIALS_MAX)
		return fault(r, node, "partials nest too deep: does one include itself?");
	r->template = inner;
	r->in_lambda = lambda;
	r->n_partials++;
	bool ok = render_nodes(r, inner->nodes);
	r->n_partials--;
	r->in_lambda = in_lambda;
	r->template = outer;
	return ok;
}

static bool render_partial(struct render *r, const struct node *node)
{
	const struct mustache *inner = NULL;
	size_t indent_len = r->indent->len;

	if (r->options->partial != NULL)
		inner = r->options->partial(r->options->partial_arg, node->name);
	if (inner == NULL)
		return true;
	buf_adds(r->indent, node->indent);
	bool ok = render_inner(r, node, inner, false);
	r->indent->len = indent_len;
	return ok;
}

/* It is part of a line, so the surrounding indentation doesn't apply. */
static bool render_lambda(struct render *r, const struct node *node, const struct mustache *inner)
{
	struct buf none = {0}, *indent = r->indent;
	const struct mustache_options *options = r->options;
	struct mustache_options plain = *options;

	plain.escape = false;
	r->indent = &none;
	r->options = node->type == NODE_RAW ? &plain : options;
	bool ok = render_inner(r, node, inner, true);
	r->options = options;
	r->indent = indent;
	buf_free(&none);
	return ok;
}

static bool render_value(struct render *r, const struct node *node)
{
	const struct mustache *inner = NULL;
	if (r->options->lambda != NULL)
		inner = r->options->lambda(r->options->lambda_arg, node->name);
	if (inner != NULL)
		return render_lambda(r, node, inner);
	print_value(r, look_up(r, node), node->type == NODE_VALUE && r->options->escape);
	return true;
}

static bool render_node(struct render *r, const struct node *node)
{
	switch (node->type) {
	case NODE_TEXT:
		render_text(r, node);
		return true;
	case NODE_VALUE:
	case NODE_RAW:
		return render_value(r, node);
	case NODE_SECTION:
		return render_section(r, node);
	case NODE_INVERTED:
		return is_truthy(look_up(r, node)) || render_nodes(r, node->children);
	case NODE_PARTIAL:
		return render_partial(r, node);
	}
	bug("node type %d", (int)node->type);
}

static bool render_nodes(struct render *r, const struct node *node)
{
	for (; node != NULL; node = node->next) {
		if (++r->steps > MUSTACHE_STEPS_MAX)
			return fault(
			        r, node,
			        "rendering takes too long: are there lists in lists in lists?");
		if (!render_node(r, node))
			return false;
		if (r->out->len > r->max_len)
			return fault(r, node, "the rendered text is too long");
	}
	return true;
}

bool mustache_render_view(const struct mustache *template, const struct jsonview *context,
                          const struct mustache_options *options, struct buf *ret,
                          struct error *err)
{
	struct buf indent = {0};
	struct render r = {
	        .template = template,
	        .options = options,
	        .contexts = {context},
	        .n_contexts = 1,
	        .indent = &indent,
	        .max_len = ret->len + (options->max_size ? options->max_size : MUSTACHE_SIZE_MAX),
	        .out = ret,
	        .err = err,
	};
	bool ok = render_nodes(&r, template->nodes);
	buf_free(&indent);
	return ok;
}

bool mustache_render(const struct mustache *template, const json_t *context,
                     const struct mustache_options *options, struct buf *ret, struct error *err)
{
	struct arena *arena = arena_new();
	bool ok = mustache_render_view(template, jsonview_of(arena, context), options, ret, err);
	arena_free(arena);
	return ok;
}
