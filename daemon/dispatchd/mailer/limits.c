/* SPDX-License-Identifier: MIT */
#include "dispatchd/mailer/limits.h"

/*
 * The times for MAIL, RCPT, DATA, body and dot are those of RFC 5321, section 4.5.3.2, and bound
 * the whole command, not each read. Before MAIL nothing is lost by trying the next relay sooner.
 */
const struct mailer_limits mailer_limits = {
        .connect_ms = 30 * 1000,
        .race_ms = 250,              /* RFC 8305, section 8 */
        .family_ms = 10 * 60 * 1000, /* RFC 6555, section 4.2 */
        .greeting_ms = 60 * 1000,
        .tls_ms = 30 * 1000,
        .auth_ms = 60 * 1000,
        .command_ms = 5 * 60 * 1000,
        .body_ms = 3 * 60 * 1000,
        .dot_ms = 10 * 60 * 1000,
        .quit_ms = 5 * 1000,
        .idle_ms = 5 * 1000,
        .mails = 50,
        .open_min_ms = 1000,
        .open_max_ms = 5 * 60 * 1000,
        .hold_ms = 10 * 1000,
        .lone_ms = 5 * 1000,
        .stall_ms = 4 * 1000,
        .wait_ms = 5 * 1000,
        .bare_ms = 24 * 60 * 60 * 1000,
        .places = 16,
        .places_each = 8,
        .places_refused = 256,
};
