/* SPDX-License-Identifier: MIT */
/*
 * A mail that came back, from anybody: whatever is in it, what is said of it is text that is safe
 * to show, within its limits, and nobody is marked by a mail that is no failure.
 */
#include "base/utf8.h"
#include "bounce/read/mime.h"
#include "bounce/read/print.h"
#include "mail/token.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void must_be_line(const char *text, size_t max)
{
	size_t len = strlen(text);
	must(len <= max && utf8_valid(text, len) && !utf8_has_control(text, len));
}

static void check_recipient(const struct mail_report *report,
                            const struct mail_report_recipient *recipient)
{
	must(recipient->address[0] != '\0');
	must_be_line(recipient->address, MAIL_REPORT_ADDRESS_MAX);
	must_be_line(recipient->final, MAIL_REPORT_ADDRESS_MAX);
	must_be_line(recipient->diagnostic, MAIL_REPORT_DIAGNOSTIC_MAX);
	must_be_line(recipient->why, MAIL_REPORT_DIAGNOSTIC_MAX);
	must(recipient->verdict == MAIL_REPORT_NONE ||
	     (report->kind == MAIL_REPORT_FAILED &&
	      recipient->action == MAIL_REPORT_ACTION_FAILED));
	/* Only what is final makes an address gone. */
	must(recipient->verdict != MAIL_REPORT_GONE || recipient->status.reply / 100 != 4);
}

static void check(const struct mail_report *report)
{
	must(report->n_recipients <= MAIL_REPORT_RECIPIENTS_MAX);
	must_be_line(report->message_id, 500);
	must_be_line(report->envelope_id, 4000);
	must_be_line(report->returned_path, MAIL_REPORT_ADDRESS_MAX);
	must_be_line(report->from, MAIL_REPORT_ADDRESS_MAX);
	must(strlen(report->token) == 0 || strlen(report->token) == TOKEN_LENGTH);
	must_be_line(report->feedback, 4000);
	for (size_t i = 0; i < report->n_recipients; i++)
		check_recipient(report, &report->recipients[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static bool started;
	if (!started)
		mime_start();
	started = true;
	struct arena *arena = arena_new();
	struct mail_report_mail mail;
	struct mail_report report;
	struct buf out = {0};
	mime_read((const char *)bytes, size, arena, &mail);
	must(mail.n_parts <= MAIL_REPORT_PARTS_MAX);
	mail_report_read(&mail, arena, &report);
	check(&report);
	print_report(&out, &report, true);
	must(out.len > 2 && out.data[out.len - 1] == '\n');
	buf_free(&out);
	(void)arena_free(arena);
	return 0;
}
