/* SPDX-License-Identifier: MIT */
/*
 * The log. A line is made whole in memory and goes out in one write, so that lines of several
 * threads never mix; a peer's bytes can't break a line or reach a terminal as control characters.
 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "dispatchd/sys/log.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "dispatchd/sys/repeats.h"
#include "model/message.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 4000,
	LIMITED_MAX_BYTES = LINE_MAX_BYTES - 64, /* leaves room for how often it came */
	FIELDS_MAX = 24,
	PLACE_WAIT_MS = 100,
};
_Static_assert(LINE_MAX_BYTES + 90 < PIPE_BUF, "a line and its prefix are written at once");

static const struct {
	const char *name;
	int number;
} levels[] = {
        {.name = "emergency", .number = LOG_EMERG}, {.name = "alert", .number = LOG_ALERT},
        {.name = "critical", .number = LOG_CRIT},   {.name = "error", .number = LOG_ERR},
        {.name = "warning", .number = LOG_WARNING}, {.name = "notice", .number = LOG_NOTICE},
        {.name = "info", .number = LOG_INFO},       {.name = "debug", .number = LOG_DEBUG},
};

static atomic_int lowest = LOG_INFO;
/* Set once by log_start() before there are threads. */
static bool to_journal, lowest_fixed;

static pthread_mutex_t stderr_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned lines_lost; /* under that lock: since the last one that was written */

/* -1 where there is none. */
static int level_find(const char *name)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (!strcmp(levels[i].name, name))
			return levels[i].number;
	return -1;
}

/* systemd sets $JOURNAL_STREAM to device:inode of the socket; standard error may have been
 * redirected since. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == device && st.st_ino == inode;
}

void log_start(void)
{
	const char *wanted = getenv("DISPATCHD_LOG");
	int level = wanted ? level_find(wanted) : -1;
	lowest_fixed = level >= 0;
	if (lowest_fixed)
		lowest = level;
	to_journal = stderr_is_journal();
}

void log_set_level(int level)
{
	if (!lowest_fixed)
		lowest = level;
}

bool log_takes(int level)
{
	return message_level(level) <= lowest;
}

/* The reader of standard error may have stopped: the loop must not wait for it. A slow one gets a
 * little time, and lines that don't fit then are dropped and counted. Under the lock, so that
 * nobody else takes the place that was found: a pipe that can be written has room for PIPE_BUF
 * bytes. */
static bool has_place(void)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	int rc;
	do
		rc = poll(&out, 1, lines_lost ? 0 : PLACE_WAIT_MS);
	while (rc < 0 && errno == EINTR);
	lines_lost += rc == 0;
	return rc != 0;
}

static void write_stderr(int level, const char *text)
{
	char line[PIPE_BUF];
	int len = 0;
	pthread_mutex_lock(&stderr_lock);
	if (has_place()) {
		if (lines_lost)
			len = snprintf(line, sizeof(line),
			               "warning: lines of the log were dropped n=%u\n", lines_lost);
		lines_lost = 0;
		len += snprintf(line + len, sizeof(line) - (size_t)len, "%s: %s\n",
		                levels[level & LOG_PRIMASK].name, text);
		/* There is nowhere to report a failure of this. */
		if (write(STDERR_FILENO, line, (size_t)len) < 0)
			lines_lost = 0;
	}
	pthread_mutex_unlock(&stderr_lock);
}

/* The word at `p` if it is KEY=VALUE: its end, with the journal's spelling added to `out`; else
 * NULL. */
static const char *journal_field(const char *p, struct buf *out)
{
	size_t key = strspn(p, "abcdefghijklmnopqrstuvwxyz_");
	if (!key || key > 40 || p[key] != '=')
		return NULL;
	buf_adds(out, "DISPATCHD_");
	for (size_t i = 0; i < key; i++)
		buf_addc(out, (char)toupper((unsigned char)p[i]));
	buf_addc(out, '=');
	p += key + 1;
	bool quoted = *p == '"';
	size_t len = quoted ? strcspn(++p, "\"") : strcspn(p, " ");
	/* What ends a part of the sentence isn't the value's. */
	bool goes_on = !quoted && len > 0 && p[len] == ' ' && strchr(":;,", p[len - 1]);
	buf_add(out, p, goes_on ? len - 1 : len);
	p += len;
	return quoted && *p ? p + 1 : p;
}

/* Every KEY=VALUE of the line as a field. `fields` own their bytes. Returns how many there are. */
static size_t journal_fields(const char *text, struct buf *fields, size_t max)
{
	size_t n = 0;
	for (const char *p = text; *p && n < max;) {
		const char *end = journal_field(p, &fields[n]);
		if (end)
			n++;
		else
			end = p + strcspn(p, " ");
		p = end + strspn(end, " ");
	}
	return n;
}

static void write_journal(int level, const char *text)
{
	struct buf fields[FIELDS_MAX + 4] = {0};
	struct iovec parts[FIELDS_MAX + 4];
	const char *id = message_id(level);
	buf_printf(&fields[0], "MESSAGE=%s", text);
	buf_printf(&fields[1], "PRIORITY=%d", level & LOG_PRIMASK);
	buf_adds(&fields[2], "SYSLOG_IDENTIFIER=dispatchd");
	size_t n = 3;
	if (id)
		buf_printf(&fields[n++], "MESSAGE_ID=%s", id);
	n += journal_fields(text, fields + n, FIELDS_MAX);
	for (size_t i = 0; i < n; i++)
		parts[i] = (struct iovec){.iov_base = fields[i].data, .iov_len = fields[i].len};
	if (sd_journal_sendv(parts, (int)n) < 0)
		write_stderr(level, text);
	for (size_t i = 0; i < n; i++)
		buf_free(&fields[i]);
}

static void write_line(int level, const char *foreign)
{
	char text[LINE_MAX_BYTES];
	(void)utf8_show(foreign, text, sizeof(text));
	if (to_journal)
		write_journal(level, text);
	else
		write_stderr(level, text);
}

void log_write(int level, const char *fmt, ...)
{
	if (!log_takes(level))
		return;
	char text[LINE_MAX_BYTES];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	write_line(level, text);
}

/* More different lines than can be told apart. */
static void write_overflow(void)
{
	unsigned n = repeats_overflow();
	if (n > 0)
		log_write(LOG_WARNING, "more faults than can be listed were not logged n=%u", n);
}

/* `text` has LINE_MAX_BYTES, of which LIMITED_MAX_BYTES are used. */
static void write_limited(int level, uint64_t key, char *text)
{
	unsigned kept_back;
	write_overflow();
	if (!repeats_due(key, level, text, &kept_back))
		return;
	if (kept_back)
		snprintf(text + strlen(text), LINE_MAX_BYTES - LIMITED_MAX_BYTES,
		         " (and %u times before)", kept_back);
	write_line(level, text);
}

void log_fault(int level, const char *fmt, ...)
{
	if (!log_takes(level))
		return;
	char text[LINE_MAX_BYTES];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, LIMITED_MAX_BYTES, fmt, args);
	va_end(args);
	write_limited(level, repeats_key(text), text);
}

void log_state(int level, const char *about, const char *fmt, ...)
{
	if (!log_takes(level))
		return;
	char text[LINE_MAX_BYTES];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, LIMITED_MAX_BYTES, fmt, args);
	va_end(args);
	write_limited(level, repeats_key(fmt) ^ repeats_key(about) << 1, text);
}

static void write_last(const struct repeats_line *line)
{
	char text[LINE_MAX_BYTES], before[40] = "";
	if (!log_takes(line->level))
		return;
	if (line->before)
		snprintf(before, sizeof(before), ", and %u times before", line->before);
	snprintf(text, sizeof(text), "%s (%" PRId64 " s ago%s)", line->text,
	         (line->ago_ms + 500) / 1000, before);
	write_line(line->level, text);
}

void log_last(void)
{
	struct repeats_line line;
	write_overflow();
	while (repeats_last(&line)) {
		write_last(&line);
		free(line.text);
	}
}
