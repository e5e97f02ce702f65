/* SPDX-License-Identifier: MIT */
/*
 * Reports in words. The table names the programs that write them; what is common to all is in the
 * code: a recipient stands at the beginning of a line, what is said about it follows up to the next
 * one, and somewhere below begins the mail that is returned.
 */
#include "mail/report_text.h"

#include "base/buf.h"
#include "mail/report_fields.h"
#include "mail/report_plain.h"
#include "mail/report_stage.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { WORDS_MIN = 12, LINE_MAX_BYTES = 2000 };

/* ---- the table ---- */

struct pattern {
	const char *name;
	const char *subject, *body; /* phrases that both have to be there; NULL for any */
	const char *lead;           /* in front of the recipient, within a line */
	bool delayed;
	bool loose; /* any line that begins with an address is about it */
};

static const struct pattern patterns[] = {
        {"qmail", .body = "this is the qmail-send program"},
        {"yahoo", .body = "unable to deliver your message to the following address"},
        {"yahoo", .body = "unable to deliver message to the following address"},
        {"gmail-delay", .body = "delivery to the following recipient * delayed", .delayed = true},
        {"gmail-delay", .subject = "delivery status notification (delay)", .delayed = true},
        {"gmail-delay", .body = "delivery incomplete", .delayed = true},
        {"gmail", .body = "delivery to the following recipient"},
        {"gmail", .body = "google tried to deliver your message"},
        {"google", .body = "your message wasn't delivered to", .lead = "wasn't delivered to"},
        {"google", .subject = "delivery status notification (failure)"},
        {"exim-delay", .subject = "warning: message * delayed", .delayed = true},
        {"exim-delay", .body = "no action is required on your part", .delayed = true},
        {"zoho", .body = "error_code", .loose = true},
        {"exim", .body = "created automatically by mail delivery software"},
        {"exim", .body = "created automatically by the smtp relay"},
        {"mxlogic", .body = "included is a copy of the message header"},
        {"office365", .body = "couldn't be delivered to", .lead = "message to"},
        {"office365", .body = "couldn't be delivered", .lead = "message to"},
        {"exchange", .body = "did not reach the following recipient", .lead = "recipient:"},
        {"exchange", .body = "delivery has failed to these recipients"},
        {"exchange-delay", .body = "delivery to these recipients * delayed", .delayed = true},
        {"exchange", .body = "diagnostic information for administrators"},
        {"exchange", .body = "diagnoseinformationen für administratoren"},
        {"exchange", .body = "diagnostic pour les administrateurs"},
        {"exchange", .body = "diagnóstico para administradores"},
        {"exchange", .body = "diagnóstico para os administradores"},
        {"exchange", .body = "diagnostica per gli amministratori"},
        {"exchange", .body = "diagnostische gegevens voor beheerders"},
        {"opensmtpd-delay", .body = "a message is delayed for more than", .delayed = true},
        {"opensmtpd", .body = "this is the mailer-daemon, please do not reply"},
        {"dragonfly", .body = "this is the dragonfly mail agent", .lead = "your mail to"},
        {"sendmail-delay", .subject = "warning: could not send message", .delayed = true},
        {"sendmail", .body = "the following addresses had"},
        {"sendmail", .body = "following addresses had delivery errors"},
        {"sendmail", .body = "transcript of session follows"},
        {"sendmail", .body = "transcript of the session follows"},
        {"postfix-delay", .subject = "delayed mail (still being retried)", .delayed = true},
        {"postfix", .body = "sorry to have to inform you that"},
        {"mfilter", .body = "-------server message"},
        {"notes", .body = "failure reasons"},
        {"verizon", .body = "could not be delivered to mobile", .lead = "rcpt to:"},
        {"domino", .subject = "delivery failure"},
        {"imail", .body = "user mailbox exceeds allowed size", .lead = "size:"},
        {"imail", .body = "undeliverable to", .lead = "undeliverable to"},
        {"imail", .body = "invalid final delivery userid", .lead = "userid:"},
        {"mailfoundry", .body = "delivery failed for the following reason", .lead = "message to:"},
        {"interscan", .body = "interscan messaging security suite", .lead = "message to"},
        {"james", .body = "error message below", .lead = "rcpt to:"},
        {"ezweb", .subject = "mail system error", .lead = "recipient:"},
        {"interscan", .body = "received >>>", .lead = "rcpt to:"},
        {"mx6d", .body = "the following recipients returned", .lead = "permanent errors:"},
        {"courier", .body = "this is a delivery status notification from * courier"},
        {"aol", .body = "your mail to the following recipients could not be delivered"},
        /* Anybody's: only where a mail server says so. */
        {"delay", .subject = "delayed", .delayed = true},
        {"delay", .body = "this is a warning message only", .delayed = true},
        {"delay", .body = "still being retried", .delayed = true},
        {"any", .subject = "undeliver", .lead = "to:"},
        {"any", .subject = "returned mail"},
        {"any", .subject = "failure", .lead = "failed:"},
        {"any", .subject = "failed"},
        {"any", .subject = "could not be delivered", .lead = "message to"},
        {"any", .subject = "returned to sender"},
        {"any", .subject = "delivery status notification"},
        {"any", .body = "could not be delivered"},
        {"any", .body = "could not deliver"},
        {"any", .body = "unable to deliver", .lead = "unable to deliver"},
        {"any", .body = "delivery failed"},
        {"any", .body = "not delivered"},
        {"any", .body = "not been delivered"},
        {"any", .body = "undeliverable"},
        {"any", .body = "delivery status notification"},
        {"any", .body = "delivery problems"},
        {"any", .body = "permanent error"},
        {"any", .body = "permanent fatal error"},
        {"any", .body = "rejected your message"},
        {"any", .body = "nicht zugestellt werden"},
        {"any", .body = "unzustellbar"},
        {"any", .body = "n'a pas pu être"},
        {"any", .body = "no se pudo entregar"},
        {"any", .body = "no se ha podido entregar"},
        {"any", .body = "non è stato possibile"},
        {"any", .body = "não foi possível entregar"},
        {"any", .body = "kon niet worden"},
        {"any", .body = "配信できません"},
        {"any", .body = "送信できません"},
        {"any", .subject = "エラー"},
        {"any", .subject = "unzustellbar"},
        {"any", .subject = "nicht zustellbar"},
        {"any", .subject = "non remis"},
        {"any", .subject = "no se puede entregar"},
        {"any", .subject = "onbestelbaar"},
        {"any", .subject = "non recapitabile"},
        {"any", .subject = "não entregue"},
};

/* Those who say that they go on trying, whatever else they say. */
static const char *const still_tried[] = {
        "still trying to deliver",
        "will keep trying",
        "will continue to try",
        "will continue trying",
        "will try again",
        "will continue to attempt",
        "will attempt to deliver",
        "delivery attempts will continue",
        "will be retried",
        "message will be retried",
        "retries will be made",
        "still being retried",
        "you do not need to resend",
        "no need to resend",
        "this is a warning message only",
        "no action is required on your part",
};

/* In front of a recipient where nothing else names one. */
static const char *const leads[] = {
        "final-recipient:",   "original-recipient:", "failed recipient:",
        "recipient address:", "recipient:",          "rcpt to:",
        "delivery failed:",   "delivered to:",       "unknown user:",
        "deliver to:",        "to the address:",     "email address:",
        "undeliverable to",   "deliver mail to",     "deliver message to",
        "your message to",    "your mail to",        "your email to",
};

/* Where the returned mail begins: a line that contains one of these; with `^` at its beginning, but
 * for marks. (Postfix says "delete your own text from the attached returned message" to all.) */
static const char *const separators[] = {
        "this is a copy of the message",
        "this line is a copy of",
        "this line is the header",
        "enclosed is a copy of",
        "below is a copy of",
        "included is a copy of",
        "copy of the original message",
        "original message follows",
        "^original message",
        "message headers follow",
        "message header follows",
        "--- original message",
        "---original message",
        "---original mail info",
        "-------original m",
        "header of the original message",
        "unsent message follows",
        "^returned message",
        "message text follows",
        "original message headers",
        "end of message",
        "original message header",
};

/* ---- lines ---- */

static size_t line_length(const char *line)
{
	return strcspn(line, "\n");
}

static const char *next_line(const char *line)
{
	line += line_length(line);
	return *line ? line + 1 : line;
}

static bool is_header_line(const char *line)
{
	static const char *const names[] = {
	        "Received: ", "Return-Path:", "Message-ID:", "DKIM-Signature:"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strncasecmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static bool is_separator(const char *line, struct arena *arena)
{
	size_t len = line_length(line);
	if (len > 200)
		return false;
	const char *plain = mail_report_plain(arena, arena_strndup(arena, line, len));
	const char *words = plain + strcspn(plain, "abcdefghijklmnopqrstuvwxyz");
	for (size_t i = 0; i < sizeof separators / sizeof separators[0]; i++) {
		const char *phrase = separators[i];
		if (phrase[0] == '^' ? strncmp(words, phrase + 1, strlen(phrase + 1)) == 0
		                     : strstr(plain, phrase) != NULL)
			return true;
	}
	return false;
}

/* Cuts the returned mail off; what is left is the report's own words. */
static char *own_words(const char *text, struct arena *arena, const char **ret_returned)
{
	const char *line = text;
	while (*line && !is_header_line(line) && !is_separator(line, arena))
		line = next_line(line);
	const char *rest = *line && !is_header_line(line) ? next_line(line) : line;
	while (*rest == '\n' || *rest == ' ' || *rest == '-')
		rest = next_line(rest);
	*ret_returned = rest;
	return arena_strndup(arena, text, (size_t)(line - text));
}

/* ---- recipients ---- */

/* What may stand between the beginning of a line and the address. */
static const char *skip_marks(const char *line)
{
	line += strspn(line, " \t*\"'->");
	if (strncasecmp(line, "mailto:", 7) == 0)
		line += 7;
	/* Sendmail's "550 kim@example.com... User unknown". */
	if ((line[0] == '4' || line[0] == '5') && isdigit((unsigned char)line[1]) &&
	    isdigit((unsigned char)line[2]) && line[3] == ' ' && strstr(line, "... "))
		line += 4;
	return *line == '<' ? line + 1 : line;
}

/* Whether what is behind the address makes it a heading, and not a word of a sentence. */
static bool ends_well(const char *end, const char *line_end, bool bracketed)
{
	end += strspn(end, ">\"'");
	size_t spaces = strspn(end, " \t");
	const char *rest = end + spaces;
	if (rest >= line_end || bracketed || *end == ':' || strncmp(rest, "...", 3) == 0)
		return true;
	return strncmp(rest, "on ", 3) == 0 || strchr("<([-", *rest) != NULL;
}

/* The address that a line begins with; "" if it begins otherwise. */
static const char *heading(const char *line, bool loose, struct arena *arena, const char **ret_end)
{
	const char *line_end = line + line_length(line);
	const char *begin = skip_marks(line);
	const char *end = begin;
	if (begin >= line_end)
		return "";
	size_t len = strcspn(begin, " \t\n<>\"");
	const char *address = mail_report_address_in(begin, len, arena, &end);
	if (address[0] == '\0' || strncmp(begin, address, strlen(address)) != 0 ||
	    !ends_well(end, line_end, loose || (begin > line && begin[-1] == '<')))
		return "";
	*ret_end = end;
	return address;
}

/* The address behind the pattern's lead. */
static const char *led(const char *line, const char *lead, struct arena *arena,
                       const char **ret_end)
{
	size_t len = line_length(line);
	if (lead == NULL || len > LINE_MAX_BYTES)
		return "";
	const char *copy = arena_strndup(arena, line, len);
	const char *at = strcasestr(copy, lead);
	if (at == NULL)
		return "";
	at = line + (at - copy) + strlen(lead);
	return mail_report_address_in(at, len - (size_t)(at - line), arena, ret_end);
}

static struct mail_report_mention *mention_of(struct mail_report_words *words, const char *address)
{
	for (size_t i = 0; i < words->n_mentions; i++)
		if (strcasecmp(words->mentions[i].address, address) == 0)
			return &words->mentions[i];
	if (words->n_mentions == MAIL_REPORT_RECIPIENTS_MAX)
		return NULL;
	struct mail_report_mention *mention = &words->mentions[words->n_mentions++];
	*mention = (struct mail_report_mention){.address = address, .said = ""};
	return mention;
}

static bool has_code(const char *said)
{
	struct mail_report_code code;
	return mail_report_code_find(said, &code);
}

static bool has_words(const char *said, struct arena *arena)
{
	return strlen(mail_report_plain(arena, said)) >= WORDS_MIN || has_code(said);
}

/* What was said of one more; the first time that anything was said counts, or a code. */
static void end_mention(struct mail_report_words *words, const char *address, const char *from,
                        const char *to, struct arena *arena)
{
	if (address[0] == '\0')
		return;
	struct mail_report_mention *mention = mention_of(words, address);
	const char *said =
	        mail_report_line(arena, from, (size_t)(to - from), MAIL_REPORT_DIAGNOSTIC_MAX);
	said += strspn(said, ">:\"' .");
	if (mention &&
	    (!has_words(mention->said, arena) || (has_code(said) && !has_code(mention->said))))
		mention->said = said;
}

/* A line of old Sendmail's transcript about no recipient: "421 example.com (smtp)... Deferred". */
static bool parts_mentions(const char *line)
{
	const char *end = line + line_length(line);
	const char *dots = strstr(line, "... ");
	return strncasecmp(line, "while talking to", 16) == 0 || strncmp(line, ">>> ", 4) == 0 ||
	       (isdigit((unsigned char)line[0]) && isdigit((unsigned char)line[1]) &&
	        isdigit((unsigned char)line[2]) && line[3] == ' ' && dots && dots < end &&
	        memchr(line, '@', (size_t)(end - line)) == NULL);
}

static void find_mentions(const char *own, const struct pattern *pattern, struct arena *arena,
                          struct mail_report_words *ret)
{
	const char *address = "", *from = own, *line = own;
	for (; *line; line = next_line(line)) {
		const char *end = line;
		const char *found = heading(line, pattern->loose, arena, &end);
		if (found[0] == '\0')
			found = led(line, pattern->lead, arena, &end);
		if (found[0] == '\0' && !parts_mentions(line))
			continue;
		end_mention(ret, address, from, line, arena);
		address = found;
		from = isdigit((unsigned char)line[0]) ? line : end;
	}
	end_mention(ret, address, from, line, arena);
}

/* The lines that name an address, each with the one behind it. */
static const char *lines_about(const char *own, const char *address, struct arena *arena)
{
	struct buf buf = {0};
	for (const char *line = own; *line; line = next_line(line)) {
		size_t len = line_length(line);
		if (len < LINE_MAX_BYTES && strcasestr(arena_strndup(arena, line, len), address)) {
			const char *end = next_line(line);
			end += line_length(end);
			buf_add(&buf, line, (size_t)(end - line));
			buf_addc(&buf, '\n');
		}
	}
	char *about = mail_report_line(arena, buf_text(&buf), buf.len, MAIL_REPORT_DIAGNOSTIC_MAX);
	buf_free(&buf);
	return about;
}

/* The first line with a code; "" for none. */
static const char *line_with_code(const char *own, struct arena *arena)
{
	for (const char *line = own; *line; line = next_line(line)) {
		const char *copy = mail_report_line(arena, line, line_length(line),
		                                    MAIL_REPORT_DIAGNOSTIC_MAX);
		if (has_code(copy))
			return copy;
	}
	return "";
}

/* Some name the only recipient below what was replied. */
static void add_reply(struct mail_report_words *words, const char *own, struct arena *arena)
{
	struct mail_report_mention *mention = &words->mentions[0];
	if (words->n_mentions != 1 || has_code(mention->said))
		return;
	const char *both = arena_printf(arena, "%s %s", line_with_code(own, arena), mention->said);
	mention->said = mail_report_line(arena, both, strlen(both), MAIL_REPORT_DIAGNOSTIC_MAX);
}

/* Which command was refused. A recipient without words of its own gets those that are said of it
 * elsewhere; the only recipient, all of them. */
static void complete(struct mail_report_words *words, const char *own, struct arena *arena)
{
	for (size_t i = 0; i < words->n_mentions; i++) {
		struct mail_report_mention *mention = &words->mentions[i];
		const char *about = lines_about(own, mention->address, arena);
		mention->stage = mail_report_stage_of(mention->said, arena);
		if (mention->stage == MAIL_REPORT_STAGE_UNKNOWN)
			mention->stage =
			        mail_report_stage_of(words->n_mentions == 1 ? own : about, arena);
		if (has_words(mention->said, arena))
			continue;
		mention->said = about;
		if (words->n_mentions == 1 && !has_words(mention->said, arena))
			mention->said = mail_report_line(arena, own, strlen(own),
			                                 MAIL_REPORT_DIAGNOSTIC_MAX);
	}
}

/* The recipient behind one of the phrases that many programs put before an address. */
static void any_lead(const char *own, struct arena *arena, struct mail_report_words *ret)
{
	for (size_t i = 0; i < sizeof leads / sizeof leads[0] && ret->n_mentions == 0; i++)
		for (const char *line = own; *line; line = next_line(line)) {
			const char *end = line;
			const char *found = led(line, leads[i], arena, &end);
			end_mention(ret, found, own, own + strlen(own), arena);
		}
}

/* Exim's field, where the text names nobody. */
static void failed_field(const struct mail_report_mail *mail, const char *own, struct arena *arena,
                         struct mail_report_words *ret)
{
	const char *value = mail_report_field_value(mail->header, "X-Failed-Recipients", arena);
	const char *end = value + strlen(value);
	while (value < end && ret->n_mentions < MAIL_REPORT_RECIPIENTS_MAX) {
		const char *address =
		        mail_report_address_in(value, (size_t)(end - value), arena, &value);
		if (address[0] == '\0')
			return;
		end_mention(ret, address, own, own + strlen(own), arena);
	}
}

/* Where nobody is named at all: to whom the returned mail went, if that is one address. */
static void returned_recipient(const struct mail_report_mail *mail, const char *own,
                               struct arena *arena, struct mail_report_words *ret)
{
	const char *to = mail_report_field_value(ret->returned, "To", arena);
	for (size_t i = 0; i < mail->n_parts && to[0] == '\0'; i++)
		if (mail->parts[i].type == MAIL_REPORT_RETURNED)
			to = mail_report_field_value(mail->parts[i].text, "To", arena);
	if (strchr(to, ',') == NULL)
		end_mention(ret, mail_report_address(to, arena), own, own + strlen(own), arena);
}

/* Else the only address in the report's own words, but for those of its author and addressee. */
static void only_address(const struct mail_report_mail *mail, const char *own, struct arena *arena,
                         struct mail_report_words *ret)
{
	const char *to = mail_report_field_value(mail->header, "To", arena);
	const char *from = mail_report_field_value(mail->header, "From", arena);
	const char *only = "", *end = own, *stop = own + strlen(own);
	while (end < stop) {
		const char *found = mail_report_address_in(end, (size_t)(stop - end), arena, &end);
		if (found[0] == '\0')
			break;
		if (strcasestr(to, found) || strcasestr(from, found) ||
		    strcasecmp(found, only) == 0)
			continue;
		if (only[0])
			return;
		only = found;
	}
	end_mention(ret, only, own, own + strlen(own), arena);
}

/* ---- all of it ---- */

static const struct pattern *find_pattern(const char *subject, const char *body)
{
	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
		if ((patterns[i].subject == NULL ||
		     mail_report_phrase_in(subject, patterns[i].subject)) &&
		    (patterns[i].body == NULL || mail_report_phrase_in(body, patterns[i].body)))
			return &patterns[i];
	return NULL;
}

static bool is_still_tried(const char *plain)
{
	for (size_t i = 0; i < sizeof still_tried / sizeof still_tried[0]; i++)
		if (strstr(plain, still_tried[i]))
			return strstr(plain, "giving up") == NULL &&
			       strstr(plain, "gave up") == NULL;
	return false;
}

static char *all_texts(const struct mail_report_mail *mail, struct arena *arena)
{
	struct buf buf = {0};
	for (size_t i = 0; i < mail->n_parts && buf.len < MAIL_REPORT_TEXT_MAX; i++)
		if (mail->parts[i].type == MAIL_REPORT_TEXT)
			buf_printf(&buf, "%s\n", mail->parts[i].text);
	char *text = mail_report_lines(arena, buf_text(&buf), buf.len, MAIL_REPORT_TEXT_MAX);
	buf_free(&buf);
	return text;
}

void mail_report_words_read(const struct mail_report_mail *mail, bool by_system,
                            struct arena *arena, struct mail_report_words *ret)
{
	*ret = (struct mail_report_words){.format = "", .returned = ""};
	const char *own = ret->own = own_words(all_texts(mail, arena), arena, &ret->returned);
	const char *subject =
	        mail_report_plain(arena, mail_report_field_value(mail->header, "Subject", arena));
	const char *body = mail_report_plain(arena, own);
	const struct pattern *pattern = by_system ? find_pattern(subject, body) : NULL;
	if (pattern == NULL)
		return;
	ret->format = pattern->name;
	ret->delayed = pattern->delayed || is_still_tried(body);
	ret->permanent = !ret->delayed;
	find_mentions(own, pattern, arena, ret);
	if (ret->n_mentions == 0)
		failed_field(mail, own, arena, ret);
	if (ret->n_mentions == 0)
		any_lead(own, arena, ret);
	if (ret->n_mentions == 0)
		returned_recipient(mail, own, arena, ret);
	if (ret->n_mentions == 0)
		only_address(mail, own, arena, ret);
	complete(ret, own, arena);
	add_reply(ret, own, arena);
}
