/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_EXPIRE_H
#define ENGINE_MAIL_EXPIRE_H

#include "base/instant.h"
#include "spool/spool.h"

struct engine;

/* Mails whose shelf lives have ended. */
void engine_expire(struct engine *engine);
/* Members whose shelf life is over by then leave; the mail's is that of the next one to end. */
void engine_expire_members(struct engine *engine, struct spool_mail *mail, struct instant by);

#endif
