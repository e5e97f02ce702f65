/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_TRANSFER_H
#define DISPATCHCTL_NOUNS_TRANSFER_H

#include "dispatchctl/base/ctl.h"

/* `import FILE` and `export FILE` of any kind of record; `-` is standard input or output. */
extern const struct option import_options[], export_options[], export_reveal_options[];
bool transfer_import(struct ctl *ctl, struct error *err) MUST_CHECK;
bool transfer_export(struct ctl *ctl, struct error *err) MUST_CHECK;

#endif
