/* SPDX-License-Identifier: MIT */
/* Prints what is made from the table of keys: `generate sample` or `generate manual`. Used by make
 * alone. */
#include "model/settings.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "sample") == 0)
		settings_print_sample(stdout);
	else if (argc == 2 && strcmp(argv[1], "manual") == 0)
		settings_print_manual(stdout);
	else
		return EX_USAGE;
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}
