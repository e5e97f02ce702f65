/* SPDX-License-Identifier: MIT */
/*
 * The composer of the only message format that we send (contract, section 5). It is on the hot path
 * of every mail: no JSON, no GLib, only bytes. The SMTP library drops or adds headers only if Date,
 * From or Message-ID are missing or repeated; here each appears once.
 */
#include "mail/compose.h"

#include "mail/compose_body.h"
#include "mail/compose_header.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * The boundary is made from the Message-ID (FNV-1a), so a retry is the same byte for byte. It can't
 * occur in the parts: body_part() keeps "=_" out of them.
 */
static uint64_t boundary(const char *message_id)
{
	uint64_t hash = 14695981039346656037u;
	for (; *message_id != '\0'; message_id++)
		hash = (hash ^ (unsigned char)*message_id) * 1099511628211u;
	return hash;
}

/* What an address may have that a mailto: link may not, percent-encoded (RFC 6068, section 2). */
static void add_mailto(struct buf *out, const char *address)
{
	for (const char *p = address; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;
		if (strchr("%&?/^`{|}#=\"<>", c) != NULL || c <= ' ' || c >= 0x7f)
			buf_printf(out, "%%%02X", c);
		else
			buf_addc(out, *p);
	}
}

static void add_opt_out(struct buf *out, const struct compose_mail *mail)
{
	buf_adds(out, "List-Unsubscribe: <mailto:");
	add_mailto(out, mail->opt_out_address);
	buf_adds(out, "?subject=unsubscribe>");
	if (mail->opt_out_url != NULL)
		buf_printf(out, ",\r\n <%s>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click",
		           mail->opt_out_url);
	buf_adds(out, "\r\n");
}

static void add_headers(struct buf *out, const struct compose_mail *mail)
{
	header_date(out, mail->made);
	header_mailbox(out, "From", mail->from_name, mail->from);
	header_mailbox(out, "To", mail->to_name, mail->to);
	if (*mail->reply_to != '\0')
		header_mailbox(out, "Reply-To", mail->reply_to_name, mail->reply_to);
	header_subject(out, mail->subject, mail->meant_for);
	header_token(out, "Message-ID", mail->message_id);
	if (*mail->thread_id != '\0') {
		header_token(out, "In-Reply-To", mail->thread_id);
		header_token(out, "References", mail->thread_id);
	}
	buf_printf(out, "Auto-Submitted: auto-%s\r\nX-Auto-Response-Suppress: All\r\n",
	           mail->answers ? "replied" : "generated");
	for (size_t i = 0; i < mail->n_jobs; i++)
		header_percent(out, "X-Dispatchd-Job", mail->jobs[i]);
	if (mail->opt_out_address != NULL)
		add_opt_out(out, mail);
	buf_adds(out, "MIME-Version: 1.0\r\n");
}

void compose_mail(const struct compose_mail *mail, struct buf *ret)
{
	add_headers(ret, mail);
	if (mail->html == NULL) {
		body_part(ret, "plain", mail->text);
		return;
	}
	char line[32];
	(void)snprintf(line, sizeof line, "=_%016llx",
	               (unsigned long long)boundary(mail->message_id));
	buf_printf(ret, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n--%s\r\n",
	           line, line);
	body_part(ret, "plain", mail->text);
	buf_printf(ret, "\r\n--%s\r\n", line);
	body_part(ret, "html", mail->html);
	buf_printf(ret, "\r\n--%s--\r\n", line);
}
