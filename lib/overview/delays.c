/* SPDX-License-Identifier: MIT */
#include "overview/delays.h"

#include "base/jsontext.h"

bool feed_is_behind(const json_t *feed, struct instant now, int64_t limit_ms)
{
	struct instant oldest;
	return instant_parse(jsontext_at(feed, "oldest"), &oldest) && now.ms - oldest.ms > limit_ms;
}

bool feed_has_lost(const json_t *feed, struct instant now)
{
	struct instant last;
	return json_integer_value(json_object_get(feed, "lost")) > 0 &&
	       (!instant_parse(jsontext_at(feed, "lost_at"), &last) ||
	        now.ms - last.ms <= LOSS_PROBLEM_MS);
}
