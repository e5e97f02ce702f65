/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_PROOF_WORDS_H
#define OVERVIEW_PROOF_WORDS_H

/* What the contract's words mean, in English, for somebody who doesn't know them. The word itself
 * where it is none of the contract's. */
const char *proof_status_words(const char *status);
/* "" for `ok`, which says nothing more than the status. */
const char *proof_reason_words(const char *reason);

#endif
