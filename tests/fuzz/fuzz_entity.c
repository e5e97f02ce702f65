/* SPDX-License-Identifier: MIT */
/*
 * A reply from anybody, as it is sent on: whatever it is, what is made of it is an entity that can
 * stand behind a header of ours, by the daemon's own rule.
 */
#include "bounce/read/entity.h"
#include "bounce/read/mime.h"
#include "mail/forward.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static bool started;
	struct buf out = {0};
	struct error err;
	if (!started)
		mime_start();
	started = true;
	entity_write((const char *)bytes, size, &out);
	if (!forward_check(out.data, out.len, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		abort();
	}
	buf_free(&out);
	return 0;
}
