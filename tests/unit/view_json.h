/* SPDX-License-Identifier: MIT */
#ifndef VIEW_JSON_H
#define VIEW_JSON_H

#include "base/jsonview.h"

#include <jansson.h>

/* All that can be read of a view, with what is behind its objects. The caller's reference. */
json_t *view_json(const struct jsonview *view);

#endif
