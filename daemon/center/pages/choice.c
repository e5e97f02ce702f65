/* SPDX-License-Identifier: MIT */
#include "center/pages/choice.h"

#include <string.h>

void choice_add(json_t *choices, const char *value, const char *label, const char *chosen)
{
	json_array_append_new(choices, json_pack("{s:s, s:s, s:b}", "value", value, "label", label,
	                                         "selected", chosen && strcmp(value, chosen) == 0));
}
