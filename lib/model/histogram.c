/* SPDX-License-Identifier: MIT */
#include "model/histogram.h"

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

/* `labels` are those besides the bound, each with its comma; `alone` the same for a sample without
 * a bound. */
static void print_samples(const struct histogram *histogram, const char *name, const char *labels,
                          const char *alone, struct buf *out)
{
	uint64_t total = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		total += histogram->counts[i];
		buf_printf(out, "%s_bucket{%sle=\"%g\"} %llu\n", name, labels, bounds[i],
		           (unsigned long long)total);
	}
	total += histogram->counts[HISTOGRAM_BUCKETS];
	buf_printf(out, "%s_bucket{%sle=\"+Inf\"} %llu\n%s_sum%s %.6f\n%s_count%s %llu\n", name,
	           labels, (unsigned long long)total, name, alone, histogram->sum_s, name, alone,
	           (unsigned long long)total);
}

void histogram_print(const struct histogram *histogram, enum metric metric, struct buf *out)
{
	metric_head(out, metric);
	print_samples(histogram, metric_name(metric), "", "", out);
}

void histogram_samples(const struct histogram *histogram, enum metric metric, const char *name,
                       const char *value, struct buf *out)
{
	struct buf labels = {0}, alone = {0};
	metric_label(&labels, name, value);
	buf_printf(&alone, "{%s}", buf_text(&labels));
	buf_addc(&labels, ',');
	print_samples(histogram, metric_name(metric), buf_text(&labels), buf_text(&alone), out);
	buf_free(&labels);
	buf_free(&alone);
}
