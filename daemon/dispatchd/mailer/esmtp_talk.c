/* SPDX-License-Identifier: MIT */
/*
 * The monitor: libesmtp shows every buffer that it is about to write or has just read. That is the
 * only place to learn how AUTH ended, what was replied before MAIL, and to keep the library from
 * what it must not do: it goes on to MAIL when AUTH was refused, and takes what a man in the middle
 * put behind the answer to STARTTLS for the server's words under TLS. It shows credentials too, so
 * nothing of what is written is kept, and replies only lose their control characters.
 */
#include "dispatchd/mailer/esmtp_private.h"

#include "dispatchd/mailer/reply.h"
#include "dispatchd/sys/lease_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void talk_end(struct esmtp *esmtp, enum smtp_stage stage, const char *why)
{
	struct talk *talk = &esmtp->talk;

	if (talk->fault[0] == '\0') {
		talk->stage = stage;
		snprintf(talk->fault, sizeof talk->fault, "%s", why);
	}
	esmtp->over = true;
	watch_shutdown(esmtp->watch);
}

/* ---- commands ---- */

/* The library shows it before it writes it: what is ended here is not sent. */
static void guard_mail(struct esmtp *esmtp)
{
	struct talk *talk = &esmtp->talk;
	char why[DELIVERY_REPLY_MAX];

	if ((talk->tls_begun || tls_is_due(esmtp->target)) && !talk->tls_on) {
		talk_end(esmtp, SMTP_TLS, "TLS is not on");
	} else if (esmtp->target->user[0] != '\0' && !talk->auth_ok) {
		/* The reply that refused it is the one to report. */
		if (talk->auth_begun && talk->code >= 400)
			snprintf(why, sizeof why, "%s", talk->reply);
		else
			plugin_fault(talk->offered, auth_may_be_clear(esmtp), why, sizeof why);
		talk_end(esmtp, SMTP_AUTH, why);
	}
	talk->mail_begun = true;
}

static void before_ehlo(struct esmtp *esmtp)
{
	auth_permit(esmtp);
	esmtp->talk.offered[0] = '\0';
}

static void before_starttls(struct esmtp *esmtp)
{
	esmtp->talk.tls_begun = true;
}

static void before_auth(struct esmtp *esmtp)
{
	esmtp->talk.auth_begun = true;
}

/* Why the session ends is known by now: QUIT and its reply don't overwrite it. */
static void before_quit(struct esmtp *esmtp)
{
	esmtp->talk.quitting = true;
}

/* One row a command: the stage that it begins, how long it may take, what has to be done before,
 * and its name as a step of a test. */
static const struct command {
	const char *word;
	const char *step; /* NULL: none */
	enum smtp_stage stage;
	size_t limit; /* offset in struct mailer_limits */
	void (*before)(struct esmtp *);
} commands[] = {
        {.word = "EHLO ",
         .step = "ehlo",
         .stage = SMTP_GREETING,
         .limit = offsetof(struct mailer_limits, greeting_ms),
         .before = before_ehlo},
        {.word = "HELO ",
         .step = "helo",
         .stage = SMTP_GREETING,
         .limit = offsetof(struct mailer_limits, greeting_ms)},
        {.word = "STARTTLS\r",
         .step = "tls",
         .stage = SMTP_TLS,
         .limit = offsetof(struct mailer_limits, tls_ms),
         .before = before_starttls},
        {.word = "AUTH ",
         .step = "login",
         .stage = SMTP_AUTH,
         .limit = offsetof(struct mailer_limits, auth_ms),
         .before = before_auth},
        {.word = "RSET\r",
         .step = "rset",
         .stage = SMTP_MAIL,
         .limit = offsetof(struct mailer_limits, command_ms)},
        {.word = "MAIL FROM:",
         .step = "mail",
         .stage = SMTP_MAIL,
         .limit = offsetof(struct mailer_limits, command_ms),
         .before = guard_mail},
        {.word = "RCPT TO:",
         .step = "rcpt",
         .stage = SMTP_RCPT,
         .limit = offsetof(struct mailer_limits, command_ms)},
        {.word = "QUIT\r",
         .stage = SMTP_MAIL,
         .limit = offsetof(struct mailer_limits, quit_ms),
         .before = before_quit},
};

/* "MAIL FROM:<a@example.com> SIZE=500" */
static bool bears_parameters(const char *line, size_t len)
{
	const char *end = memrchr(line, '>', len);

	return end && end + 1 < line + len && end[1] == ' ';
}

/* "AUTH PLAIN AG1lAH…"; a challenge's answer has no such word. */
static void note_mechanism(struct talk *talk, const char *line, size_t len)
{
	const char *name = line + strlen("AUTH ");
	size_t n = 0, most = (size_t)(line + len - name);

	while (n < most && !strchr(" \r\n", name[n]))
		n++;
	snprintf(talk->mechanism, sizeof talk->mechanism, "%.*s", (int)n, name);
}

static void on_command(struct esmtp *esmtp, const char *line, size_t len)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		const struct command *c = &commands[i];
		size_t n = strlen(c->word);
		if (len < n || memcmp(line, c->word, n) != 0)
			continue;
		int64_t ms;
		memcpy(&ms, (const char *)esmtp->limits + c->limit, sizeof ms);
		watch_arm(esmtp->watch, ms);
		if (c->before)
			c->before(esmtp);
		if (c->stage == SMTP_AUTH)
			note_mechanism(&esmtp->talk, line, len);
		if (esmtp->talk.fault[0] == '\0' && !esmtp->talk.quitting) {
			esmtp->talk.stage = c->stage;
			steps_begin(esmtp->net.steps, c->step);
		}
		esmtp->talk.parameters = bears_parameters(line, len);
		return;
	}
}

bool talk_ends_envelope(const struct esmtp *esmtp)
{
	return esmtp->net.steps && esmtp->net.steps->envelope;
}

bool talk_may_send(struct esmtp *esmtp)
{
	if (esmtp->net.steps || lease_clock_allows())
		return true;
	talk_end(esmtp, SMTP_DATA, "the cluster's lease ends");
	return false;
}

/* What the library is about to write is its own buffer, const only in name. */
static void before_data(struct esmtp *esmtp, const char *line, size_t len)
{
	static const char word[] = "DATA\r\n";

	if (esmtp->net.in_body || len != sizeof word - 1 || memcmp(line, word, len) != 0 ||
	    !esmtp->talk.mail_begun || esmtp->talk.fault[0] != '\0')
		return;
	(void)talk_may_send(esmtp);
	if (talk_ends_envelope(esmtp))
		memcpy((char *)(uintptr_t)line, "RSET", 4);
	else if (esmtp->net.steps)
		steps_begin(esmtp->net.steps, "message");
}

static void on_write(struct esmtp *esmtp, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		const char *next = stop ? stop + 1 : end;
		before_data(esmtp, text, (size_t)(next - text));
		on_command(esmtp, text, (size_t)(next - text));
		text = next;
	}
}

/* ---- replies ---- */

/* "250" without a text is a whole reply (RFC 5321, section 4.2), for which the library hangs up;
 * with the blank of an empty text and a lone line feed it is content. */
static void mend_bare_code(const struct talk *talk, char *c)
{
	if (talk->line_len == 3 && *c == '\r')
		*c = ' ';
}

/*
 * CHUNKING can't be declined, and the library loses temporary errors with it. So the word is masked
 * where it is a keyword, byte by byte, since a buffer may end in the middle of it.
 */
static void mask_chunking(struct talk *talk, char *c)
{
	static const char word[] = "CHUNKING";
	bool blank = *c == ' ' || *c == '\t';

	if (talk->line_len < 4 || (talk->masked == 0 && blank))
		return;
	if (talk->masked < sizeof word - 1 && (*c & ~0x20) == word[talk->masked])
		talk->masked++;
	else
		talk->masked = sizeof word; /* another word */
	if (talk->masked == sizeof word - 1) {
		*c = 'X';
		talk->masked = sizeof word;
	}
}

/* Adds a line to a reply, of which only the first keeps its code. */
static void add_line(const struct esmtp *esmtp, char ret[DELIVERY_REPLY_MAX], bool first)
{
	const struct talk *talk = &esmtp->talk;
	char line[DELIVERY_REPLY_MAX];
	size_t used = first ? 0 : strlen(ret);

	if (first)
		ret[0] = '\0';
	size_t skip = first || talk->line_len < 4 ? 0 : 3;
	reply_clean(line, sizeof line, talk->line + skip, talk->line_len - skip);
	reply_mask(line, esmtp->target->password);
	reply_mask(line, talk->token);
	snprintf(ret + used, DELIVERY_REPLY_MAX - used, "%s%s", used ? " " : "",
	         used && line[0] == '-' ? line + 1 : line);
}

static int reply_code(const char *line, size_t len)
{
	if (len < 3 || (len > 3 && line[3] != ' ' && line[3] != '-' && line[3] != '\r'))
		return 0;
	for (int i = 0; i < 3; i++)
		if (line[i] < '0' || line[i] > '9')
			return 0;
	return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

/* "250-AUTH PLAIN LOGIN", or of old "250-AUTH=PLAIN"; some send both. */
static void note_offered(struct talk *talk)
{
	const char *text = talk->line + 4;
	size_t used = strlen(talk->offered), room = sizeof talk->offered - used;

	if (talk->line_len <= 9 || strncasecmp(text, "AUTH", 4) != 0 ||
	    (text[4] != ' ' && text[4] != '='))
		return;
	if (used > 0 && room > 1)
		talk->offered[used++] = ' ';
	reply_clean(talk->offered + used, sizeof talk->offered - used, text + 5,
	            talk->line_len - 9);
}

/* Before MAIL every reply is kept until a good one comes; the library distinguishes later ones. */
static void on_line(struct esmtp *esmtp)
{
	struct talk *talk = &esmtp->talk;
	int code = reply_code(talk->line, talk->line_len);
	bool more = code && talk->line_len > 3 && talk->line[3] == '-';

	if (talk->mail_begun || talk->quitting)
		return;
	if (talk->stage == SMTP_GREETING && code == 250)
		note_offered(talk);
	add_line(esmtp, talk->reply, talk->code == 0 || talk->code != -code);
	talk->code = more ? -code : code;
	if (more)
		return;
	if (talk->stage == SMTP_AUTH && code == 235)
		talk->auth_ok = true;
	if (code >= 200 && code < 400)
		talk->code = 0;
}

/* Of a test: a whole reply ends a step, but for one that asks for more (3xx) and the go-ahead for
 * TLS. */
static void note_line(struct esmtp *esmtp)
{
	struct steps *steps = esmtp->net.steps;
	const struct talk *talk = &esmtp->talk;
	char named[DELIVERY_REPLY_MAX] = "";
	int code = reply_code(talk->line, talk->line_len);

	if (!steps || talk->quitting)
		return;
	add_line(esmtp, steps->reply, steps->reply[0] == '\0');
	if (talk->line_len > 3 && talk->line[3] == '-')
		return;
	if (talk->stage == SMTP_AUTH)
		snprintf(named, sizeof named, "%.*s (%s)",
		         (int)(sizeof named - sizeof talk->mechanism - 4), steps->reply,
		         talk->mechanism);
	if ((code < 300 || code >= 400) && !(talk->stage == SMTP_TLS && code == 220))
		steps_end(steps, code < 200 || code >= 400, named[0] ? named : steps->reply);
	steps->reply[0] = '\0';
}

static void talk_on_read(struct esmtp *esmtp, char *text, size_t len)
{
	struct talk *talk = &esmtp->talk;

	for (size_t i = 0; i < len; i++) {
		char heard = text[i]; /* before it is changed for the library */
		if (talk->stage == SMTP_GREETING)
			mask_chunking(talk, &text[i]);
		mend_bare_code(talk, &text[i]);
		if (text[i] != '\n') {
			if (talk->line_len < sizeof talk->line)
				talk->line[talk->line_len] = heard;
			talk->line_len += talk->line_len < sizeof talk->line;
			continue;
		}
		bool last = talk->line_len < 4 || talk->line[3] != '-';
		note_line(esmtp);
		on_line(esmtp);
		talk->line_len = 0;
		talk->masked = 0;
		/* What follows the answer to STARTTLS was not sent under TLS
		 * (CVE-2011-0411 and its kin). */
		if (last && talk->stage == SMTP_TLS && !talk->tls_on && i + 1 < len) {
			talk_end(esmtp, SMTP_TLS,
			         "bytes after the answer to STARTTLS: possible tampering");
			return;
		}
	}
}

void talk_monitor(const char *text, int len, int writing, void *arg)
{
	struct esmtp *esmtp = arg;

	if (len <= 0)
		return;
	if (writing == SMTP_CB_WRITING)
		on_write(esmtp, text, (size_t)len);
	else if (writing == SMTP_CB_READING)
		/* Its own buffer, const only in name. */
		talk_on_read(esmtp, (char *)(uintptr_t)text, (size_t)len);
}
