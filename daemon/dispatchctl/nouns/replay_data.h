/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_REPLAY_DATA_H
#define DISPATCHCTL_NOUNS_REPLAY_DATA_H

#include "dispatchctl/base/ctl.h"

/*
 * The customer data that `replay --customers FILE` judges by: a customers.db as it is; or, from a
 * file as `customer import` takes it (.csv, .jsonl), a copy of ours into which it is imported. The
 * copy goes with replay_data_end().
 */
struct replay_data {
	const char *path;
	char directory[64]; /* of the copy; "" where there is none */
};

bool replay_data_find(const struct ctl *ctl, const char *file, struct replay_data *ret,
                      struct error *err) MUST_CHECK;
void replay_data_end(struct replay_data *data);

#endif
