/* SPDX-License-Identifier: MIT */
/* Cuts a mail's .txt into its headers and its body. */
#include "mail/templates_set.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

const char *mail_template_name(size_t i)
{
	static const char *const others[MAIL_TEMPLATES - JOB_STATE_COUNT] = {
	        "collision", "unreachable", "refusals", OPT_OUT_ANSWER, "held_back"};
	return i < JOB_STATE_COUNT ? job_state_name((enum job_state)i)
	                           : others[i - JOB_STATE_COUNT];
}

int mail_template_index(const char *name, size_t len)
{
	for (int i = 0; i < MAIL_TEMPLATES; i++) {
		const char *known = mail_template_name((size_t)i);
		if (strlen(known) == len && strncmp(known, name, len) == 0)
			return i;
	}
	return -1;
}

/* The known header lines. */
static const struct header {
	const char *name;
	size_t offset; /* of its template in a mail */
} headers[] = {
        {.name = "Subject:", .offset = offsetof(struct mail_template, subject)},
        {.name = "Reply-To:", .offset = offsetof(struct mail_template, reply_to)},
};

static bool parse_header(const char *line, size_t len, const char *file, int number,
                         struct mail_template *mail, struct error *err)
{
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		size_t name = strlen(headers[i].name);
		if (len < name || strncasecmp(line, headers[i].name, name) != 0)
			continue;
		struct mustache **slot =
		        (struct mustache **)(void *)((char *)mail + headers[i].offset);
		if (*slot != NULL)
			return error_set(err, EX_DATAERR, "%s:%d: a second %s", file, number,
			                 headers[i].name);
		*slot = mustache_parse(line + name, len - name, file, number, err);
		return *slot != NULL;
	}
	return error_set(err, EX_DATAERR,
	                 "%s:%d: expected Subject: or Reply-To:, then an empty line and the text",
	                 file, number);
}

/* Behind a byte order mark and comments before the headers. */
static const char *skip_preface(const char *p, const char *end, int *line)
{
	if (end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (end - p >= 3 && memcmp(p, "{{!", 3) == 0) {
		const char *close = memmem(p, (size_t)(end - p), "}}", 2);
		const char *nl = close ? memchr(close, '\n', (size_t)(end - close)) : NULL;
		if (nl == NULL)
			break;
		for (; p <= nl; p++)
			*line += *p == '\n';
	}
	return p;
}

static bool parse_mail(const char *text, size_t len, const char *file, struct mail_template *mail,
                       struct error *err)
{
	int line = 1;
	const char *end = text + len, *p = skip_preface(text, end, &line);
	for (;; line++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		if (stop > p && stop[-1] == '\r')
			stop--;
		if (stop == p && nl != NULL) {
			p = nl + 1;
			break;
		}
		if (nl == NULL || !parse_header(p, (size_t)(stop - p), file, line, mail, err))
			return nl != NULL ? false
			                  : error_set(err, EX_DATAERR,
			                              "%s:%d: expected an empty line and the text",
			                              file, line);
		p = nl + 1;
	}
	if (mail->subject == NULL)
		return error_set(err, EX_DATAERR, "%s:%d: missing Subject: above the text", file,
		                 line);
	mail->text = mustache_parse(p, (size_t)(end - p), file, line + 1, err);
	return mail->text != NULL;
}

void mail_template_clear(struct mail_template *mail)
{
	mail->subject = mustache_free(mail->subject);
	mail->reply_to = mustache_free(mail->reply_to);
	mail->text = mustache_free(mail->text);
	mail->html = mustache_free(mail->html);
}

bool mail_template_parse(const char *text, size_t len, const char *file, struct mail_template *mail,
                         struct error *err)
{
	struct mail_template parsed = {.present = true};
	if (!parse_mail(text, len, file, &parsed, err)) {
		mail_template_clear(&parsed);
		return false;
	}
	mail->present = true;
	mail->subject = parsed.subject;
	mail->reply_to = parsed.reply_to;
	mail->text = parsed.text;
	return true;
}
