/* SPDX-License-Identifier: MIT */
/*
 * Help, from the rows. Its three levels look alike: usage, what it does, options, examples to
 * copy.
 */
#include "dispatchctl/help.h"

#include "base/buf.h"
#include "dispatchctl/base/command_options.h"
#include "dispatchctl/registry.h"

#include <string.h>

enum { LEFT = 34, WIDTH_MAX = 110 };

static unsigned line_limit(const struct ctl *ctl)
{
	unsigned width = output_look(ctl->out)->width;
	return width == 0 || width > WIDTH_MAX ? WIDTH_MAX : width;
}

/* A left column and a sentence beside it, or on the next line if the left one is too long. */
static void pair(const struct ctl *ctl, const char *left, const char *right, unsigned column)
{
	struct buf *out = output_text(ctl->out);
	unsigned limit = line_limit(ctl);
	unsigned width = text_width(left);
	buf_printf(out, "  %s", left);
	if (width + 2 > column)
		buf_printf(out, "\n%*s", (int)column + 2, "");
	else
		buf_printf(out, "%*s", (int)(column - width), "");
	text_add_wrapped(out, right, column + 2, limit > column + 22 ? limit - column - 2 : 20);
	buf_addc(out, '\n');
}

static void paragraph(const struct ctl *ctl, const char *text)
{
	buf_addc(output_text(ctl->out), '\n');
	text_add_wrapped(output_text(ctl->out), text, 0, line_limit(ctl));
	buf_addc(output_text(ctl->out), '\n');
}

static void heading(const struct ctl *ctl, const char *text)
{
	const struct look *look = output_look(ctl->out);
	buf_printf(output_text(ctl->out), "\n%s%s%s\n", look_bold(look), text, look_plain(look));
}

static void print_options(const struct ctl *ctl, const struct option *options)
{
	for (; options->name != NULL; options++) {
		const char *letter =
		        options->letter ? arena_printf(ctl->arena, "-%c, ", options->letter) : "";
		const char *left = arena_printf(ctl->arena, "%s--%s%s%s", letter, options->name,
		                                options->value ? " " : "",
		                                options->value ? options->value : "");
		pair(ctl, left, options->help, LEFT);
	}
}

static void print_examples(const struct ctl *ctl, const char *examples)
{
	if (examples == NULL)
		return;
	heading(ctl, "Examples");
	while (*examples != '\0') {
		size_t len = strcspn(examples, "\n");
		buf_printf(output_text(ctl->out), "  dispatchctl %.*s\n", (int)len, examples);
		examples += len + (examples[len] == '\n');
	}
}

static void help_command(const struct ctl *ctl)
{
	const struct command *command = ctl->command;
	const struct option *options = command_options(command, ctl->arena);
	output_print(ctl->out, "dispatchctl %s%s", command_usage(ctl->noun, command, ctl->arena),
	             options->name ? " [OPTION...]" : "");
	paragraph(ctl, arena_printf(ctl->arena, "%s.", command->help));
	if (command->more != NULL)
		paragraph(ctl, command->more);
	if (options->name != NULL) {
		heading(ctl, "Options");
		print_options(ctl, options);
	}
	print_examples(ctl, command->examples);
}

static void help_noun(const struct ctl *ctl)
{
	output_print(ctl->out, "dispatchctl %s VERB: %s.", ctl->noun->name, ctl->noun->help);
	heading(ctl, "Commands");
	for (size_t i = 0; i < ctl->noun->n; i++)
		pair(ctl, command_usage(ctl->noun, &ctl->noun->commands[i], ctl->arena),
		     ctl->noun->commands[i].help, LEFT);
	struct buf examples = {0};
	for (size_t i = 0; i < ctl->noun->n; i++) {
		const char *text = ctl->noun->commands[i].examples;
		if (text != NULL)
			buf_printf(&examples, "%.*s\n", (int)strcspn(text, "\n"), text);
	}
	if (examples.len > 0)
		print_examples(ctl, examples.data);
	buf_free(&examples);
	output_print(ctl->out, "\nSee dispatchctl %s VERB --help for details.", ctl->noun->name);
}

static const char overview_examples[] =
        "customer add 1001 --name \"Example Bakery\" --email orders@example.com\n"
        "hours set 1001 mon-fri 07:00-12:00,13:00-17:00\n"
        "suspension add 1001 --until +14d --note \"Shop is being rebuilt\"\n"
        "job show 4711 --customer 1001\n"
        "mail list --status failed";

static void help_program(const struct ctl *ctl)
{
	output_print(ctl->out, "dispatchctl [-c FILE] [--json] NOUN VERB ...: customer data, mails "
	                       "and the daemon of dispatchd.");
	heading(ctl, "Nouns");
	size_t n;
	const struct noun *const *all = nouns_all(&n);
	for (size_t i = 0; i < n; i++)
		pair(ctl, all[i]->name, all[i]->help, 16);
	heading(ctl, "Options of every command");
	print_options(ctl, options_global);
	print_examples(ctl, overview_examples);
	output_print(ctl->out,
	             "\nSee dispatchctl NOUN --help, dispatchctl NOUN VERB --help, and man "
	             "dispatchctl.");
}

void help_print(const struct ctl *ctl)
{
	if (ctl->command != NULL)
		help_command(ctl);
	else if (ctl->noun != NULL)
		help_noun(ctl);
	else
		help_program(ctl);
}

/* Calls `each` for every command. */
static void each_command(const struct ctl *ctl,
                         void (*each)(const struct ctl *, const struct noun *,
                                      const struct command *))
{
	size_t n;
	const struct noun *const *all = nouns_all(&n);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < all[i]->n; k++)
			each(ctl, all[i], &all[i]->commands[k]);
}

static void list_command(const struct ctl *ctl, const struct noun *noun,
                         const struct command *command)
{
	struct buf *out = output_text(ctl->out);
	buf_printf(out, "%s\t%s\t", command_name(noun, command, ctl->arena),
	           command->args ? command->args : "");
	const struct option *options = command_options(command, ctl->arena);
	for (const struct option *o = options; o->name != NULL; o++)
		buf_printf(out, "%s--%s%s%s", o > options ? "," : "", o->name, o->value ? "=" : "",
		           o->value ? o->value : "");
	buf_printf(out, "\t%s\n", command->help);
}

void help_list_commands(const struct ctl *ctl)
{
	each_command(ctl, list_command);
}

/* Text for mdoc, in which a leading dot or quote and the backslash are special. */
static void roff(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (i == 0 && (text[i] == '.' || text[i] == '\''))
			buf_adds(out, "\\&");
		if (text[i] == '\\')
			buf_adds(out, "\\e");
		else if (text[i] == '-')
			buf_adds(out, "\\-");
		else
			buf_addc(out, text[i]);
	}
}

static void manual_command(const struct ctl *ctl, const struct noun *noun,
                           const struct command *command)
{
	struct buf *out = output_text(ctl->out);
	const char *usage = command_usage(noun, command, ctl->arena);
	buf_adds(out, ".It Xo\n.Sy ");
	roff(out, usage, strcspn(usage, "[ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
	const char *args = usage + strcspn(usage, "[ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	if (*args != '\0') {
		buf_adds(out, "\n.No ");
		roff(out, args, strlen(args));
	}
	buf_adds(out, "\n.Xc\n");
	roff(out, command->help, strlen(command->help));
	buf_adds(out, ".\n");
	if (command->more != NULL) {
		roff(out, command->more, strlen(command->more));
		buf_addc(out, '\n');
	}
	const struct option *options = command_options(command, ctl->arena);
	if (options->name == NULL)
		return;
	buf_adds(out, "Options:\n");
	for (const struct option *o = options; o->name != NULL; o++) {
		buf_adds(out, ".Fl \\-");
		roff(out, o->name, strlen(o->name));
		if (o->value != NULL) {
			buf_adds(out, " Ar ");
			roff(out, o->value, strlen(o->value));
		}
		buf_adds(out, o[1].name ? " ,\n" : " .\n");
	}
}

void help_print_manual(const struct ctl *ctl)
{
	each_command(ctl, manual_command);
}
