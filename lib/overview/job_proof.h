/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_JOB_PROOF_H
#define OVERVIEW_JOB_PROOF_H

#include "overview/overview.h"
#include "spool/spool.h"

/*
 * All that is on record of a job's notices, as files for somebody outside of the office:
 *
 * 	summary.html    to read: what happened, each mail, each decision
 * 	record.json     the same for programs: job_notices(), its mails with their data of that
 * 	                time and their digests
 * 	mails/ID.eml    each mail as it was sent, with zeros in place of signed tokens
 * 	SHA256SUMS      of all of these, for sha256sum -c
 *
 * Of a customer that was erased since there is what an erasure leaves, and that it was erased.
 */
enum { PROOF_MAX_BYTES = 32 << 20 }; /* all files together: they are made in memory */
struct proof_file {
	const char *name; /* with `/` between steps */
	const char *bytes;
	size_t len;
};
struct job_proof {
	struct proof_file *files;
	size_t n;
	size_t events, mails;
	const char *job, *customer;
	bool too_large;
};

/* The files are in the view's arena. `program`, "dispatchd 1.0", made them. Codes as
 * spool_read_job(), and 65 with `too_large` where it would be larger than PROOF_MAX_BYTES. */
bool job_proof_make(const struct overview *view, struct spool *spool, const char *job,
                    const char *customer, const char *program, struct job_proof *ret,
                    struct error *err) MUST_CHECK;

#endif
