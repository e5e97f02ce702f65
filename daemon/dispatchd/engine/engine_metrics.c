/* SPDX-License-Identifier: MIT */
/*
 * What the thread shows of itself to GET /metrics: the engine's own figures as of the last turn, of
 * which the loop makes a text when it is asked; and the room on its disks, which the loop doesn't
 * touch.
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
	/* Nobody else changes it. */
	if (t->disks != NULL && now_ms - t->disks_ms < LOOK_EVERY_MS)
		return;
	struct buf text = {0};
	metric_head(&text, METRIC_DISK_FREE);
	add_free(&text, "customers", customers);
	add_free(&text, "spool", spool);
	metric_head(&text, METRIC_DATABASE_BYTES);
	add_sizes(&text, "customers", customers);
	add_sizes(&text, "spool", spool);
	t->disks_ms = now_ms;
	pthread_mutex_lock(&t->lock);
	free(t->disks);
	t->disks = buf_take(&text);
	pthread_mutex_unlock(&t->lock);
}

void engine_show_metrics(struct engine_thread *t)
{
	struct figures figures;
	engine_figures(t->engine, &figures);
	pthread_mutex_lock(&t->lock);
	t->figures = figures;
	pthread_mutex_unlock(&t->lock);
	look_at_disks(t);
}

void engine_thread_metrics(struct engine_thread *t, struct buf *out)
{
	struct figures figures;
	struct buf disks = {0};
	pthread_mutex_lock(&t->lock);
	figures = t->figures;
	buf_adds(&disks, t->disks);
	pthread_mutex_unlock(&t->lock);
	figures_print(&figures, clock_now(), out);
	buf_add(out, buf_text(&disks), disks.len);
	buf_free(&disks);
}
