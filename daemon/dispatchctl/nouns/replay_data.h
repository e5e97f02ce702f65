/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_REPLAY_DATA_H
#define DISPATCHCTL_NOUNS_REPLAY_DATA_H

#include "dispatchctl/base/ctl.h"

/*
 * The customer data for `replay --customers FILE`: a customers.db as it is, or a copy of the
 * present one into which a file for `customer import` (.csv, .jsonl) is imported. replay_data_end()
 * removes the copy.
 */
struct replay_data {
	const char *path;
	char directory[64]; /* of the copy; "" if there is none */
};

bool replay_data_find(const struct ctl *ctl, const char *file, struct replay_data *ret,
                      struct error *err) MUST_CHECK;
void replay_data_end(struct replay_data *data);

#endif
