/* SPDX-License-Identifier: MIT */
#include "engine/stats.h"

static const double bounds[HISTOGRAM_BUCKETS] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.1,
                                                 0.5,   1,      5,     30,   300,   3600};

void histogram_add(struct histogram *histogram, double seconds)
{
	size_t i = 0;
	while (i < HISTOGRAM_BUCKETS && seconds > bounds[i])
		i++;
	histogram->counts[i]++;
	histogram->sum_s += seconds;
}

void histogram_print(const struct histogram *histogram, enum metric metric, struct buf *out)
{
	uint64_t total = 0;
	const char *name = metric_name(metric);
	metric_head(out, metric);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		total += histogram->counts[i];
		buf_printf(out, "%s_bucket{le=\"%g\"} %llu\n", name, bounds[i],
		           (unsigned long long)total);
	}
	total += histogram->counts[HISTOGRAM_BUCKETS];
	buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", name,
	           (unsigned long long)total, name, histogram->sum_s, name,
	           (unsigned long long)total);
}
