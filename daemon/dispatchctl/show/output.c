/* SPDX-License-Identifier: MIT */
/*
 * Answers are collected in memory and printed at the end: only then are a table's widths and the
 * need for a pager known, and a command that fails halfway has printed nothing.
 */
#include "dispatchctl/show/output.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "dispatchctl/show/pager.h"

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
	bool pieces; /* the beginning of a list has been printed */
	struct pager *pager;
	size_t paged; /* bytes of `text` that the pager has; kept until it is sure to be there */
	bool direct;  /* without a pager */
	size_t clean; /* bytes of `text` that are safe for the terminal */
	bool left;    /* the person has left the pager */
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
	out->look.colour = (no_color == NULL || *no_color == '\0') && term != NULL &&
	                   strcmp(term, "dumb") != 0;
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

void output_print(struct output *out, const char *fmt, ...)
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

void output_fault(const char *fmt, ...)
{
	char text[2000], shown[4000];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	(void)fprintf(stderr, "dispatchctl: %s\n", utf8_show(text, shown, sizeof shown));
}

void output_document(struct output *out, json_t *document)
{
	json_decref(out->document);
	out->document = document;
}

void output_rows(struct output *out, json_t *rows, const struct column *columns, size_t n,
                 const char *none)
{
	if (!out->json && json_array_size(rows) == 0)
		output_print(out, "%s", none);
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
 * SIGPIPE is ignored for the sake of sockets; for standard output it has its usual effect: a list
 * piped into head(1) ends without a message.
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

/* -- text that is safe for a terminal ---------------------------------------------------------- */

/* Bytes of one of our own escapes, "ESC [ digits m", which only set colors; 0 if there is none. */
static size_t own_escape(const char *text)
{
	size_t digits = strncmp(text, "\x1b[", 2) == 0 ? strspn(text + 2, "0123456789") : 0;
	return digits > 0 && digits <= 2 && text[2 + digits] == 'm' ? digits + 3 : 0;
}

/* In JSON an escape has to be one of JSON's; only the text of its strings comes here. */
static void add_escape(struct buf *out, const char *shown, bool json)
{
	unsigned c = (unsigned)strtoul(shown + 2, NULL, 16);
	if (!json)
		buf_adds(out, shown);
	else if (c > 0xFFFF)
		buf_printf(out, "\\u%04x\\u%04x", 0xD7C0 + (c >> 10), 0xDC00 + (c & 0x3FF));
	else
		buf_printf(out, "\\u%04x", c);
}

static void add_clean(struct buf *out, const char *text, size_t len, bool json)
{
	char shown[UTF8_SHOWN_MAX];
	for (size_t i = 0, n; i < len; i += n) {
		n = text[i] == '\n' || text[i] == '\t' ? 1 : json ? 0 : own_escape(text + i);
		*shown = '\0';
		if (n == 0)
			n = utf8_show_char(text + i, len - i, shown);
		if (*shown)
			add_escape(out, shown, json);
		else
			buf_add(out, text + i, n);
	}
}

/* The only place where text for a person leaves: what was added since is made safe. */
static void clean(struct output *out)
{
	struct buf fit = {0};
	if (out->clean > out->text.len)
		out->clean = 0;
	add_clean(&fit, buf_text(&out->text) + out->clean, out->text.len - out->clean, false);
	out->text.len = out->clean;
	buf_add(&out->text, buf_text(&fit), fit.len);
	out->clean = out->text.len;
	buf_free(&fit);
}

/* -- the pager --------------------------------------------------------------------------------- */

static bool is_long(const struct output *out)
{
	unsigned lines = 0;
	for (size_t i = 0; i < out->text.len; i++)
		lines += out->text.data[i] == '\n';
	return lines >= out->lines;
}

/* The pager has ended: the person has seen enough, or it never started and nothing was seen. */
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

/* Shows the person at the terminal what was collected since. */
static bool output_show(struct output *out, struct error *err)
{
	if (out->left)
		return true;
	clean(out);
	if (!out->pager && !out->direct && is_long(out))
		out->pager = pager_start();
	if (!out->pager) {
		bool good = print_all(buf_text(&out->text), out->text.len, err);
		buf_reset(&out->text);
		out->clean = 0;
		return good;
	}
	if (!pager_write(out->pager, buf_text(&out->text) + out->paged, out->text.len - out->paged))
		return end_pager(out, err);
	out->paged = out->text.len;
	if (pager_reads(out->pager)) {
		buf_reset(&out->text);
		out->paged = out->clean = 0;
	}
	return true;
}

/* -- pieces ------------------------------------------------------------------------------------ */

/* Only the first piece has headings; a later one may have other widths. */
static void add_table_piece(struct output *out, const json_t *rows, const struct column *columns,
                            size_t n)
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

bool output_piece(struct output *out, json_t *rows, const struct column *columns, size_t n,
                  const char *none, bool more, struct error *err)
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
		return output_show(out, err);
	bool good = print(out->text.data, out->text.len, err);
	buf_reset(&out->text);
	return good;
}

/* Indented for a person at a terminal; for a program on one line. */
static void write_document(const struct output *out, struct buf *ret)
{
	if (out->terminal) {
		char *text = json_dumps(out->document,
		                        JSON_ENCODE_ANY | JSON_INDENT(2) | JSON_REAL_PRECISION(15));
		add_clean(ret, text ? text : "", text ? strlen(text) : 0, true);
		free(text);
	} else {
		jsontext_write(ret, out->document, JSONTEXT_AS_IS);
	}
	buf_addc(ret, '\n');
}

bool output_end(struct output *out, struct error *err)
{
	if (!out->json) {
		bool good = out->terminal ? output_show(out, err)
		                          : print_all(buf_text(&out->text), out->text.len, err);
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

void output_section(struct output *out, const json_t *rows, const char *title,
                    const struct column *columns, size_t n)
{
	const struct look *look = output_look(out);
	if (json_array_size(rows) == 0)
		return;
	buf_printf(output_text(out), "\n%s%s%s\n", look_bold(look), title, look_plain(look));
	table_print(output_text(out), rows, columns, n, look);
}
