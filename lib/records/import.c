/* SPDX-License-Identifier: MIT */
/*
 * An import: all rows or none.
 *
 * 	file ─ read, check ─▶ staged rows │ lock ─▶ find, compare, write ─▶ commit or roll back
 * 	        (no lock held)            │          (one transaction)
 *
 * Bad rows are all reported, in either half; after the first one nothing will be committed, and the
 * rest is only checked for its own faults, in a copy of the database, so that nobody waits for it.
 * A site may come before its parent: such rows wait until the others are through.
 */
#include "records/import_private.h"

#include "base/address.h"
#include "base/buf.h"
#include "db/utf16.h"
#include "records/customers_private.h"
#include "records/record_find.h"
#include "records/record_row.h"
#include "records/record_write.h"
#include "records/records.h"
#include "records/search_fold.h"
#include "records/transaction.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>

/* The index is written in large pieces: small ones are merged again and again. */
enum { PROGRESS_ROWS = 1000, FOLD_ROWS = 25000 };

bool records_format_of(const char *path, enum records_format *ret)
{
	static const struct {
		const char *ending;
		enum records_format format;
	} endings[] = {{".csv", RECORDS_CSV},      {".tsv", RECORDS_CSV},
	               {".txt", RECORDS_CSV},      {".jsonl", RECORDS_JSONL},
	               {".ndjson", RECORDS_JSONL}, {".json", RECORDS_JSONL}};
	size_t len = strlen(path);
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		size_t n = strlen(endings[i].ending);
		if (len >= n && strcasecmp(path + len - n, endings[i].ending) == 0) {
			*ret = endings[i].format;
			return true;
		}
	}
	return false;
}

/* -- one row ----------------------------------------------------------------------------------- */

static const char *value_of(const struct staged *staged, const struct kind *kind, const char *field)
{
	return staged->value[kind_field_index(kind, kind_field(kind, field))];
}

/* -- which contact a row matches -------------------------------------------------------------- */

/* How well a contact on record matches a row, worst first. */
enum match { MATCH_NONE, MATCH_NAME, MATCH_ADDRESS, MATCH_ID, MATCH_WHOLE };

static bool is_given(const struct staged *staged, const struct kind *kind, const char *field)
{
	return (staged->given & 1u << kind_field_index(kind, kind_field(kind, field))) != 0;
}

/* `of` are the contact's texts, in the order of `names`. */
static enum match compare_contact(const struct staged *staged, const struct kind *kind,
                                  const char *const names[4], const char *const of[4])
{
	bool whole = true, named = true, any_name = false;
	for (size_t i = 0; i < 4; i++) {
		const char *value = value_of(staged, kind, names[i]);
		bool address = i == 0, given = is_given(staged, kind, names[i]);
		bool same = address && value && of[i] ? address_same(value, of[i])
		                                      : value_same(value, of[i]);
		whole = whole && (!given || same);
		named = named && (address || !given || same);
		any_name = any_name || (!address && value);
	}
	const char *address = value_of(staged, kind, "email");
	if (whole && (address || any_name))
		return MATCH_WHOLE;
	if (address && of[0] && address_same(address, of[0]))
		return MATCH_ADDRESS;
	return named && any_name ? MATCH_NAME : MATCH_NONE;
}

/*
 * One that has all that the row says of address and names; else by id; else by address; else by
 * name. A contact that an earlier row of the file matched is matched only by an equal row: two
 * people may share an address or a name. *ret is the id that the row has, 0 for none; it stays
 * where nobody matches.
 */
static bool find_contact(struct import *import, struct transaction *tx, const struct staged *staged,
                         int64_t owner, int64_t *ret)
{
	static const char *const names[4] = {"email", "name", "first_name", "last_name"};
	enum match best = MATCH_NONE;
	enum db_step step;
	int64_t wanted = *ret;
	struct db_query *query =
	        db_query(tx->db, "SELECT id, email, name, first_name, last_name FROM contact"
	                         " WHERE customer = ?1 ORDER BY id");
	db_bind_int(query, 1, owner);
	while ((step = db_step(query, tx->err)) == DB_ROW) {
		const char *of[4];
		int64_t id = db_int(query, 0);
		for (int i = 0; i < 4; i++)
			of[i] = db_text_or_null(query, i + 1, tx->arena);
		enum match match = compare_contact(staged, import->kind, names, of);
		bool claimed = transaction_is_claimed(tx, id);
		if (id == wanted && match != MATCH_WHOLE)
			match = MATCH_ID;
		if (claimed && match != MATCH_WHOLE)
			continue;
		if (match > best || (match == best && match != MATCH_NONE && id == wanted)) {
			best = match;
			*ret = id;
		}
	}
	if (step == DB_DONE && best == MATCH_NONE && transaction_is_claimed(tx, wanted))
		*ret = 0;
	return step == DB_DONE;
}

/* By number or name where the kind has one; else by id, if it is one of that owner's. What is new
 * keeps its id where it is free: other rows name it by that. */
static bool find_before(struct import *import, struct transaction *tx, const struct staged *staged,
                        struct row *ret)
{
	const struct kind *kind = import->kind;
	int64_t owner = 0, id = 0;
	struct error none;
	if (kind->owner &&
	    !record_find(tx->store, kind_find(kind->owner), staged->owner, &owner, tx->err))
		return false;
	bool named = kind->fields[0].type == FIELD_NAME;
	if (named && !record_find(tx->store, kind, staged->value[0], &id, &none) &&
	    none.code != EX_NOINPUT) {
		*tx->err = none;
		return false;
	}
	if (!named && staged->id && !record_id(staged->id, &id))
		id = 0;
	if (kind->known_by_address && !find_contact(import, tx, staged, owner, &id))
		return false;
	bool known = named || transaction_is_claimed(tx, id) || id <= tx->known[kind - kinds];
	if (!row_get(tx->store, tx->arena, kind, known ? id : 0, ret, tx->err))
		return false;
	return (ret->id != 0 && ret->owner == owner) ||
	       (row_new(tx, kind, owner, ret) && (named || row_keep_id(tx, ret, id)));
}

/* Authors and times, marks of bad addresses: an import may bring them, but then it is a
 * manager's. */
static bool check_kept(struct transaction *tx, const struct row *before, const struct row *after)
{
	for (size_t i = 0; i < after->kind->n_fields; i++) {
		const char *a = before->value[i], *b = after->value[i];
		bool same = a == b || (a && b && strcmp(a, b) == 0);
		if (!same && after->kind->fields[i].read_only &&
		    !transaction_needs_manager(tx, after->kind->fields[i].name))
			return false;
	}
	return true;
}

static bool is_own_number(const struct import *import, const struct row *after, size_t i)
{
	return i == 0 && after->id != 0 && import->kind->is_customer;
}

static bool take_values(struct import *import, struct transaction *tx, const struct staged *staged,
                        struct row *after)
{
	for (size_t i = 0; i < import->kind->n_fields; i++) {
		if ((staged->given & 1u << i) == 0)
			continue;
		if (is_own_number(import, after,
		                  i)) /* also where it was named by one that it had before */
			continue;
		after->value[i] = staged->value[i];
		if (staged->value[i] == NULL &&
		    !field_emptied(&import->kind->fields[i], after->id == 0, &after->value[i],
		                   tx->err))
			return false;
	}
	return true;
}

/* The contact of one of several rows: in a list it isn't taken for the customer's first. */
static void list_contact(json_t *extras)
{
	json_t *email = json_object_get(extras, "email"),
	       *name = json_object_get(extras, "contact");
	if (json_object_get(extras, "contacts"))
		return;
	if (json_string_length(email) > 0 || json_string_length(name) > 0)
		(void)json_object_set_new(
		        extras, "contacts",
		        json_pack("[{s:O*, s:O*}]", "email", email, "name", name));
	(void)json_object_del(extras, "email");
	(void)json_object_del(extras, "contact");
}

/* A file that names one customer by two numbers, one that it had before: which row is right nobody
 * knows. */
static bool check_once(struct import *import, struct transaction *tx, const struct staged *staged,
                       const struct row *before)
{
	if (import->formers == NULL || before->id == 0)
		return true;
	gpointer key = GSIZE_TO_POINTER((gsize)before->id);
	int64_t line = (int64_t)GPOINTER_TO_SIZE(g_hash_table_lookup(import->formers, key));
	struct db_query *query =
	        db_query(tx->db, "SELECT EXISTS (SELECT 1 FROM former_number WHERE customer = ?1)");
	int64_t any;
	db_bind_int(query, 1, before->id);
	if (!db_run_int(query, 0, &any, tx->err))
		return false;
	if (any != 0 && line == 0)
		g_hash_table_insert(import->formers, key, GSIZE_TO_POINTER((gsize)staged->line));
	return line == 0 || staged->several || line == staged->line ||
	       error_set(tx->err, EX_DATAERR,
	                 "number: %s is customer %s, which is in line %lld already",
	                 staged->value[0], before->value[0], (long long)line);
}

static bool put_row(struct import *import, struct transaction *tx, const struct staged *staged)
{
	struct row before;
	bool changed;
	if (!find_before(import, tx, staged, &before) || !check_once(import, tx, staged, &before))
		return false;
	json_t *extras = staged->extras ? json_loads(staged->extras, 0, NULL) : json_object();
	if (staged->several)
		list_contact(extras);
	struct row after = row_start(&before);
	tx->took_back = false;
	bool good = take_values(import, tx, staged, &after) && check_kept(tx, &before, &after) &&
	            record_write(tx, &before, &after, extras, &changed);
	json_decref(extras);
	if (!good)
		return false;
	if (import->kind->known_by_address)
		transaction_claim(tx, after.id);
	import->counts.stale += tx->took_back;
	if (before.id == 0)
		import->counts.added++;
	else if (changed)
		import->counts.changed++;
	else
		import->counts.same++;
	return true;
}

/* -- all rows ---------------------------------------------------------------------------------- */

/* A fault of the row, not of the database. */
static bool is_row_fault(const struct error *err)
{
	return err->code == EX_DATAERR || err->code == EX_NOPERM || err->code == EX_NOINPUT ||
	       err->code == EX_CONFIG;
}

static const char *parent_of(const struct import *import, const struct staged *staged)
{
	const struct field *field =
	        import->kind->is_customer ? kind_field(import->kind, "parent") : NULL;
	return field ? staged->value[kind_field_index(import->kind, field)] : NULL;
}

/* A site whose parent isn't there yet. */
static bool waits_for_parent(const struct import *import, struct transaction *tx,
                             const struct staged *staged)
{
	int64_t id;
	const char *parent = parent_of(import, staged);
	return parent && customer_id(tx->store, parent, &id, NULL) && id == 0;
}

/* A site whose parent's row was bad, or such a site's: it goes with it. */
static bool falls_with_parent(struct import *import, const struct staged *staged)
{
	const char *parent = parent_of(import, staged);
	if (parent == NULL || !import_has_fallen(import, parent))
		return false;
	import_fell(import, staged->value[0]);
	return true;
}

struct waiting {
	int64_t *at; /* places in the staged file */
	size_t n, cap;
};

static void wait_add(struct waiting *waiting, int64_t at)
{
	if (waiting->n == waiting->cap) {
		waiting->cap = waiting->cap ? waiting->cap * 2 : 64;
		waiting->at = mem_realloc(waiting->at, waiting->cap, sizeof *waiting->at);
	}
	waiting->at[waiting->n++] = at;
}

static bool try_row(struct import *import, struct transaction *tx, const struct staged *staged)
{
	struct error err = {0};
	tx->err = &err;
	bool good = put_row(import, tx, staged);
	tx->err = import->err;
	if (!good && is_row_fault(&err)) {
		import_bad(import, staged->line, 0, err.text);
		import->denied += err.code == EX_NOPERM;
		import_fell(import, staged->value[0]);
	} else if (!good) {
		*import->err = err;
	}
	return good || is_row_fault(&err);
}

static void report_progress(struct import *import, int64_t at)
{
	double part = import->stage_size > 0 ? (double)at / (double)import->stage_size : 1;
	import_progress(import, import->size / 4 + (int64_t)((double)import->size * 0.75 * part));
}

static bool put_all(struct import *import, struct transaction *tx, struct waiting *waiting)
{
	struct staged staged;
	bool fault = false, good = stage_rewind(import, 0);
	int64_t rows = 0;
	for (int64_t at = 0; good && stage_get(import, &staged, &fault); at = stage_tell(import)) {
		staged.several = import_is_several(import, at);
		if (waits_for_parent(import, tx, &staged))
			wait_add(waiting, at);
		else
			good = try_row(import, tx, &staged);
		arena_reset(tx->arena);
		if (++rows % PROGRESS_ROWS == 0)
			report_progress(import, at);
		if (good && rows % FOLD_ROWS == 0) {
			good = search_refresh(tx->store, import->err);
			tx->noted = 0;
		}
	}
	return good && !fault;
}

/* Rounds over those that wait, as long as each brings some of them in. What is left has no parent
 * anywhere. */
static bool put_waiting(struct import *import, struct transaction *tx, struct waiting *waiting)
{
	struct staged staged;
	bool fault, last = false;
	while (waiting->n > 0) {
		size_t left = 0;
		for (size_t i = 0; i < waiting->n; i++) {
			if (!stage_rewind(import, waiting->at[i]) ||
			    !stage_get(import, &staged, &fault))
				return false;
			staged.several = import_is_several(import, waiting->at[i]);
			if (falls_with_parent(import, &staged))
				continue;
			if (!last && waits_for_parent(import, tx, &staged))
				waiting->at[left++] = waiting->at[i];
			else if (!try_row(import, tx, &staged))
				return false;
			arena_reset(tx->arena);
		}
		last = left == waiting->n;
		waiting->n = left;
	}
	return true;
}

/* Greater ids are given by this import: no row of its file means them. */
static bool find_known(struct transaction *tx, int64_t *known)
{
	bool good = true;
	for (size_t i = 0; good && i < n_kinds; i++) {
		struct db_query *query =
		        db_query(tx->db, "SELECT seq FROM sqlite_sequence WHERE name = ?1");
		db_bind_text(query, 1, kinds[i].table);
		good = db_run_int(query, 0, &known[i], tx->err);
	}
	tx->known = known;
	return good;
}

/* NULL where no customer has any, as is most often so. */
static bool find_formers(struct import *import, struct transaction *tx)
{
	int64_t any;
	struct db_query *query = db_query(tx->db, "SELECT EXISTS (SELECT 1 FROM former_number)");
	if (!db_run_int(query, 0, &any, tx->err))
		return false;
	if (any != 0 && import->kind->is_customer)
		import->formers = g_hash_table_new(NULL, NULL);
	return true;
}

static bool all_or_nothing(struct import *import)
{
	if (import->counts.bad == 0)
		return true;
	return error_set(import->err, import->denied == import->counts.bad ? EX_NOPERM : EX_DATAERR,
	                 "%lld bad row%s: nothing was changed", (long long)import->counts.bad,
	                 import->counts.bad == 1 ? "" : "s");
}

/* A big import touches most of every index: room for them spares the disk the same pages again and
 * again. */
static void set_cache(struct customers *store, bool big)
{
	(void)db_exec(store->db,
	              big ? "PRAGMA cache_size = -1048576" : "PRAGMA cache_size = -16384", NULL);
}

static bool write_all(struct import *import)
{
	struct transaction tx;
	struct waiting waiting = {0};
	set_cache(import->context->store, true);
	if (!transaction_begin(&tx, import->context, import->err))
		return false;
	tx.import = true;
	tx.stale = &import->counts;
	tx.claimed = g_hash_table_new(NULL, NULL);
	int64_t *known = mem_alloc(n_kinds * sizeof *known);
	tx.observer = import->how->dry_run ? import->how->change : NULL;
	tx.observer_arg = import->how->arg;
	bool good = find_known(&tx, known) && find_formers(import, &tx) &&
	            put_all(import, &tx, &waiting) && put_waiting(import, &tx, &waiting) &&
	            all_or_nothing(import);
	g_hash_table_destroy(tx.claimed);
	if (import->formers)
		g_hash_table_destroy(import->formers);
	import->formers = NULL;
	free(waiting.at);
	free(known);
	bool wanted = good && !import->how->dry_run;
	bool done = transaction_end(&tx, wanted);
	set_cache(import->context->store, false);
	return wanted ? done : good;
}

/* What the first half left is checked even where some of it was bad, so that the rest of the faults
 * is reported, too. */
static bool put(struct import *import)
{
	bool bad = import->counts.bad > 0;
	bool good = true;
	if (import->stage_size > 0 || !bad)
		good = bad || import->how->dry_run ? import_rehearse(import, write_all)
		                                   : write_all(import);
	import_progress(import, import->size);
	return bad ? all_or_nothing(import) : good;
}

/* -- the import -------------------------------------------------------------------------------- */

static void end(struct import *import)
{
	if (import->stage)
		(void)fclose(import->stage);
	buf_free(&import->buf);
	g_hash_table_destroy(import->fallen);
	g_hash_table_destroy(import->several);
	free(import->places);
	arena_free(import->names);
	arena_free(import->arena);
}

bool records_import(const struct change_context *context, const struct kind *kind, FILE *in,
                    const struct records_import *how, struct records_counts *ret, struct error *err)
{
	struct import import = {.context = context,
	                        .kind = kind,
	                        .how = how,
	                        .in = in,
	                        .counts.stale_latest = INSTANT_NONE,
	                        .err = err};
	struct stat st;
	import.arena = arena_new();
	import.names = arena_new();
	import.several = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	import.fallen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (fstat(fileno(in), &st) == 0 && S_ISREG(st.st_mode))
		import.size = st.st_size;
	FILE *utf16 = utf16_open(in);
	if (utf16)
		import.in = utf16;
	bool good = stage_open(&import) && import_read_map(&import) && import_read(&import) &&
	            import_check_twice_there(&import) && put(&import);
	if (utf16)
		(void)fclose(utf16);
	*ret = import.counts;
	end(&import);
	return good;
}
