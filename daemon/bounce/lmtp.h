/* SPDX-License-Identifier: MIT */
#ifndef BOUNCE_LMTP_H
#define BOUNCE_LMTP_H

/*
 * One LMTP session (RFC 2033) on standard input and output, with whatever a mail server sends:
 * PIPELINING (RFC 2920), SIZE (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531) and
 * ENHANCEDSTATUSCODES (RFC 2034). Each recipient has a reply of its own after the final dot: 250
 * once the daemon has it on disk, 451 where it can't be reached, 550 for another domain. `socket`
 * is the daemon's. Returns an exit status: 0 where the session ended by QUIT or the client's
 * hanging up, 75 where it was given up.
 */
enum {
	LMTP_RECIPIENTS_MAX = 50,
	LMTP_LINE_MAX = 2048,     /* of a command, with its end */
	LMTP_COMMANDS_MAX = 1000, /* in a session */
	LMTP_FAULTS_MAX = 20,
	LMTP_IDLE_S = 300, /* RFC 5321, section 4.5.3.2.7 */
	LMTP_SESSION_S = 1800,
};
int lmtp_serve(const char *socket);

#endif
