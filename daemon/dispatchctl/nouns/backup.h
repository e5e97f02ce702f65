/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_BACKUP_H
#define DISPATCHCTL_NOUNS_BACKUP_H

#include "dispatchctl/backup/set.h"
#include "dispatchctl/base/ctl.h"

/* Shared by `backup` and `restore`. */

/* A folder for the time of a run, made 0700 where temporary files go; removed with all that is in
 * it. As the person. In the arena; NULL on a fault. */
const char *backup_temporary(const struct ctl *ctl, struct error *err) MUST_CHECK;
void backup_remove(const char *path);

/* The files with keys and passwords that the configuration names, which aren't in a backup: a new
 * list of {"key": "customers.key_file", "path"}. */
json_t *backup_keys(const struct settings *settings);

/* What both need of the configuration. */
#define USES_BACKUP                                                                                \
	"spool customers center.path center.tls_key center.user redis.password_file "              \
	"smtp.user smtp.password_file smtp.oauth_token_file smtp.client_cert "                     \
	"smtp.client_key bounce.key_file cluster mail.templates office.managers rules.timezone"

#endif
