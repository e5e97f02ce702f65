/* SPDX-License-Identifier: MIT */
#include "ctl/complete_data.h"

void complete_data(struct ctl *ctl, const struct noun *noun, const char *what, const char *typed)
{
	(void)ctl;
	(void)noun;
	(void)what;
	(void)typed;
}
