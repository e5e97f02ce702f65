/* SPDX-License-Identifier: MIT */
#ifndef TEMPLATE_MUSTACHE_TREE_H
#define TEMPLATE_MUSTACHE_TREE_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

/* The parser's result for the renderer; no other file includes this. It lives in the template's
 * arena. */
enum node_type {
	NODE_TEXT,
	NODE_VALUE,    /* {{name}} */
	NODE_RAW,      /* {{{name}}}, {{&name}} */
	NODE_SECTION,  /* {{#name}} */
	NODE_INVERTED, /* {{^name}} */
	NODE_PARTIAL,  /* {{>name}} */
};

struct node {
	enum node_type type;
	int line;
	struct node *next;
	/*
	 * NODE_TEXT: as it is printed; an empty one marks where a line begins. `begins_line` is
	 * where a partial's indentation goes in front; lines inside the text begin one as well.
	 */
	const char *text;
	size_t len;
	bool begins_line;
	const char *name;         /* as written; "." is the implicit iterator */
	const char *const *parts; /* the name cut at its dots */
	size_t n_parts;
	struct node *children; /* of a section */
	const char *indent;    /* of a partial that is alone on its line; "" else */
};

struct mustache {
	struct arena *arena;
	const char *file;
	struct node *nodes;
};

#endif
