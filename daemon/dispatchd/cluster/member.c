/* SPDX-License-Identifier: MIT */
#include "dispatchd/cluster/member.h"

#include "base/mem.h"
#include "base/secret_file.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static char *key_of(const char *cluster, const char *what)
{
	size_t size = strlen(cluster) + strlen(what) + 2;
	char *key = mem_alloc(size);
	(void)snprintf(key, size, "%s:%s", cluster, what);
	return key;
}

static bool read_key(const struct settings *settings, struct journal_key *ret, struct error *err)
{
	char path[SECRET_PATH_MAX];
	struct secret_text text;
	secret_file_path(settings->cluster.key_file, "cluster-key", path);
	if (path[0] == '\0')
		return error_set(err, EX_CONFIG,
		                 "[cluster] name is set, but there is no key: set key_file or the "
		                 "credential cluster-key");
	if (!secret_file_read(path, "key", SECRET_FILE_MAX, &text, err))
		return error_prefix(err, "[cluster] key_file");
	bool good = journal_key_parse(text.text, text.len, path, ret, err) ||
	            error_prefix(err, "[cluster] key_file");
	secret_text_wipe(&text);
	return good;
}

struct member *member_new(const struct settings *settings, struct error *err)
{
	struct member *member = mem_alloc(sizeof *member);
	const char *cluster = settings->cluster.name;
	member->settings = settings;
	member->lease_ms = settings->cluster.lease_ms;
	member->wait = *settings->cluster.wait ? *settings->cluster.wait - '0' : -1;
	member->lease = key_of(cluster, "lease");
	member->epoch = key_of(cluster, "epoch");
	member->journal = key_of(cluster, "journal");
	consumer_name(settings, member->name);
	return read_key(settings, &member->key, err) ? member : member_free(member);
}

struct member *member_free(struct member *member)
{
	if (!member)
		return NULL;
	free(member->lease);
	free(member->epoch);
	free(member->journal);
	sodium_memzero(member, sizeof *member);
	free(member);
	return NULL;
}
