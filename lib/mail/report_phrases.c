/* SPDX-License-Identifier: MIT */
/*
 * The verdict about a failure. The code decides first; then the first row of phrases that is found
 * in the words. Rows that soften apply to everything: in doubt no address is marked. Rows that
 * harden apply only to a failure for good, to codes that leave it open, and not where the body was
 * refused: whoever got that far had accepted the address.
 */
#include "mail/report_phrases.h"

#include "base/buf.h"

#include <ctype.h>
#include <string.h>

enum { GAP_MAX = 60 };

/* ---- codes ---- */

enum { ANY = -1 };

/* Of class 5; the first row that matches. */
struct code_row {
	int subject, detail;
	enum mail_report_verdict verdict;
	bool open; /* words may harden it */
};

static const struct code_row codes[] = {
        /* The contract's five (section 5). */
        {1, 1, MAIL_REPORT_GONE, .open = true},
        {1, 2, MAIL_REPORT_GONE, .open = true},
        {1, 3, MAIL_REPORT_GONE, .open = true},
        {1, 6, MAIL_REPORT_GONE, .open = true},
        {1, 10, MAIL_REPORT_GONE, .open = true},
        /* The sender's address (RFC 3463, section 3.2). */
        {1, 7, MAIL_REPORT_REFUSED, .open = false},
        {1, 8, MAIL_REPORT_REFUSED, .open = false},
        {1, 9, MAIL_REPORT_REFUSED, .open = false},
        {1, ANY, MAIL_REPORT_REFUSED, .open = true},
        /* The mailbox (RFC 3463, section 3.3): there is one, but for 5.2.1, which many say of any.
         */
        {2, 1, MAIL_REPORT_BUSY, .open = true},
        {2, 2, MAIL_REPORT_BUSY, .open = false},
        {2, ANY, MAIL_REPORT_REFUSED, .open = false},
        {3, 4, MAIL_REPORT_REFUSED, .open = false},
        {3, ANY, MAIL_REPORT_REFUSED, .open = true},
        /* The way there (RFC 3463, section 3.5). */
        {4, ANY, MAIL_REPORT_BUSY, .open = true},
        {5, ANY, MAIL_REPORT_REFUSED, .open = true},
        {6, ANY, MAIL_REPORT_REFUSED, .open = false},
        {7, 13, MAIL_REPORT_BUSY, .open = false}, /* RFC 5248: account switched off */
        {7, ANY, MAIL_REPORT_REFUSED, .open = false},
        {ANY, ANY, MAIL_REPORT_REFUSED, .open = true},
};

static const struct code_row *code_row(const struct mail_report_code *code)
{
	const struct code_row *row = codes;
	while ((row->subject != ANY && row->subject != code->subject) ||
	       (row->detail != ANY && row->detail != code->detail))
		row++;
	return row;
}

/* ---- words ---- */

struct phrase_row {
	enum mail_report_verdict verdict;
	const char *phrase;
	bool sure; /* hardens where the command isn't known, too */
	bool full; /* counts in the words for a person, too */
};

#define BUSY(text)                                                                                 \
	{                                                                                          \
		MAIL_REPORT_BUSY, text, false, false                                               \
	}
#define FULL(text)                                                                                 \
	{                                                                                          \
		MAIL_REPORT_BUSY, text, false, true                                                \
	}
#define REFUSED(text)                                                                              \
	{                                                                                          \
		MAIL_REPORT_REFUSED, text, false, false                                            \
	}
#define GONE(text)                                                                                 \
	{                                                                                          \
		MAIL_REPORT_GONE, text, false, false                                               \
	}
#define SURE(text)                                                                                 \
	{                                                                                          \
		MAIL_REPORT_GONE, text, true, false                                                \
	}

static const struct phrase_row phrases[] = {
        /* Nothing else can be meant, whatever words stand beside: "access denied" by a directory
           without the address, a domain that is checked and tried again in vain. */
        SURE("recipient address rejected: access denied"),
        SURE("user unknown in"),
        SURE("resolver.adr"),
        SURE("domain is not reachable"),
        SURE("host or domain name not found. name service error * host not found"),
        SURE("no mx record found for domain"),

        /* The sender's address or domain, not the recipient's. */
        REFUSED("sender address"),
        REFUSED("sender domain"),
        REFUSED("sender * does not exist"),
        REFUSED("sender verif"),
        REFUSED("sender denied"),
        REFUSED("sender rejected"),
        REFUSED("sender was rejected"),
        REFUSED("invalid sender"),
        REFUSED("unknown sender"),
        REFUSED("domain of sender"),
        REFUSED("domain of the sender"),
        REFUSED("your domain"),
        REFUSED("envelope sender"),
        REFUSED("envelope from"),
        REFUSED("from address"),
        REFUSED("from: domain"),
        REFUSED("from domain"),
        REFUSED("reverse-path"),
        REFUSED("return path"),

        /* Full. */
        FULL("mailbox full"),
        FULL("mailbox is full"),
        FULL("mailbox * is full"),
        FULL("inbox is full"),
        FULL("inbox full"),
        FULL("mail box full"),
        FULL("mail box is full"),
        FULL("mailfolder is full"),
        FULL("folder is full"),
        FULL("account is full"),
        FULL("user is full"),
        FULL("user's * is full"),
        FULL("exceeds allowed size"),
        FULL("over quota"),
        FULL("over-quota"),
        FULL("overquota"),
        FULL("over its quota"),
        FULL("over the quota"),
        FULL("over the allowed quota"),
        FULL("over disk quota"),
        FULL("out of quota"),
        FULL("quota exceed"),
        FULL("quota is exceeded"),
        FULL("quota limit"),
        FULL("quota violation"),
        FULL("exceeded * quota"),
        FULL("exceeds * quota"),
        FULL("exceeding * quota"),
        FULL("exceeded * storage"),
        FULL("exceeded * limit"),
        FULL("quotaexceeded"),
        FULL("resolver.rst.recipsizelimit"),
        FULL("storage allocation"),
        FULL("out of storage"),
        FULL("not enough * space"),
        FULL("no space left"),
        FULL("insufficient * space"),
        FULL("insufficient * storage"),
        FULL("insufficient system"),
        FULL("insufficient system resource"),
        FULL("disk full"),
        FULL("disk space"),
        FULL("mailbox size limit"),
        FULL("too many messages in"),

        /* Switched off: perhaps on again. */
        BUSY("account * disabled"),
        BUSY("account disabled"),
        BUSY("account is disabled"),
        BUSY("account is inactive"),
        BUSY("account * inactive"),
        BUSY("account * suspended"),
        BUSY("account suspended"),
        BUSY("account * locked"),
        BUSY("account is * blocked"),
        BUSY("account is blocked"),
        BUSY("account has been temporarily"),
        BUSY("disabled recipient"),
        BUSY("recipient * disabled"),
        BUSY("user is disabled"),
        BUSY("user * suspended"),
        BUSY("user * inactive"),
        BUSY("recipient * suspended"),
        BUSY("recipient is inactive"),
        BUSY("mailbox * disabled"),
        BUSY("mailbox disabled"),
        BUSY("mailbox is disabled"),
        BUSY("mailbox * inactive"),
        BUSY("mailbox is inactive"),
        BUSY("inactive mailbox"),
        BUSY("mailbox * frozen"),
        BUSY("mailbox is frozen"),
        BUSY("mailbox * locked"),
        BUSY("mailbox * suspended"),
        BUSY("is currently suspended"),
        BUSY("not accepting messages"),

        /* Too fast, too many. */
        BUSY("too many"),
        BUSY("rate limit"),
        BUSY("ratelimit"),
        BUSY("rate exceed"),
        BUSY("throttl"),
        BUSY("greylist"),
        BUSY("graylist"),
        BUSY("resources temporarily"),

        /* Policy, reputation, content. */
        REFUSED("spam"),
        REFUSED("unsolicited"),
        REFUSED("junk mail"),
        REFUSED("bulk mail"),
        REFUSED("blocked"),
        REFUSED("blocklist"),
        REFUSED("block list"),
        REFUSED("blacklist"),
        REFUSED("black list"),
        REFUSED("blackhole"),
        REFUSED("denylist"),
        REFUSED("dnsbl"),
        REFUSED("banned"),
        REFUSED("barracuda"),
        REFUSED("reputation"),
        REFUSED("abuse"),
        REFUSED("complaint"),
        REFUSED("denied"),
        REFUSED("relaying"),
        REFUSED("unable to relay"),
        REFUSED("not permitted to relay"),
        REFUSED("relay not permitted"),
        REFUSED("policy"),
        REFUSED("policies"),
        REFUSED("dmarc"),
        REFUSED("dkim"),
        REFUSED("spf "),
        REFUSED("spf:"),
        REFUSED("authentication"),
        REFUSED("authenticated"),
        REFUSED("not authorized"),
        REFUSED("not authorised"),
        REFUSED("unauthorized"),
        REFUSED("not permitted"),
        REFUSED("not allowed"),
        REFUSED("not verified"),
        REFUSED("permission"),
        REFUSED("prohibited"),
        REFUSED("restricted"),
        REFUSED("ptr record"),
        REFUSED("reverse dns"),
        REFUSED("rdns"),
        REFUSED("virus"),
        REFUSED("malware"),
        REFUSED("phish"),
        REFUSED("attachment"),
        REFUSED("content"),
        REFUSED("filter"),
        REFUSED("message rejected"),
        REFUSED("mail rejected"),
        REFUSED("message refused"),
        REFUSED("header"),
        REFUSED("message size"),
        REFUSED("message too large"),
        REFUSED("message is too large"),
        REFUSED("too big"),
        REFUSED("size limit"),
        REFUSED("maximum message size"),
        REFUSED("maximum size"),
        REFUSED("protocol violation"),
        REFUSED("not rfc"),
        REFUSED("rfc 5322"),
        REFUSED("purported"),

        /* A failure of theirs, or on the way; given up. */
        BUSY("system config"),
        BUSY("internal error"),
        BUSY("system error"),
        BUSY("configuration error"),
        BUSY("local error"),
        BUSY("procmail"),
        BUSY("can't create"),
        BUSY("couldn't create"),
        BUSY("cannot create"),
        BUSY("unable to open"),
        BUSY("no such file or directory"),
        BUSY("command died"),
        BUSY("lock failure"),
        BUSY("temporary"),
        BUSY("temporarily"),
        BUSY("try again"),
        BUSY("try later"),
        BUSY("please retry"),
        BUSY("timed out"),
        BUSY("time out"),
        BUSY("timeout"),
        BUSY("connection refused"),
        BUSY("connection reset"),
        BUSY("connection lost"),
        BUSY("connection dropped"),
        BUSY("lost connection"),
        BUSY("network is unreachable"),
        BUSY("no route to host"),
        BUSY("unable to connect"),
        BUSY("could not connect"),
        BUSY("did not accept our requests to connect"),
        BUSY("not responding"),
        BUSY("in the queue too long"),
        BUSY("message expired"),
        BUSY("envelope expired"),
        BUSY("queue.expired"),
        BUSY("hop count"),
        BUSY("too many hops"),
        BUSY("mail loop"),
        BUSY("loops back"),
        BUSY("routing loop"),
        BUSY("unexpected name server reply"),
        BUSY("host not found, try"),
        BUSY("service unavailable"),
        BUSY("service currently unavailable"),
        BUSY("ldap"),

        /* No such address. */
        GONE("user unknown"),
        GONE("user * unknown"),
        GONE("unknown user"),
        GONE("unknown local"),
        GONE("unknown recipient"),
        GONE("unknown address"),
        GONE("unknown mailbox"),
        GONE("unknown account"),
        GONE("unknown or illegal alias"),
        GONE("unknown alias"),
        GONE("recipient unknown"),
        GONE("recipient * unknown"),
        GONE("recipient is unknown"),
        GONE("recipient is not known"),
        GONE("recipient not known"),
        GONE("address unknown"),
        GONE("address is unknown"),
        GONE("mailbox unknown"),
        GONE("account unknown"),
        GONE("undeliverable address"),
        GONE("no such user"),
        GONE("no such recipient"),
        GONE("no such mailbox"),
        GONE("no such person"),
        GONE("no such address"),
        GONE("no such local user"),
        GONE("no such account"),
        GONE("no such email"),
        SURE("no such domain"),
        SURE("no such host"),
        GONE("no such virtual"),
        GONE("no mailbox here"),
        GONE("no mailbox by that name"),
        GONE("no user with that name"),
        GONE("no valid recipient"),
        GONE("no account by that name"),
        GONE("is not a known user"),
        GONE("is not a valid"),
        GONE("isn't a valid"),
        GONE("not a valid recipient"),
        GONE("not our customer"),
        GONE("not our user"),
        GONE("not known at this site"),
        SURE("not listed in"),
        GONE("not a local user"),
        GONE("recipient not found"),
        GONE("recipient * not found"),
        SURE("recipnotfound"),
        SURE("recipientnotfound"),
        GONE("user not found"),
        GONE("user * not found"),
        GONE("address not found"),
        GONE("mailbox not found"),
        GONE("mailbox * not found"),
        GONE("account not found"),
        SURE("host not found"),
        SURE("host or domain name not found"),
        SURE("domain not found"),
        SURE("domain name not found"),
        SURE("couldn't find any host"),
        SURE("could not find any host"),
        SURE("couldn't find a mail exchanger or ip address"),
        SURE("unknown host"),
        SURE("unknown domain"),
        SURE("host unknown"),
        SURE("domain unknown"),
        SURE("host/domain name found"),
        SURE("nxdomain"),
        SURE("domain does not exist"),
        SURE("domain * does not exist"),
        GONE("does not exist"),
        GONE("doesn't exist"),
        GONE("do not exist"),
        GONE("not exist"),
        GONE("doesn't have a * account"),
        GONE("does not have * account"),
        GONE("invalid recipient"),
        GONE("invalid mailbox"),
        GONE("invalid user"),
        GONE("invalid address"),
        SURE("invalid final delivery userid"),
        GONE("bad destination mailbox"),
        GONE("bad address"),
        SURE("recipient name is not recognized"),
        SURE("unrouteable"),
        SURE("unroutable"),
        SURE("all relevant mx records point to non-existent hosts"),
        GONE("domain is not reachable"),
        SURE("null mx"),
        SURE("no smtp service"),
        GONE("host does not accept mail"),
        GONE("domain does not accept mail"),
        SURE("doesn't receive email according"),
        GONE("requested action not taken: mailbox unavailable"),
        GONE("mailbox unavailable"),
        GONE("no longer available"),
        GONE("no longer valid"),
        GONE("no longer in use"),
        GONE("no longer with"),
        GONE("no longer exist"),
        GONE("no longer works"),
        GONE("has been deleted"),
        GONE("has been closed"),
        GONE("has moved"),
        GONE("user moved"),
        GONE("has changed * address"),
        GONE("mailbox * does not exist"),
        GONE("adresse * invalide"),
        GONE("unbekannter empfänger"),
        GONE("empfänger unbekannt"),
        GONE("usuario desconocido"),
        GONE("destinatario desconocido"),
        GONE("utilisateur inconnu"),
        GONE("destinataire inconnu"),
};

/* ---- text ---- */

/* "550-5.1.1", "550-": the mark of a line in a reply of several lines (RFC 5321, section 4.2.1). */
static bool is_mark(const char *word, size_t len)
{
	return len >= 4 && isdigit((unsigned char)word[0]) && isdigit((unsigned char)word[1]) &&
	       isdigit((unsigned char)word[2]) && word[3] == '-' &&
	       strspn(word + 4, "0123456789.#") >= len - 4;
}

/* "550", "5.1.1": between the lines of a reply they only part the words. */
static bool is_code(const char *word, size_t len)
{
	return len >= 3 && strspn(word, "0123456789.#()") >= len;
}

static bool counts(const char *word, size_t len)
{
	return memchr(word, '@', len) == NULL && strncmp(word, "http://", 7) != 0 &&
	       strncmp(word, "https://", 8) != 0 && !is_mark(word, len) && !is_code(word, len);
}

char *mail_report_plain(struct arena *arena, const char *text)
{
	size_t out = 0;
	char *plain = arena_alloc(arena, strlen(text) + 2);
	for (const char *at = text + strspn(text, " \t\r\n"); *at;) {
		size_t len = strcspn(at, " \t\r\n");
		if (counts(at, len)) {
			if (out)
				plain[out++] = ' ';
			for (size_t i = 0; i < len; i++)
				plain[out++] = at[i] >= 'A' && at[i] <= 'Z'
				                       ? (char)(at[i] + ('a' - 'A'))
				                       : at[i];
		}
		at += len;
		at += strspn(at, " \t\r\n");
	}
	return plain;
}

/* The rest of a phrase behind a `*`, within its gap. */
static bool rest_in(const char *text, const char *rest)
{
	size_t len = strlen(rest);
	for (int i = 0; i <= GAP_MAX && text[i]; i++)
		if (strncmp(text + i, rest, len) == 0)
			return true;
	return false;
}

bool mail_report_phrase_in(const char *plain, const char *phrase)
{
	const char *star = strchr(phrase, '*');
	if (star == NULL)
		return strstr(plain, phrase) != NULL;
	size_t len = (size_t)(star - phrase);
	for (const char *at = plain; (at = memmem(at, strlen(at), phrase, len)); at++)
		if (rest_in(at + len, star + 1))
			return true;
	return false;
}

/* ---- the verdict ---- */

/* What words may harden: nothing, what they can't but mean, or all that they say. */
enum hardening { HARDEN_NOTHING, HARDEN_SURE, HARDEN_ANY };

static bool applies(const struct phrase_row *row, enum hardening hardening)
{
	return row->verdict != MAIL_REPORT_GONE || hardening == HARDEN_ANY ||
	       (hardening == HARDEN_SURE && row->sure);
}

/* The first row that applies; NULL for none. */
static const struct phrase_row *phrase_row(const char *plain, enum hardening hardening)
{
	for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
		if (applies(&phrases[i], hardening) &&
		    mail_report_phrase_in(plain, phrases[i].phrase))
			return &phrases[i];
	return NULL;
}

/*
 * A bare "550 unknown user" may come from a filter after the body, too: it counts where the command
 * is known, or the code says as much as the words do. Else only words count that no filter says:
 * of hosts and domains, or a mail server's about its own users.
 */
static enum hardening hardening_of(const struct mail_report_code *code,
                                   enum mail_report_stage stage)
{
	if (stage == MAIL_REPORT_STAGE_RCPT)
		return HARDEN_ANY;
	if (stage != MAIL_REPORT_STAGE_UNKNOWN)
		return HARDEN_NOTHING;
	return mail_report_code_specific(code) ? HARDEN_ANY : HARDEN_SURE;
}

bool mail_report_says_full(const char *text, struct arena *arena)
{
	const char *plain = mail_report_plain(arena, text);
	for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
		if (phrases[i].full && mail_report_phrase_in(plain, phrases[i].phrase))
			return true;
	return false;
}

static const char *code_shown(const struct mail_report_code *code, struct arena *arena)
{
	char text[MAIL_REPORT_CODE_TEXT_MAX];
	if (code->class)
		return arena_strdup(arena, mail_report_code_text(code, text));
	return code->reply ? arena_printf(arena, "%d", code->reply) : "";
}

enum mail_report_verdict mail_report_judge(const struct mail_report_code *code,
                                           enum mail_report_stage stage, bool permanent,
                                           const char *diagnostic, struct arena *arena,
                                           const char **ret_why)
{
	int class = mail_report_code_class(code);
	bool for_good = class == 5 ? code->reply / 100 != 4 : class == 0 && permanent;
	const struct code_row *row = code_row(code);
	enum mail_report_verdict by_code = for_good ? row->verdict : MAIL_REPORT_BUSY;
	enum hardening hardening =
	        for_good && row->open ? hardening_of(code, stage) : HARDEN_NOTHING;
	const struct phrase_row *words =
	        phrase_row(mail_report_plain(arena, diagnostic), hardening);
	if (words && (by_code == MAIL_REPORT_GONE || words->verdict == MAIL_REPORT_GONE ||
	              !mail_report_code_specific(code))) {
		*ret_why = words->phrase;
		return words->verdict;
	}
	*ret_why = code_shown(code, arena);
	return by_code;
}

/* ---- the stage ---- */

struct stage_row {
	enum mail_report_stage stage;
	const char *phrase;
};

static const struct stage_row stages[] = {
        /* Postfix */
        {MAIL_REPORT_STAGE_DATA, "in reply to end of data"},
        {MAIL_REPORT_STAGE_DATA, "in reply to data"},
        {MAIL_REPORT_STAGE_RCPT, "in reply to rcpt"},
        {MAIL_REPORT_STAGE_MAIL, "in reply to mail"},
        {MAIL_REPORT_STAGE_CONNECT, "in reply to ehlo"},
        {MAIL_REPORT_STAGE_CONNECT, "in reply to helo"},
        {MAIL_REPORT_STAGE_CONNECT, "refused to talk to me"},
        /* Exim, GMX */
        {MAIL_REPORT_STAGE_DATA, "after end of data"},
        {MAIL_REPORT_STAGE_DATA, "after sending data block"},
        {MAIL_REPORT_STAGE_DATA, "after pipelined end of data"},
        {MAIL_REPORT_STAGE_DATA, "after data"},
        {MAIL_REPORT_STAGE_DATA, "after pipelined data"},
        {MAIL_REPORT_STAGE_RCPT, "after rcpt"},
        {MAIL_REPORT_STAGE_RCPT, "after pipelined rcpt"},
        {MAIL_REPORT_STAGE_MAIL, "after mail"},
        {MAIL_REPORT_STAGE_MAIL, "after pipelined mail"},
        {MAIL_REPORT_STAGE_CONNECT, "after initial connection"},
        {MAIL_REPORT_STAGE_CONNECT, "after helo"},
        {MAIL_REPORT_STAGE_CONNECT, "after ehlo"},
        /* qmail */
        {MAIL_REPORT_STAGE_DATA, "failed after i sent the message"},
        {MAIL_REPORT_STAGE_DATA, "failed on data command"},
        {MAIL_REPORT_STAGE_RCPT, "does not like recipient"},
        {MAIL_REPORT_STAGE_RCPT, "most progress was rcpt to"},
        {MAIL_REPORT_STAGE_MAIL, "but sender was rejected"},
        {MAIL_REPORT_STAGE_CONNECT, "but greeting failed"},
        {MAIL_REPORT_STAGE_CONNECT, "but my name was rejected"},
        /* DragonFly Mail Agent */
        {MAIL_REPORT_STAGE_DATA, "did not like our final data"},
        {MAIL_REPORT_STAGE_DATA, "did not like our data"},
        {MAIL_REPORT_STAGE_RCPT, "did not like our rcpt"},
        {MAIL_REPORT_STAGE_MAIL, "did not like our mail"},
        /* Gmail, formerly */
        {MAIL_REPORT_STAGE_RCPT, "(state 13)"},
        {MAIL_REPORT_STAGE_RCPT, "(state 14)"},
        {MAIL_REPORT_STAGE_DATA, "(state 15)"},
        {MAIL_REPORT_STAGE_DATA, "(state 16)"},
        {MAIL_REPORT_STAGE_DATA, "(state 17)"},
        {MAIL_REPORT_STAGE_DATA, "(state 18)"},
        /* Oracle Messaging Server */
        {MAIL_REPORT_STAGE_RCPT, "remote smtp server has rejected address"},
        /* Sendmail's transcript, m-FILTER, Yahoo, others */
        {MAIL_REPORT_STAGE_DATA, ">>> data"},
        {MAIL_REPORT_STAGE_DATA, "smtp command data"},
        {MAIL_REPORT_STAGE_DATA, "step: data"},
        {MAIL_REPORT_STAGE_RCPT, "smtp:rcpt"},
        {MAIL_REPORT_STAGE_DATA, "smtp:data"},
        {MAIL_REPORT_STAGE_DATA, "[data]"},
        {MAIL_REPORT_STAGE_DATA, "(data)"},
        {MAIL_REPORT_STAGE_RCPT, ">>> rcpt"},
        {MAIL_REPORT_STAGE_RCPT, "smtp command rcpt"},
        {MAIL_REPORT_STAGE_RCPT, "[rcpt_to]"},
        {MAIL_REPORT_STAGE_MAIL, ">>> mail"},
        {MAIL_REPORT_STAGE_MAIL, "[mail_from]"},
};

/* Which one comes first: a transcript goes on after what was refused. */
enum mail_report_stage mail_report_stage_of(const char *text, struct arena *arena)
{
	const char *plain = mail_report_plain(arena, text), *first = NULL;
	enum mail_report_stage stage = MAIL_REPORT_STAGE_UNKNOWN;
	for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
		const char *at = strstr(plain, stages[i].phrase);
		if (at && (first == NULL || at < first)) {
			first = at;
			stage = stages[i].stage;
		}
	}
	return stage;
}
