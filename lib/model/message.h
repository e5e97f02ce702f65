/* SPDX-License-Identifier: MIT */
#ifndef MODEL_MESSAGE_H
#define MODEL_MESSAGE_H

/*
 * The messages of the log that an admin has to act on: each has an id under which the journal finds
 * it (MESSAGE_ID), and a text in its catalogue, conf/dispatchd.catalog. As the facility in
 * syslog(3), a message is given together with the level:
 *
 *   log_fault(LOG_WARNING | MESSAGE_RELAY_DOWN, "relay is down …");
 *
 * tests/check/lines.py compares rows, catalogue, and the lines that have them.
 */
enum log_message {
	MESSAGE_NONE = 0,
	MESSAGE_STARTED = 1 << 8,          /* the daemon runs */
	MESSAGE_NOT_STARTED = 2 << 8,      /* it can't, or not yet */
	MESSAGE_RELOAD_REFUSED = 3 << 8,   /* the configuration has faults; the old one stays */
	MESSAGE_REDIS_DOWN = 4 << 8,       /* no connection */
	MESSAGE_REDIS_REFUSES = 5 << 8,    /* a stream can't be read or written */
	MESSAGE_ENTRIES_LOST = 6 << 8,     /* removed from Redis before they were read */
	MESSAGE_NOT_COMMITTED = 7 << 8,    /* a database can't be used */
	MESSAGE_STALLED = 8 << 8,          /* the engine hangs */
	MESSAGE_RELAY_DOWN = 9 << 8,       /* it accepts no connection */
	MESSAGE_RELAY_FAILS = 10 << 8,     /* it accepts connections, and no mail */
	MESSAGE_MAILS_REFUSED = 11 << 8,   /* mail servers refuse mails for what they are */
	MESSAGE_PAUSED = 12 << 8,          /* a person stopped all mails */
	MESSAGE_DEAD_LETTER = 13 << 8,     /* an event was rejected */
	MESSAGE_TEMPLATE_BROKEN = 14 << 8, /* mails go without a part of it */
	MESSAGE_UNREACHABLE = 15 << 8,     /* a customer has no usable address any more */
	MESSAGE_BREAKER_OPEN = 16 << 8,    /* a flood of mails is held back */
};
enum { MESSAGE_COUNT = 17, MESSAGE_MASK = ~0xff };

/* The level of a line, as in syslog(3), without its message. */
static inline int message_level(int what)
{
	return what & ~MESSAGE_MASK;
}

/* Its id, 32 hexadecimal digits that never change; NULL: it has none. */
const char *message_id(int what);

#endif
