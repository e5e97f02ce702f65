/* SPDX-License-Identifier: MIT */
/* Input: a configuration file. Each fault is one printable line that names the file; without a
 * fault there are settings, and no text in them is NULL. */
#include "base/utf8.h"
#include "model/settings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char file[64];
static int fd = -1;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void on_fault(void *arg, const char *text)
{
	++*(size_t *)arg;
	must(strncmp(text, file, strlen(file)) == 0 && text[strlen(file)] == ':');
	must(utf8_valid(text, strlen(text)) && !utf8_has_control(text, strlen(text)));
}

/* The file is in memory alone; nothing called conf.d is beside it. */
static void write_file(const uint8_t *data, size_t size)
{
	if (fd < 0) {
		fd = memfd_create("conf", 0);
		must(fd >= 0);
		(void)snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
	}
	must(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t faults = 0;
	int code = 0;
	write_file(data, size);
	struct settings *settings = settings_read(file, NULL, on_fault, &faults, &code);
	must(settings != NULL && (code != 0) == (faults > 0));
	must(settings->redis.url && settings->mail.from && settings->smtp.relay[0] &&
	     settings->company.name);
	must(settings->redis.max_event_size > 0 && settings->smtp.connections > 0 &&
	     settings->smtp.rate >= 0);
	(void)settings_free(settings);
	return 0;
}
