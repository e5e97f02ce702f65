/* SPDX-License-Identifier: MIT */
/*
 * The LMTP server: one process a connection, made by systemd, which also says how many there may
 * be. So it may block, and what it keeps is one mail. A command is a row; the order of commands is
 * checked by what the transaction has so far. The mail ends at CRLF "." CRLF alone: a line end of
 * another kind is part of it, so that nobody can smuggle a second mail into the first.
 */
#include "bounce/lmtp.h"

#include "bounce/lmtp_io.h"
#include "bounce/lmtp_path.h"
#include "bounce/read/mime.h"
#include "bounce/take.h"
#include "common/fault.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#define NOT_TAKEN "451 4.3.0 Not taken, try again" /* the journal says why */

struct session {
	struct lmtp_io io;
	const char *socket;
	char sender[LMTP_PATH_MAX + 1];
	char recipients[LMTP_RECIPIENTS_MAX][LMTP_PATH_MAX + 1];
	size_t n_recipients;
	bool greeted, has_sender, ended;
	enum lmtp_line got; /* what came last */
	int commands, faults;
};

static void reset(struct session *session)
{
	session->has_sender = false;
	session->n_recipients = 0;
}

/* A reply that counts as a fault: who makes many has nothing to say. */
static void refuse(struct session *session, const char *reply)
{
	session->faults++;
	lmtp_reply(&session->io, "%s", reply);
}

/* ---- commands ---- */

static void run_lhlo(struct session *session, const char *rest)
{
	char host[256] = "localhost";
	if (*rest == '\0') {
		refuse(session, "501 5.5.4 LHLO needs a name");
		return;
	}
	(void)gethostname(host, sizeof host - 1);
	reset(session);
	session->greeted = true;
	lmtp_reply(&session->io, "250-%s", host);
	lmtp_reply(&session->io, "250-PIPELINING");
	lmtp_reply(&session->io, "250-SIZE %d", MIME_BYTES_MAX);
	lmtp_reply(&session->io, "250-8BITMIME");
	lmtp_reply(&session->io, "250-SMTPUTF8");
	lmtp_reply(&session->io, "250 ENHANCEDSTATUSCODES");
}

/* RFC 2033, section 4.1: so that nobody takes this for SMTP. */
static void run_helo(struct session *session, const char *rest)
{
	(void)rest;
	refuse(session, "500 5.5.1 This is LMTP: use LHLO");
}

/* A parameter of MAIL; the reply where it is refused, else NULL. */
static const char *check_parameter(const char *word, size_t len)
{
	static const char *const known[] = {"SMTPUTF8", "BODY=7BIT", "BODY=8BITMIME"};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strlen(known[i]) == len && strncasecmp(word, known[i], len) == 0)
			return NULL;
	if (len < 6 || len > 20 || strncasecmp(word, "SIZE=", 5) != 0)
		return "555 5.5.4 Unknown parameter";
	for (size_t i = 5; i < len; i++)
		if (word[i] < '0' || word[i] > '9')
			return "501 5.5.4 SIZE needs a number";
	return strtoull(word + 5, NULL, 10) > MIME_BYTES_MAX ? "552 5.3.4 The mail is too large"
	                                                     : NULL;
}

static const char *check_parameters(const char *rest)
{
	while (*(rest += strspn(rest, " "))) {
		size_t len = strcspn(rest, " ");
		const char *fault = check_parameter(rest, len);
		if (fault)
			return fault;
		rest += len;
	}
	return NULL;
}

static void run_mail(struct session *session, const char *rest)
{
	char sender[LMTP_PATH_MAX + 1];
	const char *after = lmtp_path(rest, "FROM:", sender);
	const char *fault = !session->greeted     ? "503 5.5.1 LHLO comes first"
	                    : session->has_sender ? "503 5.5.1 There is a sender already"
	                    : after == NULL       ? "501 5.1.7 Expected MAIL FROM:<address>"
	                                          : check_parameters(after);
	if (fault) {
		refuse(session, fault);
		return;
	}
	strcpy(session->sender, sender);
	session->has_sender = true;
	lmtp_reply(&session->io, "250 2.1.0 Ok");
}

/* Only the daemon knows whose mails it takes. */
static void add_recipient(struct session *session, const char *recipient)
{
	struct error err;
	if (send_ask(session->socket, recipient, &err)) {
		strcpy(session->recipients[session->n_recipients++], recipient);
		lmtp_reply(&session->io, "250 2.1.5 Ok");
		return;
	}
	fault_print("dispatch-bounce", err.text);
	if (err.code == EX_NOUSER)
		refuse(session, "550 5.1.2 Reports for this domain aren't taken here");
	else
		lmtp_reply(&session->io, NOT_TAKEN);
}

static void run_rcpt(struct session *session, const char *rest)
{
	char recipient[LMTP_PATH_MAX + 1];
	const char *after = lmtp_path(rest, "TO:", recipient);
	if (!session->has_sender)
		refuse(session, "503 5.5.1 MAIL comes first");
	else if (after == NULL || recipient[0] == '\0')
		refuse(session, "501 5.1.3 Expected RCPT TO:<address>");
	else if (after[strspn(after, " ")])
		refuse(session, "555 5.5.4 Unknown parameter");
	else if (session->n_recipients == LMTP_RECIPIENTS_MAX)
		lmtp_reply(&session->io, "452 4.5.3 Too many recipients, send the others later");
	else
		add_recipient(session, recipient);
}

/* RFC 2033, section 4.2: a reply for each recipient that was accepted. */
static void reply_of_mail(struct session *session, struct taking *taking, const char *recipient)
{
	struct error err;
	char did[SEND_ANSWER_MAX];
	if (taking_send(taking, session->socket, recipient, session->sender, did, &err)) {
		lmtp_reply(&session->io, "250 2.0.0 Ok: %s", did);
		return;
	}
	fault_print("dispatch-bounce", err.text);
	lmtp_reply(&session->io, err.code == EX_NOUSER
	                                 ? "550 5.1.2 Reports for this domain aren't taken here"
	                                 : NOT_TAKEN);
}

static void reply_to_mail(struct session *session, const struct buf *mail)
{
	struct taking *taking = mail->len <= MIME_BYTES_MAX ? taking_new(mail) : NULL;
	for (size_t i = 0; i < session->n_recipients; i++) {
		if (taking)
			reply_of_mail(session, taking, session->recipients[i]);
		else
			lmtp_reply(&session->io, "552 5.3.4 The mail is too large");
	}
	(void)taking_free(taking);
}

static void run_data(struct session *session, const char *rest)
{
	struct buf mail = {0};
	if (*rest || session->n_recipients == 0) {
		refuse(session, *rest                 ? "501 5.5.4 DATA has no arguments"
		                : session->has_sender ? "503 5.5.1 No recipient was accepted"
		                                      : "503 5.5.1 MAIL comes first");
		return;
	}
	lmtp_reply(&session->io, "354 End with a dot on a line by itself");
	session->got = lmtp_read_mail(&session->io, MIME_BYTES_MAX, &mail);
	if (session->got == LMTP_LINE)
		reply_to_mail(session, &mail);
	buf_free(&mail);
	reset(session);
}

static void run_rset(struct session *session, const char *rest)
{
	(void)rest;
	reset(session);
	lmtp_reply(&session->io, "250 2.0.0 Ok");
}

static void run_noop(struct session *session, const char *rest)
{
	(void)rest;
	lmtp_reply(&session->io, "250 2.0.0 Ok");
}

static void run_vrfy(struct session *session, const char *rest)
{
	(void)rest;
	lmtp_reply(&session->io, "252 2.5.0 Send a mail and see");
}

static void run_quit(struct session *session, const char *rest)
{
	(void)rest;
	lmtp_reply(&session->io, "221 2.0.0 Bye");
	session->ended = true;
}

static const struct {
	const char *verb;
	void (*run)(struct session *session, const char *rest);
} commands[] = {
        {"LHLO", run_lhlo}, {"MAIL", run_mail}, {"RCPT", run_rcpt}, {"DATA", run_data},
        {"RSET", run_rset}, {"NOOP", run_noop}, {"VRFY", run_vrfy}, {"QUIT", run_quit},
        {"HELO", run_helo}, {"EHLO", run_helo},
};

static void run_command(struct session *session, const char *line)
{
	size_t len = strcspn(line, " ");
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strlen(commands[i].verb) == len &&
		    strncasecmp(line, commands[i].verb, len) == 0) {
			commands[i].run(session, line + len + strspn(line + len, " "));
			return;
		}
	refuse(session, "500 5.5.2 Unknown command");
}

/* ---- the session ---- */

static bool too_much(struct session *session)
{
	if (++session->commands <= LMTP_COMMANDS_MAX && session->faults <= LMTP_FAULTS_MAX)
		return false;
	lmtp_reply(&session->io, "421 4.7.0 Too many commands");
	return true;
}

static int end_status(struct session *session)
{
	if (session->got == LMTP_LATE)
		lmtp_reply(&session->io, "421 4.4.2 Nothing came in time");
	bool said = lmtp_flush(&session->io);
	return session->got == LMTP_END || (session->ended && said) ? EX_OK : EX_TEMPFAIL;
}

static bool goes_on(const struct session *session)
{
	return !session->ended && (session->got == LMTP_LINE || session->got == LMTP_LONG);
}

int lmtp_serve(const char *socket)
{
	struct session *session = mem_alloc(sizeof *session);
	char line[LMTP_LINE_MAX];
	session->socket = socket;
	lmtp_start(&session->io, LMTP_IDLE_S, LMTP_SESSION_S);
	lmtp_reply(&session->io, "220 dispatch-bounce LMTP");
	while (goes_on(session)) {
		session->got = lmtp_read_line(&session->io, line, sizeof line);
		if (session->got == LMTP_LONG)
			refuse(session, "500 5.5.2 The line is too long");
		if (!goes_on(session) || too_much(session))
			break;
		if (session->got == LMTP_LINE)
			run_command(session, line);
	}
	int status = end_status(session);
	lmtp_end(&session->io);
	free(session);
	return status;
}
