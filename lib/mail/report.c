/* SPDX-License-Identifier: MIT */
/*
 * What a mail that came back is. The steps are asked in this order, the first that holds decides:
 * a complaint, a machine-readable report, a mail program's unsubscribe button, a program that
 * answers by itself, a report in words, a wish to get no more mails, a person. What isn't
 * understood stays so: it marks nobody.
 */
#include "mail/report.h"

#include "mail/report_fields.h"
#include "mail/report_judge.h"
#include "mail/report_phrases.h"
#include "mail/report_plain.h"
#include "mail/report_sender.h"
#include "mail/report_ses.h"
#include "mail/report_stage.h"
#include "mail/report_status.h"
#include "mail/report_text.h"
#include "mail/report_token.h"

#include <string.h>
#include <strings.h>

static const char *const kinds[MAIL_REPORT_KINDS] = {
        [MAIL_REPORT_UNKNOWN] = "unknown",       [MAIL_REPORT_FAILED] = "failed",
        [MAIL_REPORT_DELAYED] = "delayed",       [MAIL_REPORT_DELIVERED] = "delivered",
        [MAIL_REPORT_COMPLAINT] = "complaint",   [MAIL_REPORT_OPT_OUT] = "opt_out",
        [MAIL_REPORT_AUTO_REPLY] = "auto_reply", [MAIL_REPORT_REPLY] = "reply",
};

static const char *const stage_names[MAIL_REPORT_STAGES] = {
        [MAIL_REPORT_STAGE_UNKNOWN] = "",  [MAIL_REPORT_STAGE_CONNECT] = "connect",
        [MAIL_REPORT_STAGE_MAIL] = "mail", [MAIL_REPORT_STAGE_RCPT] = "rcpt",
        [MAIL_REPORT_STAGE_DATA] = "data",
};

static const char *const verdicts[MAIL_REPORT_VERDICTS] = {
        [MAIL_REPORT_NONE] = "none",
        [MAIL_REPORT_GONE] = "gone",
        [MAIL_REPORT_BUSY] = "busy",
        [MAIL_REPORT_REFUSED] = "refused",
};

const char *mail_report_kind_name(enum mail_report_kind kind)
{
	return kinds[kind];
}

const char *mail_report_stage_name(enum mail_report_stage stage)
{
	return stage_names[stage];
}

const char *mail_report_verdict_name(enum mail_report_verdict verdict)
{
	return verdicts[verdict];
}

enum mail_report_verdict mail_report_verdict_find(const char *name)
{
	for (enum mail_report_verdict v = MAIL_REPORT_NONE; v < MAIL_REPORT_VERDICTS; v++)
		if (strcmp(name, verdicts[v]) == 0)
			return v;
	return MAIL_REPORT_NONE;
}

/* What the steps share. */
struct reading {
	const struct mail_report_mail *mail;
	struct arena *arena;
	struct mail_report *ret;
	struct mail_report_words words;
	bool by_system, by_nobody, by_robot, by_responder;
	bool returns_report; /* so it isn't about one of ours */
};

static const char *part(const struct mail_report_mail *mail, enum mail_report_part_type type)
{
	for (size_t i = 0; i < mail->n_parts; i++)
		if (mail->parts[i].type == type)
			return mail->parts[i].text;
	return "";
}

static const char *field(const struct reading *reading, const char *name)
{
	return mail_report_field_value(reading->mail->header, name, reading->arena);
}

/* ---- the mail that it is about ---- */

static void set_once(const char **at, const char *value)
{
	if ((*at)[0] == '\0')
		*at = value;
}

static void read_returned(struct reading *reading, const char *header)
{
	struct mail_report *ret = reading->ret;
	struct arena *arena = reading->arena;
	const char *id = mail_report_field_value(header, "Message-ID", arena);
	const char *path = mail_report_field_value(header, "Return-Path", arena);
	set_once(&ret->message_id, mail_report_message_id(id, arena));
	set_once(&ret->returned_path, mail_report_address(path, arena));
}

/* Whether the mail that is returned is itself a report. */
static bool returns_report(const struct reading *reading)
{
	const char *header = part(reading->mail, MAIL_REPORT_RETURNED);
	const char *type = mail_report_field_value(header, "Content-Type", reading->arena);
	return strncasecmp(type, "multipart/report", strlen("multipart/report")) == 0;
}

/* ---- steps ---- */

static enum mail_report_kind feedback_kind(const char *type)
{
	static const struct {
		const char *type;
		enum mail_report_kind kind;
	} rows[] = {
	        {"abuse", MAIL_REPORT_COMPLAINT}, /* RFC 5965, section 7.3 */
	        {"fraud", MAIL_REPORT_COMPLAINT},      {"virus", MAIL_REPORT_COMPLAINT},
	        {"other", MAIL_REPORT_COMPLAINT},      {"miscategorized", MAIL_REPORT_COMPLAINT},
	        {"opt-out", MAIL_REPORT_OPT_OUT},      {"opt-out-list", MAIL_REPORT_OPT_OUT},
	        {"not-spam", MAIL_REPORT_UNKNOWN},     /* RFC 6430: the contrary */
	        {"auth-failure", MAIL_REPORT_UNKNOWN}, /* RFC 6591: nobody complained */
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcasecmp(type, rows[i].type) == 0)
			return rows[i].kind;
	return MAIL_REPORT_COMPLAINT;
}

static void add_complainer(struct reading *reading, const char *to, const char *why)
{
	struct mail_report *ret = reading->ret;
	const char *address = mail_report_address(to, reading->arena);
	if (address[0] && ret->n_recipients < MAIL_REPORT_RECIPIENTS_MAX)
		ret->recipients[ret->n_recipients++] = (struct mail_report_recipient){
		        .address = address, .final = "", .diagnostic = "", .why = why};
}

/* RFC 5965. */
static bool read_feedback(struct reading *reading)
{
	struct mail_report *ret = reading->ret;
	struct arena *arena = reading->arena;
	const char *block = part(reading->mail, MAIL_REPORT_FEEDBACK);
	const char *type = mail_report_field_value(block, "Feedback-Type", arena);
	if (type[0] == '\0')
		return false;
	const char *path = mail_report_field_value(block, "Original-Mail-From", arena);
	ret->format = "rfc5965";
	ret->feedback = type;
	ret->kind = feedback_kind(type);
	set_once(&ret->returned_path, mail_report_address(path, arena));
	set_once(&ret->envelope_id, mail_report_field_value(block, "Original-Envelope-Id", arena));
	struct mail_report_field at;
	for (const char *next = block; mail_report_field_next(&next, arena, &at);)
		if (strcasecmp(at.name, "Original-Rcpt-To") == 0)
			add_complainer(reading, at.value, type);
	return true;
}

/* Complaints that don't keep to it: Microsoft's, of outlook.com and its kin. */
static bool read_complaint(struct reading *reading)
{
	struct mail_report *ret = reading->ret;
	struct arena *arena = reading->arena;
	const char *subject = mail_report_plain(arena, field(reading, "Subject"));
	if (strcasecmp(ret->from, "staff@hotmail.com") != 0 ||
	    strncmp(subject, "complaint about message", strlen("complaint about message")) != 0)
		return false;
	const char *to = mail_report_field_value(part(reading->mail, MAIL_REPORT_RETURNED),
	                                         "X-HmXmrOriginalRecipient", arena);
	ret->format = "jmrp";
	ret->kind = MAIL_REPORT_COMPLAINT;
	add_complainer(reading, to, "complaint");
	return true;
}

/* What the words say about a recipient of the delivery status; the only one's, whoever it is. */
static const char *said_of(const struct reading *reading,
                           const struct mail_report_recipient *recipient)
{
	const struct mail_report_words *words = &reading->words;
	for (size_t i = 0; i < words->n_mentions; i++)
		if (strcasecmp(words->mentions[i].address, recipient->address) == 0 ||
		    strcasecmp(words->mentions[i].address, recipient->final) == 0)
			return words->mentions[i].said;
	if (reading->ret->n_recipients != 1)
		return "";
	return words->n_mentions == 1 ? words->mentions[0].said : words->own;
}

static void judge(struct reading *reading, struct mail_report_recipient *recipient,
                  const char *said, bool permanent)
{
	if (recipient->action != MAIL_REPORT_ACTION_FAILED)
		return;
	if (reading->returns_report) {
		recipient->why = "the mail that came back is a report itself";
		return;
	}
	recipient->verdict =
	        mail_report_judge(&recipient->status, recipient->stage, permanent,
	                          recipient->diagnostic, reading->arena, &recipient->why);
	if (recipient->verdict == MAIL_REPORT_GONE && mail_report_says_full(said, reading->arena)) {
		recipient->verdict = MAIL_REPORT_BUSY;
		recipient->why = "the words for a person say that it is full";
	}
}

/* X.4.7 says that time ran out, not why (RFC 3463, section 3.5): the words behind it may. */
static void look_behind_expiry(struct mail_report_code *code, const char *said)
{
	struct mail_report_code behind = {0};
	const char *at = NULL;
	if (code->subject != 4 || code->detail != 7)
		return;
	for (const char *next = said; (next = strstr(next, ".4.7")); next++)
		at = next + 4;
	if (at && mail_report_code_find(at, &behind) && mail_report_code_specific(&behind))
		*code = behind;
}

/* The words tell which command was refused, and the reply where the status has none. */
static void complete(struct reading *reading, struct mail_report_recipient *recipient,
                     const char *said)
{
	struct mail_report_code code = {0};
	recipient->stage = mail_report_stage_of(recipient->diagnostic, reading->arena);
	if (recipient->stage == MAIL_REPORT_STAGE_UNKNOWN)
		recipient->stage = mail_report_stage_of(said, reading->arena);
	if (recipient->stage == MAIL_REPORT_STAGE_UNKNOWN && reading->ret->n_recipients == 1)
		recipient->stage = mail_report_stage_of(reading->words.own, reading->arena);
	look_behind_expiry(&recipient->status, said);
	if (recipient->diagnostic[0])
		return;
	recipient->diagnostic =
	        mail_report_line(reading->arena, said, strlen(said), MAIL_REPORT_DIAGNOSTIC_MAX);
	if (!mail_report_code_specific(&recipient->status) &&
	    mail_report_code_find(recipient->diagnostic, &code))
		recipient->status = code;
}

/* By the worst that happened to any recipient. */
static enum mail_report_kind kind_of(const struct mail_report *report)
{
	static const struct {
		enum mail_report_action action;
		enum mail_report_kind kind;
	} rows[] = {
	        {MAIL_REPORT_ACTION_FAILED, MAIL_REPORT_FAILED},
	        {MAIL_REPORT_ACTION_DELAYED, MAIL_REPORT_DELAYED},
	        {MAIL_REPORT_ACTION_DELIVERED, MAIL_REPORT_DELIVERED},
	        {MAIL_REPORT_ACTION_RELAYED, MAIL_REPORT_DELIVERED},
	        {MAIL_REPORT_ACTION_EXPANDED, MAIL_REPORT_DELIVERED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t k = 0; k < report->n_recipients; k++)
			if (report->recipients[k].action == rows[i].action)
				return rows[i].kind;
	return MAIL_REPORT_UNKNOWN;
}

/* Recipients without an address: the one that the words name, or nobody. */
static void name_recipients(struct reading *reading)
{
	struct mail_report *ret = reading->ret;
	size_t n = 0;
	for (size_t i = 0; i < ret->n_recipients; i++) {
		struct mail_report_recipient *recipient = &ret->recipients[i];
		if (recipient->address[0] == '\0' && ret->n_recipients == 1 &&
		    reading->words.n_mentions == 1)
			recipient->address = reading->words.mentions[0].address;
		if (recipient->address[0])
			ret->recipients[n++] = *recipient;
	}
	ret->n_recipients = n;
}

/* RFC 3464, RFC 6533. */
static bool read_status(struct reading *reading)
{
	struct mail_report *ret = reading->ret;
	const struct mail_report_mail *mail = reading->mail;
	bool reported = strcasecmp(mail->report_type, "delivery-status") == 0;
	if (!reported && !reading->by_system && !reading->by_nobody)
		return false;
	for (size_t i = 0; i < mail->n_parts; i++)
		if (mail->parts[i].type == MAIL_REPORT_STATUS)
			mail_report_status_read(mail->parts[i].text, reading->arena, ret);
	/* Some write the fields into the text. */
	if (ret->n_recipients == 0 && reading->by_system &&
	    strcasestr(part(mail, MAIL_REPORT_TEXT), "\nFinal-Recipient:"))
		mail_report_status_read(part(mail, MAIL_REPORT_TEXT), reading->arena, ret);
	name_recipients(reading);
	if (ret->n_recipients == 0)
		return false;
	ret->format = "rfc3464";
	ret->kind = kind_of(ret);
	for (size_t i = 0; i < ret->n_recipients; i++) {
		const char *said = said_of(reading, &ret->recipients[i]);
		complete(reading, &ret->recipients[i], said);
		judge(reading, &ret->recipients[i], said, true);
	}
	return true;
}

static bool read_ses(struct reading *reading)
{
	struct mail_report *ret = reading->ret;
	if (!mail_report_ses_read(reading->mail, reading->arena, ret))
		return false;
	name_recipients(reading);
	if (ret->kind != MAIL_REPORT_FAILED)
		return true;
	ret->kind = kind_of(ret);
	for (size_t i = 0; i < ret->n_recipients; i++)
		judge(reading, &ret->recipients[i], "", true);
	return true;
}

/* "Your mail has been read" (RFC 8098): nobody wrote it, and it says nothing of the delivery. */
static bool read_disposition(struct reading *reading)
{
	if (strcasecmp(reading->mail->report_type, "disposition-notification") != 0)
		return false;
	reading->ret->kind = MAIL_REPORT_AUTO_REPLY;
	return true;
}

/*
 * The subject that List-Unsubscribe asks for, and nothing else in it: mail programs send that for
 * the recipient who presses their button, and some mark it as sent by a program.
 */
static bool read_button(struct reading *reading)
{
	const char *subject = mail_report_plain(reading->arena, field(reading, "Subject"));
	bool all = strcmp(subject, "unsubscribe all") == 0;
	if (reading->by_system || (!all && strcmp(subject, "unsubscribe") != 0))
		return false;
	reading->ret->kind = MAIL_REPORT_OPT_OUT;
	reading->ret->all = all;
	return true;
}

/* RFC 3834; a mail server's report is none, though some mark theirs so. */
static bool read_auto_reply(struct reading *reading)
{
	if (!reading->by_responder || reading->by_system)
		return false;
	reading->ret->kind = MAIL_REPORT_AUTO_REPLY;
	return true;
}

static void add_mention(struct reading *reading, const struct mail_report_mention *mention)
{
	struct mail_report *ret = reading->ret;
	struct mail_report_recipient recipient = {
	        .address = mention->address,
	        .final = "",
	        .diagnostic = mention->said,
	        .action = reading->words.delayed ? MAIL_REPORT_ACTION_DELAYED
	                                         : MAIL_REPORT_ACTION_FAILED,
	        .stage = mention->stage,
	        .why = "",
	};
	(void)mail_report_code_find(mention->said, &recipient.status);
	judge(reading, &recipient, "", reading->words.permanent);
	ret->recipients[ret->n_recipients++] = recipient;
}

static bool returns_mail(const struct reading *reading)
{
	return part(reading->mail, MAIL_REPORT_RETURNED)[0] || reading->words.returned[0];
}

static bool read_words(struct reading *reading)
{
	struct mail_report *ret = reading->ret;
	const struct mail_report_words *words = &reading->words;
	/* Of programs that send more than reports, only what returns a mail is one. */
	if (words->format[0] == '\0' || words->n_mentions == 0 ||
	    (!reading->by_system && !reading->by_nobody && !returns_mail(reading)))
		return false;
	ret->format = words->format;
	for (size_t i = 0; i < words->n_mentions; i++)
		add_mention(reading, &words->mentions[i]);
	ret->kind = kind_of(ret);
	return true;
}

static const char *without(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);
	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* What is behind the word, where the text begins with one. */
static const char *behind_opt_out(const char *plain)
{
	static const char *const words[] = {
	        "abmelden",       "abbestellen",   "austragen",      "abmeldung",
	        "désabonnement",  "desabonnement", "se désabonner",  "désabonner",
	        "désinscription", "désinscrire",   "désabonnez-moi", "darse de baja",
	        "darme de baja",  "baja",          "desuscribir",    "cancelar suscripción",
	        "afmelden",       "uitschrijven",  "disiscrivimi",   "disiscrivi",
	        "cancellami",     "descadastrar",  "wypisz",         "avregistrera",
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (without(plain, words[i]))
			return without(plain, words[i]);
	return NULL;
}

/* "unsubscribe", whatever follows; other words for it only where nothing else is said. */
static bool says_opt_out(const char *plain, bool *ret_all)
{
	static const char *const alls[] = {" all",  " alle",  " alles", " tout", " tous",
	                                   " todo", " todos", " tutto", " tutti"};
	const char *rest = without(plain, "unsubscribe");
	bool ours = rest != NULL;
	if (!ours)
		rest = behind_opt_out(plain);
	if (rest == NULL)
		return false;
	for (size_t i = 0; i < sizeof alls / sizeof alls[0]; i++) {
		const char *end = without(rest, alls[i]);
		if (end && (ours || end[strspn(end, " .!")] == '\0')) {
			*ret_all = true;
			return true;
		}
	}
	return ours || rest[strspn(rest, " .!")] == '\0';
}

/* As subject, or as the first line that was written (contract, section 11). */
static bool read_opt_out(struct reading *reading)
{
	struct arena *arena = reading->arena;
	struct mail_report *ret = reading->ret;
	const char *text = part(reading->mail, MAIL_REPORT_TEXT);
	text += strspn(text, " \t\r\n");
	const char *line = arena_strndup(arena, text, strcspn(text, "\n"));
	if (!says_opt_out(mail_report_plain(arena, field(reading, "Subject")), &ret->all) &&
	    !says_opt_out(mail_report_plain(arena, line), &ret->all))
		return false;
	ret->kind = MAIL_REPORT_OPT_OUT;
	return true;
}

/*
 * What a program answers without saying that it is one: from an address that nobody reads, with the
 * null sender (RFC 5230, section 5.1), or as bulk (vacation, of old) that answers something.
 */
static bool read_robot(struct reading *reading)
{
	bool answers = field(reading, "In-Reply-To")[0] || field(reading, "References")[0];
	bool bulk = answers && mail_report_by_list(reading->mail->header, reading->arena);
	if (reading->by_system || (!reading->by_robot && !reading->by_nobody && !bulk))
		return false;
	reading->ret->kind = MAIL_REPORT_AUTO_REPLY;
	return true;
}

/* RFC 3834, section 5: whatever it says but "no", a program sent it. */
static bool says_automatic(const struct reading *reading)
{
	const char *said = field(reading, "Auto-Submitted");
	size_t len = strcspn(said, "; (");
	return len > 0 && !(len == 2 && strncasecmp(said, "no", 2) == 0);
}

static bool read_reply(struct reading *reading)
{
	if (reading->by_system || reading->by_nobody || reading->ret->from[0] == '\0' ||
	    mail_report_by_list(reading->mail->header, reading->arena))
		return false;
	reading->ret->kind = says_automatic(reading) ? MAIL_REPORT_AUTO_REPLY : MAIL_REPORT_REPLY;
	return true;
}

static bool is_automatic(const struct reading *reading)
{
	return reading->by_system || reading->by_nobody || reading->by_robot ||
	       reading->by_responder || says_automatic(reading) ||
	       reading->mail->report_type[0] != '\0' || reading->ret->format[0] != '\0' ||
	       mail_report_by_list(reading->mail->header, reading->arena);
}

typedef bool step(struct reading *reading);
static step *const steps[] = {read_feedback, read_complaint, read_disposition, read_status,
                              read_ses,      read_button,    read_auto_reply,  read_words,
                              read_opt_out,  read_robot,     read_reply};

/* A reply names the mail that it answers; the last of References (RFC 5322, section 3.6.4). */
static void read_references(struct reading *reading)
{
	const char *id = field(reading, "In-Reply-To");
	const char *references = field(reading, "References");
	const char *last = strrchr(references, '<');
	set_once(&reading->ret->message_id, mail_report_message_id(id, reading->arena));
	if (last)
		set_once(&reading->ret->message_id, mail_report_message_id(last, reading->arena));
}

/* In the order of the contract (section 11). */
static void read_token(struct reading *reading)
{
	struct mail_report *ret = reading->ret;
	struct arena *arena = reading->arena;
	const char *recipient = mail_report_token_recipient(reading->mail->header, arena);
	const char *returned = part(reading->mail, MAIL_REPORT_RETURNED);
	set_once(&ret->token, mail_report_token_of(recipient, arena));
	set_once(&ret->token, mail_report_token_of(ret->returned_path, arena));
	set_once(&ret->token, mail_report_token_unsubscribe(returned, arena));
	set_once(&ret->token, mail_report_token_unsubscribe(reading->words.returned, arena));
}

void mail_report_read(const struct mail_report_mail *mail, struct arena *arena,
                      struct mail_report *ret)
{
	struct reading reading = {
	        .mail = mail,
	        .arena = arena,
	        .ret = ret,
	        .by_system = mail_report_by_system(mail->header, arena),
	        .by_nobody = mail_report_by_nobody(mail->header, arena),
	        .by_robot = mail_report_by_robot(mail->header, arena),
	        .by_responder = mail_report_by_responder(mail->header, arena),
	};
	*ret = (struct mail_report){.format = "",
	                            .message_id = "",
	                            .envelope_id = "",
	                            .returned_path = "",
	                            .token = "",
	                            .feedback = "",
	                            .automatic = true};
	ret->from = mail_report_address(field(&reading, "From"), arena);
	ret->own_id = mail_report_message_id(field(&reading, "Message-ID"), arena);
	if (mail->excessive)
		return;
	reading.returns_report = returns_report(&reading);
	mail_report_words_read(mail, reading.by_system || reading.by_nobody || reading.by_robot,
	                       arena, &reading.words);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		if (steps[i](&reading))
			break;
	read_returned(&reading, part(mail, MAIL_REPORT_RETURNED));
	read_returned(&reading, reading.words.returned);
	ret->automatic = is_automatic(&reading);
	read_references(&reading);
	read_token(&reading);
}
