/* SPDX-License-Identifier: MIT */
/* Input: what Redis says. However it is cut, the verdict is the same, and what passes stays within
 * the limits. */
#include "base/resp.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct resp whole = {0}, cut = {0};
	const char *fault = resp_scan(&whole, (const char *)data, size), *other = NULL;
	for (size_t i = 0; i < size && !other; i++)
		other = resp_scan(&cut, (const char *)data + i, 1);
	if (fault != other)
		abort();
	if (!fault && (whole.depth > RESP_DEPTH_MAX || whole.parts > RESP_PARTS_MAX ||
	               whole.depth != cut.depth || whole.state != cut.state ||
	               whole.parts != cut.parts || whole.bytes != cut.bytes))
		abort();
	return 0;
}
