/* SPDX-License-Identifier: MIT */
/*
 * Mails and the events that they report.
 *
 *   (made) ─▶ queued ────┐        ┌─▶ sent ─▶ bounced (a report came)
 *   (made) ─▶ deferred ──┼▶ sending ─▶ failed ─▶ queued (by hand)
 *   (made) ──────────────┤   │ └─▶ retrying
 *             retrying ──┘   └─▶ queued (the relay's fault, or the alternate address)
 *   failed, retrying ─▶ deferred (by hand, and over its contact's limit)
 *   any that waits ─▶ superseded | expired | suppressed | cancelled | failed (max_age)
 *   deferred ─▶ (joins another, and is no more)
 */
#include "spool/spool.h"

#include "spool/spool_private.h"

#include <string.h>

#define TO(status) (1u << (unsigned)(status))
enum {
	WAITS_NO_MORE = TO(STATUS_SUPERSEDED) | TO(STATUS_EXPIRED) | TO(STATUS_SUPPRESSED) |
	                TO(STATUS_CANCELLED) | TO(STATUS_FAILED),
	WAITING = TO(STATUS_SENDING) | TO(STATUS_DEFERRED) | WAITS_NO_MORE,
};

/* From each status, the set of those that may follow. */
static const unsigned moves[STATUS_COUNT] = {
        [STATUS_QUEUED] = WAITING,
        [STATUS_DEFERRED] = WAITING | TO(STATUS_QUEUED),
        [STATUS_RETRYING] = WAITING | TO(STATUS_QUEUED),
        [STATUS_SENDING] =
                TO(STATUS_SENT) | TO(STATUS_RETRYING) | TO(STATUS_QUEUED) | WAITS_NO_MORE,
        [STATUS_FAILED] = TO(STATUS_QUEUED) | TO(STATUS_DEFERRED),
        [STATUS_SENT] = TO(STATUS_BOUNCED),
};

#define WAITS "waits = 1"

/* Ids are never used again, since what comes back by mail names them: the purge of
 * the last one and a restore set a floor. */
int64_t spool_mail_new_id(struct spool *spool)
{
	if (spool->last_mail == 0) {
		int64_t last =
		        spool_run_int(spool, spool_query(spool, "SELECT max(id) FROM mail"), 0);
		int64_t floor = spool_floor(spool, "mail");
		spool->last_mail = last > floor ? last : floor;
	}
	return ++spool->last_mail;
}

bool spool_mail_is_held(const struct spool_mail *mail)
{
	return mail->status == STATUS_DEFERRED && mail->reason == REASON_HELD_BACK;
}

int64_t spool_mails_held(const struct spool *spool)
{
	return spool->held;
}

void spool_mail_add(struct spool *spool, struct spool_mail *mail)
{
	if (mail->status != STATUS_QUEUED && mail->status != STATUS_DEFERRED &&
	    mail->status != STATUS_SENDING)
		bug("a mail made as %s", status_name(mail->status));
	if (mail->id == 0)
		mail->id = spool_mail_new_id(spool);
	struct db_query *q = spool_query(
	        spool,
	        "INSERT INTO mail (contact, state, status, waits, reason, made, due, expires, "
	        "changed, open, message_id, thread_id, address, id, event, job, redirected) "
	        "VALUES (?1, ?2, ?3, ?12, ?4, ?5, ?6, ?7, ?5, ?8, ?9, ?10, ?11, ?13, ?14, ?15, "
	        "?16)");
	db_bind_int(q, 1, mail->contact);
	db_bind_static_text(q, 2, mail->state);
	db_bind_static_text(q, 3, status_name(mail->status));
	db_bind_static_text(q, 4, reason_name(mail->reason));
	db_bind_int(q, 5, mail->made.ms);
	db_bind_int(q, 6, mail->due.ms);
	db_bind_int(q, 7, mail->expires.ms);
	db_bind_int(q, 8, mail->open);
	db_bind_static_text(q, 9, mail->message_id);
	db_bind_static_text(q, 10, mail->thread_id);
	db_bind_static_text(q, 11, mail->address ? mail->address : "");
	db_bind_int(q, 12, status_in(mail->status, STATUSES_WAITING));
	db_bind_int(q, 13, mail->id);
	if (mail->event != 0) {
		db_bind_int(q, 14, mail->event);
		db_bind_int(q, 15, mail->job);
	}
	db_bind_static_text(q, 16, mail->redirected ? mail->redirected : "");
	spool_run(spool, q);
	spool->held += spool_mail_is_held(mail);
	spool->mails[mail->status]++;
}

static bool peek_digest(struct db_query *query, int column,
                        unsigned char ret[RENDERING_DIGEST_SIZE])
{
	size_t len = 0;
	const void *bytes = db_peek_blob(query, column, &len);
	if (bytes == NULL || len != RENDERING_DIGEST_SIZE)
		return false;
	memcpy(ret, bytes, len);
	return true;
}

bool spool_mail_load(struct spool *spool, int64_t id, struct arena *arena, struct spool_mail *ret)
{
	struct db_query *q = spool_query(
	        spool, "SELECT contact, state, status, reason, made, due, expires, changed, "
	               "open, attempts, address, "
	               "message_id, thread_id, reply, templates, message, event, job, "
	               "redirected FROM mail WHERE id = ?1");
	db_bind_int(q, 1, id);
	if (!spool_row(spool, q))
		return false;
	*ret = (struct spool_mail){
	        .id = id,
	        .contact = db_int(q, 0),
	        .state = db_text(q, 1, arena),
	        .status = status_find(db_text(q, 2, arena)),
	        .reason = reason_find(db_text(q, 3, arena)),
	        .made = db_instant(q, 4),
	        .due = db_instant(q, 5),
	        .expires = db_instant(q, 6),
	        .changed = db_instant(q, 7),
	        .open = db_int(q, 8) != 0,
	        .attempts = (int)db_int(q, 9),
	        .address = db_text(q, 10, arena),
	        .message_id = db_text(q, 11, arena),
	        .thread_id = db_text(q, 12, arena),
	        .reply = db_text(q, 13, arena),
	        .event = db_int(q, 16),
	        .job = db_int(q, 17),
	        .redirected = db_text(q, 18, arena),
	};
	ret->rendering.known = peek_digest(q, 14, ret->rendering.templates) &&
	                       peek_digest(q, 15, ret->rendering.message);
	db_finish(q);
	return true;
}

static void bind_result(struct db_query *q, const struct spool_mail *mail)
{
	db_bind_int(q, 1, mail->id);
	db_bind_static_text(q, 2, status_name(mail->status));
	db_bind_static_text(q, 3, reason_name(mail->reason));
	db_bind_int(q, 4, mail->attempts);
	db_bind_static_text(q, 5, mail->address);
	db_bind_static_text(q, 6, mail->reply);
	db_bind_int(q, 7, mail->changed.ms);
	if (mail->rendering.known) {
		db_bind_static_blob(q, 8, mail->rendering.templates,
		                    sizeof mail->rendering.templates);
		db_bind_static_blob(q, 9, mail->rendering.message, sizeof mail->rendering.message);
	}
}

#define SET_RESULT                                                                                 \
	"UPDATE mail SET status = ?2, reason = ?3, attempts = ?4, address = ?5, reply = ?6, "      \
	"changed = ?7, templates = ?8, message = ?9"

static void write_moved(struct spool *spool, const struct spool_mail *mail)
{
	struct db_query *q = spool_query(spool, SET_RESULT
	                                 ", due = ?10, waits = ?11, open = 0, redirected = ?12 "
	                                 "WHERE id = ?1");
	bind_result(q, mail);
	db_bind_int(q, 10, mail->due.ms);
	db_bind_int(q, 11, status_in(mail->status, STATUSES_WAITING));
	db_bind_static_text(q, 12, mail->redirected ? mail->redirected : "");
	spool_run(spool, q);
}

/* One that was sending has waits and open 0 already, and is due no more: what isn't set costs none
 * of the indexes that ask for it. */
static void write_sent(struct spool *spool, const struct spool_mail *mail)
{
	struct db_query *q = spool_query(spool, SET_RESULT " WHERE id = ?1");
	bind_result(q, mail);
	spool_run(spool, q);
}

void spool_mail_move(struct spool *spool, struct spool_mail *mail, enum status to,
                     enum reason reason, struct instant now)
{
	if ((moves[mail->status] & TO(to)) == 0)
		bug("mail %lld: %s can't become %s", (long long)mail->id, status_name(mail->status),
		    status_name(to));
	enum status from = mail->status;
	spool->mails[from]--;
	spool->mails[to]++;
	spool->held -= spool_mail_is_held(mail);
	if (to == STATUS_SENT)
		spool->last_sent = now;
	mail->status = to;
	mail->reason = reason;
	mail->changed = now;
	spool->held += spool_mail_is_held(mail);
	if (from == STATUS_SENDING && to == STATUS_SENT)
		write_sent(spool, mail);
	else
		write_moved(spool, mail);
}

void spool_mail_set_due(struct spool *spool, int64_t mail, struct instant due)
{
	struct db_query *q = spool_query(spool, "UPDATE mail SET due = ?2, open = 0 WHERE id = ?1");
	db_bind_int(q, 1, mail);
	db_bind_int(q, 2, due.ms);
	spool_run(spool, q);
}

void spool_mail_set_expires(struct spool *spool, int64_t mail, struct instant expires)
{
	struct db_query *q = spool_query(spool, "UPDATE mail SET expires = ?2 WHERE id = ?1");
	db_bind_int(q, 1, mail);
	db_bind_int(q, 2, expires.ms);
	spool_run(spool, q);
}

static void set_open(struct spool *spool, int64_t mail, bool open)
{
	struct db_query *q = spool_query(spool, "UPDATE mail SET open = ?2 WHERE id = ?1");
	db_bind_int(q, 1, mail);
	db_bind_int(q, 2, open);
	spool_run(spool, q);
}

void spool_mail_open(struct spool *spool, int64_t mail)
{
	set_open(spool, mail, true);
}

void spool_mail_close_group(struct spool *spool, int64_t mail)
{
	set_open(spool, mail, false);
}

void spool_mail_set_ids(struct spool *spool, const struct spool_mail *mail)
{
	struct db_query *q =
	        spool_query(spool, "UPDATE mail SET message_id = ?2, thread_id = ?3 WHERE id = ?1");
	db_bind_int(q, 1, mail->id);
	db_bind_text(q, 2, mail->message_id);
	db_bind_text(q, 3, mail->thread_id);
	spool_run(spool, q);
}

/* At a start, where nobody knows by how much: what was due at once is due. Gone through by what
 * there is less of, mails that are queued or those that wait for later. */
static void set_due(struct spool *spool, struct instant now)
{
	int64_t later = spool->mails[STATUS_DEFERRED] + spool->mails[STATUS_RETRYING];
	if (spool->mails[STATUS_QUEUED] == 0)
		return;
	struct db_query *q = spool_query(
	        spool, spool->mails[STATUS_QUEUED] < later
	                       ? "UPDATE mail INDEXED BY mail_status SET due = ?1 WHERE status = "
	                         "'queued' AND status <> 'sent' AND due > ?1"
	                       : "UPDATE mail INDEXED BY mail_due SET due = ?1 WHERE " WAITS
	                         " AND due > ?1 AND status = 'queued'");
	db_bind_int(q, 1, now.ms);
	spool_run(spool, q);
}

struct instant spool_last_time(struct spool *spool)
{
	struct db_query *q =
	        spool_query(spool, "SELECT time FROM outcome ORDER BY seq DESC LIMIT 1");
	return (struct instant){spool_run_int(spool, q, INSTANT_NONE.ms)};
}

void spool_set_back(struct spool *spool, struct instant now, int64_t by_ms)
{
	if (by_ms == 0) {
		set_due(spool, now);
		return;
	}
	static const char *const waits[] = {
	        "UPDATE mail SET due = CASE status WHEN 'queued' THEN ?1 ELSE max(?1, due - ?2) "
	        "END WHERE " WAITS " AND due > ?1 AND (status <> 'deferred' OR reason IN "
	        "('grouped', 'rate_limited'))",
	        /* Of a mail that waits, its slot is where it is due; of others when it went. */
	        "UPDATE contact_slot SET at = coalesce((SELECT due FROM mail WHERE mail.id = "
	        "contact_slot.mail AND " WAITS "), at - ?2) WHERE at > ?1",
	        "UPDATE waiting SET until = max(?1, until - ?2) WHERE until > ?1",
	};
	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		struct db_query *q = spool_query(spool, waits[i]);
		db_bind_int(q, 1, now.ms);
		db_bind_int(q, 2, by_ms);
		spool_run(spool, q);
	}
}

void spool_set_forward(struct spool *spool, int64_t by_ms)
{
	struct db_query *q = spool_query(spool, "UPDATE waiting SET until = until + ?1");
	db_bind_int(q, 1, by_ms);
	spool_run(spool, q);
}

int64_t spool_mail_open_group(struct spool *spool, int64_t contact, const char *state,
                              struct instant from, struct instant until, int64_t but)
{
	struct db_query *q =
	        spool_query(spool, "SELECT id FROM mail WHERE contact = ?1 AND state = ?2 AND open "
	                           "= 1 AND status = 'deferred' AND due BETWEEN ?3 AND ?4 AND id "
	                           "<> ?5 ORDER BY id DESC LIMIT 1");
	db_bind_int(q, 1, contact);
	db_bind_text(q, 2, state);
	db_bind_int(q, 3, from.ms);
	db_bind_int(q, 4, until.ms);
	db_bind_int(q, 5, but);
	return spool_run_int(spool, q, 0);
}

size_t spool_mails_due(struct spool *spool, struct instant now, struct spool_due after,
                       struct spool_due *ret, size_t max)
{
	struct db_query *q = spool_query(spool, "SELECT id, due FROM mail WHERE " WAITS
	                                        " AND due <= ?1 AND (due, id) > "
	                                        "(?2, ?3) ORDER BY due, id LIMIT ?4");
	db_bind_int(q, 1, now.ms);
	db_bind_int(q, 2, after.due.ms);
	db_bind_int(q, 3, after.id);
	db_bind_int(q, 4, (int64_t)max);
	size_t n = 0;
	while (spool_row(spool, q)) {
		if (n == max)
			continue;
		ret[n++] = (struct spool_due){.id = db_int(q, 0), .due = db_instant(q, 1)};
	}
	return n;
}

struct instant spool_next_due(struct spool *spool, struct instant now)
{
	struct db_query *q =
	        spool_query(spool, "SELECT min(due) FROM mail WHERE " WAITS " AND due > ?1");
	db_bind_int(q, 1, now.ms);
	return (struct instant){spool_run_int(spool, q, INT64_MAX)};
}

struct instant spool_first_due(struct spool *spool)
{
	struct db_query *q = spool_query(spool, "SELECT min(due) FROM mail WHERE " WAITS);
	return (struct instant){spool_run_int(spool, q, INT64_MAX)};
}

struct instant spool_next_expiry(struct spool *spool)
{
	struct db_query *q = spool_query(spool, "SELECT min(expires) FROM mail WHERE " WAITS);
	return (struct instant){spool_run_int(spool, q, INT64_MAX)};
}

size_t spool_mails_expired(struct spool *spool, struct instant now, int64_t *ret, size_t max)
{
	struct db_query *q = spool_query(spool, "SELECT id FROM mail WHERE " WAITS
	                                        " AND expires <= ?1 ORDER BY expires LIMIT ?2");
	db_bind_int(q, 1, now.ms);
	db_bind_int(q, 2, (int64_t)max);
	return spool_run_ids(spool, q, ret, max);
}

size_t spool_mails_sending(struct spool *spool, int64_t *ret, size_t max)
{
	return spool_mails_with(spool, STATUS_SENDING, 0, ret, max);
}

size_t spool_mails_with(struct spool *spool, enum status status, int64_t after, int64_t *ret,
                        size_t max)
{
	struct db_query *q = spool_query(
	        spool,
	        status == STATUS_SENT
	                ? "SELECT id FROM mail WHERE status = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
	                : "SELECT id FROM mail WHERE status = ?1 AND status <> 'sent' AND "
	                  "id > ?2 ORDER BY id LIMIT ?3");
	db_bind_text(q, 1, status_name(status));
	db_bind_int(q, 2, after);
	db_bind_int(q, 3, (int64_t)max);
	return spool_run_ids(spool, q, ret, max);
}

int64_t spool_mail_count(const struct spool *spool, enum status status)
{
	return spool->mails[status];
}

/*
 * ---- Notices ----
 *
 * Nearly every mail reports one event, from beginning to end: its row names it. Any other has rows
 * of `notice`, and so has one whose only event leaves it or is superseded.
 */

static void split_off(struct spool *spool, int64_t mail)
{
	static const char *const steps[] = {
	        "INSERT INTO notice (mail, event, job, contact, active) SELECT id, event, job, "
	        "contact, 1 FROM mail WHERE id = ?1 AND event IS NOT NULL",
	        "UPDATE mail SET event = NULL, job = NULL WHERE id = ?1 AND event IS NOT NULL",
	};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		struct db_query *q = spool_query(spool, steps[i]);
		db_bind_int(q, 1, mail);
		spool_run(spool, q);
	}
}

void spool_notice_add(struct spool *spool, const struct spool_notice *notice)
{
	split_off(spool, notice->mail);
	struct db_query *q = spool_query(spool, "INSERT INTO notice (mail, event, job, contact, "
	                                        "active) VALUES (?1, ?2, ?3, ?4, 1)");
	db_bind_int(q, 1, notice->mail);
	db_bind_int(q, 2, notice->event);
	db_bind_int(q, 3, notice->job);
	db_bind_int(q, 4, notice->contact);
	spool_run(spool, q);
}

size_t spool_notice_count(struct spool *spool, int64_t mail)
{
	struct db_query *q =
	        spool_query(spool, "SELECT (SELECT count(*) FROM notice WHERE mail = ?1 AND active "
	                           "= 1) + (SELECT event IS NOT NULL FROM mail WHERE id = ?1)");
	db_bind_int(q, 1, mail);
	return (size_t)spool_run_int(spool, q, 0);
}

/* The last one leaves its id behind: no other may have it. */
static void remove_merged(struct spool *spool, int64_t mail)
{
	static const char *const steps[] = {
	        "DELETE FROM mail_context WHERE mail = ?1",
	        ("INSERT INTO meta (key, value) SELECT 'mail_floor', ?1 WHERE ?1 >= (SELECT "
	         "max(id) "
	         "FROM mail) ON CONFLICT (key) DO UPDATE SET value = max(value, excluded.value)"),
	        "DELETE FROM mail WHERE id = ?1",
	};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		struct db_query *q = spool_query(spool, steps[i]);
		db_bind_int(q, 1, mail);
		spool_run(spool, q);
	}
}

void spool_mail_merge(struct spool *spool, const struct spool_mail *mail, int64_t into)
{
	split_off(spool, mail->id);
	split_off(spool, into);
	struct db_query *q =
	        spool_query(spool, "UPDATE OR REPLACE notice SET mail = ?2 WHERE mail = ?1");
	db_bind_int(q, 1, mail->id);
	db_bind_int(q, 2, into);
	spool_run(spool, q);
	remove_merged(spool, mail->id);
	spool->mails[mail->status]--;
	spool->held -= spool_mail_is_held(mail);
}

static void notice_set(struct spool *spool, const char *sql, int64_t mail, int64_t event)
{
	split_off(spool, mail);
	struct db_query *q = spool_query(spool, sql);
	db_bind_int(q, 1, mail);
	db_bind_int(q, 2, event);
	spool_run(spool, q);
}

void spool_notice_leave(struct spool *spool, int64_t mail, int64_t event)
{
	notice_set(spool, "UPDATE notice SET active = 0 WHERE mail = ?1 AND event = ?2", mail,
	           event);
	spool_mail_set_context(spool, mail, NULL, NULL); /* it named this event, too */
}

void spool_notice_supersede(struct spool *spool, int64_t mail, int64_t event)
{
	notice_set(spool, "UPDATE notice SET superseded = 1 WHERE mail = ?1 AND event = ?2", mail,
	           event);
}

static struct spool_notice *notices_read(struct spool *spool, struct db_query *q,
                                         struct arena *arena, size_t *ret_n)
{
	size_t n = 0, cap = 0;
	struct spool_notice *notices = NULL;
	while (spool_row(spool, q)) {
		notices = arena_grow(arena, notices, n, &cap, sizeof *notices);
		notices[n++] = (struct spool_notice){
		        .mail = db_int(q, 0),
		        .event = db_int(q, 1),
		        .job = db_int(q, 2),
		        .contact = db_int(q, 3),
		        .active = true,
		        .superseded = db_int(q, 4) != 0,
		};
	}
	*ret_n = n;
	return notices;
}

struct spool_notice *spool_notices(struct spool *spool, int64_t mail, struct arena *arena,
                                   size_t *ret_n)
{
	static const char *const places[] = {
	        "SELECT id, event, job, contact, 0 FROM mail WHERE id = ?1 AND event IS NOT NULL",
	        "SELECT mail, event, job, contact, superseded FROM notice WHERE mail = ?1 AND "
	        "active = 1 ORDER BY event",
	};
	struct spool_notice *notices = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < 2 && *ret_n == 0; i++) {
		struct db_query *q = spool_query(spool, places[i]);
		db_bind_int(q, 1, mail);
		notices = notices_read(spool, q, arena, ret_n);
	}
	return notices;
}

bool spool_mail_event(struct spool *spool, int64_t mail, struct arena *arena,
                      struct spool_event *ret)
{
	size_t n;
	const struct spool_notice *notices = spool_notices(spool, mail, arena, &n);
	return n > 0 && spool_event_load(spool, notices[0].event, arena, ret);
}

struct spool_other_mail *spool_other_mails(struct spool *spool, int64_t event, int64_t contact,
                                           struct arena *arena, size_t *ret_n)
{
	struct spool_other_mail *mails = NULL;
	size_t n = 0, cap = 0;
	struct db_query *q = spool_query(
	        spool,
	        "SELECT contact, address, waits FROM mail INDEXED BY mail_job WHERE job = (SELECT "
	        "job FROM event WHERE id = ?1) AND event = ?1 AND contact NOT IN (?2, 0) AND "
	        "(waits = 1 OR status IN ('sending', 'sent')) UNION ALL SELECT mail.contact, "
	        "mail.address, mail.waits FROM notice JOIN mail ON mail.id = notice.mail WHERE "
	        "notice.event = ?1 AND notice.active = 1 AND mail.contact NOT IN (?2, 0) AND "
	        "(mail.waits = 1 OR mail.status IN ('sending', 'sent'))");
	db_bind_int(q, 1, event);
	db_bind_int(q, 2, contact);
	while (spool_row(spool, q)) {
		mails = arena_grow(arena, mails, n, &cap, sizeof *mails);
		mails[n++] = (struct spool_other_mail){.contact = db_int(q, 0),
		                                       .address = db_text(q, 1, arena),
		                                       .went = db_int(q, 2) == 0};
	}
	*ret_n = n;
	return mails;
}

struct spool_notice *spool_job_notices(struct spool *spool, int64_t job, struct arena *arena,
                                       size_t *ret_n)
{
	struct db_query *q = spool_query(
	        spool,
	        "SELECT id, event, job, contact, 0 FROM mail INDEXED BY mail_job WHERE job = ?1 "
	        "AND (waits = 1 OR status = 'sending') UNION ALL SELECT mail, notice.event, "
	        "notice.job, notice.contact, superseded FROM notice JOIN mail ON mail.id = "
	        "notice.mail WHERE notice.job = ?1 AND active = 1 AND (waits = 1 OR status = "
	        "'sending') ORDER BY 1");
	db_bind_int(q, 1, job);
	return notices_read(spool, q, arena, ret_n);
}

bool spool_notice_blocked(struct spool *spool, const struct spool_notice *notice,
                          struct instant now)
{
#define BLOCKS                                                                                     \
	"mail.id <> ?3 AND (status = 'sending' OR (" WAITS " AND due <= ?4 AND mail.id < ?3))"
	struct db_query *q = spool_query(
	        spool,
	        "SELECT 1 FROM mail INDEXED BY mail_job WHERE job = ?1 AND contact = ?2 AND " BLOCKS
	        " UNION ALL SELECT 1 FROM notice JOIN mail ON mail.id = notice.mail WHERE "
	        "notice.job = ?1 AND notice.contact = ?2 AND notice.active = 1 AND " BLOCKS
	        " LIMIT 1");
#undef BLOCKS
	db_bind_int(q, 1, notice->job);
	db_bind_int(q, 2, notice->contact);
	db_bind_int(q, 3, notice->mail);
	db_bind_int(q, 4, now.ms);
	return spool_run_int(spool, q, 0) != 0;
}
