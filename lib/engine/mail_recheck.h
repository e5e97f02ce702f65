/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_RECHECK_H
#define ENGINE_MAIL_RECHECK_H

struct engine;

void engine_recheck_deferred(struct engine *engine); /* those that may go sooner */
void engine_recheck_sending(struct engine *engine);  /* those that may not go anymore */

#endif
