/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_STATE_H
#define ENGINE_MAIL_STATE_H

#include "engine/mail_new.h"
#include "model/words.h"
#include "rules/rules.h"
#include "spool/spool.h"

#include <stdint.h>

struct engine;

/* The only way to move a mail: reports from where to where, for the log at debug. No outcome. */
void engine_mail_move(struct engine *engine, struct spool_mail *mail, enum status to,
                      enum reason reason);
/* A new mail is written as sending, reported as one that was queued. */
void engine_mail_dispatch_new(struct engine *engine, struct new_mail *mail);
/* Its active notices, as kept since its dispatch or as the spool has them. */
const struct spool_notice *engine_mail_notices(struct engine *engine, int64_t mail, size_t *ret_n);
/* For outcomes: none of one that is held back. */
struct instant engine_mail_due(const struct spool_mail *mail);
/* All active notices of a mail take a status with it. The office's mails are
 * reported by their collision. */
void engine_mail_set_status(struct engine *engine, struct spool_mail *mail, enum status status,
                            enum reason reason);
/* One of several events leaves a mail. Where it is the one that began it, the mail is the next
 * one's by Message-ID and thread. */
void engine_notice_leave(struct engine *engine, struct spool_mail *mail,
                         const struct spool_notice *notice);
/* One notice leaves a mail; where it was the last the mail takes that status too. */
void engine_notice_set_status(struct engine *engine, struct spool_mail *mail,
                              const struct spool_notice *notice, enum status status,
                              enum reason reason);
/* The same by a verdict that stops it, with the suspension's note in the outcome. */
void engine_notice_set_verdict(struct engine *engine, struct spool_mail *mail,
                               const struct spool_notice *notice,
                               const struct contact_verdict *why);
/* One that is sending had better come back, if it still can: it waits for a mailer, perhaps for
 * long. */
void engine_recall_mail(struct engine *engine, int64_t mail);

#endif
