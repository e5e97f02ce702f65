/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_BUCKET_H
#define DISPATCHD_MAILER_BUCKET_H

#include <stdint.h>

/*
 * `[smtp] rate`: a token bucket over all connections. It is small (a twentieth of a second's mails,
 * and at least one), so that no second sees more than the rate says, the first one included. The
 * caller locks.
 */
struct bucket {
	double rate; /* mails a second; 0: no limit */
	double tokens;
	int64_t at_ms;
};

/* Takes over the tokens that are there, as far as the new rate allows. */
void bucket_set(struct bucket *bucket, double rate, int64_t now_ms);

/* Takes one token and returns 0, or returns the milliseconds (at least 1) until there is one. */
int64_t bucket_take(struct bucket *bucket, int64_t now_ms);

void bucket_give_back(struct bucket *bucket); /* the mail didn't go after all */

#endif
