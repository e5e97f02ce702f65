/* SPDX-License-Identifier: MIT */
/*
 * Reads a directory of templates with its folders for locales and its catalogues. What each file
 * means is templates_load.c's to say.
 */
#include "mail/template_sources.h"

#include "base/buf.h"
#include "base/digest.h"
#include "template/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct template_source *add(struct template_sources *sources, struct arena *arena,
                                   const char *name, const char *path)
{
	sources->rows =
	        arena_grow(arena, sources->rows, sources->n, &sources->cap, sizeof *sources->rows);
	struct template_source *source = &sources->rows[sources->n++];
	*source = (struct template_source){.name = arena_strdup(arena, name),
	                                   .path = arena_strdup(arena, path)};
	return source;
}

void template_sources_add(struct template_sources *sources, struct arena *arena, const char *name,
                          const char *path, const char *text, size_t len)
{
	struct template_source *source = add(sources, arena, name, path);
	source->text = arena_strndup(arena, text, len);
	source->len = len;
}

void template_sources_copy(struct template_sources *sources, struct arena *arena,
                           const struct template_source *source)
{
	if (source->text != NULL)
		template_sources_add(sources, arena, source->name, source->path, source->text,
		                     source->len);
	else
		add(sources, arena, source->name, source->path)->fault =
		        arena_strdup(arena, source->fault);
}

static const struct template_source *find_name(const struct template_sources *sources,
                                               const char *folder, size_t len, const char *slash,
                                               const char *mail, const char *ending)
{
	char name[200];
	if (snprintf(name, sizeof name, "%.*s%s%s%s", (int)len, folder, slash, mail, ending) >=
	    (int)sizeof name)
		return NULL;
	for (size_t i = 0; i < sources->n; i++)
		if (strcmp(sources->rows[i].name, name) == 0)
			return &sources->rows[i];
	return NULL;
}

const struct template_source *template_sources_find(const struct template_sources *sources,
                                                    const char *mail, const char *locale, bool html)
{
	size_t len = strlen(locale);
	for (;;) {
		const char *slash = len > 0 ? "/" : "";
		const struct template_source *text =
		        find_name(sources, locale, len, slash, mail, ".txt");
		if (text != NULL)
			return html ? find_name(sources, locale, len, slash, mail, ".html") : text;
		if (len == 0)
			return html ? NULL
			            : find_name(sources, TEMPLATE_BUILT_IN,
			                        strlen(TEMPLATE_BUILT_IN), "", mail, ".txt");
		while (len > 0 && locale[len - 1] != '-' && locale[len - 1] != '_')
			len--;
		len -= len > 0;
	}
}

const char *template_source_key(const struct template_source *source, struct arena *arena)
{
	return source->text != NULL ? source->name
	                            : arena_printf(arena, TEMPLATE_UNREADABLE "%s", source->name);
}

const char *template_source_value(const struct template_source *source, size_t *ret_len)
{
	*ret_len = source->text != NULL ? source->len : strlen(source->fault);
	return source->text != NULL ? source->text : source->fault;
}

void template_sources_add_kept(struct template_sources *sources, struct arena *arena,
                               const char *key, const char *value, size_t len)
{
	size_t prefix = strlen(TEMPLATE_UNREADABLE);
	if (strncmp(key, TEMPLATE_UNREADABLE, prefix) == 0)
		add(sources, arena, key + prefix, key + prefix)->fault =
		        arena_strndup(arena, value, len);
	else
		template_sources_add(sources, arena, key, key, value, len);
}

void template_sources_digest(const struct template_sources *sources,
                             unsigned char ret[RENDERING_DIGEST_SIZE])
{
	crypto_generichash_state hash;
	crypto_generichash_init(&hash, NULL, 0, RENDERING_DIGEST_SIZE);
	for (size_t i = 0; i < sources->n; i++) {
		const struct template_source *source = &sources->rows[i];
		size_t len;
		const char *value = template_source_value(source, &len);
		digest_part(&hash, source->name, strlen(source->name));
		digest_part(&hash, source->text != NULL ? "text" : "none", 4);
		digest_part(&hash, value, source->text != NULL ? len : 0);
	}
	crypto_generichash_final(&hash, ret, RENDERING_DIGEST_SIZE);
}

bool template_is_locale(const char *name, size_t len)
{
	static const char letters[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t language = strcspn(name, "-_");
	language = language < len ? language : len;
	return strspn(name, letters) >= len && len < 36 && language >= 2 && language <= 3;
}

/* One folder, its entries by name. */
struct folder {
	struct template_sources *sources;
	struct arena *arena;
	const char *path, *locale; /* "" for the top one */
};

static void read_file(const struct folder *folder, const char *path, const char *entry)
{
	struct buf text = {0};
	struct error err = {0};
	const char *name = *folder->locale
	                           ? arena_printf(folder->arena, "%s/%s", folder->locale, entry)
	                           : entry;
	if (template_read_bytes(path, &text, &err))
		template_sources_add(folder->sources, folder->arena, name, path, buf_text(&text),
		                     text.len);
	else
		add(folder->sources, folder->arena, name, path)->fault =
		        arena_strdup(folder->arena, err.text);
	buf_free(&text);
}

static bool ends_with(const char *name, const char *ending)
{
	size_t len = strlen(name), n = strlen(ending);
	return len > n && strcmp(name + len - n, ending) == 0;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void each_entry(const struct folder *folder,
                       void (*each)(const struct folder *folder, const char *path,
                                    const char *name))
{
	struct dirent **entries;
	int n = scandir(folder->path, &entries, visible, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		each(folder, arena_printf(folder->arena, "%s/%s", folder->path, name), name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	else
		add(folder->sources, folder->arena, "", folder->path)->fault =
		        arena_printf(folder->arena, "%.200s: %s", folder->path, strerror(errno));
}

static void read_template(const struct folder *folder, const char *path, const char *name)
{
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		const struct folder inner = {folder->sources, folder->arena, path, name};
		if (*folder->locale == '\0' && template_is_locale(name, strlen(name)))
			each_entry(&inner, read_template);
	} else if (ends_with(name, ".txt") || ends_with(name, ".html")) {
		read_file(folder, path, name);
	}
}

static void read_catalogue(const struct folder *folder, const char *path, const char *name)
{
	if (ends_with(name, ".ini") && template_is_locale(name, strlen(name) - 4))
		read_file(folder, path, name);
}

void template_sources_read(struct template_sources *sources, struct arena *arena,
                           const char *directory)
{
	const struct folder top = {sources, arena, directory, ""};
	size_t before = sources->n;
	each_entry(&top, read_template);
	if (sources->n == before || sources->rows[before].fault == NULL ||
	    *sources->rows[before].name != '\0')
		each_entry(&top, read_catalogue);
}
