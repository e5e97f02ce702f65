/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_NEW_H
#define ENGINE_MAIL_NEW_H

#include "model/customer.h"
#include "spool/spool.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

/*
 * New mails: made and judged in this turn and due at once. Each has its id, so that outcomes name
 * it, and no row yet: the dispatch at the end of the turn writes it in the state that it has then,
 * and hands it to the mailers from what is here.
 *
 *   mail_create.c ─▶ new ─┬─ room, and nothing ahead of it ─▶ a row, sending
 *                         ├─ no room, blocked, paused ──────▶ a row, queued
 *                         └─ somebody reads mails before ───▶ a row, queued: one as any other
 *
 * Whoever reads mails from the spool between intake and dispatch has those written first that it
 * could be about. New mails live in the turn's arena and end with it; a turn that fails leaves
 * none.
 */
struct new_mail {
	struct new_mail *next;
	struct spool_mail mail;          /* queued, due now */
	struct spool_event event;        /* which it reports, with its data */
	const struct customer *customer; /* whose event it is */
	const struct contact *contact;   /* NULL: the office */
	const char *context; /* recorded when it was made; NULL: made when it is dispatched */
	bool first;          /* as in struct reported_event: then nothing is ahead of the mail */
	bool written;        /* it is a row */
};

enum { NEW_MAILS_JOB_WORDS = 64 };

/* In order of their ids. */
struct new_mails {
	struct new_mail *first, **end;
	uint64_t jobs[NEW_MAILS_JOB_WORDS]; /* bits by job, to know at once that a job has none */
};

void engine_new_mails_begin(struct engine *engine); /* there are none */
/* One more, in the turn's arena; its mail's id is set. */
void engine_new_mail_add(struct engine *engine, struct new_mail *mail);
/* Its row, as `mail->mail` is now, queued or sending, with its event and context. */
void engine_new_mail_write(struct engine *engine, struct new_mail *mail);
/* The event that it reports, as spool_notices() gives it. */
struct spool_notice engine_new_mail_notice(const struct new_mail *mail);

/* Writes those that aren't written yet: of the job, of the event, or all. */
void engine_new_mails_write_job(struct engine *engine, int64_t job);
void engine_new_mails_write_event(struct engine *engine, int64_t event);
void engine_new_mails_write_all(struct engine *engine);

#endif
