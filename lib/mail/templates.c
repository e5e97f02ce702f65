/* SPDX-License-Identifier: MIT */
/*
 * From an outgoing mail to its message: the template is found by locale, rendered with the mail's
 * data, composed. Called by every mailer's thread; a set never changes after it is loaded.
 */
#include "mail/templates.h"

#include "base/address.h"
#include "mail/compose.h"
#include "mail/compose_body.h"
#include "mail/context.h"
#include "mail/templates_set.h"
#include "template/helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* What a usual mail takes: its data, its parts. */
enum { RENDERING_BYTES = 8192, TEXT_BYTES = 1024, HTML_BYTES = 4096 };

struct templates *templates_ref(struct templates *templates)
{
	atomic_fetch_add(&templates->refs, 1);
	return templates;
}

static void folder_clear(struct template_folder *folder)
{
	for (size_t i = 0; i < MAIL_TEMPLATES; i++)
		mail_template_clear(&folder->mails[i]);
	for (struct template_partial *p = folder->partials; p != NULL; p = p->next)
		p->template = mustache_free(p->template);
}

struct templates *templates_unref(struct templates *templates)
{
	if (templates == NULL || atomic_fetch_sub(&templates->refs, 1) > 1)
		return NULL;
	for (struct template_folder *folder = templates->folders; folder != NULL;
	     folder = folder->next)
		folder_clear(folder);
	folder_clear(&templates->built_in);
	arena_free(templates->arena);
	free(templates);
	return NULL;
}

struct words { /* what a template's {{> name}} and {{phrase.key}} are looked up in */
	const struct template_folder *folder;
	const struct catalogue *last; /* has all phrases, if not in the reader's language */
	bool html;
	const char *fault; /* of one that was asked for and doesn't parse; NULL for none */
};

static const struct mustache *find_partial(void *arg, const char *name)
{
	struct words *words = arg;
	const struct template_partial *p =
	        template_folder_partial(words->folder, name, words->html);
	if (p != NULL && p->fault != NULL)
		words->fault = p->fault;
	return p != NULL ? p->template : NULL;
}

static const struct mustache *find_phrase(void *arg, const char *name)
{
	struct words *words = arg;
	const char *key = catalogue_key(name);
	if (key == NULL)
		return NULL;
	const struct phrase *phrase = template_folder_phrase(words->folder, key);
	if (phrase == NULL)
		phrase = catalogue_find(words->last, key);
	if (phrase != NULL && phrase->fault != NULL)
		words->fault = phrase->fault;
	return phrase != NULL ? phrase->text : NULL;
}

void templates_mail_clear(struct templates_mail *mail)
{
	buf_free(&mail->subject);
	buf_free(&mail->reply_to);
	buf_free(&mail->text);
	buf_free(&mail->html);
	buf_free(&mail->message);
	mail->has_html = false;
}

static void read_part(struct buf *part)
{
	struct buf read = {0};
	body_read(&read, buf_text(part));
	buf_free(part);
	*part = read;
}

void templates_mail_read(struct templates_mail *mail)
{
	read_part(&mail->text);
	read_part(&mail->html);
}

static bool is_blank(const struct buf *text)
{
	const char *p = buf_text(text);
	return p[strspn(p, " \t\r\n")] == '\0';
}

/* A part of a mail, if the mail has it. */
static bool render_part(const struct mustache *template, const struct jsonview *context,
                        const struct mustache_options *options, struct buf *ret, struct error *err)
{
	const struct words *words = options->partial_arg;
	if (template == NULL)
		return true;
	if (!mustache_render_view(template, context, options, ret, err))
		return false;
	return words->fault == NULL || error_set(err, EX_DATAERR, "%s", words->fault);
}

/*
 * One mail's templates with the data. False if the text is broken; `ret` is then unspecified.
 * Broken HTML is left out: then also true, with `*ret_broken` and the reason in `err`.
 */
static bool render_mail(const struct mail_template *mail, struct words words, struct dates *dates,
                        const struct jsonview *context, const struct outgoing_mail *about,
                        struct templates_mail *ret, bool *ret_broken, struct error *err)
{
	struct dates_reader reader = {
	        .dates = dates, .locale = about->locale, .timezone = about->timezone};
	struct mustache_options options = {.partial = find_partial,
	                                   .partial_arg = &words,
	                                   .lambda = find_phrase,
	                                   .lambda_arg = &words,
	                                   .helpers = template_helpers,
	                                   .n_helpers = template_helpers_count,
	                                   .helper_arg = &reader};

	if (mail->text == NULL)
		return error_set(err, EX_DATAERR, "%s: there is no such template", about->template);
	buf_reserve(&ret->text, TEXT_BYTES);
	if (!render_part(mail->subject, context, &options, &ret->subject, err) ||
	    !render_part(mail->reply_to, context, &options, &ret->reply_to, err) ||
	    !render_part(mail->text, context, &options, &ret->text, err))
		return false;
	if (is_blank(&ret->subject))
		return error_set(err, EX_DATAERR, "%s: the subject is empty",
		                 mustache_file(mail->text));
	buf_reserve(&ret->html, HTML_BYTES);
	options.escape = true;
	words.html = true;
	ret->has_html = mail->html != NULL;
	if (!render_part(mail->html, context, &options, &ret->html, err)) {
		ret->has_html = false;
		*ret_broken = true;
	}
	return true;
}

/* The best mail that can be rendered: the admin's, without its HTML if that is broken, else the
 * built-in one. What went wrong on the way is in `err` and sets `*ret_broken`. */
static bool render_best(const struct templates *templates, struct dates *dates, int index,
                        const struct outgoing_mail *about, const struct jsonview *context,
                        struct templates_mail *ret, bool *ret_broken, struct error *err)
{
	const struct template_folder *folder = template_set_mail(templates, about->locale, index);
	const struct mail_template *mail = folder ? &folder->mails[index] : NULL;
	const char *fault = mail ? (mail->fault ? mail->fault : mail->html_fault) : NULL;

	*ret_broken = fault != NULL;
	if (fault != NULL)
		(void)error_set(err, EX_DATAERR, "%s", fault);
	struct words words = {.last = templates->built_in.catalogue};
	if (mail != NULL && mail->fault == NULL) {
		words.folder = template_set_words(templates, folder, about->locale, index);
		if (render_mail(mail, words, dates, context, about, ret, ret_broken, err))
			return true;
		*ret_broken = true;
		templates_mail_clear(ret);
	}
	struct error built_in = {0};
	words.folder = &templates->built_in;
	if (render_mail(&templates->built_in.mails[index], words, dates, context, about, ret,
	                ret_broken, &built_in))
		return true;
	if (err != NULL)
		*err = built_in;
	return false;
}

/* That of the template, else one that leads back here, else none: an empty one isn't a fault. */
static void choose_reply_to(const struct templates_mail *mail, struct mailbox *ret)
{
	const struct mail_tokens *tokens = &mail->tokens;
	char address[TOKEN_ADDRESS_SIZE];
	*ret = (struct mailbox){0};
	if (mailbox_parse(buf_text(&mail->reply_to), ret, NULL) || !tokens->replies)
		return;
	token_address(tokens->address, tokens->delimiter, tokens->reply, address);
	strcpy(ret->name, tokens->company);
	strcpy(ret->address, address);
}

/* Where a wish to get no more mails goes to. */
struct opt_out {
	char address[TOKEN_ADDRESS_SIZE];
	char url[MAIL_TOKENS_URL_MAX + TOKEN_SIZE + sizeof "/u/"];
};

static void fill_opt_out(const struct mail_tokens *tokens, struct opt_out *ret,
                         struct compose_mail *parts)
{
	if (tokens->address[0] == '\0')
		return;
	token_address(tokens->address, tokens->delimiter, tokens->opt_out, ret->address);
	parts->opt_out_address = ret->address;
	if (tokens->url[0] == '\0')
		return;
	(void)snprintf(ret->url, sizeof ret->url, "%s/u/%s", tokens->url, tokens->opt_out);
	parts->opt_out_url = ret->url;
}

static void compose(const struct outgoing_mail *outgoing, const struct mailbox *from,
                    struct templates_mail *mail)
{
	struct mailbox reply_to;
	struct opt_out opt_out;
	choose_reply_to(mail, &reply_to);
	struct compose_mail parts = {
	        .from_name = from->name,
	        .from = from->address,
	        .to_name = outgoing->meant_for == NULL ? outgoing->to_name : "",
	        .to = outgoing->to,
	        .meant_for = outgoing->meant_for,
	        .reply_to_name = reply_to.name,
	        .reply_to = reply_to.address,
	        .subject = buf_text(&mail->subject),
	        .message_id = outgoing->message_id,
	        .thread_id = outgoing->thread_id,
	        .answers = outgoing_mail_is_answer(outgoing),
	        .made = outgoing->made,
	        .jobs = outgoing->jobs,
	        .n_jobs = outgoing->n_jobs,
	        .text = buf_text(&mail->text),
	        .html = mail->has_html ? buf_text(&mail->html) : NULL,
	};
	if (!parts.answers)
		fill_opt_out(&mail->tokens, &opt_out, &parts);
	buf_reserve(&mail->message, TEXT_BYTES + (mail->text.len + mail->html.len) * 9 / 8);
	compose_mail(&parts, &mail->message);
}

bool templates_render_parts(const struct templates *templates, struct dates *dates,
                            const struct outgoing_mail *outgoing, struct templates_mail *ret,
                            bool *ret_broken, struct error *err)
{
	struct mailbox sender;
	int index = mail_template_index(outgoing->template, strlen(outgoing->template));

	if (index < 0)
		return error_set(err, EX_SOFTWARE, "there is no template named '%s'",
		                 outgoing->template);
	if (!mailbox_parse(templates->from, &sender, err))
		return error_prefix(err, "From");
	struct arena *arena = arena_new_small(RENDERING_BYTES);
	const struct jsonview *context = context_read(arena, outgoing->context, err);
	bool ok = context != NULL || error_prefix(err, "the template's data");
	if (ok)
		context = mail_tokens_read(arena, context, outgoing->signs, &ret->tokens);
	ok = ok && render_best(templates, dates, index, outgoing, context, ret, ret_broken, err);
	if (ok)
		compose(outgoing, &sender, ret);
	arena_free(arena);
	return ok;
}

void templates_mail_sign(const struct templates *templates, const struct outgoing_mail *outgoing,
                         const struct token_keys *keys, struct templates_mail *mail)
{
	struct mailbox sender;
	if (mail->tokens.address[0] == '\0' || !mailbox_parse(templates->from, &sender, NULL))
		return;
	mail_tokens_sign(&mail->tokens, keys, outgoing);
	mail_tokens_put(&mail->tokens, &mail->text);
	mail_tokens_put(&mail->tokens, &mail->html);
	buf_reset(&mail->message);
	compose(outgoing, &sender, mail);
}

bool templates_render(const struct templates *templates, struct dates *dates,
                      const struct outgoing_mail *outgoing, struct buf *ret, bool *ret_broken,
                      struct error *err)
{
	struct templates_mail mail = {0};
	bool ok = templates_render_parts(templates, dates, outgoing, &mail, ret_broken, err);
	if (ok) {
		buf_free(ret);
		*ret = mail.message;
		mail.message = (struct buf){0};
	}
	templates_mail_clear(&mail);
	return ok;
}
