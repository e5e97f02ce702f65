/* SPDX-License-Identifier: MIT */
/*
 * Systems: equipment whose fields the administrator defines for each type. Values are in a table of
 * their own. Secret ones are sealed (XChaCha20-Poly1305, libsodium) with a key that is not in the
 * database; the seal is bound to its system and field, so that it can't be moved to another.
 *
 * 	sealed = 24 bytes nonce │ ciphertext │ 16 bytes tag
 */
#include "records/record_system.h"

#include "base/buf.h"
#include "base/exposed.h"
#include "base/identity.h"
#include "records/customers_private.h"
#include "records/record_change.h"
#include "records/record_json.h"
#include "records/record_row.h"
#include "records/records.h"
#include "records/transaction.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
	NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};

_Static_assert(SYSTEM_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
               "a key of libsodium");

static const char hidden[] = SECRET_HIDDEN;

void records_set_key_file(struct customers *store, const char *path, const char *from)
{
	free(store->key_file);
	free(store->key_from);
	store->key_file = mem_strdup(path);
	store->key_from = mem_strdup(from);
}

/* -- the key ----------------------------------------------------------------------------------- */

/* 32 bytes, or 64 hex digits with or without a line break. */
static bool parse_key(const unsigned char *bytes, size_t len, unsigned char key[SYSTEM_KEY_SIZE])
{
	size_t used;
	if (len == SYSTEM_KEY_SIZE) {
		memcpy(key, bytes, SYSTEM_KEY_SIZE);
		return true;
	}
	while (len > 0 && isspace(bytes[len - 1]))
		len--;
	return sodium_hex2bin(key, SYSTEM_KEY_SIZE, (const char *)bytes, len, NULL, &used, NULL) ==
	               0 &&
	       used == SYSTEM_KEY_SIZE;
}

bool system_read_key(struct customers *store, unsigned char key[SYSTEM_KEY_SIZE], struct error *err)
{
	unsigned char bytes[2 * SYSTEM_KEY_SIZE + 16];
	if (store->key_file == NULL)
		return error_set(
		        err, EX_CONFIG,
		        "there is no key for secret fields: set [customers] key_file, or give the "
		        "systemd credential customers-key");
	if (sodium_init() < 0)
		bug("libsodium can't be initialized");
	identity_person(); /* the key may be root's alone */
	bool private = exposed_check(store->key_file, "key", err);
	FILE *file = private ? fopen(store->key_file, "re") : NULL;
	identity_back();
	if (!private)
		return false;
	if (file == NULL)
		return error_set(err, errno == ENOENT ? EX_CONFIG : EX_NOPERM,
		                 "%s: can't read %s: %s", store->key_from, store->key_file,
		                 strerror(errno));
	(void)setvbuf(file, NULL, _IONBF, 0); /* no copy of the key that can't be wiped */
	size_t len = fread(bytes, 1, sizeof bytes, file);
	(void)fclose(file);
	bool good = parse_key(bytes, len, key);
	sodium_memzero(bytes, sizeof bytes);
	return good || error_set(err, EX_CONFIG,
	                         "%s: the key must be 32 bytes or their 64 hex digits (%s has "
	                         "something else)",
	                         store->key_from, store->key_file);
}

/* What a seal is bound to. */
static const char *place_of(struct arena *arena, int64_t system, int64_t field)
{
	return arena_printf(arena, "system %lld field %lld", (long long)system, (long long)field);
}

static bool seal(struct transaction *tx, int64_t system, int64_t field, const char *value,
                 struct buf *ret)
{
	unsigned char key[SYSTEM_KEY_SIZE], nonce[NONCE_SIZE];
	unsigned long long sealed_len;
	const char *place = place_of(tx->arena, system, field);
	size_t len = strlen(value);
	if (!system_read_key(tx->store, key, tx->err))
		return false;
	randombytes_buf(nonce, sizeof nonce);
	unsigned char *sealed = arena_alloc(tx->arena, len + TAG_SIZE);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(
	        sealed, &sealed_len, (const unsigned char *)value, len,
	        (const unsigned char *)place, strlen(place), NULL, nonce, key);
	sodium_memzero(key, sizeof key);
	buf_add(ret, nonce, sizeof nonce);
	buf_add(ret, sealed, (size_t)sealed_len);
	return true;
}

/* NULL where the key is another or somebody touched it. */
static char *unseal(const unsigned char key[SYSTEM_KEY_SIZE], struct arena *arena, int64_t system,
                    int64_t field, const unsigned char *sealed, size_t len)
{
	const char *place = place_of(arena, system, field);
	unsigned long long text_len;
	if (len < NONCE_SIZE + TAG_SIZE)
		return NULL;
	char *text = arena_alloc(arena, len - NONCE_SIZE - TAG_SIZE + 1);
	return crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)text, &text_len, NULL,
	                                                  sealed + NONCE_SIZE, len - NONCE_SIZE,
	                                                  (const unsigned char *)place,
	                                                  strlen(place), sealed, key) == 0
	               ? text
	               : NULL;
}

/* -- writing ----------------------------------------------------------------------------------- */

bool system_check(struct transaction *tx, const struct row *before, struct row *after,
                  const json_t *values)
{
	const char *type = row_value(after, "type");
	int64_t id;
	(void)values;
	if (type == NULL || before->id != 0)
		return true;
	struct db_query *query = db_query(tx->db, "SELECT id FROM system_type WHERE name = ?1");
	db_bind_text(query, 1, type);
	if (!db_run_int(query, 0, &id, tx->err))
		return false;
	return id != 0 || error_set(tx->err, EX_DATAERR, "type: there is no system type %s", type);
}

struct value {
	int64_t system, field;
	const char *name;
	bool secret, required;
	const char *was; /* NULL: none; of a secret: `hidden` */
};

static bool find_value(struct transaction *tx, const struct row *row, const char *name,
                       struct value *ret)
{
	struct db_query *query = db_query(
	        tx->db, "SELECT f.id, f.secret, f.needed, coalesce(v.value, CASE WHEN v.sealed IS "
	                "NOT NULL THEN '******' END) FROM system_field f LEFT JOIN system_value v "
	                "ON v.field = f.id AND v.system = ?1 WHERE f.system_type = (SELECT id FROM "
	                "system_type WHERE name = ?2) AND f.name = ?3");
	db_bind_int(query, 1, row->id);
	db_bind_text(query, 2, row_value(row, "type"));
	db_bind_text(query, 3, name);
	enum db_step step = db_step(query, tx->err);
	if (step == DB_DONE)
		return error_set(tx->err, EX_DATAERR, "%s: a system of type %s has no such field",
		                 name, row_value(row, "type"));
	if (step == DB_FAULT)
		return false;
	*ret = (struct value){.system = row->id,
	                      .field = db_int(query, 0),
	                      .name = name,
	                      .secret = db_int(query, 1) != 0,
	                      .required = db_int(query, 2) != 0,
	                      .was = db_text_or_null(query, 3, tx->arena)};
	db_finish(query);
	return true;
}

static bool store_value(struct transaction *tx, const struct value *value, const char *text)
{
	struct buf sealed = {0};
	struct db_query *query = db_query(
	        tx->db, text ? "INSERT OR REPLACE INTO system_value (system, field, value, sealed)"
	                       " VALUES (?1, ?2, ?3, ?4)"
	                     : "DELETE FROM system_value WHERE system = ?1 AND field = ?2");
	db_bind_int(query, 1, value->system);
	db_bind_int(query, 2, value->field);
	if (text && value->secret) {
		if (!seal(tx, value->system, value->field, text, &sealed)) {
			db_finish(query);
			return false;
		}
		db_bind_blob(query, 4, sealed.data, sealed.len);
	} else if (text) {
		db_bind_text(query, 3, text);
	}
	buf_free(&sealed);
	return db_run(query, tx->err);
}

static json_t *shown(const struct value *value, const char *text)
{
	if (text == NULL)
		return json_null();
	return json_string(value->secret ? hidden : text);
}

/* A secret that comes back as it was shown is left alone: so an export can be imported again. */
static bool put_value(struct transaction *tx, const struct row *row, const char *name,
                      const json_t *json, json_t *was, json_t *is)
{
	const struct field line = {.name = name, .type = FIELD_TEXT};
	struct value value = {0};
	const char *text, *canonical;
	size_t len;
	if (!find_value(tx, row, name, &value) ||
	    !value_text(name, json, tx->arena, &text, &len, tx->err) ||
	    !field_check(&line, text, len, tx->store->zones, tx->arena, &canonical, tx->err))
		return false;
	bool untouched = value.secret ? canonical && strcmp(canonical, hidden) == 0
	                              : canonical && value.was && strcmp(canonical, value.was) == 0;
	if (untouched || (canonical == NULL && value.was == NULL))
		return true;
	(void)json_object_set_new(was, name, shown(&value, value.was));
	(void)json_object_set_new(is, name, shown(&value, canonical));
	return store_value(tx, &value, canonical);
}

static bool check_all_required(struct transaction *tx, const struct row *row)
{
	struct db_query *query = db_query(
	        tx->db, "SELECT name FROM system_field f WHERE needed <> 0 AND system_type ="
	                " (SELECT id FROM system_type WHERE name = ?2) AND NOT EXISTS"
	                " (SELECT 1 FROM system_value v WHERE v.system = ?1 AND v.field = f.id)");
	db_bind_int(query, 1, row->id);
	db_bind_text(query, 2, row_value(row, "type"));
	enum db_step step = db_step(query, tx->err);
	if (step != DB_ROW)
		return step == DB_DONE;
	(void)error_set(tx->err, EX_DATAERR, "%s: is required", db_peek_text(query, 0, NULL));
	db_finish(query);
	return false;
}

static bool put_values(struct transaction *tx, const struct row *row, const json_t *values,
                       json_t *was, json_t *is)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)values, key, value)
	{
		bool nested = strcmp(key, "fields") == 0 && json_is_object(value);
		if (nested ? !put_values(tx, row, value, was, is)
		           : kind_field(row->kind, key) == NULL &&
		                     !put_value(tx, row, key, value, was, is))
			return false;
	}
	return true;
}

bool system_written(struct transaction *tx, const struct row *row, const json_t *values,
                    bool adding, bool *changed)
{
	json_t *was = json_object(), *is = json_object();
	bool good = put_values(tx, row, values, was, is) && check_all_required(tx, row);
	if (good && json_object_size(is) > 0) {
		*changed = true;
		return change_add(tx, "system", row->id, row->customer, adding ? "add" : "set", was,
		                  is);
	}
	json_decref(was);
	json_decref(is);
	return good;
}

/* -- showing ----------------------------------------------------------------------------------- */

static json_t *read_shown(struct db_query *query, const unsigned char *key, int64_t system,
                          struct arena *arena)
{
	size_t len;
	if (!db_is_null(query, 2))
		return json_string(db_peek_text(query, 2, NULL));
	if (db_is_null(query, 3))
		return json_null();
	if (key == NULL)
		return json_string(hidden);
	const unsigned char *sealed = db_peek_blob(query, 3, &len);
	const char *text = unseal(key, arena, system, db_int(query, 1), sealed, len);
	return text ? json_string(text) : NULL;
}

bool system_fields_json(struct customers *store, const struct row *row, const unsigned char *key,
                        json_t **ret, struct error *err)
{
	struct db_query *query =
	        db_query(store->db, "SELECT f.name, f.id, v.value, v.sealed FROM system_field f "
	                            "LEFT JOIN system_value v"
	                            " ON v.field = f.id AND v.system = ?1 WHERE f.system_type ="
	                            " (SELECT id FROM system_type WHERE name = ?2) ORDER BY f.id");
	struct arena *arena = arena_new();
	json_t *object = json_object();
	enum db_step step;
	bool good = true;
	db_bind_int(query, 1, row->id);
	db_bind_text(query, 2, row_value(row, "type"));
	while (good && (step = db_step(query, err)) == DB_ROW) {
		json_t *value = read_shown(query, key, row->id, arena);
		const char *name = db_text(query, 0, arena);
		good = value || error_set(err, EX_DATAERR, "%s: can't be read with this key", name);
		(void)json_object_set_new(object, name, value);
	}
	if (!good)
		db_finish(query);
	arena_free(arena);
	if (good && step == DB_DONE) {
		*ret = object;
		return true;
	}
	json_decref(object);
	return false;
}

bool system_show(struct customers *store, const struct row *row, json_t *object, struct error *err)
{
	unsigned char key[SYSTEM_KEY_SIZE];
	json_t *fields;
	if (store->revealing && !system_read_key(store, key, err))
		return false;
	bool good = system_fields_json(store, row, store->revealing ? key : NULL, &fields, err);
	sodium_memzero(key, sizeof key);
	return good && json_object_set_new(object, "fields", fields) == 0;
}

bool system_type_show(struct customers *store, const struct row *row, json_t *object,
                      struct error *err)
{
	json_t *fields;
	return rows_list(store, kind_find("system-field"), row->id, record_json, &fields, err) &&
	       json_object_set_new(object, "fields", fields) == 0;
}
