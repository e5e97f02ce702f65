/* SPDX-License-Identifier: MIT */
#include "common/no_core.h"

#include <sys/prctl.h>

void no_core(void)
{
	/* LeakSanitizer attaches to its own process. */
#ifndef __SANITIZE_ADDRESS__
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
}
