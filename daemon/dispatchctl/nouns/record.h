/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_RECORD_H
#define DISPATCHCTL_NOUNS_RECORD_H

#include "dispatchctl/base/ctl.h"

/* The verbs of every kind of record; the command's row names the kind. */
bool record_add(struct ctl *ctl, struct error *err) MUST_CHECK;
bool record_set(struct ctl *ctl, struct error *err) MUST_CHECK;
bool record_show(struct ctl *ctl, struct error *err) MUST_CHECK;
bool record_list(struct ctl *ctl, struct error *err) MUST_CHECK;
bool record_show_history(struct ctl *ctl, struct error *err) MUST_CHECK;
bool record_remove(struct ctl *ctl, struct error *err) MUST_CHECK;

/* Documents and pictures (record_file.c), sales reps (record_rep.c). */
bool record_file_add(struct ctl *ctl, struct error *err) MUST_CHECK;
bool record_file_fetch(struct ctl *ctl, struct error *err) MUST_CHECK;
bool record_rep_link(struct ctl *ctl, struct error *err) MUST_CHECK;
bool record_rep_unlink(struct ctl *ctl, struct error *err) MUST_CHECK;

/* After a change: prints what was done; the document is the record as it is now. */
bool record_done(struct ctl *ctl, struct customers *store, const char *name, const char *what,
                 struct error *err) MUST_CHECK;

#endif
