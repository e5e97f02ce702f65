/* SPDX-License-Identifier: MIT */
/* `template render`: renders a template with given data, for people who write templates. */
#include "dispatchctl/nouns/nouns.h"

#include "dispatchctl/base/ctl.h"
#include "mail/context.h"
#include "template/print.h"

#include <sysexits.h>

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

static const struct option render_options[] = {
        {.name = "data",
         .value = "FILE",
         .help = "a file with a JSON object, the data for the template (required)"},
        {.name = "html", .help = "escape values for HTML; partials are NAME.html"},
        {0},
};

static const struct command commands[] = {
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
