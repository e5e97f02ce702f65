/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_DISPATCH_H
#define ENGINE_MAIL_DISPATCH_H

struct engine;

/* Fills the turn's outgoing mails. */
void engine_dispatch_mails(struct engine *engine);

#endif
