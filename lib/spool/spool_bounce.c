/* SPDX-License-Identifier: MIT */
/*
 * Reports about mails (table `bounce`), the days on which addresses were busy (`strike`), and the
 * ways from a report to its mail. What a report means is decided in engine/bounce*.c.
 */
#include "spool/spool_bounce.h"

#include "db/fields.h"
#include "spool/spool_private.h"

#include <string.h>

/* ---- Reports ---- */

static bool digest_known(struct spool *spool, const struct spool_bounce *bounce)
{
	if (!bounce->has_digest)
		return false;
	struct db_query *q = spool_query(spool, "SELECT 1 FROM bounce WHERE digest = ?1");
	db_bind_blob(q, 1, bounce->digest, sizeof bounce->digest);
	return spool_run_int(spool, q, 0) != 0;
}

bool spool_bounce_known(struct spool *spool, const struct spool_bounce *bounce)
{
	if (digest_known(spool, bounce))
		return true;
	if (bounce->mail == 0)
		return false;
	struct db_query *q = spool_query(spool, "SELECT 1 FROM bounce WHERE mail = ?1 AND kind = "
	                                        "?2 AND verdict = ?3 AND address = ?4 AND kind "
	                                        "<> 'reply'");
	db_bind_int(q, 1, bounce->mail);
	db_bind_text(q, 2, bounce->kind);
	db_bind_text(q, 3, bounce->verdict);
	db_bind_text(q, 4, bounce->address);
	return spool_run_int(spool, q, 0) != 0;
}

static void limit_unknown(struct spool *spool)
{
	struct db_query *q = spool_query(
	        spool, "DELETE FROM bounce WHERE mail IS NULL AND id <= (SELECT id FROM "
	               "bounce WHERE mail IS NULL ORDER BY id DESC LIMIT 1 OFFSET ?1)");
	db_bind_int(q, 1, BOUNCE_UNKNOWN_MAX);
	spool_run(spool, q);
}

void spool_bounce_add(struct spool *spool, struct spool_bounce *bounce)
{
	struct db_query *q = spool_query(
	        spool, "INSERT INTO bounce (time, kind, verdict, mail, contact, address, code, "
	               "text, took, why, sender, message_id, digest) VALUES (?1, ?2, ?3, ?4, ?5, "
	               "?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)");
	db_bind_int(q, 1, bounce->time.ms);
	db_bind_text(q, 2, bounce->kind);
	db_bind_text(q, 3, bounce->verdict);
	if (bounce->mail != 0)
		db_bind_int(q, 4, bounce->mail);
	if (bounce->contact != 0)
		db_bind_int(q, 5, bounce->contact);
	db_bind_text(q, 6, bounce->address);
	db_bind_text(q, 7, bounce->code);
	db_bind_text(q, 8, bounce->text);
	db_bind_text(q, 9, bounce->took);
	db_bind_text(q, 10, bounce->why);
	db_bind_text(q, 11, bounce->sender);
	db_bind_text(q, 12, bounce->message_id);
	if (bounce->has_digest)
		db_bind_blob(q, 13, bounce->digest, sizeof bounce->digest);
	spool_run(spool, q);
	bounce->id = db_last_id(spool->db);
	if (bounce->mail == 0)
		limit_unknown(spool);
}

#define BOUNCE_COLUMNS                                                                             \
	"SELECT id, time, kind, verdict, mail, contact, address, code, text, took, why, sender, "  \
	"message_id FROM bounce "

static void read_row(struct db_query *q, struct arena *arena, struct spool_bounce *ret)
{
	*ret = (struct spool_bounce){
	        .id = db_int(q, 0),
	        .time = db_instant(q, 1),
	        .kind = db_text(q, 2, arena),
	        .verdict = db_text(q, 3, arena),
	        .mail = db_int(q, 4),
	        .contact = db_int(q, 5),
	        .address = db_text(q, 6, arena),
	        .code = db_text(q, 7, arena),
	        .text = db_text(q, 8, arena),
	        .took = db_text(q, 9, arena),
	        .why = db_text(q, 10, arena),
	        .sender = db_text(q, 11, arena),
	        .message_id = db_text(q, 12, arena),
	};
}

bool spool_bounce_find(struct spool *spool, int64_t mail, const char *why, int64_t after,
                       struct arena *arena, struct spool_bounce *ret)
{
	struct db_query *q =
	        spool_query(spool, BOUNCE_COLUMNS
	                    "WHERE mail = ?1 AND why = ?2 AND id > ?3 ORDER BY id LIMIT 1");
	db_bind_int(q, 1, mail);
	db_bind_text(q, 2, why);
	db_bind_int(q, 3, after);
	if (!spool_row(spool, q))
		return false;
	read_row(q, arena, ret);
	db_finish(q);
	return true;
}

/* Ids follow time. */
struct instant spool_bounce_last(struct spool *spool, const char *why, struct instant since)
{
	struct db_query *q = spool_query(
	        spool, "SELECT max(time) FROM bounce WHERE id > coalesce((SELECT id FROM bounce "
	               "WHERE time <= ?2 ORDER BY id DESC LIMIT 1), 0) AND why = ?1");
	db_bind_text(q, 1, why);
	db_bind_int(q, 2, since.ms);
	return (struct instant){spool_run_int(spool, q, INSTANT_NONE.ms)};
}

void spool_bounce_set_took(struct spool *spool, int64_t id, const char *took)
{
	struct db_query *q = spool_query(spool, "UPDATE bounce SET took = ?2 WHERE id = ?1");
	db_bind_int(q, 1, id);
	db_bind_text(q, 2, took);
	spool_run(spool, q);
}

void spool_bounce_set_why(struct spool *spool, int64_t id, const char *why)
{
	struct db_query *q = spool_query(spool, "UPDATE bounce SET why = ?2 WHERE id = ?1");
	db_bind_int(q, 1, id);
	db_bind_text(q, 2, why);
	spool_run(spool, q);
}

int64_t spool_bounces_refused(struct spool *spool, struct instant since)
{
	struct db_query *q = spool_query(spool, "SELECT count(*) FROM bounce WHERE verdict = "
	                                        "'refused' AND mail IS NOT NULL AND time > ?1");
	db_bind_int(q, 1, since.ms);
	return spool_run_int(spool, q, 0);
}

struct spool_bounce *spool_bounces_refused_last(struct spool *spool, size_t max,
                                                struct arena *arena, size_t *ret_n)
{
	struct spool_bounce *bounces = arena_new_array(arena, max, struct spool_bounce);
	struct db_query *q =
	        spool_query(spool, BOUNCE_COLUMNS "WHERE verdict = 'refused' AND mail IS NOT NULL "
	                                          "ORDER BY time DESC, id DESC LIMIT ?1");
	db_bind_int(q, 1, (int64_t)max);
	*ret_n = 0;
	while (spool_row(spool, q))
		read_row(q, arena, &bounces[(*ret_n)++]);
	return bounces;
}

/* Ids follow time, and few reports come in an hour. */
int64_t spool_bounces_because(struct spool *spool, const char *why, struct instant since)
{
	struct db_query *q = spool_query(
	        spool, "SELECT count(*) FROM (SELECT why, time FROM bounce ORDER BY id DESC LIMIT "
	               "10000) WHERE why = ?1 AND time > ?2");
	db_bind_text(q, 1, why);
	db_bind_int(q, 2, since.ms);
	return spool_run_int(spool, q, 0);
}

struct instant spool_refusals_alarmed(struct spool *spool)
{
	struct db_query *q =
	        spool_query(spool, "SELECT value FROM meta WHERE key = 'refusals_alarmed'");
	return (struct instant){spool_run_int(spool, q, INSTANT_NONE.ms)};
}

void spool_set_refusals_alarmed(struct spool *spool, struct instant now)
{
	struct db_query *q = spool_query(spool, "INSERT INTO meta (key, value) VALUES "
	                                        "('refusals_alarmed', ?1) ON CONFLICT (key) DO "
	                                        "UPDATE SET value = excluded.value");
	db_bind_int(q, 1, now.ms);
	spool_run(spool, q);
}

/* ---- Which mail ---- */

static bool mail_at(struct spool *spool, int64_t from, int64_t *ret_id, int64_t *ret_made)
{
	struct db_query *q =
	        spool_query(spool, "SELECT id, made FROM mail WHERE id >= ?1 ORDER BY id LIMIT 1");
	db_bind_int(q, 1, from);
	if (!spool_row(spool, q))
		return false;
	*ret_id = db_int(q, 0);
	*ret_made = db_int(q, 1);
	db_finish(q);
	return true;
}

static int64_t last_mail(struct spool *spool)
{
	return spool_run_int(spool, spool_query(spool, "SELECT max(id) FROM mail"), 0);
}

/* The id of the first mail made since, or one behind the last: ids follow time. */
static int64_t first_mail_since(struct spool *spool, struct instant since)
{
	int64_t id, made, high = last_mail(spool) + 1;
	int64_t low = spool_run_int(spool, spool_query(spool, "SELECT min(id) FROM mail"), high);
	while (low < high && !spool->failed) {
		int64_t middle = low + (high - low) / 2;
		if (mail_at(spool, middle, &id, &made) && made < since.ms)
			low = id + 1;
		else
			high = middle;
	}
	return low;
}

int64_t spool_mails_since(struct spool *spool, struct instant since, int64_t max)
{
	/* Not every id is given: a restore leaves many out. */
	struct db_query *q = spool_query(
	        spool, "SELECT count(*) FROM (SELECT 1 FROM mail WHERE id >= ?1 LIMIT ?2)");
	db_bind_int(q, 1, first_mail_since(spool, since));
	db_bind_int(q, 2, max);
	return spool_run_int(spool, q, 0);
}

int64_t spool_mail_of_message_id(struct spool *spool, const char *message_id, struct instant since)
{
	struct db_query *q = spool_query(
	        spool, "SELECT id FROM (SELECT id, message_id FROM mail WHERE id >= ?1 ORDER BY id "
	               "DESC LIMIT ?3) WHERE message_id = ?2 LIMIT 1");
	db_bind_int(q, 1, first_mail_since(spool, since));
	db_bind_text(q, 2, message_id);
	db_bind_int(q, 3, MAILS_SEARCHED_MAX);
	return spool_run_int(spool, q, 0);
}

bool spool_mail_id_known(struct spool *spool, int64_t id)
{
	int64_t last = last_mail(spool), floor = spool_floor(spool, "mail");
	return id > 0 && id <= (last > floor ? last : floor);
}

/* Of one outcome: the address that it names, if that is another. */
static const char *address_of(const struct spool_outcome *outcome, struct arena *arena)
{
	struct entry_field *fields;
	size_t n;
	if (!fields_unpack(outcome->fields, outcome->fields_len, arena, &fields, &n))
		return NULL;
	return fields_find(fields, n, "to");
}

static bool has_text(const char **texts, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(texts[i], text) == 0)
			return true;
	return false;
}

const char **spool_mail_addresses(struct spool *spool, int64_t mail, struct arena *arena,
                                  size_t *ret_n)
{
	const char **addresses = NULL;
	size_t n = 0, cap = 0, n_outcomes;
	struct db_query *q =
	        spool_query(spool, "SELECT job FROM mail WHERE id = ?1 AND job IS NOT NULL UNION "
	                           "SELECT job FROM notice WHERE mail = ?1 LIMIT 1");
	db_bind_int(q, 1, mail);
	int64_t job = spool_run_int(spool, q, 0);
	struct spool_outcome *o = spool_job_outcomes(spool, job, arena, &n_outcomes);
	for (size_t i = 0; i < n_outcomes; i++) {
		const char *to = o[i].mail == mail ? address_of(&o[i], arena) : NULL;
		if (to == NULL || *to == '\0' || has_text(addresses, n, to))
			continue;
		addresses = arena_grow(arena, addresses, n, &cap, sizeof *addresses);
		addresses[n++] = to;
	}
	*ret_n = n;
	return addresses;
}

void spool_mail_set_reply(struct spool *spool, int64_t mail, const char *reply)
{
	struct db_query *q = spool_query(spool, "UPDATE mail SET reply = ?2 WHERE id = ?1");
	db_bind_int(q, 1, mail);
	db_bind_text(q, 2, reply);
	spool_run(spool, q);
}

/* ---- Days on which an address was busy ---- */

void spool_strikes(struct spool *spool, int64_t contact, const char *address, struct day since,
                   struct spool_strikes *ret)
{
	struct db_query *q = spool_query(
	        spool, "SELECT time, taken FROM strike WHERE contact = ?1 AND address = "
	               "?2 AND day >= ?3 ORDER BY day");
	db_bind_int(q, 1, contact);
	db_bind_text(q, 2, address);
	db_bind_int(q, 3, since.n);
	*ret = (struct spool_strikes){.last = INSTANT_NONE, .taken = INSTANT_NONE};
	while (spool_row(spool, q)) {
		ret->n++;
		ret->last = db_instant(q, 0);
		ret->taken = db_instant(q, 1);
	}
}

void spool_strike_add(struct spool *spool, int64_t contact, const char *address, struct day day,
                      struct instant now)
{
	struct db_query *q =
	        spool_query(spool, "INSERT INTO strike (contact, address, day, time) VALUES (?1, "
	                           "?2, ?3, ?4) ON CONFLICT DO UPDATE SET time = excluded.time, "
	                           "taken = NULL");
	db_bind_int(q, 1, contact);
	db_bind_text(q, 2, address);
	db_bind_int(q, 3, day.n);
	db_bind_int(q, 4, now.ms);
	spool_run(spool, q);
}

void spool_strikes_clear(struct spool *spool, int64_t contact, const char *address)
{
	struct db_query *q =
	        spool_query(spool, "DELETE FROM strike WHERE contact = ?1 AND address = ?2");
	db_bind_int(q, 1, contact);
	db_bind_text(q, 2, address);
	spool_run(spool, q);
}

void spool_strikes_taken(struct spool *spool, int64_t contact, const char *address,
                         struct instant now)
{
	struct db_query *q = spool_query(spool, "UPDATE strike SET taken = ?3 WHERE contact = ?1 "
	                                        "AND address = ?2 AND taken IS NULL");
	db_bind_int(q, 1, contact);
	db_bind_text(q, 2, address);
	db_bind_int(q, 3, now.ms);
	spool_run(spool, q);
}

int64_t *spool_struck(struct spool *spool, struct arena *arena, size_t *ret_n)
{
	int64_t *contacts = NULL;
	size_t n = 0, cap = 0;
	struct db_query *q =
	        spool_query(spool, "SELECT DISTINCT contact FROM strike ORDER BY contact");
	while (spool_row(spool, q)) {
		contacts = arena_grow(arena, contacts, n, &cap, sizeof *contacts);
		contacts[n++] = db_int(q, 0);
	}
	*ret_n = n;
	return contacts;
}
