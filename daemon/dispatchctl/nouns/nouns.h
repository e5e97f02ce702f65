/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_NOUNS_H
#define DISPATCHCTL_NOUNS_NOUNS_H

#include "dispatchctl/base/command.h"

/* The nouns of dispatchctl, one file each. */
extern const struct noun noun_customer, noun_hours, noun_suspend, noun_resume, noun_suspensions;
extern const struct noun noun_event, noun_job, noun_mail, noun_bounce, noun_breaker, noun_dead,
        noun_status, noun_template, noun_explain;
extern const struct noun noun_gate, noun_hold, noun_check, noun_replay, noun_reload, noun_relay,
        noun_config, noun_backup, noun_restore, noun_proof;

#define COMMANDS(table) .commands = (table), .n = sizeof(table) / sizeof *(table)

#endif
