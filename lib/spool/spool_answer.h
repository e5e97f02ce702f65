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

#endif
