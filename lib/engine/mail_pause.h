/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_PAUSE_H
#define ENGINE_MAIL_PAUSE_H

#include "base/error.h"

struct engine;

/* What the spool says of it, for the turn that begins; a pause that is new to the log is logged. */
/* [mail] redirect_to is another than before: says so, and calls back what goes elsewhere. */
void engine_follow_redirect(struct engine *engine);
void engine_load_pause(struct engine *engine);

/* Mails that no mailer has begun come back. Again while it is paused: a note that is given takes
 * the place of the one before, with its author. 64 for a note that is too long. */
bool engine_pause(struct engine *engine, const char *by, const char *note,
                  struct error *err) MUST_CHECK;
/* True where it was paused. Mails that are due go in this turn. */
bool engine_resume(struct engine *engine, const char *by);

#endif
