/* SPDX-License-Identifier: MIT */
#ifndef MODEL_HISTOGRAM_H
#define MODEL_HISTOGRAM_H

#include "base/buf.h"
#include "model/metric.h"

#include <stdint.h>

/* How long things took, as Prometheus counts it. A plain struct, empty when zeroed, so that it can
 * be copied and put back. */
enum { HISTOGRAM_BUCKETS = 12 };
struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS + 1]; /* the last is beyond all bounds */
	double sum_s;
};

void histogram_add(struct histogram *histogram, double seconds);

/* The head of the metric, and its samples without labels. */
void histogram_print(const struct histogram *histogram, enum metric metric, struct buf *out);

/* The samples alone, each with one label more; metric_head() comes before the first of them. */
void histogram_samples(const struct histogram *histogram, enum metric metric, const char *name,
                       const char *value, struct buf *out);

#endif
