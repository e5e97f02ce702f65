/* SPDX-License-Identifier: MIT */
/*
 * Mustache, the parser: one pass over the text, from tag to tag.
 *
 * Most of the work is about lines. A tag that prints nothing and is alone on its line takes the
 * whole line with it, break and all; its leading blanks become a partial's indentation. So text is
 * held back from the beginning of a line until it is known whether the first tag on it is alone
 * there:
 *
 *      text already added          held back    tag           rest
 *      ......................... \n [blanks]    {{#jobs}}     [blanks] \n
 *                                   ^line_start ^tag          ^after
 */
#include "template/mustache.h"

#include "base/utf8.h"
#include "template/mustache_tree.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { NAME_MAX_BYTES = 200 };

struct parser {
	struct mustache *template;
	const char *pos, *end;
	const char *line_start; /* of the line that `pos` is on */
	bool line_clean;        /* no tag on that line so far */
	bool at_line_begin;     /* what is added next begins a line of output */
	int line;
	struct node **tail; /* where the next node is hooked in */
	struct {
		struct node *node;
		struct node **tail; /* of the list that the section is in */
	} open[MUSTACHE_NESTING_MAX];
	size_t n_open;
	struct error *err;
};

struct tag {
	char kind; /* the sigil; '\0' for a plain name, '{' for a triple one */
	int line;
	const char *begin, *after; /* the whole tag, [begin, after) */
	const char *name;
	size_t len;
};

static bool fault(struct parser *p, int line, const char *text, const char *name, size_t len)
{
	char quote[UTF8_QUOTE_MAX];
	return error_set(p->err, EX_DATAERR, "%s:%d: %s%s", p->template->file, line, text,
	                 utf8_quote(name, len, quote));
}

static struct node *add_node(struct parser *p, enum node_type type, int line)
{
	struct node *node = arena_alloc(p->template->arena, sizeof *node);
	node->type = type;
	node->line = line;
	node->text = node->name = node->indent = "";
	*p->tail = node;
	p->tail = &node->next;
	return node;
}

static void add_text(struct parser *p, const char *from, const char *to)
{
	if (from == to && !p->at_line_begin)
		return;
	struct node *node = add_node(p, NODE_TEXT, p->line);
	node->len = (size_t)(to - from);
	node->text = arena_strndup(p->template->arena, from, node->len);
	node->begins_line = p->at_line_begin;
	p->at_line_begin = node->len > 0 && to[-1] == '\n';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool all_blank(const char *from, const char *to)
{
	while (from < to && is_blank(*from))
		from++;
	return from == to;
}

/* The position after the line break if only blanks precede it (or the end), else NULL. */
static const char *rest_of_line(const char *pos, const char *end)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a tag that was read has an end */
	while (pos < end && is_blank(*pos))
		pos++;
	if (pos < end && *pos == '\r')
		pos++;
	if (pos == end)
		return pos;
	return *pos == '\n' ? pos + 1 : NULL;
}

static int count_lines(const char *from, const char *to)
{
	int n = 0;
	for (; from < to; from++)
		n += *from == '\n';
	return n;
}

static void set_name(struct parser *p, struct node *node, const struct tag *tag)
{
	struct arena *arena = p->template->arena;
	size_t n = 1;
	node->name = arena_strndup(arena, tag->name, tag->len);
	if (strcmp(node->name, ".") == 0)
		return;
	for (size_t i = 0; i < tag->len; i++)
		n += tag->name[i] == '.';
	const char **parts = arena_new_array(arena, n, const char *);
	char *rest = arena_strdup(arena, node->name);
	for (size_t i = 0; i < n; i++)
		parts[i] = strsep(&rest, ".");
	node->parts = parts;
	node->n_parts = n;
}

/* Finds where the tag at `begin` ends and what is in it. */
static bool read_tag(struct parser *p, const char *begin, struct tag *ret)
{
	struct tag tag = {.begin = begin, .line = p->line};
	const char *pos = begin + 2, *close = "}}";

	if (pos < p->end && *pos != '\0' && strchr("#^/>!&{=", *pos) != NULL)
		tag.kind = *pos++;
	if (tag.kind == '{')
		close = "}}}";
	if (tag.kind == '=')
		return fault(p, tag.line, "tags that set other delimiters are not supported", "",
		             0);
	const char *end = memmem(pos, (size_t)(p->end - pos), close, strlen(close));
	if (end == NULL)
		return fault(p, tag.line, "a tag is opened and never closed: expected ", close,
		             strlen(close));
	tag.after = end + strlen(close);
	while (pos < end && (is_blank(*pos) || *pos == '\n' || *pos == '\r'))
		pos++;
	while (end > pos && (is_blank(end[-1]) || end[-1] == '\n' || end[-1] == '\r'))
		end--;
	tag.name = pos;
	tag.len = (size_t)(end - pos);
	*ret = tag;
	return true;
}

static bool name_fits(const struct tag *tag)
{
	if (tag->len == 0 || tag->len > NAME_MAX_BYTES)
		return false;
	if (tag->len == 1 && *tag->name == '.')
		return true;
	for (size_t i = 0; i < tag->len; i++) {
		unsigned char c = (unsigned char)tag->name[i];
		if (c <= ' ' || c == 0x7f || strchr("{}#^&=", c) != NULL)
			return false;
		if (c == '.' && (i == 0 || i + 1 == tag->len || tag->name[i + 1] == '.') &&
		    tag->kind != '>')
			return false;
	}
	return true;
}

static bool open_section(struct parser *p, const struct tag *tag)
{
	if (p->n_open == MUSTACHE_NESTING_MAX)
		return fault(p, tag->line, "sections nest too deep at ", tag->name, tag->len);
	struct node *node = add_node(p, tag->kind == '#' ? NODE_SECTION : NODE_INVERTED, tag->line);
	set_name(p, node, tag);
	p->open[p->n_open].node = node;
	p->open[p->n_open++].tail = p->tail;
	p->tail = &node->children;
	return true;
}

static bool close_other(struct parser *p, const struct node *open, const struct tag *tag)
{
	char name[UTF8_QUOTE_MAX], quote[UTF8_QUOTE_MAX];
	return error_set(p->err, EX_DATAERR, "%s:%d: the section %s of line %d is open, not %s",
	                 p->template->file, tag->line,
	                 utf8_quote(open->name, strlen(open->name), name), open->line,
	                 utf8_quote(tag->name, tag->len, quote));
}

static bool close_section(struct parser *p, const struct tag *tag)
{
	if (p->n_open == 0)
		return fault(p, tag->line, "no section is open here to be closed by /", tag->name,
		             tag->len);
	const struct node *node = p->open[p->n_open - 1].node;
	if (strlen(node->name) != tag->len || memcmp(node->name, tag->name, tag->len) != 0)
		return close_other(p, node, tag);
	p->tail = p->open[--p->n_open].tail;
	return true;
}

static bool add_tag(struct parser *p, const struct tag *tag, const char *indent, size_t indent_len)
{
	struct node *node;
	if (tag->kind == '!')
		return true;
	if (!name_fits(tag))
		return fault(p, tag->line, tag->len ? "invalid name: " : "a tag without a name",
		             tag->name, tag->len);
	switch (tag->kind) {
	case '#':
	case '^':
		return open_section(p, tag);
	case '/':
		return close_section(p, tag);
	case '>':
		node = add_node(p, NODE_PARTIAL, tag->line);
		node->name = arena_strndup(p->template->arena, tag->name, tag->len);
		node->indent = arena_strndup(p->template->arena, indent, indent_len);
		return true;
	default:
		node = add_node(p, tag->kind == '\0' ? NODE_VALUE : NODE_RAW, tag->line);
		set_name(p, node, tag);
		return true;
	}
}

/* Brings line and line_start up to `to`. */
static void advance(struct parser *p, const char *to)
{
	int lines = count_lines(p->pos, to);
	p->line += lines;
	if (lines > 0) {
		const char *nl = memrchr(p->pos, '\n', (size_t)(to - p->pos));
		p->line_start = nl + 1;
		p->line_clean = true;
	}
}

/* One tag at `begin`, with the text before it. */
static bool step(struct parser *p, const char *begin)
{
	struct tag tag = {0};
	const char *text = p->pos;
	advance(p, begin);
	p->pos = begin;
	if (!read_tag(p, begin, &tag))
		return false;

	const char *rest = rest_of_line(tag.after, p->end);
	bool alone = rest != NULL && p->line_clean && all_blank(p->line_start, begin) &&
	             tag.kind != '\0' && strchr("#^/>!", tag.kind) != NULL;
	const char *after = alone ? rest : tag.after;
	if (!alone) {
		add_text(p, text, begin);
		if (p->at_line_begin) /* a line that begins with a tag */
			add_text(p, begin, begin);
		if (!add_tag(p, &tag, "", 0))
			return false;
	} else {
		if (text < p->line_start)
			add_text(p, text, p->line_start);
		if (!add_tag(p, &tag, p->line_start, (size_t)(begin - p->line_start)))
			return false;
	}
	advance(p, after);
	if (!alone)
		p->line_clean = false;
	p->pos = after;
	return true;
}

static bool parse(struct parser *p)
{
	for (;;) {
		const char *begin = memmem(p->pos, (size_t)(p->end - p->pos), "{{", 2);
		if (begin == NULL)
			break;
		if (!step(p, begin))
			return false;
	}
	if (p->pos < p->end)
		add_text(p, p->pos, p->end);
	if (p->n_open > 0) {
		const struct node *node = p->open[p->n_open - 1].node;
		return fault(p, node->line, "this section is never closed: ", node->name,
		             strlen(node->name));
	}
	return true;
}

struct mustache *mustache_parse_in(struct arena *arena, const char *text, size_t len,
                                   const char *file, int first_line, struct error *err)
{
	struct mustache *template = arena_alloc(arena, sizeof *template);
	template->arena = arena;
	template->file = arena_strdup(arena, file);

	struct parser p = {
	        .template = template,
	        .pos = text,
	        .end = text + len,
	        .line_start = text,
	        .line_clean = true,
	        .at_line_begin = true,
	        .line = first_line,
	        .tail = &template->nodes,
	        .err = err,
	};
	return parse(&p) ? template : NULL;
}

struct mustache *mustache_parse(const char *text, size_t len, const char *file, int first_line,
                                struct error *err)
{
	struct arena *arena = arena_new();
	struct mustache *template = mustache_parse_in(arena, text, len, file, first_line, err);
	if (template == NULL)
		arena_free(arena);
	return template;
}

struct mustache *mustache_free(struct mustache *template)
{
	if (template != NULL)
		arena_free(template->arena);
	return NULL;
}

const char *mustache_file(const struct mustache *template)
{
	return template->file;
}

static void walk_names(const struct node *node, const char **around, size_t n, mustache_name *each,
                       void *arg)
{
	for (; node != NULL; node = node->next) {
		if (node->n_parts > 0)
			each(arg, node->name, around, n);
		if (node->children == NULL)
			continue;
		around[n] = node->name;
		walk_names(node->children, around, n + 1, each, arg);
	}
}

void mustache_each_name(const struct mustache *template, mustache_name *each, void *arg)
{
	const char *around[MUSTACHE_NESTING_MAX];
	walk_names(template->nodes, around, 0, each, arg);
}

static void walk_partials(const struct node *node, void (*each)(void *, const char *, int),
                          void *arg)
{
	for (; node != NULL; node = node->next) {
		if (node->type == NODE_PARTIAL)
			each(arg, node->name, node->line);
		walk_partials(node->children, each, arg);
	}
}

void mustache_each_partial(const struct mustache *template,
                           void (*each)(void *arg, const char *name, int line), void *arg)
{
	walk_partials(template->nodes, each, arg);
}
