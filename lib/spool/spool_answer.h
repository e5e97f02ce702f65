/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SPOOL_ANSWER_H
#define SPOOL_SPOOL_ANSWER_H

#include "spool/spool.h"

#include <stdbool.h>

/* Mails that answer a contact's wish for fewer mails (engine/opt_out_answer.h). */

/* Mail `mail`, a row already, answers that contact. */
void spool_answer_add(struct spool *spool, int64_t mail, int64_t contact, struct instant now);
/* Whom it answers; 0 where it is no answer. */
int64_t spool_answer_contact(struct spool *spool, int64_t mail);
/* Whether that contact was answered after `since`, also by a clock that was wrong then. */
bool spool_answered(struct spool *spool, int64_t contact, struct instant since);
/* Contacts that were answered, each once, in the arena. */
int64_t *spool_answered_contacts(struct spool *spool, struct arena *arena, size_t *ret_n);
/* What the answers to a contact say and where they went leaves the spool, but for one that is with
 * a mailer. */
void spool_answers_wipe(struct spool *spool, int64_t contact);

#endif
