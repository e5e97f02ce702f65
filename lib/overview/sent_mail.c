/* SPDX-License-Identifier: MIT */
/*
 * A mail as it was sent: of what the spool kept the engine's outgoing mail and the set of templates
 * are made again, and rendered by the code that renders for the mailers.
 */
#include "overview/sent_mail.h"

#include "base/jsontext.h"
#include "mail/context.h"
#include "rules/rules.h"
#include "spool/spool_read.h"

#include <string.h>

const char *sent_mail_state_name(enum sent_mail_state state)
{
	static const char *const names[] = {[SENT_MAIL_EXACT] = "exact",
	                                    [SENT_MAIL_DIFFERENT] = "different",
	                                    [SENT_MAIL_NOT_YET] = "not_yet",
	                                    [SENT_MAIL_ERASED] = "erased",
	                                    [SENT_MAIL_OUTDATED] = "outdated"};
	return names[state];
}

bool sent_mail_is_there(const struct sent_mail *sent)
{
	return sent->state == SENT_MAIL_EXACT || sent->state == SENT_MAIL_DIFFERENT;
}

const char *sent_mail_subject(const struct sent_mail *sent)
{
	const char *text = buf_text(&sent->mail.subject);
	return text + strspn(text, " \t");
}

void sent_mail_clear(struct sent_mail *sent)
{
	templates_mail_clear(&sent->mail);
}

static struct templates *restore(const struct spool_rendered *kept, struct arena *arena)
{
	struct template_sources sources = {0};
	struct error ignored;
	for (size_t i = 0; i < kept->n_files; i++) {
		const struct entry_field *file = &kept->files[i];
		template_sources_add_kept(&sources, arena,
		                          arena_strndup(arena, file->name, file->name_len),
		                          file->value, file->value_len);
	}
	return templates_restore(&sources, &ignored);
}

/* As the engine wrote it for the mailers. */
static struct outgoing_mail *write_again(const struct overview *view,
                                         const struct spool_rendered *kept, const json_t *context)
{
	const struct spool_mail *mail = &kept->mail;
	struct outgoing_mail *outgoing = outgoing_mail_new();
	outgoing->mail = mail->id;
	outgoing->to = mail->address;
	if (*mail->redirected != '\0') {
		outgoing->meant_for = mail->address;
		outgoing->to = mail->redirected;
	}
	outgoing->template = mail->state;
	outgoing->timezone = zone_name(rules_zone(view->settings, view->zones, NULL));
	outgoing->message_id = mail->message_id;
	outgoing->thread_id = mail->thread_id;
	outgoing->made = mail->made;
	outgoing->context = kept->context;
	outgoing->signs = true;
	outgoing->jobs = kept->jobs;
	outgoing->n_jobs = kept->n_jobs;
	if (kept->n_jobs == 0)
		outgoing_mail_read_jobs(outgoing, context);
	outgoing_mail_read(outgoing, context);
	return outgoing;
}

static void render(const struct overview *view, const struct spool_rendered *kept,
                   const json_t *context, struct sent_mail *ret)
{
	struct error ignored;
	bool broken = false;
	struct templates *templates = restore(kept, view->arena);
	ret->state = SENT_MAIL_OUTDATED;
	if (templates == NULL)
		return;
	struct outgoing_mail *outgoing = write_again(view, kept, context);
	struct dates *dates = dates_new();
	if (templates_render_parts(templates, dates, outgoing, &ret->mail, &broken, &ignored))
		ret->state = rendering_made(&kept->mail.rendering, buf_text(&ret->mail.message),
		                            ret->mail.message.len)
		                     ? SENT_MAIL_EXACT
		                     : SENT_MAIL_DIFFERENT;
	templates_mail_read(&ret->mail);
	dates_free(dates);
	outgoing_mail_free(outgoing);
	templates_unref(templates);
}

bool sent_mail_render(const struct overview *view, struct spool *spool, int64_t id,
                      struct sent_mail *ret, struct error *err)
{
	struct spool_rendered kept;
	*ret = (struct sent_mail){.state = SENT_MAIL_NOT_YET};
	if (!spool_read_rendered(spool, id, view->arena, &kept, err))
		return false;
	ret->rendering = kept.mail.rendering;
	/* One that was tried before renderings were kept names no set. */
	if (!kept.mail.rendering.known) {
		bool tried = kept.mail.attempts > 0 || kept.mail.status == STATUS_SENT;
		ret->state = tried ? SENT_MAIL_OUTDATED : SENT_MAIL_NOT_YET;
		return true;
	}
	json_t *context =
	        kept.context ? jsontext_read(kept.context, strlen(kept.context), NULL) : NULL;
	ret->state = context == NULL ? SENT_MAIL_ERASED : SENT_MAIL_OUTDATED;
	if (context != NULL && kept.n_files > 0)
		render(view, &kept, context, ret);
	json_decref(context);
	return true;
}

static void set_text(json_t *mail, const char *name, bool there, const struct buf *text)
{
	json_object_set_new(mail, name,
	                    there ? json_stringn(buf_text(text), text->len) : json_null());
}

/* Recorded in one of two forms, of which people see one. */
static void show_context(const struct overview *view, json_t *mail)
{
	const json_t *recorded = json_object_get(mail, "context");
	struct buf text = {0};
	struct error ignored;
	if (!json_is_object(recorded))
		return;
	jsontext_write(&text, recorded, JSONTEXT_AS_IS);
	const struct jsonview *context = context_read(view->arena, buf_text(&text), &ignored);
	if (context != NULL)
		json_object_set_new(mail, "context", mail_tokens_seen(view->arena, context));
	buf_free(&text);
}

void sent_mail_show(const struct overview *view, const struct sent_mail *sent, json_t *mail)
{
	json_object_set_new(mail, "rendering", json_string(sent_mail_state_name(sent->state)));
	set_text(mail, "text", sent_mail_is_there(sent), &sent->mail.text);
	show_context(view, mail);
}

bool sent_mail_add(const struct overview *view, struct spool *spool, json_t *mail,
                   struct error *err)
{
	struct sent_mail sent;
	int64_t id = json_integer_value(json_object_get(mail, "id"));
	bool ok = sent_mail_render(view, spool, id, &sent, err);
	bool there = sent_mail_is_there(&sent);
	sent_mail_show(view, &sent, mail);
	set_text(mail, "html", there && sent.mail.has_html, &sent.mail.html);
	set_text(mail, "source", there, &sent.mail.message);
	sent_mail_clear(&sent);
	return ok;
}
