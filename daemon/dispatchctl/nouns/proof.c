/* SPDX-License-Identifier: MIT */
/*
 * `proof JOB`: all that is on record of a job's notices, as a zip for a manager or a lawyer. It is
 * written beside its name and linked to it when it is whole, so that no half one is ever there and
 * none that is there is written over.
 */
#include "base/folder.h"
#include "base/identity.h"
#include "base/write_all.h"
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "overview/proof_zip.h"
#include "version.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* As the person, since the office's user may not be allowed to write there. */
static bool write_zip(const char *path, const struct buf *zip, struct error *err)
{
	struct folder folder = FOLDER_NONE;
	char beside[FOLDER_NEW_SIZE];
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	if (*name == '\0')
		return error_set(err, EX_IOERR, "it is a folder, not a file");
	if (!folder_open_of(&folder, path, false, err))
		return false;
	folder_new_name(".new-", beside);
	int fd = folder_make(&folder, beside, 0600, err);
	bool good = fd >= 0;
	if (good && (!write_all(fd, buf_text(zip), zip->len) || fsync(fd) != 0))
		good = error_set(err, EX_IOERR, "%s", strerror(errno));
	if (good && linkat(folder.fd, beside, folder.fd, name, 0) != 0)
		good = error_set(err, EX_IOERR, "%s", strerror(errno));
	if (fd >= 0) {
		folder_remove(&folder, beside);
		(void)close(fd);
	}
	good = good && folder_sync(&folder, err);
	folder_close(&folder);
	return good;
}

/* Before the work is done; another one that is made meanwhile isn't written over, either. */
static bool is_free(const char *path, struct error *err)
{
	identity_person();
	bool there = access(path, F_OK) == 0;
	identity_back();
	return !there || error_set(err, EX_IOERR, "can't write %s: %s", path, strerror(EEXIST));
}

static bool make_proof(struct ctl *ctl, struct job_proof *ret, struct buf *zip, struct error *err)
{
	struct spool *spool = spool_view(ctl, err);
	bool good = spool != NULL &&
	            job_proof_make(store_overview(ctl), spool, ctl_arg(ctl, 0),
	                           ctl_option(ctl, "customer"), "dispatchd " DISPATCHD_VERSION, ret,
	                           err) &&
	            proof_zip_add(ret, ctl->now, zip, err);
	spool_close(spool);
	return good;
}

static bool proof_run(struct ctl *ctl, struct error *err)
{
	struct job_proof proof;
	struct buf zip = {0};
	const char *path = ctl_option(ctl, "out");
	if (path == NULL)
		return error_set(err, EX_USAGE, "--out FILE.zip is missing: where to write it");
	if (strcmp(path, "-") == 0)
		return error_set(err, EX_USAGE, "--out must name a file (got \"-\")");
	if (!is_free(path, err))
		return false;
	if (!make_proof(ctl, &proof, &zip, err)) {
		buf_free(&zip);
		return false;
	}
	identity_person();
	bool good = write_zip(path, &zip, err);
	identity_back();
	buf_free(&zip);
	if (!good)
		return error_prefix(err, "can't write %s", path);
	output_print(ctl->out, "job %s of customer %s: %zu event%s, %zu mail%s, written to %s",
	             proof.job, proof.customer, proof.events, proof.events == 1 ? "" : "s",
	             proof.mails, proof.mails == 1 ? "" : "s", path);
	output_document(ctl->out,
	                json_pack("{s:s, s:s, s:s, s:I, s:I}", "file", path, "job", proof.job,
	                          "customer", proof.customer, "events", (json_int_t)proof.events,
	                          "mails", (json_int_t)proof.mails));
	return true;
}

static const struct option options[] = {
        {.name = "customer",
         .value = "NUMBER",
         .help = "whose job; required if several customers have a job with this id"},
        {.name = "out", .value = "FILE", .help = "the zip to write; never over one that is there"},
        {0},
};

static const struct command commands[] = {
        {.args = "JOB",
         .options = options,
         .uses = USES_SPOOL " " USES_STORE,
         .help = "Writes all that is on record of a job's notices to a private zip file",
         .more = "In it: summary.html to read, record.json for programs, each mail as it was sent "
                 "(mails/ID.eml), and SHA256SUMS for \"sha256sum -c\". It has events, decisions "
                 "with the rules' trace, the customer's data at that time, and the server's "
                 "replies. Signed tokens are zeros in it; passwords are nowhere. Of a customer "
                 "that was erased it has what the erasure left, and says so. What the office "
                 "keeps of the job for itself (sales, comments, documents, pictures) is left out. "
                 "A job with more than 32 MiB on record is refused with exit status 65.",
         .examples = "proof 4711 --out job-4711.zip\n"
                     "proof 4711 --customer 1001 --out /tmp/job-4711.zip",
         .run = proof_run},
};

const struct noun noun_proof = {.name = "proof",
                                .help = "a job's notices as a record for others to read",
                                COMMANDS(commands)};
