/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SPOOL_REPLY_H
#define SPOOL_SPOOL_REPLY_H

#include "spool/spool.h"

/* Replies of persons that are sent on (mail/forward.h). */

/* The content that mail `mail` sends; `about` is the mail that was replied to. */
void spool_reply_add(struct spool *spool, int64_t mail, int64_t about, const char *entity,
                     size_t len);
/* In the arena; "" where there is none anymore. */
const char *spool_reply_entity(struct spool *spool, int64_t mail, struct arena *arena,
                               size_t *ret_len);
/* It was sent: the content isn't needed anymore. */
void spool_reply_sent(struct spool *spool, int64_t mail);

/* How many replies to a mail were sent on or became comments, and how many to any since. */
int64_t spool_replies_to(struct spool *spool, int64_t about);
int64_t spool_replies_since(struct spool *spool, struct instant since);
/* Of those to a mail that were parked or counted the latest `max` stay. */
void spool_replies_limit(struct spool *spool, int64_t about, int64_t max);

#endif
