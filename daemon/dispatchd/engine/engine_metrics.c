/* SPDX-License-Identifier: MIT */
/*
 * What the thread shows of itself to GET /metrics: the engine's own counts as of the last turn, and
 * the room on its disks. The loop, which touches no disk, gets it as a text.
 */
#include "dispatchd/engine/engine_thread_private.h"

#include "common/clock.h"
#include "model/metric.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { LOOK_EVERY_MS = 1000 };

/* A file that isn't there is empty. */
static int64_t size_of(const char *path, const char *ending)
{
	char name[4096];
	struct stat st;
	snprintf(name, sizeof name, "%s%s", path, ending);
	return stat(name, &st) == 0 ? st.st_size : 0;
}

static void add_free(struct buf *out, const char *database, const char *path)
{
	struct statvfs fs;
	if (statvfs(path, &fs) == 0)
		metric_sample(out, METRIC_DISK_FREE, (int64_t)fs.f_bavail * (int64_t)fs.f_frsize,
		              "database", database, NULL);
}

static void add_sizes(struct buf *out, const char *database, const char *path)
{
	metric_sample(out, METRIC_DATABASE_BYTES, size_of(path, ""), "database", database, "file",
	              "main", NULL);
	metric_sample(out, METRIC_DATABASE_BYTES, size_of(path, "-wal"), "database", database,
	              "file", "wal", NULL);
}

static void look_at_disks(struct engine_thread *t)
{
	int64_t now_ms = clock_tick().ms;
	const char *customers = t->settings->customers.path, *spool = t->settings->spool.path;
	if (t->disks != NULL && now_ms - t->disks_ms < LOOK_EVERY_MS)
		return;
	struct buf text = {0};
	metric_head(&text, METRIC_DISK_FREE);
	add_free(&text, "customers", customers);
	add_free(&text, "spool", spool);
	metric_head(&text, METRIC_DATABASE_BYTES);
	add_sizes(&text, "customers", customers);
	add_sizes(&text, "spool", spool);
	free(t->disks);
	t->disks = buf_take(&text);
	t->disks_ms = now_ms;
}

void engine_show_metrics(struct engine_thread *t)
{
	struct buf text = {0};
	engine_metrics(t->engine, &text);
	look_at_disks(t);
	buf_adds(&text, t->disks);
	pthread_mutex_lock(&t->lock);
	free(t->metrics);
	t->metrics = buf_take(&text);
	pthread_mutex_unlock(&t->lock);
}
