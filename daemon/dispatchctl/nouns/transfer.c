/* SPDX-License-Identifier: MIT */
/*
 * Import and export of records. An export is written beside its file and then renamed, so that a
 * full disk leaves yesterday's file intact; a device or a pipe is written directly.
 */
#include "dispatchctl/nouns/transfer.h"

#include "base/folder.h"
#include "base/identity.h"
#include "base/utf8.h"
#include "dispatchctl/base/office.h"
#include "dispatchctl/base/store.h"
#include "dispatchctl/show/progress.h"
#include "model/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static bool format_of(const struct ctl *ctl, const char *path, enum records_format *ret,
                      struct error *err)
{
	const char *name = ctl_option(ctl, "format");
	if (name == NULL && records_format_of(path, ret))
		return true;
	if (name == NULL)
		return error_set(
		        err, EX_USAGE,
		        "%s ends in neither .csv nor .jsonl; add --format csv or --format jsonl",
		        path);
	if (strcmp(name, "csv") != 0 && strcmp(name, "jsonl") != 0)
		return error_set(err, EX_USAGE, "--format must be csv or jsonl (got \"%s\")", name);
	*ret = strcmp(name, "csv") == 0 ? RECORDS_CSV : RECORDS_JSONL;
	return true;
}

/* The folder of documents' and pictures' contents; NULL for standard input and output. */
static const char *contents_beside(const struct ctl *ctl, const char *path)
{
	return strcmp(path, "-") == 0 ? NULL : arena_printf(ctl->arena, "%s.files", path);
}

/* ---- import ---- */

struct import {
	struct ctl *ctl;
	const char *path;
	struct progress progress;
	json_t *changes;
};

static void on_progress(void *arg, int64_t rows, int64_t at, int64_t total)
{
	struct import *import = arg;
	progress_show(&import->progress, rows, at, total);
}

static void on_bad_row(void *arg, int64_t line, int64_t column, const char *text)
{
	struct import *import = arg;
	progress_clear(&import->progress);
	if (column > 0)
		output_fault("%s:%lld:%lld: %s", import->path, (long long)line, (long long)column,
		             text);
	else if (line > 0)
		output_fault("%s:%lld: %s", import->path, (long long)line, text);
	else
		output_fault("%s: %s", import->path, text);
}

static void print_change(struct import *import, const char *action, const char *name,
                         const json_t *before, const json_t *after)
{
	struct buf *out = output_text(import->ctl->out);
	const char *key;
	json_t *value;
	buf_printf(out, "%s %s:", action, name);
	json_object_foreach((json_t *)(uintptr_t)after, key, value)
	{
		const json_t *old = json_object_get(before, key);
		buf_printf(out, " %s ", key);
		if (old != NULL && !json_is_null(old)) {
			table_value(out, old);
			buf_adds(out, " -> ");
		}
		table_value(out, value);
		buf_addc(out, ';');
	}
	buf_addc(out, '\n');
}

static void on_change(void *arg, const char *action, const char *name, const json_t *before,
                      const json_t *after)
{
	struct import *import = arg;
	if (output_json(import->ctl->out))
		json_array_append_new(import->changes,
		                      json_pack("{s:s, s:s, s:O?, s:O?}", "action", action, "name",
		                                name, "before", before, "after", after));
	else
		print_change(import, action, name, before, after);
}

static FILE *open_input(const char *path, struct error *err)
{
	if (strcmp(path, "-") == 0)
		return stdin;
	FILE *in = office_open_given(path, "rbe");
	struct stat info;
	if (in == NULL) {
		error_set(err, errno == ENOENT ? EX_NOINPUT : EX_IOERR, "can't read %s: %s", path,
		          strerror(errno));
	} else if (fstat(fileno(in), &info) == 0 && S_ISDIR(info.st_mode)) {
		error_set(err, EX_NOINPUT, "%s is a directory", path);
		(void)fclose(in);
		in = NULL;
	}
	return in;
}

static const char *rows_word(int64_t n)
{
	return n == 1 ? "row" : "rows";
}

/* Values in the file have been replaced since, so the file may be old. */
static void warn_of_stale(const struct records_counts *counts, bool dry_run)
{
	char day[INSTANT_TEXT_MAX], by[200];
	if (counts->stale == 0)
		return;
	(void)instant_format(counts->stale_latest, 0, day);
	output_fault("warning: %lld %s %s newer edits, the latest on %.10s by %s",
	             (long long)counts->stale, rows_word(counts->stale),
	             dry_run              ? "would undo"
	             : counts->stale == 1 ? "undoes"
	                                  : "undo",
	             day, utf8_show(counts->stale_by, by, sizeof by));
}

static void add_stale(json_t *document, const struct records_counts *counts)
{
	char time[INSTANT_TEXT_MAX];
	bool any = counts->stale > 0;
	json_object_set_new(document, "stale", json_integer(counts->stale));
	json_object_set_new(document, "stale_latest",
	                    any ? json_string(instant_format(counts->stale_latest, 0, time))
	                        : json_null());
	json_t *by = any ? json_string(counts->stale_by) : NULL;
	json_object_set_new(document, "stale_by", by ? by : json_null());
}

static void import_report(struct import *import, const struct records_counts *counts, bool dry_run)
{
	struct ctl *ctl = import->ctl;
	output_print(ctl->out, "%s%lld %s: %lld %s, %lld %s, %lld unchanged",
	             dry_run ? "dry run, nothing changed; " : "", (long long)counts->rows,
	             rows_word(counts->rows), (long long)counts->added,
	             dry_run ? "to add" : "added", (long long)counts->changed,
	             dry_run ? "to change" : "changed", (long long)counts->same);
	json_t *document =
	        json_pack("{s:I, s:I, s:I, s:I, s:b}", "rows", (json_int_t)counts->rows, "added",
	                  (json_int_t)counts->added, "changed", (json_int_t)counts->changed, "same",
	                  (json_int_t)counts->same, "dry_run", dry_run);
	add_stale(document, counts);
	if (dry_run)
		json_object_set(document, "changes", import->changes);
	output_document(ctl->out, document);
}

static bool import_rows(struct ctl *ctl, const struct change_context *context, FILE *in,
                        const struct records_import *how, struct records_counts *ret,
                        struct error *err)
{
	const struct kind *kind = kind_find(ctl->command->kind);
	struct contents contents;
	if (!kind->file)
		return records_import(context, kind, in, how, ret, err);
	contents_begin(&contents, context->store, contents_beside(ctl, ctl_arg(ctl, 0)),
	               ctl->settings->customers.max_file_size, how->dry_run);
	struct change_context whole = *context;
	whole.contents = &contents;
	bool ok = records_import(&whole, kind, in, how, ret, err);
	contents_end(&contents, context->store);
	return ok;
}

static const char *const *maps_of(const struct ctl *ctl, size_t *ret_n)
{
	const char **maps = arena_new_array(ctl->arena, ctl->n_given + 1, const char *);
	size_t n = 0;
	for (size_t i = 0; i < ctl->n_given; i++) {
		if (strcmp(ctl->given[i].name, "map") == 0)
			maps[n++] = ctl->given[i].value;
	}
	*ret_n = n;
	return maps;
}

bool transfer_import(struct ctl *ctl, struct error *err)
{
	struct import import = {
	        .ctl = ctl, .path = ctl_arg(ctl, 0), .progress = progress_start("importing")};
	struct records_import how = {.dry_run = ctl_option(ctl, "dry-run") != NULL,
	                             .progress = on_progress,
	                             .bad_row = on_bad_row,
	                             .change = on_change,
	                             .arg = &import};
	struct records_counts counts = {0};
	struct change_context context;
	FILE *in = NULL;
	how.maps = maps_of(ctl, &how.n_maps);
	bool ok = format_of(ctl, import.path, &how.format, err) &&
	          (in = open_input(import.path, err)) != NULL &&
	          store_open(ctl, how.dry_run ? DB_READ : DB_WRITE, &context, err);
	if (ok) {
		import.changes = json_array();
		ok = import_rows(ctl, &context, in, &how, &counts, err);
		progress_clear(&import.progress);
	}
	if (ok) {
		warn_of_stale(&counts, how.dry_run);
		import_report(&import, &counts, how.dry_run);
	}
	json_decref(import.changes);
	if (in != NULL && in != stdin)
		(void)fclose(in);
	return ok;
}

/* ---- export ---- */

struct target {
	const char *path;
	struct folder folder;         /* that `path` lies in */
	const char *name;             /* in it */
	char beside[FOLDER_NEW_SIZE]; /* what is written and then renamed; "": the file itself */
	bool secret;                  /* only the owner may read it */
	FILE *out;
};

/* A device or a pipe named by the person; not a file that was put in its place meanwhile. */
static int open_special(const char *path)
{
	struct stat info;
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || (fstat(fd, &info) == 0 && !S_ISREG(info.st_mode)))
		return fd;
	(void)close(fd);
	errno = EEXIST;
	return -1;
}

static int open_target(struct target *target, struct error *err)
{
	struct stat info;
	const char *slash = strrchr(target->path, '/');
	if (stat(target->path, &info) == 0 && !S_ISREG(info.st_mode)) {
		int fd = open_special(target->path);
		if (fd < 0)
			error_set(err, EX_IOERR, "can't write %s: %s", target->path,
			          strerror(errno));
		return fd;
	}
	target->name = slash ? slash + 1 : target->path;
	if (*target->name == '\0') {
		error_set(err, EX_IOERR, "it is a folder, not a file");
		return -1;
	}
	if (!folder_open_of(&target->folder, target->path, false, err))
		return -1;
	folder_new_name(".new-", target->beside);
	mode_t mask = umask(0);
	(void)umask(mask);
	int fd = folder_make(&target->folder, target->beside, target->secret ? 0600 : 0666 & ~mask,
	                     err);
	if (fd < 0)
		target->beside[0] = '\0';
	return fd;
}

/* As the person, since the office's user may not be allowed to write there. */
static bool target_open(struct target *target, struct error *err)
{
	if (strcmp(target->path, "-") == 0) {
		target->out = stdout;
		return true;
	}
	identity_person();
	int fd = open_target(target, err);
	identity_back();
	target->out = fd >= 0 ? fdopen(fd, "wb") : NULL;
	return target->out != NULL || error_prefix(err, "can't write %s", target->path);
}

static bool put_in_place(struct target *target, bool ok, struct error *err)
{
	identity_person();
	ok = ok &&
	     folder_rename(&target->folder, target->beside, &target->folder, target->name, err);
	if (!ok)
		folder_remove(&target->folder, target->beside);
	identity_back();
	return ok;
}

static bool target_close(struct target *target, bool ok, struct error *err)
{
	bool file = target->beside[0] != '\0';
	if (target->out == NULL)
		goto done;
	if (ok && (fflush(target->out) != 0 || (file && fsync(fileno(target->out)) != 0)))
		ok = error_set(err, EX_IOERR, "can't write %s: %s", target->path, strerror(errno));
	if (target->out != stdout)
		(void)fclose(target->out);
	if (file)
		ok = put_in_place(target, ok, err);
done:
	folder_close(&target->folder);
	return ok;
}

static void on_export(void *arg, int64_t rows, int64_t at, int64_t total)
{
	progress_show(arg, rows, at, total);
}

static bool export_rows(struct ctl *ctl, const struct change_context *context,
                        enum records_format format, struct target *target, int64_t *ret_rows,
                        struct error *err)
{
	const struct kind *kind = kind_find(ctl->command->kind);
	struct progress progress = progress_start("exporting");
	const char *files = contents_beside(ctl, target->path);
	bool ok = (!target->secret || systems_reveal(context, err)) && target_open(target, err) &&
	          records_export(context->store, kind, format, target->out, on_export, &progress,
	                         ret_rows, err);
	progress_clear(&progress);
	return ok &&
	       (!kind->file || files == NULL || contents_export(context->store, kind, files, err));
}

bool transfer_export(struct ctl *ctl, struct error *err)
{
	struct target target = {.path = ctl_arg(ctl, 0),
	                        .folder = FOLDER_NONE,
	                        .secret = ctl_option(ctl, "reveal") != NULL};
	enum records_format format;
	struct change_context context;
	int64_t rows = 0;
	bool ok = format_of(ctl, target.path, &format, err) &&
	          store_open(ctl, target.secret ? DB_WRITE : DB_READ, &context, err) &&
	          export_rows(ctl, &context, format, &target, &rows, err);
	ok = target_close(&target, ok, err);
	if (!ok || target.out == stdout)
		return ok;
	output_print(ctl->out, "%lld %s written to %s", (long long)rows, rows_word(rows),
	             target.path);
	output_document(ctl->out,
	                json_pack("{s:I, s:s}", "rows", (json_int_t)rows, "file", target.path));
	return true;
}

const struct option import_options[] = {
        {.name = "dry-run", .help = "show what would change, and change nothing"},
        {.name = "map",
         .value = "COLUMN=FIELD|FILE",
         .many = true,
         .help = "which field a column is; nothing after = skips the column; a FILE has one per "
                 "line; may be repeated"},
        {.name = "format",
         .value = "csv|jsonl",
         .help = "file format; by default the file's extension"},
        {0},
};

const struct option export_options[] = {
        {.name = "format",
         .value = "csv|jsonl",
         .help = "file format; by default the file's extension"},
        {0},
};

const struct option export_reveal_options[] = {
        {.name = "format",
         .value = "csv|jsonl",
         .help = "file format; by default the file's extension"},
        {.name = "reveal",
         .help = "write secrets in plain text; recorded with your name (managers only)"},
        {0},
};
