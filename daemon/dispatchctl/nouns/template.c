/* SPDX-License-Identifier: MIT */
/*
 * `template`: for people who write templates. What a mail's template is, what is wrong with all of
 * them, what one makes of a customer's records or of any data, and that mail sent to oneself.
 */
#include "base/address.h"
#include "base/nearest.h"
#include "common/control.h"
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/relay.h"
#include "dispatchctl/nouns/spool.h"
#include "engine/check.h"
#include "engine/preview.h"
#include "mail/context.h"
#include "mail/templates.h"
#include "model/request.h"
#include "template/print.h"

#include <string.h>
#include <sysexits.h>

/* ---- which mail ---- */

static bool mail_named(const struct ctl *ctl, const char **ret, struct error *err)
{
	const char *name = ctl_arg(ctl, 0);
	struct nearest nearest = {.typed = name};
	struct buf names = {0};
	if (templates_has_mail(name)) {
		*ret = name;
		return true;
	}
	for (size_t i = 0; templates_mail(i) != NULL; i++) {
		nearest_try(&nearest, templates_mail(i));
		buf_printf(&names, "%s%s", i > 0 ? ", " : "", templates_mail(i));
	}
	if (nearest.name != NULL)
		(void)error_set(err, EX_USAGE, "there is no mail \"%s\"; did you mean \"%s\"?",
		                name, nearest.name);
	else
		(void)error_set(err, EX_USAGE, "there is no mail \"%s\", only %s", name,
		                buf_text(&names));
	buf_free(&names);
	return false;
}

/* ---- show ---- */

static void print_source(struct ctl *ctl, const struct template_source *source)
{
	size_t len;
	const char *text = template_source_value(source, &len);
	buf_add(output_text(ctl->out), text, len);
	if (output_json(ctl->out))
		output_document(ctl->out,
		                json_pack("{s:s, s:s%}", "file", source->path, "text", text, len));
}

static bool template_run_show(struct ctl *ctl, struct error *err)
{
	const char *mail, *locale = ctl_option(ctl, "locale");
	bool html = ctl_option(ctl, "html") != NULL;
	if (!mail_named(ctl, &mail, err))
		return false;
	struct templates *templates = templates_load_set(ctl->settings, NULL, NULL, NULL);
	const struct template_source *source = template_sources_find(
	        templates_sources(templates), mail, locale != NULL ? locale : "", html);
	bool ok = source != NULL && source->text != NULL;
	if (ok)
		print_source(ctl, source);
	else if (source != NULL)
		(void)error_set(err, EX_IOERR, "%s", source->fault);
	else
		(void)error_set(err, EX_NOINPUT, "%s has no HTML: it goes as text alone", mail);
	templates_unref(templates);
	return ok;
}

/* ---- check ---- */

static bool template_run_check(struct ctl *ctl, struct error *err)
{
	json_t *findings;
	const json_t *finding;
	size_t i;
	if (!check_template_set(ctl->settings, &findings, err))
		return false;
	json_array_foreach(findings, i, finding)
	{
		table_value(output_text(ctl->out), json_object_get(finding, "text"));
		buf_addc(output_text(ctl->out), '\n');
	}
	if (json_array_size(findings) == 0)
		output_print(ctl->out, "no problems found");
	ctl->status = json_array_size(findings) > 0;
	output_document(ctl->out, findings);
	return true;
}

/* ---- preview and send ---- */

static struct outgoing_mail *make_preview(struct ctl *ctl, struct error *err)
{
	struct change_context ignored;
	struct preview preview = {.locale = ctl_option(ctl, "locale"), .now = ctl->now};
	const char *customer = ctl_option(ctl, "customer");
	if (!mail_named(ctl, &preview.mail, err))
		return NULL;
	if (customer == NULL) {
		(void)error_set(err, EX_USAGE,
		                "template %s needs --customer NUMBER: whose mail is it?",
		                ctl->command->verb);
		return NULL;
	}
	if (!store_open(ctl, DB_READ, &ignored, err))
		return NULL;
	preview.customer = overview_number(store_overview(ctl), customer);
	return preview_mail(ctl->settings, ctl->store, &preview, err);
}

/* A header's value as its reader gets it, in the arena. */
static const char *header_value(const struct ctl *ctl, const struct buf *value)
{
	const char *text = buf_text(value) + strspn(buf_text(value), " \t");
	size_t len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	return arena_strndup(ctl->arena, text, len);
}

static void print_headers(struct ctl *ctl, const char *subject, const char *reply_to)
{
	struct buf *out = output_text(ctl->out);
	buf_printf(out, "Subject: %s\n", subject);
	if (*reply_to != '\0')
		buf_printf(out, "Reply-To: %s\n", reply_to);
	buf_addc(out, '\n');
}

static void print_mail(struct ctl *ctl, const struct outgoing_mail *outgoing,
                       struct templates_mail *mail)
{
	const char *subject = header_value(ctl, &mail->subject);
	const char *reply_to = header_value(ctl, &mail->reply_to);
	bool html = ctl_option(ctl, "html") != NULL;
	templates_mail_read(mail);
	if (!html)
		print_headers(ctl, subject, reply_to);
	buf_adds(output_text(ctl->out), buf_text(html ? &mail->html : &mail->text));
	if (output_json(ctl->out))
		output_document(ctl->out,
		                json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*}", "to", outgoing->to,
		                          "locale", outgoing->locale, "subject", subject,
		                          "reply_to", reply_to, "text", buf_text(&mail->text),
		                          "html", mail->has_html ? buf_text(&mail->html) : NULL));
}

/* What is broken is a fault here, though a customer's mail would go with the built-in template. */
static bool render_preview(struct ctl *ctl, const struct outgoing_mail *outgoing, struct error *err)
{
	struct templates_mail mail = {0};
	bool broken = false;
	struct templates *templates = templates_load_set(ctl->settings, NULL, NULL, NULL);
	struct dates *dates = dates_new();
	bool ok =
	        templates_render_parts(templates, dates, outgoing, &mail, &broken, err) && !broken;
	if (ok && ctl_option(ctl, "html") != NULL && !mail.has_html)
		ok = error_set(err, EX_NOINPUT, "%s has no HTML: it goes as text alone",
		               outgoing->template);
	if (ok)
		print_mail(ctl, outgoing, &mail);
	templates_mail_clear(&mail);
	dates_free(dates);
	templates_unref(templates);
	return ok;
}

static bool template_run_preview(struct ctl *ctl, struct error *err)
{
	struct outgoing_mail *outgoing = make_preview(ctl, err);
	bool ok = outgoing != NULL && render_preview(ctl, outgoing, err);
	outgoing_mail_free(outgoing);
	return ok;
}

/* Of the relays the last one tried has it, if one has. */
static void print_sent(struct ctl *ctl, const json_t *relays, const char *to)
{
	size_t i;
	const json_t *relay;
	ctl->status = EX_UNAVAILABLE;
	json_array_foreach(relays, i, relay)
	{
		if (!json_is_true(json_object_get(relay, "ok"))) {
			relay_print(ctl, relay);
			continue;
		}
		output_print(ctl->out, "sent to %s by %s", to,
		             json_string_value(json_object_get(relay, "relay")));
		ctl->status = 0;
	}
}

static bool send_preview(struct ctl *ctl, const struct outgoing_mail *outgoing, const char *to,
                         struct error *err)
{
	struct actor actor;
	json_t *answer = NULL;
	if (!actor_find(ctl, &actor, err))
		return false;
	json_t *request = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "do",
	                            control_request_verb(REQUEST_TEMPLATE_SEND), "by", actor.user,
	                            "to", to, "template", outgoing->template, "locale",
	                            outgoing->locale, "timezone", outgoing->timezone, "name",
	                            outgoing->to_name, "context", outgoing->context);
	enum control_answer kind = control_ask(ctl->settings, request, &answer, err);
	json_decref(request);
	if (kind != CONTROL_ANSWERED)
		return false;
	json_t *relays = json_object_get(answer, "relays");
	print_sent(ctl, relays, to);
	output_document(ctl->out, json_incref(relays));
	json_decref(answer);
	return true;
}

static bool template_run_send(struct ctl *ctl, struct error *err)
{
	const char *to = ctl_option(ctl, "to");
	if (to == NULL)
		return error_set(err, EX_USAGE,
		                 "template send needs --to ADDRESS: it never goes to the customer");
	if (!address_check(to, err))
		return error_prefix(err, "--to");
	struct outgoing_mail *outgoing = make_preview(ctl, err);
	bool ok = outgoing != NULL && send_preview(ctl, outgoing, to, err);
	outgoing_mail_free(outgoing);
	return ok;
}

/* ---- render ---- */

static bool template_run_render(struct ctl *ctl, struct error *err)
{
	const char *data = ctl_option(ctl, "data");
	if (data == NULL)
		return error_set(err, EX_USAGE,
		                 "template render needs --data FILE, a file with a JSON object");
	struct buf text = {0};
	const struct template_print print = {.file = ctl_arg(ctl, 0),
	                                     .data_file = data,
	                                     .html = ctl_option(ctl, "html") != NULL,
	                                     .complete = context_complete};
	bool ok = template_print(&print, &text, err);
	if (ok)
		buf_add(output_text(ctl->out), text.data, text.len);
	if (ok && output_json(ctl->out))
		output_document(ctl->out, json_pack("{s:s%}", "text", buf_text(&text), text.len));
	buf_free(&text);
	return ok;
}

#define LOCALE_OPTION                                                                              \
	{                                                                                          \
		.name = "locale", .value = "LOCALE",                                               \
		.help = "for a reader of that locale, fr-CA, say"                                  \
	}

static const struct option show_options[] = {
        LOCALE_OPTION,
        {.name = "html", .help = "the HTML instead of the text"},
        {0},
};

static const struct option preview_options[] = {
        {.name = "customer", .value = "NUMBER", .help = "whose mail it is (required)"},
        LOCALE_OPTION,
        {.name = "html", .help = "the HTML instead of the text"},
        {0},
};

static const struct option send_options[] = {
        {.name = "customer", .value = "NUMBER", .help = "whose mail it is (required)"},
        {.name = "to", .value = "ADDRESS", .help = "where it goes (required)"},
        LOCALE_OPTION,
        {0},
};

static const struct option render_options[] = {
        {.name = "data",
         .value = "FILE",
         .help = "a file with a JSON object, the data for the template (required)"},
        {.name = "html", .help = "escape values for HTML; partials are NAME.html"},
        {0},
};

#define USES_PREVIEW "customers rules company office mail.templates mail.from " USES_SPOOL

static const struct command commands[] = {
        {.verb = "show",
         .args = "STATE",
         .options = show_options,
         .uses = "mail.templates",
         .help = "Shows the template of a mail as it is in its file",
         .examples = "template show completed\ntemplate show completed --locale fr-CA --html",
         .run = template_run_show},
        {.verb = "check",
         .uses = "mail.templates " USES_SPOOL,
         .help = "Names what is wrong with templates and catalogues, and each name that nothing "
                 "provides",
         .more = "The exit status is 1 if it found something.",
         .examples = "template check",
         .run = template_run_check},
        {.verb = "preview",
         .args = "STATE",
         .options = preview_options,
         .uses = USES_PREVIEW,
         .help = "Shows a mail as a customer would get it: the records are the customer's, the job "
                 "is made up",
         .more = "A template that breaks is a fault here (65); a customer's mail would go with the "
                 "built-in one.",
         .examples = "template preview completed --customer 1001\n"
                     "template preview failed --customer 1001 --locale de --html",
         .run = template_run_preview},
        {.verb = "send",
         .args = "STATE",
         .options = send_options,
         .uses = USES_PREVIEW,
         .help = "Sends such a mail to an address of yours, never to the customer",
         .more = "dispatchd does it, with the templates that it uses now, by the first relay that "
                 "takes the mail. No record, count or outcome knows of it. The exit status is 69 "
                 "where no relay takes it, 75 while another one, or a test of the relays, is under "
                 "way.",
         .examples = "template send completed --customer 1001 --to me@example.com",
         .run = template_run_send},
        {.verb = "render",
         .args = "FILE",
         .options = render_options,
         .help = "Renders a Mustache file with JSON data; {{> name}} is the file name.txt beside "
                 "it",
         .examples = "template render templates/completed.txt --data sample.json\n"
                     "template render templates/completed.html --data sample.json --html",
         .run = template_run_render},
};

const struct noun noun_template = {
        .name = "template", .help = "try out templates", COMMANDS(commands)};
