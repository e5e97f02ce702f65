/* SPDX-License-Identifier: MIT */
/*
 * Reads INI files, and remembers for each value where it stood. Nothing known does both: a fault
 * must name its line, and one in a header must not file what follows under the section before it.
 *
 * Limits: a line of 4 KiB, a file of 256 KiB; no continuation lines and no includes (that is what
 * conf.d/ is for).
 */
#include "base/conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

struct reader { /* one file on its way through */
	struct conf *conf;
	struct conf_place place; /* section: NULL before the first header, after a broken one */
	bool skip;               /* the header was broken: what follows belongs nowhere */
};

struct conf *conf_new(void)
{
	struct conf *conf = mem_alloc(sizeof *conf);
	conf->arena = arena_new_private(); /* a url may have a password in it */
	return conf;
}

struct conf *conf_free(struct conf *conf)
{
	if (conf == NULL)
		return NULL;
	free(conf->files);
	free(conf->sections);
	free(conf->values);
	free(conf->faults);
	arena_free(conf->arena);
	free(conf);
	return NULL;
}

/* Room for one more in an array of `n`: it doubles whenever `n` is a power of two. */
static void *one_more(void *array, size_t n, size_t size)
{
	return (n & (n - 1)) == 0 ? mem_realloc(array, n ? 2 * n : 1, size) : array;
}

void conf_add_fault(struct conf *conf, int code, struct conf_place place, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	conf->faults = one_more(conf->faults, conf->n_faults, sizeof *conf->faults);
	conf->faults[conf->n_faults++] = (struct conf_fault){
	        .place = place,
	        .code = code,
	        .text = arena_strdup(conf->arena, text),
	};
}

static int place_order(const struct conf_place *a, const struct conf_place *b)
{
	return a->file != b->file ? a->file - b->file : a->line - b->line;
}

void conf_sort_faults(struct conf *conf)
{
	/* By insertion, which keeps the order of those in one line; there are few. */
	for (size_t i = 1; i < conf->n_faults; i++) {
		struct conf_fault fault = conf->faults[i];
		size_t j = i;
		for (; j > 0 && place_order(&conf->faults[j - 1].place, &fault.place) > 0; j--)
			conf->faults[j] = conf->faults[j - 1];
		conf->faults[j] = fault;
	}
}

const char *conf_fault_text(struct conf *conf, const struct conf_fault *fault)
{
	const char *file = conf->files[fault->place.file];
	if (fault->place.line == 0)
		return arena_printf(conf->arena, "%s: %s", file, fault->text);
	return arena_printf(conf->arena, "%s:%d: %s", file, fault->place.line, fault->text);
}

/* ---- one line */

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_comment(char c)
{
	return c == ';' || c == '#';
}

static char *skip_space(char *p)
{
	while (is_space(*p))
		p++;
	return p;
}

static void cut_space(char *text)
{
	size_t len = strlen(text);
	while (len > 0 && is_space(text[len - 1]))
		text[--len] = '\0';
}

/* Whether nothing but space and a comment follows. */
static bool only_comment(char *p)
{
	p = skip_space(p);
	return *p == '\0' || is_comment(*p);
}

/* The closing quote of a text that begins with one; NULL where there is none. */
static char *closing_quote(char *text)
{
	for (char *p = text + 1; *p != '\0'; p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		else if (*p == '"')
			return p;
	}
	return NULL;
}

static void unescape(char *text)
{
	char *to = text;
	for (char *p = text; *p != '\0'; p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		*to++ = *p;
	}
	*to = '\0';
}

/* The value of the text after `=`, unquoted in place. A quote with something after it is part of
 * the value: "Example Hauling" <dispatch@example.com>. */
static const char *value_of(char *text, bool *ret_open_quote)
{
	char *p = text;
	if (*text == '"') {
		char *end = closing_quote(text);
		if (end == NULL) {
			*ret_open_quote = true;
			return text;
		}
		if (only_comment(end + 1)) {
			*end = '\0';
			unescape(text + 1);
			return text + 1;
		}
		p = end + 1;
	}
	for (; *p != '\0'; p++) {
		if (is_comment(*p) && is_space(p[-1])) {
			*p = '\0';
			break;
		}
	}
	cut_space(text);
	return text;
}

static void read_header(struct reader *reader, char *line)
{
	struct conf *conf = reader->conf;
	char *end = strchr(line, ']');
	reader->place.section = NULL;
	reader->skip = true;
	if (end == NULL) {
		conf_add_fault(conf, EX_CONFIG, reader->place,
		               "missing ] after the section's name");
		return;
	}
	*end = '\0';
	char *name = skip_space(line + 1);
	cut_space(name);
	if (*name == '\0') {
		conf_add_fault(conf, EX_CONFIG, reader->place, "a section needs a name: [NAME]");
		return;
	}
	if (!only_comment(end + 1)) {
		conf_add_fault(conf, EX_CONFIG, reader->place, "only a comment may follow [%s]",
		               name);
		return;
	}
	reader->place.section = arena_strdup(conf->arena, name);
	reader->skip = false;
	conf->sections = one_more(conf->sections, conf->n_sections, sizeof *conf->sections);
	conf->sections[conf->n_sections++] = reader->place;
}

static void read_pair(struct reader *reader, char *line)
{
	struct conf *conf = reader->conf;
	char *equals = strchr(line, '=');
	if (equals == NULL || equals == line) {
		conf_add_fault(conf, EX_CONFIG, reader->place,
		               "expected [section], key = value or a comment");
		return;
	}
	*equals = '\0';
	cut_space(line);
	if (reader->place.section == NULL) {
		conf_add_fault(conf, EX_CONFIG, reader->place, "%s comes before any [section]",
		               line);
		return;
	}
	bool open_quote = false;
	const char *value = value_of(skip_space(equals + 1), &open_quote);
	if (open_quote) {
		conf_add_fault(conf, EX_CONFIG, reader->place, "[%s] %s: unterminated quote",
		               reader->place.section, line);
		return;
	}
	conf->values = one_more(conf->values, conf->n_values, sizeof *conf->values);
	conf->values[conf->n_values++] = (struct conf_value){
	        .place = reader->place,
	        .key = arena_strdup(conf->arena, line),
	        .value = arena_strdup(conf->arena, value),
	};
}

/* Says what keeps a line from being text; NULL where nothing does. */
static const char *line_fault(const char *line, size_t len)
{
	if (len > CONF_LINE_MAX)
		return "the line is longer than 4096 bytes";
	if (memchr(line, '\0', len) != NULL)
		return "the line contains a NUL byte";
	if (!g_utf8_validate(line, (gssize)len, NULL))
		return "the line is not valid UTF-8";
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 127)
			return "the line contains a control character";
	return NULL;
}

static void read_line(struct reader *reader, const char *bytes, size_t len)
{
	char copy[CONF_LINE_MAX + 1] = "";
	const char *fault = line_fault(bytes, len);
	if (fault != NULL) {
		conf_add_fault(reader->conf, EX_CONFIG, reader->place, "%s", fault);
		return;
	}
	memcpy(copy, bytes, len);
	copy[len] = '\0';
	char *line = skip_space(copy);
	cut_space(line);
	if (*line == '\0' || is_comment(*line))
		return;
	if (*line == '[')
		read_header(reader, line);
	else if (!reader->skip)
		read_pair(reader, line);
	explicit_bzero(copy, len);
}

/* ---- one file */

/* Reports keys that appear twice among the values from `first` on, which are one file's. */
static void check_twice(struct conf *conf, size_t first)
{
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (size_t i = first; i < conf->n_values; i++) {
		const struct conf_value *value = &conf->values[i];
		char *name = g_strdup_printf("[%s] %s", value->place.section, value->key);
		const struct conf_value *was = g_hash_table_lookup(seen, name);
		if (was != NULL) {
			conf_add_fault(conf, EX_CONFIG, value->place,
			               "%s is given twice, also in line %d", name, was->place.line);
			g_free(name);
		} else {
			g_hash_table_insert(seen, name, &conf->values[i]);
		}
	}
	g_hash_table_destroy(seen);
}

static int file_add(struct conf *conf, const char *file)
{
	conf->files = one_more(conf->files, conf->n_files, sizeof *conf->files);
	conf->files[conf->n_files] = arena_strdup(conf->arena, file);
	return (int)conf->n_files++;
}

static void read_bytes(struct conf *conf, int file, const char *text, size_t len)
{
	struct reader reader = {.conf = conf, .place = {.file = file}};
	size_t first = conf->n_values;
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		text += 3;
		len -= 3;
	}
	for (const char *end = text + len; text < end;) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;
		size_t n = (size_t)(stop - text);
		reader.place.line++;
		read_line(&reader, text, n > 0 && text[n - 1] == '\r' ? n - 1 : n);
		text = stop + 1;
	}
	if (file == 0)
		conf->last_line = reader.place.line > 0 ? reader.place.line : 1;
	check_twice(conf, first);
}

static int code_of(int error, bool main_file)
{
	if (error == EACCES || error == EPERM)
		return EX_NOPERM;
	return error == ENOENT && main_file ? EX_NOINPUT : EX_IOERR;
}

/* Fills `room` as far as the file goes; 0 or errno. A directory opens, and fails at the first
 * read. */
static int slurp(const char *path, char *room, size_t size, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int error = fd < 0 ? errno : 0;
	ssize_t n = 1;
	*ret_len = 0;
	while (error == 0 && n > 0 && *ret_len < size) {
		n = read(fd, room + *ret_len, size - *ret_len);
		if (n < 0 && errno != EINTR)
			error = errno;
		else if (n > 0)
			*ret_len += (size_t)n;
		n = n < 0 ? 1 : n;
	}
	if (fd >= 0)
		(void)close(fd);
	return error;
}

static bool read_file(struct conf *conf, const char *path)
{
	size_t size = CONF_FILE_MAX + 1, len;
	char *room = mem_alloc(size);
	int file = file_add(conf, path);
	struct conf_place place = {.file = file};
	int error = slurp(path, room, size, &len);
	if (error != 0)
		conf_add_fault(conf, code_of(error, file == 0), place, "%s", strerror(error));
	else if (len > CONF_FILE_MAX)
		conf_add_fault(conf, EX_CONFIG, place, "the file is larger than 256KiB");
	else
		read_bytes(conf, file, room, len);
	explicit_bzero(room, len);
	free(room);
	return error == 0;
}

/* ---- conf.d/ */

static int is_dropin(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* not alphasort(), which asks the locale */
}

static void read_dropins(struct conf *conf, const char *file)
{
	const char *slash = strrchr(file, '/');
	int dir_len = slash ? (int)(slash - file) + 1 : 0;
	const char *dir = arena_printf(conf->arena, "%.*sconf.d", dir_len, file);
	struct dirent **names = NULL;
	int n = scandir(dir, &names, is_dropin, by_bytes);
	if (n < 0) {
		int error = errno;
		if (error != ENOENT)
			conf_add_fault(conf, code_of(error, false),
			               (struct conf_place){.file = file_add(conf, dir)}, "%s",
			               strerror(error));
		return;
	}
	for (int i = 0; i < n; i++) {
		(void)read_file(conf, arena_printf(conf->arena, "%s/%s", dir, names[i]->d_name));
		free(names[i]);
	}
	free(names);
}

void conf_read(struct conf *conf, const char *file)
{
	if (read_file(conf, file))
		read_dropins(conf, file);
}
