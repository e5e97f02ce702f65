/* SPDX-License-Identifier: MIT */
/*
 * A mail as it was sent: its text and source within its page, its HTML as a document of its own
 * that a sandboxed frame shows, the message as a file.
 */
#include "center/pages/sent.h"

#include "center/pages/page.h"
#include "center/pages/words.h"
#include "overview/sent_mail.h"

#include <stdlib.h>
#include <sysexits.h>

enum { SHOWN_MAX = 64 * 1024 }; /* of a source; the rest is in the file */

/* Nothing in it runs or leaves: no scripts, no forms, nothing from elsewhere. */
#define HTML_POLICY                                                                                \
	"default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "       \
	"base-uri 'none'; frame-ancestors 'self'; sandbox"

static bool render(struct call *call, struct sent_mail *ret, struct error *err)
{
	struct overview overview;
	*ret = (struct sent_mail){0};
	struct spool *spool = stores_spool(call->stores, err);
	call_spool_overview(call, &overview);
	return spool != NULL &&
	       sent_mail_render(&overview, spool, strtoll(call->names[0], NULL, 10), ret, err);
}

static const char *lack_words(const struct call *call, enum sent_mail_state state)
{
	switch (state) {
	case SENT_MAIL_ERASED:
		return words(call, "mail.sent.erased");
	case SENT_MAIL_OUTDATED:
		return words(call, "mail.sent.outdated");
	default:
		return words(call, "mail.sent.not_yet");
	}
}

void sent_add(struct call *call, json_t *mail)
{
	struct sent_mail sent;
	struct error err;
	bool read = render(call, &sent, &err), there = read && sent_mail_is_there(&sent);
	const struct buf *source = &sent.mail.message;
	bool cut = source->len > SHOWN_MAX;
	if (there)
		json_object_set_new(mail, "sent",
		                    json_pack("{s:s, s:s, s:b, s:s#, s:b, s:b}", "subject",
		                              sent_mail_subject(&sent), "text",
		                              buf_text(&sent.mail.text), "html", sent.mail.has_html,
		                              "source", buf_text(source),
		                              cut ? (size_t)SHOWN_MAX : source->len, "cut", cut,
		                              "differs", sent.state == SENT_MAIL_DIFFERENT));
	else
		json_object_set_new(mail, "lack",
		                    json_string(read ? lack_words(call, sent.state)
		                                     : call_fault_text(call, &err)));
	sent_mail_clear(&sent);
}

/* The whole answer is `text`, or 404. */
static void send(struct call *call, bool there, const char *type, struct buf *text)
{
	if (!there) {
		page_fail_status(call, 404, words(call, "fault.no_record"));
		return;
	}
	call->response->status = 200;
	call->response->type = type;
	buf_free(&call->response->body);
	call->response->body = *text;
	*text = (struct buf){0};
}

static void send_html(struct call *call, struct sent_mail *sent)
{
	response_header(call->response, call->request, "Content-Security-Policy", HTML_POLICY);
	send(call, sent->mail.has_html, "text/html; charset=utf-8", &sent->mail.html);
}

static void send_source(struct call *call, struct sent_mail *sent)
{
	response_header(call->response, call->request, "Content-Security-Policy",
	                "default-src 'none'; sandbox");
	response_header(call->response, call->request, "Content-Disposition",
	                arena_printf(call->request->arena, "attachment; filename=\"mail-%lld.eml\"",
	                             strtoll(call->names[0], NULL, 10)));
	send(call, sent_mail_is_there(sent), "message/rfc822", &sent->mail.message);
}

static void answer(struct call *call, void (*send_part)(struct call *call, struct sent_mail *sent))
{
	struct sent_mail sent;
	struct error err;
	if (render(call, &sent, &err))
		send_part(call, &sent);
	else if (err.code == EX_NOINPUT)
		page_fail_status(call, 404, words(call, "fault.no_record"));
	else
		page_fail(call, &err);
	sent_mail_clear(&sent);
}

static void html(struct call *call)
{
	answer(call, send_html);
}

static void source(struct call *call)
{
	answer(call, send_source);
}

const struct route sent_page_routes[] = {
        {ROUTE("GET", "/mails/:id/html", ACCESS_READER, html)},
        {ROUTE("GET", "/mails/:id/source", ACCESS_READER, source)},
        {0},
};
