/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_OPT_OUT_H
#define ENGINE_OPT_OUT_H

#include "base/error.h"
#include "mail/token.h"
#include "records/contact_choice.h"

#include <jansson.h>
#include <stdbool.h>

struct engine;

/*
 * A recipient's wish to get fewer mails, by a signed token of the mail (mail/token.h): from the
 * page behind the link, or by mail.
 *
 *   {"do": "opt_out.show", "token"}                  ─▶ the choice
 *   {"do": "opt_out.set", "token", "off": [STATE…],
 *    "on": [STATE…], "one_click": true}              ─▶ the choice as it is then
 *
 *   the choice: {"ok": true, "state": of the mail, "locale", "company",
 *                "states": [{"state", "on"}]}   those that may be switched: on, or off by a link
 *
 * `one_click` is the state of the mail that the token is from. Codes: 66 where the token is of
 * nobody (forged, by a key that is gone, of a contact that is gone), 64, 78 without a key.
 */
bool engine_opt_out_show(struct engine *engine, const json_t *in, json_t *out,
                         struct error *err) MUST_CHECK;
bool engine_opt_out_set(struct engine *engine, const json_t *in, json_t *out,
                        struct error *err) MUST_CHECK;

/* Whose token it is; 66 where it isn't signed for a contact that is there. In the turn's arena. */
bool engine_opt_out_verify(struct engine *engine, const struct token *token,
                           struct contact_choice *ret, struct error *err) MUST_CHECK;
/* The change: on record with the turn, then carried out by the office's writer. `on` counts only
 * for what a link switched off. */
void engine_opt_out(struct engine *engine, const struct contact_choice *choice, unsigned off,
                    unsigned on);
#endif
