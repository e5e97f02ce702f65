/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_JUDGE_H
#define ENGINE_JUDGE_H

#include "rules/rules.h"
#include "spool/spool.h"

#include <stdbool.h>

struct engine;

/* An event in a mail, and what the rules decide about it now. */
struct mail_member {
	const struct spool_notice *notice;
	struct spool_event event;
	struct contact_verdict verdict;
	const struct customer *customer;
};

/* Judges the member of `member->notice`, setting the others; false where its event is gone. */
bool engine_judge_member(struct engine *engine, const struct spool_mail *mail,
                         struct mail_member *member);
/* Judges a mail again by the first event in it; false where there is none. */
bool engine_judge_mail(struct engine *engine, const struct spool_mail *mail,
                       struct contact_verdict *ret);

#endif
