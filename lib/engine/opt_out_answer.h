/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_OPT_OUT_ANSWER_H
#define ENGINE_OPT_OUT_ANSWER_H

#include "records/contact_choice.h"
#include "spool/spool.h"

#include <stdbool.h>

struct engine;

/*
 * A wish for fewer mails that came by mail is answered by one (RFC 3834): what was switched off,
 * for which company, and the page that switches it on again. It goes to the address on record,
 * whoever wrote, with the null sender; at most one a contact in 24 hours; none where the contact
 * has no usable address or its mails are suspended.
 *
 * `off` are the states that the wish named; `asked_by` is the Message-ID of the mail that it came
 * in, without brackets, "" where that isn't known; `report` its row.
 */
struct opt_out_wish {
	unsigned off;
	bool all;
	const char *asked_by;
	int64_t report;
};
void engine_opt_out_answer(struct engine *engine, const struct contact_choice *choice,
                           const struct opt_out_wish *wish);

/* Whether a mail is such an answer. */
bool engine_is_answer(const struct spool_mail *mail);
/* Whom it answers, for whom its link is signed, in the turn's arena; false where that contact is
 * gone, or the turn has failed. */
bool engine_answer_choice(struct engine *engine, const struct spool_mail *mail,
                          struct contact_choice *ret);

#endif
