/* SPDX-License-Identifier: MIT */
/*
 * One connection's run of mails. libesmtp owns the protocol; this file hands it mails and reports
 * what became of each.
 *
 *   first mail ─▶ smtp_start_session ─▶ … MAIL ─▶ RCPT ─▶ DATA ─▶ body ─▶ 250
 *                                          │       │                       │
 *                       refused: done, next ┴───────┴── done, next ─────────┘
 *
 * The next mail is added from the callback that reports the last one, at the places where the
 * library looks for a further one only afterwards; so the connection stays. A refused DATA is the
 * one place where it looks first: then the connection ends, and the next mail gets a new one.
 *
 * The library's return value and errno mean nothing (it returns success when nothing was
 * delivered). A mail is sent if its recipient is complete, RCPT and message have a 2xx, and its
 * body was read to its end: all four, since each alone can be had without a delivery.
 */
#include "dispatchd/mailer/esmtp_private.h"

#include "base/mem.h"
#include "common/clock_ms.h"
#include "dispatchd/mailer/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A mail on its way through a session; freed with the session, which keeps its message as long. */
struct transaction {
	struct transaction *next;
	struct esmtp *esmtp;
	smtp_message_t message;
	smtp_recipient_t recipient;
	struct transport_mail mail; /* without a message once all of it is sent */
	bool bare[ESMTP_COMMANDS];  /* sent without parameters */
	bool again[ESMTP_COMMANDS]; /* because it was refused with them */
	bool begun, read, reported;
};

/* ---- handing over ---- */

static bool has_whole_lines(const struct buf *text)
{
	const char *p = buf_text(text), *end = p + text->len;

	if (text->len == 0 || memchr(p, '\0', text->len))
		return false;
	while (p < end) {
		const char *cr = memchr(p, '\r', (size_t)(end - p)), *stop = cr ? cr : end;
		if (memchr(p, '\n', (size_t)(stop - p)) || (cr && cr[1] != '\n'))
			return false;
		p = cr ? cr + 2 : end;
	}
	return true;
}

/*
 * CRLF at each line's end, and no CR, LF or NUL elsewhere: a bare LF would pass the library
 * unstuffed, and a "\n.\n" in a note would end the mail early.
 */
static void make_lines(struct buf *text)
{
	struct buf out = {0};
	const char *from = text->data, *end = from + text->len;

	if (has_whole_lines(text))
		return;
	for (const char *p = from; p < end; p++) {
		if (*p == '\r' && p + 1 < end && p[1] == '\n')
			continue;
		if (*p == '\n' || *p == '\r')
			buf_add(&out, "\r\n", 2);
		else
			buf_addc(&out, *p == '\0' ? ' ' : *p);
	}
	buf_free(text);
	*text = out;
}

/* The library's way to ask for the message: once without a length to begin, then until the length
 * is 0. */
static const char *give_text(void **context, int *len, void *arg)
{
	struct transaction *transaction = arg;
	struct esmtp *esmtp = transaction->esmtp;

	(void)context;
	if (!len) {
		transaction->begun = talk_may_send(esmtp);
		transaction->read = false;
		esmtp->net.in_body = true;
		esmtp->talk.stage = SMTP_BODY;
		watch_arm(esmtp->watch,
		          esmtp->limits->body_ms +
		                  (int64_t)(transaction->mail.message.len / 4096) * 1000);
		return NULL;
	}
	if (!transaction->read) {
		transaction->read = true;
		*len = (int)transaction->mail.message.len;
		return transaction->mail.message.data;
	}
	*len = 0;
	transaction->begun = transaction->begun && talk_may_send(esmtp); /* the dot comes now */
	watch_arm(esmtp->watch, esmtp->limits->dot_ms);
	return NULL;
}

/* Sent only where the relay announces SIZE (RFC 1870) and DSN (RFC 3461). */
static void set_parameters(struct transaction *transaction)
{
	const struct esmtp_habits *habits = transaction->esmtp->target->habits;
	int64_t now_ms = clock_mono_ms();
	char id[32];

	for (size_t i = 0; i < ESMTP_COMMANDS; i++)
		transaction->bare[i] =
		        transaction->again[i] || now_ms < atomic_load(&habits->bare_until_ms[i]);
	if (!transaction->bare[ESMTP_MAIL]) {
		snprintf(id, sizeof id, "dispatchd-%" PRId64, transaction->mail.id);
		smtp_size_set_estimate(transaction->message, transaction->mail.message.len);
		smtp_dsn_set_envid(transaction->message, id);
	}
	if (!transaction->bare[ESMTP_RCPT])
		smtp_dsn_set_notify(transaction->recipient, Notify_FAILURE | Notify_DELAY);
}

/* `before` is the mail's transaction when it was sent first; NULL for a new one. */
static void esmtp_hand_over(struct esmtp *esmtp, struct transport_mail *mail,
                            const struct transaction *before)
{
	struct transaction *transaction = mem_alloc(sizeof *transaction);

	make_lines(&mail->message);
	*transaction =
	        (struct transaction){.next = esmtp->transactions, .esmtp = esmtp, .mail = *mail};
	if (before)
		memcpy(transaction->again, before->again, sizeof transaction->again);
	esmtp->transactions = esmtp->current = transaction;
	transaction->message = smtp_add_message(esmtp->session);
	transaction->recipient =
	        transaction->message ? smtp_add_recipient(transaction->message, mail->to) : NULL;
	if (!transaction->recipient)
		bug("libesmtp can't add a message");
	smtp_set_reverse_path(transaction->message, mail->from);
	smtp_set_messagecb(transaction->message, give_text, transaction);
	smtp_message_set_application_data_release(transaction->message, transaction, NULL);
	smtp_recipient_set_application_data_release(transaction->recipient, transaction, NULL);
	set_parameters(transaction);
}

/* Asks for the next mail; nothing is due from the relay meanwhile. */
static void next_mail(struct esmtp *esmtp)
{
	struct transport_mail mail = {0};

	if (esmtp->over)
		return;
	watch_disarm(esmtp->watch);
	tls_leave(&esmtp->net);
	if (esmtp->feed->next(esmtp->feed->arg, &mail))
		esmtp_hand_over(esmtp, &mail, NULL);
	else
		esmtp->over = true;
	watch_arm(esmtp->watch, esmtp->limits->command_ms);
}

/* ---- reporting ---- */

static void esmtp_report(struct transaction *transaction, enum smtp_stage stage, int code,
                         const char *text)
{
	struct esmtp *esmtp = transaction->esmtp;
	struct smtp_report report = {
	        .stage = stage, .code = code, .body_begun = transaction->begun};
	char reply[DELIVERY_REPLY_MAX];

	if (transaction->reported)
		return;
	transaction->reported = true;
	buf_free(&transaction->mail.message);
	reply_clean(reply, sizeof reply, text, strlen(text));
	reply_mask(reply, esmtp->target->password);
	if (code)
		reply_enhanced(reply + (strlen(reply) > 4 ? 4 : 0), report.enhanced);
	esmtp->feed->done(esmtp->feed->arg, transaction->mail.caller, &report, reply);
}

/* The relay's reply, as it was on the wire: the library takes the enhanced code out of the text
 * where the relay announced that it gives them. */
static void report_status(struct transaction *transaction, enum smtp_stage stage,
                          const smtp_status_t *status)
{
	const char *words = status->text ? status->text : "";
	char text[5000];

	if (status->enh_class)
		snprintf(text, sizeof text, "%03d %d.%d.%d %s", status->code, status->enh_class,
		         status->enh_subject, status->enh_detail, words);
	else
		snprintf(text, sizeof text, "%03d %s", status->code, words);
	esmtp_report(transaction, stage, status->code, text);
}

static bool is_good(int code)
{
	return code >= 200 && code <= 299;
}

/* A code that can't answer this command: the session is out of step, and nothing after it can be
 * trusted. */
static bool is_nonsense(int code)
{
	return code < 200 || code > 599 || (code >= 300 && code < 400);
}

static void esmtp_refused(struct transaction *transaction, enum smtp_stage stage,
                          const smtp_status_t *status)
{
	char text[64];

	if (!is_nonsense(status->code)) {
		report_status(transaction, stage, status);
		return;
	}
	snprintf(text, sizeof text, "the relay answered %d out of turn", status->code);
	esmtp_report(transaction, stage, 0, text);
	talk_end(transaction->esmtp, stage, text);
}

/* Whether the reply is about a command's parameters, if it had some. */
static bool blames_parameters(enum smtp_stage stage, const smtp_status_t *status)
{
	struct smtp_report report = {
	        .stage = stage,
	        .code = status->code,
	        .enhanced = {status->enh_class, status->enh_subject, status->enh_detail}};

	if (report.enhanced[0] == 0 && status->text)
		reply_enhanced(status->text, report.enhanced);
	return failure_judge(&report, &(struct failure_facts){.parameters = true}).next ==
	       FAILURE_BARE;
}

/*
 * Parameters are our own choice, and no mail must fail because of them. So the mail is sent again
 * without, in the place of the next one. The relay's habit is noted before that is known to help,
 * since some hang up at once; and given up where the bare command is refused just so: then it is
 * the mail, or the address. False where it has to be reported.
 */
static bool resend_bare(struct transaction *transaction, enum esmtp_command command,
                        const smtp_status_t *status)
{
	static const enum smtp_stage stages[] = {
	        [ESMTP_MAIL] = SMTP_MAIL, [ESMTP_RCPT] = SMTP_RCPT};
	struct esmtp *esmtp = transaction->esmtp;
	_Atomic int64_t *bare_until_ms = &esmtp->target->habits->bare_until_ms[command];

	if (!blames_parameters(stages[command], status) || esmtp->over)
		return false;
	if (transaction->again[command])
		atomic_store(bare_until_ms, 0);
	if (transaction->bare[command] || !esmtp->talk.parameters)
		return false;
	atomic_store(bare_until_ms, clock_mono_ms() + esmtp->limits->bare_ms);
	transaction->again[command] = true;
	transaction->reported = true; /* by its second transaction, in the end */
	watch_arm(esmtp->watch, esmtp->limits->command_ms);
	esmtp_hand_over(esmtp, &transaction->mail, transaction);
	transaction->mail.message = (struct buf){0};
	return true;
}

static void on_mail_status(struct esmtp *esmtp, smtp_message_t message)
{
	struct transaction *transaction = smtp_message_get_application_data(message);
	const smtp_status_t *status = smtp_reverse_path_status(message);

	if (is_good(status->code) || resend_bare(transaction, ESMTP_MAIL, status))
		return;
	esmtp_refused(transaction, SMTP_MAIL, status);
	next_mail(esmtp);
}

static void on_rcpt_status(struct esmtp *esmtp, smtp_recipient_t recipient)
{
	struct transaction *transaction = smtp_recipient_get_application_data(recipient);
	const smtp_status_t *status = smtp_recipient_status(recipient);

	esmtp->talk.stage = SMTP_DATA;
	if (is_good(status->code) || resend_bare(transaction, ESMTP_RCPT, status))
		return;
	esmtp_refused(transaction, SMTP_RCPT, status);
	next_mail(esmtp);
}

static void on_message_sent(struct esmtp *esmtp, smtp_message_t message)
{
	struct transaction *transaction = smtp_message_get_application_data(message);
	const smtp_status_t *status = smtp_message_transfer_status(message);
	bool complete = smtp_recipient_check_complete(transaction->recipient);

	/* The tail of a mail whose recipient was refused: it is sent, the next one is there. */
	if (transaction->reported)
		return;
	if (!transaction->begun && is_good(status->code) && talk_ends_envelope(esmtp)) {
		report_status(transaction, SMTP_RCPT,
		              smtp_recipient_status(transaction->recipient));
		next_mail(esmtp);
		return;
	}
	if (!transaction->begun && is_good(status->code)) {
		/* 2xx to DATA: the library calls that a success. */
		esmtp_report(transaction, SMTP_DATA, 0,
		             "the relay answered DATA as if the mail were there");
		talk_end(esmtp, SMTP_DATA, "the relay is out of step");
		return;
	}
	if (is_good(status->code) &&
	    !(complete && transaction->read &&
	      is_good(smtp_recipient_status(transaction->recipient)->code)))
		esmtp_report(transaction, SMTP_BODY, 0,
		             "the library and the relay disagree about the mail");
	else if (is_good(status->code))
		report_status(transaction, SMTP_BODY, status);
	else
		esmtp_refused(transaction, transaction->begun ? SMTP_BODY : SMTP_DATA, status);
	if (transaction->begun)
		next_mail(esmtp);
}

/* ---- the library's events ---- */

/* Where TLS is expected from the first byte, both sides wait for the other to begin. */
static bool waits_for_tls(const struct esmtp *esmtp)
{
	return esmtp->talk.stage == SMTP_GREETING && esmtp->talk.line_len == 0 &&
	       esmtp->target->tls != TLS_IMPLICIT && strcmp(esmtp->target->port, "465") == 0;
}

static void fault_text(const struct esmtp *esmtp, char *ret, size_t size)
{
	const struct talk *talk = &esmtp->talk;

	ret[0] = '\0';
	if (talk->fault[0] != '\0')
		snprintf(ret, size, "%s", talk->fault);
	else if (!esmtp->net.connected)
		snprintf(ret, size, "%s", esmtp->net.fault[0] ? esmtp->net.fault : "can't connect");
	else if (watch_is_cut(esmtp->watch))
		snprintf(ret, size, "cut off: %s", watch_is_cut(esmtp->watch));
	else if (atomic_load(&esmtp->watch->expired))
		snprintf(ret, size, "the relay took too long%s",
		         waits_for_tls(esmtp) ? " to greet; port 465 is for tls = implicit" : "");
	else /* with TLS 1.3 the peer refuses our certificate only when we have begun to speak */
		snprintf(ret, size, "%s", esmtp->net.tls_fault);
	if (ret[0] == '\0')
		snprintf(ret, size, "the relay closed the connection");
}

static void note_tls(struct esmtp *esmtp, SSL *ssl)
{
	char words[DELIVERY_REPLY_MAX];

	tls_words(esmtp->target, ssl, words, sizeof words);
	steps_end(esmtp->net.steps, false, words);
	esmtp->talk.tls_on = true;
	esmtp->talk.ssl = ssl;
	esmtp->talk.line_len = 0;
}

/* Below the library: it sees a connection that is good, or shut down. */
static bool begin_secure(struct esmtp *esmtp)
{
	char why[DELIVERY_REPLY_MAX];

	esmtp->talk.stage = SMTP_TLS;
	steps_begin(esmtp->net.steps, "tls");
	watch_arm(esmtp->watch, esmtp->limits->tls_ms);
	if (secure_begin(&esmtp->net)) {
		note_tls(esmtp, esmtp->net.ssl);
		watch_arm(esmtp->watch, esmtp->limits->greeting_ms);
		return true;
	}
	fault_text(esmtp, why, sizeof why);
	steps_end(esmtp->net.steps, true, why);
	talk_end(esmtp, SMTP_TLS, why);
	return false;
}

static void on_connect(struct esmtp *esmtp)
{
	/* A name has several addresses, and the one before may have failed. */
	atomic_store(&esmtp->watch->expired, false);
	esmtp->talk = (struct talk){.stage = SMTP_CONNECT};
	smtp_set_hostname(esmtp->session, esmtp->net.greet_as);
	if (esmtp->target->tls == TLS_IMPLICIT && !begin_secure(esmtp))
		return;
	esmtp->talk.stage = SMTP_GREETING;
	steps_begin(esmtp->net.steps, "greeting");
}

/* The library has closed its descriptor, whose number may be another one's from now on. */
static void on_disconnect(struct esmtp *esmtp)
{
	secure_end(&esmtp->net);
	esmtp->net.fd = -1;
	esmtp->talk.ssl = NULL;
}

/* The library takes a reference of our certificate that it has not got, and gives it back. */
static void on_starttls(struct esmtp *esmtp, SSL *ssl)
{
	X509 *own = SSL_get_certificate(ssl);

	if (own)
		X509_up_ref(own);
	note_tls(esmtp, ssl);
}

/*
 * Questions about the peer's certificate, to which 1 means "go on". With `required` OpenSSL has
 * checked it against the configured name in the handshake, and what the library compares is its own
 * idea of a name; with `opportunistic` nothing is verified.
 */
static void esmtp_on_event(smtp_session_t session, int event, void *arg, ...)
{
	struct esmtp *esmtp = arg;
	va_list list;

	(void)session;
	va_start(list, arg);
	switch (event) {
	case SMTP_EV_CONNECT:
		on_connect(esmtp);
		break;
	case SMTP_EV_DISCONNECT:
		on_disconnect(esmtp);
		break;
	case SMTP_EV_MAILSTATUS:
		(void)va_arg(list, const char *);
		on_mail_status(esmtp, va_arg(list, smtp_message_t));
		break;
	case SMTP_EV_RCPTSTATUS:
		(void)va_arg(list, const char *);
		on_rcpt_status(esmtp, va_arg(list, smtp_recipient_t));
		break;
	case SMTP_EV_MESSAGESENT:
		on_message_sent(esmtp, va_arg(list, smtp_message_t));
		break;
	case SMTP_EV_STARTTLS_OK:
		on_starttls(esmtp, va_arg(list, SSL *));
		break;
	case SMTP_EV_EXTNA_STARTTLS:
		talk_end(esmtp, SMTP_TLS, "the relay offers no STARTTLS");
		break;
	case SMTP_EV_INVALID_PEER_CERTIFICATE:
		(void)va_arg(list, long);
		*va_arg(list, int *) = !tls_is_due(esmtp->target);
		break;
	case SMTP_EV_WRONG_PEER_CERTIFICATE:
		*va_arg(list, int *) = 1;
		break;
	case SMTP_EV_NO_PEER_CERTIFICATE:
		*va_arg(list, int *) = !tls_is_due(esmtp->target);
		break;
	default:
		break;
	}
	va_end(list);
}

/* ---- login with an access token ---- */

static void login_by_token(struct esmtp *esmtp)
{
	char why[DELIVERY_REPLY_MAX];

	if (oauth_login(esmtp, why, sizeof why))
		return;
	if (why[0] == '\0')
		fault_text(esmtp, why, sizeof why);
	talk_end(esmtp, SMTP_AUTH, why);
}

/* The first MAIL is shown before it is written; nothing is in front of it in the same buffer. */
static void esmtp_on_monitor(const char *text, int len, int writing, void *arg)
{
	static const char word[] = "MAIL FROM:";
	struct esmtp *esmtp = arg;

	if (writing == SMTP_CB_WRITING && esmtp->target->token_file[0] != '\0' &&
	    !esmtp->talk.mail_begun && esmtp->talk.fault[0] == '\0' && len > (int)sizeof word &&
	    memcmp(text, word, sizeof word - 1) == 0)
		login_by_token(esmtp);
	talk_monitor(text, len, writing, esmtp);
}

/* ---- a session ---- */

/* Mails that are still there when the connection is not: what happened to it happened to them. */
static void report_rest(struct esmtp *esmtp)
{
	const struct talk *talk = &esmtp->talk;
	/* Of the last one that was connected, even where other addresses failed after it. */
	bool refusal = talk->code >= 400 && !talk->mail_begun;
	char text[DELIVERY_REPLY_MAX];

	if (refusal)
		snprintf(text, sizeof text, "%s", talk->reply);
	else
		fault_text(esmtp, text, sizeof text);
	for (struct transaction *transaction = esmtp->transactions; transaction;
	     transaction = transaction->next)
		esmtp_report(transaction, transaction->begun ? SMTP_BODY : talk->stage,
		             refusal && !transaction->begun ? talk->code : 0, text);
}

/* The watch bounds every command; these only must not be shorter. */
static void set_timeouts(smtp_session_t session, const struct mailer_limits *limits)
{
	static const int which[] = {Timeout_GREETING, Timeout_ENVELOPE, Timeout_DATA,
	                            Timeout_TRANSFER, Timeout_DATA2};
	long ms =
	        (long)(limits->dot_ms > limits->command_ms ? limits->dot_ms : limits->command_ms) +
	        60 * 1000;

	for (size_t i = 0; i < sizeof which / sizeof which[0]; i++)
		smtp_set_timeout(session, which[i] | Timeout_OVERRIDE_RFC2822_MINIMUM, ms);
}

static void set_up(struct esmtp *esmtp)
{
	static const enum starttls_option options[] = {
	        [TLS_NONE] = Starttls_DISABLED,
	        [TLS_OPPORTUNISTIC] = Starttls_ENABLED,
	        [TLS_REQUIRED] = Starttls_REQUIRED,
	        [TLS_IMPLICIT] = Starttls_DISABLED,
	};

	esmtp->session = smtp_create_session();
	if (!esmtp->session || !auth_enter(esmtp))
		bug("libesmtp can't create a session");
	smtp_set_server(esmtp->session, "relay.invalid:25"); /* our getaddrinfo() ignores it */
	smtp_set_eventcb(esmtp->session, esmtp_on_event, esmtp);
	smtp_set_monitorcb(esmtp->session, esmtp_on_monitor, esmtp, 0);
	set_timeouts(esmtp->session, esmtp->limits);
	smtp_starttls_enable(esmtp->session, options[esmtp->target->tls]);
	/* Always ours, of which it takes a reference: it frees its own while later sessions still
	 * use it. */
	smtp_starttls_set_ctx(esmtp->session, esmtp->target->ssl);
}

static void tear_down(struct esmtp *esmtp)
{
	secure_end(&esmtp->net);
	watch_leave(esmtp->watch);
	smtp_destroy_session(esmtp->session);
	auth_leave(esmtp);
	while (esmtp->transactions) {
		struct transaction *transaction = esmtp->transactions;
		esmtp->transactions = transaction->next;
		buf_free(&transaction->mail.message);
		free(transaction);
	}
}

void esmtp_run(const struct esmtp_target *target, const struct mailer_limits *limits,
               struct watch *watch, const struct transport_feed *feed)
{
	struct esmtp esmtp = {.target = target, .limits = limits, .watch = watch, .feed = feed};
	struct transport_mail mail = {0};

	esmtp.talk.stage = SMTP_CONNECT;
	esmtp.net = (struct net){
	        .target = target, .limits = limits, .watch = watch, .steps = feed->steps, .fd = -1};
	if (!feed->next(feed->arg, &mail))
		return;
	set_up(&esmtp);
	esmtp_hand_over(&esmtp, &mail, NULL);
	net_enter(&esmtp.net);
	tls_enter();
	smtp_start_session(esmtp.session);
	tls_leave(&esmtp.net);
	report_rest(&esmtp);
	tear_down(&esmtp);
	net_enter(NULL);
}

void esmtp_init(void)
{
	auth_client_init();
	/* The library makes a table of its own on first use, without a lock. */
	smtp_session_t session = smtp_create_session();
	smtp_destroy_session(session);
}
