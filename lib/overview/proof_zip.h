/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_PROOF_ZIP_H
#define OVERVIEW_PROOF_ZIP_H

#include "overview/job_proof.h"

/* Appends the files as a zip, private when they are unpacked. `when` is their time. Code 74. */
bool proof_zip_add(const struct job_proof *proof, struct instant when, struct buf *ret,
                   struct error *err) MUST_CHECK;

#endif
