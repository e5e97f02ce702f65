/* SPDX-License-Identifier: MIT */
/*
 * Input: the parts of a mail, a NUL between them. Whatever they hold, the mail is CRLF only, 7-bit,
 * in lines of at most 998, and its header has the names that it should have, once.
 */
#include "mail/compose.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS = 9, LINE_LIMIT = 998, ADDRESS_SIZE = 254 };

static void check_bytes(const struct buf *out)
{
	size_t line = 0;
	for (size_t i = 0; i < out->len; i++) {
		unsigned char c = (unsigned char)out->data[i];
		if (c == '\n' && (i == 0 || out->data[i - 1] != '\r'))
			abort();
		if (c == '\r' && out->data[i + 1] != '\n')
			abort();
		if (c > '~' || (c < ' ' && c != '\r' && c != '\n' && c != '\t'))
			abort();
		line = c == '\n' ? 0 : line + 1;
		if (line > LINE_LIMIT)
			abort();
	}
	if (out->len < 2 || out->data[out->len - 1] != '\n')
		abort();
}

static void check_headers(const char *mail)
{
	static const char *const names[] = {"Date:",
	                                    "From:",
	                                    "To:",
	                                    "Reply-To:",
	                                    "Subject:",
	                                    "Message-ID:",
	                                    "In-Reply-To:",
	                                    "References:",
	                                    "Auto-Submitted:",
	                                    "X-Auto-Response-Suppress:",
	                                    "X-Dispatchd-Job:",
	                                    "MIME-Version:",
	                                    "Content-Type:",
	                                    "Content-Transfer-Encoding:"};
	enum { NAMES = sizeof names / sizeof *names };
	size_t seen[NAMES] = {0};
	for (; *mail != '\r'; mail = strchr(mail, '\n') + 1) {
		size_t i = 0;
		if (*mail == ' ')
			continue;
		while (i < NAMES && strncmp(mail, names[i], strlen(names[i])) != 0)
			i++;
		if (i == NAMES || seen[i]++ > 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), *parts[PARTS];
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	char *p = copy;
	for (size_t i = 0; i < PARTS; i++) {
		parts[i] = p;
		p += strlen(p);
		p += p < copy + size;
	}
	for (size_t i = 2; i < 4; i++) /* addresses and identifiers are short */
		parts[i][strnlen(parts[i], ADDRESS_SIZE)] = '\0';
	const char *jobs[] = {parts[7]};
	const struct compose_mail mail = {
	        .from_name = parts[0],
	        .from = "dispatch@example.com",
	        .to_name = parts[1],
	        .to = "rosa@example.com",
	        .reply_to_name = parts[0],
	        .reply_to = "office@example.com",
	        .subject = parts[4],
	        .message_id = parts[2],
	        .thread_id = parts[3],
	        .made = {(int64_t)size * 1000000007},
	        .jobs = jobs,
	        .n_jobs = 1,
	        .text = parts[5],
	        .html = size % 2 == 0 ? parts[6] : NULL,
	};
	struct buf out = {0};
	compose_mail(&mail, &out);
	check_bytes(&out);
	check_headers(out.data);
	buf_free(&out);
	free(copy);
	return 0;
}
