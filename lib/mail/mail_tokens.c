/* SPDX-License-Identifier: MIT */
/* The tokens in a mail: what its context says of them, and what mailers put in. */
#include "mail/mail_tokens.h"

#include "model/job_state.h"

#include <stdio.h>
#include <string.h>

#define LINK "/u/"

static bool copy_text(char *ret, size_t size, const struct jsonview *object, const char *name)
{
	size_t len;
	const char *text = jsonview_text(object, name, &len);
	if (len >= size)
		return false;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return true;
}

static void use_placeholders(struct mail_tokens *tokens)
{
	strcpy(tokens->reply, TOKEN_PLACEHOLDER);
	strcpy(tokens->opt_out, TOKEN_PLACEHOLDER);
}

/* What somebody wrote into the spool by hand, and would not fit, counts for nothing. */
static bool read_record(const struct jsonview *context, struct mail_tokens *ret)
{
	const struct jsonview *bounce = jsonview_get(context, "bounce");
	const struct jsonview *replies = jsonview_get(bounce, "replies");
	struct mail_tokens tokens = {.replies = replies && replies->type == JSONVIEW_TRUE};
	if (!copy_text(tokens.address, sizeof tokens.address, bounce, "address") ||
	    !copy_text(tokens.delimiter, sizeof tokens.delimiter, bounce, "delimiter") ||
	    !copy_text(tokens.url, sizeof tokens.url, bounce, "url") ||
	    !address_check(tokens.address, NULL) || tokens.delimiter[0] == '\0' ||
	    strlen(tokens.address) + strlen(tokens.delimiter) + TOKEN_LENGTH > ADDRESS_MAX)
		return false;
	(void)copy_text(tokens.company, sizeof tokens.company, jsonview_get(context, "company"),
	                "name");
	use_placeholders(&tokens);
	*ret = tokens;
	return true;
}

static struct jsonview *link_view(struct arena *arena, const char *url)
{
	struct jsonview *view = arena_alloc(arena, sizeof *view);
	view->type = JSONVIEW_TEXT;
	view->text = arena_printf(arena, "%s" LINK TOKEN_PLACEHOLDER, url);
	view->len = strlen(view->text);
	return view;
}

const struct jsonview *mail_tokens_read(struct arena *arena, const struct jsonview *context,
                                        bool signs, struct mail_tokens *ret)
{
	*ret = (struct mail_tokens){.address = ""};
	if (!signs || !read_record(context, ret))
		return context;
	struct jsonview *front = jsonview_object(arena, context);
	jsonview_set_constant(arena, front, "bounce", JSONVIEW_NULL);
	if (ret->url[0] != '\0')
		jsonview_set(arena, front, "opt_out", link_view(arena, ret->url));
	if (ret->replies)
		jsonview_set_constant(arena, front, "replies", JSONVIEW_TRUE);
	return front;
}

json_t *mail_tokens_seen(struct arena *arena, const struct jsonview *context)
{
	struct mail_tokens tokens;
	json_t *seen = jsonview_json(mail_tokens_read(arena, context, true, &tokens));
	(void)json_object_del(seen, "bounce");
	return seen;
}

/* ---- signing */

void mail_tokens_redirected(const char *address, char ret[MAIL_TOKENS_OVER_SIZE])
{
	(void)snprintf(ret, MAIL_TOKENS_OVER_SIZE, "redirected %s", address);
}

/* A token about the mail itself. The outgoing mail's arena stays as large as it was counted. */
static void make_about_mail(const struct token_keys *keys, enum token_kind kind,
                            const struct outgoing_mail *outgoing, char ret[TOKEN_SIZE])
{
	const struct token token = {.kind = kind, .id = outgoing->mail};
	char redirected[MAIL_TOKENS_OVER_SIZE];
	if (outgoing->meant_for != NULL)
		mail_tokens_redirected(outgoing->meant_for, redirected);
	token_make(keys, &token, outgoing->meant_for != NULL ? redirected : outgoing->to,
	           outgoing->message_id, ret);
}

void mail_tokens_sign(struct mail_tokens *tokens, const struct token_keys *keys,
                      const struct outgoing_mail *outgoing)
{
	enum job_state state = job_state_find(outgoing->template);
	const struct token opt_out = {.kind = TOKEN_OPT_OUT,
	                              .id = outgoing->contact,
	                              .state = state != JOB_NONE ? (unsigned)state : 0};
	const char *link = outgoing->meant_for != NULL ? "redirected" : outgoing->link;
	make_about_mail(keys, TOKEN_REPLY, outgoing, tokens->reply);
	token_make(keys, &opt_out, link, "", tokens->opt_out);
}

void mail_tokens_put(const struct mail_tokens *tokens, struct buf *text)
{
	static const char link[] = LINK TOKEN_PLACEHOLDER;
	size_t len = sizeof link - 1;
	char *at = text->data, *end = text->data + text->len;
	while (at != NULL && (at = memmem(at, (size_t)(end - at), link, len)) != NULL) {
		if (at[len] != '0')
			memcpy(at + sizeof LINK - 1, tokens->opt_out, TOKEN_LENGTH);
		at += len;
	}
}

void mail_tokens_envelope(const struct token_keys *keys, const char *address, const char *delimiter,
                          const struct outgoing_mail *outgoing, char ret[TOKEN_ADDRESS_SIZE])
{
	char token[TOKEN_SIZE];
	make_about_mail(keys, TOKEN_REPORT, outgoing, token);
	token_address(address, delimiter, token, ret);
}
