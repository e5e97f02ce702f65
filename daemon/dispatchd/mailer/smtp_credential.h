/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_SMTP_CREDENTIAL_H
#define DISPATCHD_MAILER_SMTP_CREDENTIAL_H

#include "model/settings.h"

#include <stdio.h>

/* The systemd credential with the password of a section: smtp-password, smtp-NAME-password. */
enum { SMTP_CREDENTIAL_SIZE = 80 };

static inline void smtp_credential(const struct relay_settings *relay,
                                   char ret[SMTP_CREDENTIAL_SIZE])
{
	snprintf(ret, SMTP_CREDENTIAL_SIZE, "smtp-%.50s%spassword", relay->name,
	         relay->name[0] != '\0' ? "-" : "");
}

#endif
