/* SPDX-License-Identifier: MIT */
/*
 * Answers are gathered in memory and printed at the end: a table's widths are known only then, a
 * pager is worth starting only then, and a command that fails half-way has printed nothing.
 */
#include "ctl/output.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "ctl/pager.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

struct output {
	bool json, terminal;
	unsigned lines; /* of the terminal */
	struct look look;
	struct buf text;
	json_t *document;
	bool pieces; /* the beginning of a list is there already */
	struct pager *pager;
	size_t paged; /* bytes of `text` that the pager has; kept until it is sure to be there */
	bool direct;  /* there is no pager */
	bool left;    /* the person has left the pager: no more is wanted */
};

static unsigned number_of(const char *variable)
{
	const char *text = getenv(variable);
	long n = text ? strtol(text, NULL, 10) : 0;
	return n > 0 && n < 10000 ? (unsigned)n : 0;
}

static void measure_terminal(struct output *out)
{
	struct winsize size = {0};
	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	unsigned columns = number_of("COLUMNS"), lines = number_of("LINES");
	out->look.width = size.ws_col ? size.ws_col : columns ? columns : 80;
	out->lines = size.ws_row ? size.ws_row : lines ? lines : 24;
}

struct output *output_new(bool json, const struct zone *zone)
{
	struct output *out = mem_alloc(sizeof *out);
	out->look.zone = zone;
	out->json = json;
	out->terminal = isatty(STDOUT_FILENO);
	if (!out->terminal || json)
		return out;
	measure_terminal(out);
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	out->look.colour =
	        (no_color == NULL || *no_color == '\0') && term != NULL && strcmp(term, "dumb") != 0;
	return out;
}

struct output *output_free(struct output *out)
{
	if (out != NULL) {
		if (out->pager != NULL)
			(void)pager_end(out->pager);
		buf_free(&out->text);
		json_decref(out->document);
	}
	free(out);
	return NULL;
}

bool output_json(const struct output *out)
{
	return out->json;
}

const struct look *output_look(const struct output *out)
{
	return &out->look;
}

struct buf *output_text(struct output *out)
{
	return &out->text;
}

void output_say(struct output *out, const char *fmt, ...)
{
	char *line = NULL;
	va_list args;
	va_start(args, fmt);
	int len = vasprintf(&line, fmt, args);
	va_end(args);
	if (len < 0)
		bug("format '%s'", fmt);
	buf_adds(&out->text, line);
	buf_addc(&out->text, '\n');
	free(line);
}

void output_document(struct output *out, json_t *document)
{
	json_decref(out->document);
	out->document = document;
}

void output_rows(struct output *out, json_t *rows, const struct column *columns, size_t n, const char *none)
{
	if (!out->json && json_array_size(rows) == 0)
		output_say(out, "%s", none);
	else if (!out->json)
		table_print(&out->text, rows, columns, n, &out->look);
	output_document(out, rows);
}

void output_sheet(struct output *out, json_t *object, const struct column *columns, size_t n)
{
	if (!out->json)
		table_print_sheet(&out->text, object, columns, n, &out->look);
	output_document(out, object);
}

/*
 * SIGPIPE is ignored for the sake of sockets; for standard output it does what it does everywhere: who
 * pipes a list into head(1) wants no message about it.
 */
static bool print(const char *bytes, size_t len, struct error *err)
{
	(void)signal(SIGPIPE, SIG_DFL);
	if (fwrite(bytes, 1, len, stdout) == len)
		return true;
	return error_set(err, EX_IOERR, "can't write to standard output: %s", strerror(errno));
}

static bool print_all(const char *bytes, size_t len, struct error *err)
{
	if (!print(bytes, len, err))
		return false;
	if (fflush(stdout) == 0)
		return true;
	return error_set(err, EX_IOERR, "can't write to standard output: %s", strerror(errno));
}

bool output_line(struct output *out, const char *text, size_t len, struct error *err)
{
	(void)out;
	return print(text, len, err) && print("\n", 1, err);
}

/* -- the pager --------------------------------------------------------------------------------- */

static bool is_long(const struct output *out)
{
	unsigned lines = 0;
	for (size_t i = 0; i < out->text.len; i++)
		lines += out->text.data[i] == '\n';
	return lines >= out->lines;
}

/* The pager is gone: because the person has seen enough, or it never was there, and then nothing was seen. */
static bool end_pager(struct output *out, struct error *err)
{
	struct pager *pager = out->pager;
	bool reads = pager_reads(pager);
	out->pager = NULL;
	out->left = pager_end(pager) || reads;
	out->direct = true;
	bool good = out->left || print_all(buf_text(&out->text), out->text.len, err);
	buf_reset(&out->text);
	return good;
}

/* Gives the person at the terminal what was gathered since. */
static bool show(struct output *out, struct error *err)
{
	if (out->left)
		return true;
	if (!out->pager && !out->direct && is_long(out))
		out->pager = pager_start();
	if (!out->pager) {
		bool good = print_all(buf_text(&out->text), out->text.len, err);
		buf_reset(&out->text);
		return good;
	}
	if (!pager_write(out->pager, buf_text(&out->text) + out->paged, out->text.len - out->paged))
		return end_pager(out, err);
	out->paged = out->text.len;
	if (pager_reads(out->pager)) {
		buf_reset(&out->text);
		out->paged = 0;
	}
	return true;
}

/* -- pieces ------------------------------------------------------------------------------------ */

/* Headings stand over the first piece only; a later one may have other widths. */
static void add_table_piece(struct output *out, const json_t *rows, const struct column *columns, size_t n)
{
	struct buf table = {0};
	table_print(&table, rows, columns, n, &out->look);
	const char *text = buf_text(&table), *body = out->pieces ? strchr(text, '\n') : NULL;
	buf_adds(&out->text, body ? body + 1 : text);
	buf_free(&table);
}

static void add_json_piece(struct output *out, const json_t *rows, bool more)
{
	size_t i;
	const json_t *row;
	buf_adds(&out->text, out->pieces ? "" : "[");
	json_array_foreach(rows, i, row)
	{
		buf_adds(&out->text, out->pieces || i > 0 ? ",\n" : "");
		jsontext_write(&out->text, row, JSONTEXT_AS_IS);
	}
	buf_adds(&out->text, more ? "" : "]\n");
}

bool output_left(const struct output *out)
{
	return out->left;
}

bool output_piece(struct output *out, json_t *rows, const struct column *columns, size_t n, const char *none,
                  bool more, struct error *err)
{
	if (!more && !out->pieces) {
		output_rows(out, rows, columns, n, none);
		return true;
	}
	if (out->json)
		add_json_piece(out, rows, more);
	else if (json_array_size(rows) > 0)
		add_table_piece(out, rows, columns, n);
	out->pieces = true;
	json_decref(rows);
	if (out->terminal && !out->json)
		return show(out, err);
	bool good = print(out->text.data, out->text.len, err);
	buf_reset(&out->text);
	return good;
}

/* Indented for a person at a terminal; for a program on one line. */
static void write_document(const struct output *out, struct buf *ret)
{
	if (out->terminal) {
		char *text =
		        json_dumps(out->document, JSON_ENCODE_ANY | JSON_INDENT(2) | JSON_REAL_PRECISION(15));
		buf_adds(ret, text ? text : "");
		free(text);
	} else {
		jsontext_write(ret, out->document, JSONTEXT_AS_IS);
	}
	buf_addc(ret, '\n');
}

bool output_end(struct output *out, struct error *err)
{
	if (!out->json) {
		bool good =
		        out->terminal ? show(out, err) : print_all(buf_text(&out->text), out->text.len, err);
		return out->pager ? good && end_pager(out, err) : good;
	}
	if (out->document == NULL)
		return print_all("", 0, err);
	struct buf text = {0};
	write_document(out, &text);
	bool ok = print_all(text.data, text.len, err);
	buf_free(&text);
	return ok;
}
