/* SPDX-License-Identifier: MIT */
#include "dispatchd/mailer/bucket.h"

/* What a mailer that wakes up late may catch up with, as a part of a second. */
enum { PARTS = 20 };

static double bucket_size(const struct bucket *bucket)
{
	return bucket->rate > PARTS ? bucket->rate / PARTS : 1;
}

static void bucket_fill(struct bucket *bucket, int64_t now_ms)
{
	bucket->tokens += (double)(now_ms - bucket->at_ms) * bucket->rate / 1000;
	if (bucket->tokens > bucket_size(bucket))
		bucket->tokens = bucket_size(bucket);
	bucket->at_ms = now_ms;
}

void bucket_set(struct bucket *bucket, double rate, int64_t now_ms)
{
	if (bucket->rate <= 0) {
		*bucket = (struct bucket){.rate = rate, .at_ms = now_ms};
		bucket->tokens = bucket_size(bucket);
		return;
	}
	bucket_fill(bucket, now_ms);
	bucket->rate = rate;
	bucket_fill(bucket, now_ms);
}

int64_t bucket_take(struct bucket *bucket, int64_t now_ms)
{
	if (bucket->rate <= 0)
		return 0;
	bucket_fill(bucket, now_ms);
	if (bucket->tokens >= 1) {
		bucket->tokens -= 1;
		return 0;
	}
	return 1 + (int64_t)((1 - bucket->tokens) * 1000 / bucket->rate);
}

void bucket_give_back(struct bucket *bucket)
{
	if (bucket->rate > 0)
		bucket->tokens += 1;
}
