/* SPDX-License-Identifier: MIT */
/*
 * Sets of templates by which mails were rendered, and a mail with all that its message is made of.
 * A mail names its set by the digest alone: the row may come a moment later, from another thread.
 */
#include "db/fields.h"
#include "spool/spool_private.h"
#include "spool/spool_read.h"

#include <sysexits.h>

void spool_templates_keep(struct spool *spool, const unsigned char digest[RENDERING_DIGEST_SIZE],
                          const struct buf *files, struct instant now)
{
	static const char *const steps[] = {
	        "UPDATE template_set SET ended = ?2 WHERE ended IS NULL AND digest <> ?1",
	        "INSERT INTO template_set (digest, files) VALUES (?1, ?2) ON CONFLICT (digest) DO "
	        "UPDATE SET ended = NULL",
	};
	struct db_query *q = spool_query(spool, steps[0]);
	db_bind_blob(q, 1, digest, RENDERING_DIGEST_SIZE);
	db_bind_int(q, 2, now.ms);
	spool_run(spool, q);
	q = spool_query(spool, steps[1]);
	db_bind_blob(q, 1, digest, RENDERING_DIGEST_SIZE);
	db_bind_blob(q, 2, buf_text(files), files->len);
	spool_run(spool, q);
}

/* -- a mail that is rendered again ------------------------------------------------------------- */

static void load_jobs(struct spool *spool, struct arena *arena, struct spool_rendered *ret)
{
	const char **jobs = NULL;
	size_t cap = 0;
	static const char *const places[] = {
	        "SELECT job.job FROM mail JOIN job ON job.id = mail.job WHERE mail.id = ?1",
	        "SELECT job.job FROM notice JOIN event ON event.id = notice.event JOIN job ON "
	        "job.id = event.job WHERE notice.mail = ?1 AND active = 1 ORDER BY notice.event",
	};
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		struct db_query *q = spool_query(spool, places[i]);
		db_bind_int(q, 1, ret->mail.id);
		while (spool_row(spool, q)) {
			jobs = arena_grow(arena, jobs, ret->n_jobs, &cap, sizeof *jobs);
			jobs[ret->n_jobs++] = db_text(q, 0, arena);
		}
	}
	ret->jobs = jobs;
}

static void load_files(struct spool *spool, struct arena *arena, struct spool_rendered *ret)
{
	struct db_query *q = spool_query(spool, "SELECT files FROM template_set WHERE digest = ?1");
	size_t len = 0;
	db_bind_blob(q, 1, ret->mail.rendering.templates, RENDERING_DIGEST_SIZE);
	if (!spool_row(spool, q))
		return;
	const void *files = db_peek_blob(q, 0, &len);
	if (files == NULL || !fields_unpack(files, len, arena, &ret->files, &ret->n_files))
		ret->n_files = 0;
	db_finish(q);
}

bool spool_read_rendered(struct spool *spool, int64_t id, struct arena *arena,
                         struct spool_rendered *ret, struct error *err)
{
	*ret = (struct spool_rendered){0};
	if (!spool_begin_read(spool, err))
		return false;
	bool found = spool_mail_load(spool, id, arena, &ret->mail);
	if (found) {
		ret->context = spool_mail_context(spool, id, arena);
		load_jobs(spool, arena, ret);
		if (ret->mail.rendering.known)
			load_files(spool, arena, ret);
	}
	spool_end_read(spool);
	if (spool_failed(spool)) {
		*err = spool->fault;
		return false;
	}
	return found || error_set(err, EX_NOINPUT, "there is no mail %lld", (long long)id);
}
