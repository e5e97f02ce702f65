/* SPDX-License-Identifier: MIT */
/*
 * `backup`: both databases as of one instant, the office's files, the center's accounts, and the
 * configuration, while all runs. What is read is read as the office, what is written as the person.
 */
#include "dispatchctl/nouns/backup.h"

#include "base/identity.h"
#include "base/write_all.h"
#include "db/db_copy.h"
#include "dispatchctl/backup/tar.h"
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "engine/known.h"
#include "model/settings.h"
#include "records/record_content.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { INSTANT_TRIES = 100, DEPTH_MAX = 8 };

struct making {
	struct ctl *ctl;
	struct backup_set set;
	struct customers *customers;
	struct spool *spool;
};

/* ---- a folder for a while */

const char *backup_temporary(const struct ctl *ctl, struct error *err)
{
	const char *parent = getenv("TMPDIR");
	char *name = arena_printf(ctl->arena, "%s/dispatchctl-XXXXXX",
	                          parent != NULL && *parent != '\0' ? parent : "/var/tmp");
	if (mkdtemp(name) != NULL)
		return name;
	(void)error_set(err, EX_IOERR, "%s: %s", name, strerror(errno));
	return NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

void backup_remove(const char *path)
{
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- the databases */

/*
 * Views of both at one instant. Nothing was committed to customers.db between the two beginnings
 * where its version is the same before and after: then its view is that of the spool's moment, too.
 * The office commits seldom, so that takes one try or two.
 */
static bool begin_at_once(struct making *making, struct db *watch, struct error *err)
{
	for (int tries = 0; tries < INSTANT_TRIES; tries++) {
		int64_t before = db_data_version(watch);
		if (!customers_begin_read(making->customers, err) ||
		    !spool_begin_read(making->spool, err))
			return false;
		if (before >= 0 && db_data_version(watch) == before)
			return true;
		spool_end_read(making->spool);
		customers_end_read(making->customers);
	}
	return error_set(err, EX_TEMPFAIL,
	                 "customer data is being changed all the time (an import?): try again "
	                 "later");
}

static const char *path_in(const struct making *making, const char *name)
{
	return arena_printf(making->ctl->arena, "%s/%s", making->set.folder.path, name);
}

static bool add_copy(struct making *making, struct db *db, const char *name, struct error *err)
{
	const char *path = path_in(making, name);
	identity_person();
	bool good = db_copy(db, path, err) && chmod(path, 0600) == 0 && db_copy_check(path, err) &&
	            backup_set_add(&making->set, name, err);
	identity_back();
	return good;
}

/* ---- accounts */

/* As who owns center.db, in a process of its own: nobody else may read it. */
_Noreturn static void send_accounts(const char *path, const struct stat *st, int fd)
{
	struct error err = {0};
	size_t len = 0;
	identity_person();
	unsigned char *bytes = identity_become_for_good(st->st_uid, st->st_gid, &err)
	                               ? db_copy_bytes(path, &len, &err)
	                               : NULL;
	if (bytes == NULL) {
		output_fault("%s", err.text);
		_exit(err.code);
	}
	_exit(write_all(fd, bytes, len) ? EX_OK : EX_IOERR);
}

static bool ended_well(pid_t child, const char *path, struct error *err)
{
	int status = 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	return error_set(err, WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE,
	                 "%s wasn't copied: root, or the user of dispatch-center, can read it",
	                 path);
}

static bool add_accounts(struct making *making, struct error *err)
{
	const char *path = making->ctl->settings->center.path;
	struct stat st;
	identity_person();
	bool there = stat(path, &st) == 0 && st.st_size > 0;
	int fd = there ? backup_set_make(&making->set, "center.db", err) : -1;
	identity_back();
	if (!there)
		return true;
	if (fd < 0)
		return false;
	pid_t child = fork();
	if (child == 0)
		send_accounts(path, &st, fd);
	bool good = child > 0 ? ended_well(child, path, err)
	                      : error_set(err, EX_OSERR, "fork: %s", strerror(errno));
	(void)close(fd);
	identity_person();
	good = good && db_copy_check(path_in(making, "center.db"), err) &&
	       backup_set_add(&making->set, "center.db", err);
	identity_back();
	return good;
}

/* ---- files */

static bool add_content(struct making *making, const char *hash, struct error *err)
{
	const char *name = arena_printf(making->ctl->arena, "files/%.2s/%s", hash, hash);
	identity_person();
	int fd = backup_set_make(&making->set, name, err);
	identity_back();
	FILE *out = fd >= 0 ? fdopen(fd, "wb") : NULL;
	if (out == NULL)
		return false;
	bool good = content_fetch(making->customers, hash, out, err);
	if (good && fflush(out) != 0)
		good = error_set(err, EX_IOERR, "%s: %s", name, strerror(errno));
	(void)fclose(out);
	identity_person();
	good = good && backup_set_add(&making->set, name, err);
	identity_back();
	return good;
}

static bool add_contents(struct making *making, struct error *err)
{
	struct db_query *query =
	        db_query(customers_db(making->customers),
	                 "SELECT hash FROM document UNION SELECT hash FROM picture");
	enum db_step step;
	while ((step = db_step(query, err)) == DB_ROW) {
		const char *hash = db_text(query, 0, making->ctl->arena);
		if (content_hash_valid(hash) && !add_content(making, hash, err)) {
			db_finish(query);
			return false;
		}
	}
	return step == DB_DONE;
}

/* ---- the configuration */

static bool copy_plain(struct making *making, const char *from, const char *name, struct error *err)
{
	static char block[64 * 1024];
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int out = in >= 0 ? backup_set_make(&making->set, name, err) : -1;
	bool good = in >= 0 ? out >= 0
	                    : error_set(err, errno == EACCES ? EX_NOPERM : EX_IOERR, "%s: %s", from,
	                                strerror(errno));
	for (ssize_t n; good && (n = read(in, block, sizeof block)) != 0;)
		if (n < 0 || write(out, block, (size_t)n) != n)
			good = error_set(err, EX_IOERR, "%s: %s", from, strerror(errno));
	if (in >= 0)
		(void)close(in);
	if (out >= 0)
		(void)close(out);
	return good && backup_set_add(&making->set, name, err);
}

/* Regular files of a folder and the folders in it, by names that a backup may have. */
static bool add_folder(struct making *making, const char *from, const char *name, int depth,
                       struct error *err)
{
	DIR *dir = opendir(from);
	bool good = true;
	if (dir == NULL)
		return errno == ENOENT ||
		       error_set(err, EX_NOPERM, "%s: %s", from, strerror(errno));
	for (const struct dirent *entry; good && (entry = readdir(dir)) != NULL;) {
		struct stat st;
		const char *path = arena_printf(making->ctl->arena, "%s/%s", from, entry->d_name);
		const char *as = arena_printf(making->ctl->arena, "%s/%s", name, entry->d_name);
		if (!backup_name_valid(as) || stat(path, &st) != 0)
			continue;
		if (S_ISREG(st.st_mode))
			good = copy_plain(making, path, as, err);
		else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			good = add_folder(making, path, as, depth + 1, err);
	}
	(void)closedir(dir);
	return good;
}

static bool add_configuration(struct making *making, struct error *err)
{
	const struct settings *settings = making->ctl->settings;
	const char *slash = strrchr(settings->file, '/');
	const char *beside = slash != NULL ? arena_strndup(making->ctl->arena, settings->file,
	                                                   (size_t)(slash - settings->file))
	                                   : ".";
	identity_person();
	bool good = copy_plain(making, settings->file, "config/dispatchd.conf", err) &&
	            add_folder(making, arena_printf(making->ctl->arena, "%s/conf.d", beside),
	                       "config/conf.d", 0, err) &&
	            add_folder(making, settings->mail.templates, "config/templates", 0, err);
	identity_back();
	return good;
}

/* Once, also where several sections have it from [smtp]. */
static void add_key(json_t *list, const char *section, const char *key, const char *path)
{
	char name[128];
	size_t i;
	const json_t *row;
	if (*path == '\0')
		return;
	json_array_foreach(list, i, row)
	{
		if (strcmp(table_text(row, "path"), path) == 0)
			return;
	}
	(void)snprintf(name, sizeof name, "%s.%s", section, key);
	json_array_append_new(list, json_pack("{s:s, s:s}", "key", name, "path", path));
}

static void add_relay_keys(json_t *list, const struct relay_settings *relay)
{
	add_key(list, relay->section, "password_file", relay->password_file);
	add_key(list, relay->section, "oauth_token_file", relay->oauth_token_file);
	add_key(list, relay->section, "client_cert", relay->client_cert);
	add_key(list, relay->section, "client_key", relay->client_key);
}

/* Keys stay where they are: whoever has the backup alone can't use them. */
json_t *backup_keys(const struct settings *settings)
{
	json_t *list = json_array();
	add_key(list, "customers", "key_file", settings->customers.key_file);
	add_key(list, "bounce", "key_file", settings->bounce.key_file);
	add_key(list, "cluster", "key_file", settings->cluster.key_file);
	add_key(list, "center", "tls_key", settings->center.tls_key);
	add_key(list, "redis", "password_file", settings->redis.password_file);
	add_relay_keys(list, &settings->smtp);
	for (size_t i = 0; i < settings->n_relays; i++)
		add_relay_keys(list, &settings->relays[i]);
	return list;
}

/* ---- all of it */

static bool fill(struct making *making, struct error *err)
{
	const struct settings *settings = making->ctl->settings;
	char made[INSTANT_TEXT_MAX];
	struct change_context context;
	if (!known_is_there(settings->customers.path, err) ||
	    !store_open(making->ctl, DB_READ, &context, err))
		return false;
	making->customers = context.store;
	making->spool = spool_view(making->ctl, err);
	struct customers *watch =
	        making->spool != NULL
	                ? known_open(settings->customers.path, settings->spool.path, DB_READ, err)
	                : NULL;
	bool good = watch != NULL && begin_at_once(making, customers_db(watch), err) &&
	            add_copy(making, customers_db(making->customers), "customers.db", err) &&
	            add_copy(making, spool_db(making->spool), "spool.db", err) &&
	            add_contents(making, err) && add_accounts(making, err) &&
	            add_configuration(making, err);
	customers_close(watch);
	spool_close(making->spool);
	if (!good)
		return false;
	json_object_set_new(making->set.manifest, "keys", backup_keys(settings));
	json_object_set_new(making->set.manifest, "made",
	                    json_string(instant_format(making->ctl->now, 0, made)));
	identity_person();
	good = backup_set_finish(&making->set, err);
	identity_back();
	return good;
}

static void print_made(struct making *making, const char *path)
{
	struct ctl *ctl = making->ctl;
	const json_t *files = json_object_get(making->set.manifest, "files");
	json_int_t bytes = 0;
	size_t i;
	const json_t *row;
	json_array_foreach(files, i, row) bytes +=
	        json_integer_value(json_object_get(row, "bytes"));
	output_print(ctl->out, "%zu files, %.1f MiB, written to %s and read back",
	             json_array_size(files), (double)bytes / 1048576, path);
	const json_t *keys = json_object_get(making->set.manifest, "keys");
	json_array_foreach(keys, i, row)
	        output_print(ctl->out, "not in it, to be kept elsewhere: %s (%s)",
	                     table_text(row, "path"), table_text(row, "key"));
	output_document(ctl->out, json_pack("{s:s, s:I, s:I, s:O}", "backup", path, "files",
	                                    (json_int_t)json_array_size(files), "bytes", bytes,
	                                    "keys", keys));
}

static bool make_folder(struct making *making, const char *path, struct error *err)
{
	identity_person();
	bool made = backup_set_create(&making->set, path, err);
	identity_back();
	return made && fill(making, err);
}

static bool make_stream(struct making *making, struct error *err)
{
	if (isatty(STDOUT_FILENO))
		return error_set(err, EX_USAGE,
		                 "a backup isn't written to a terminal: redirect it");
	identity_person();
	const char *path = backup_temporary(making->ctl, err);
	identity_back();
	if (path == NULL)
		return false;
	bool good = make_folder(making, path, err);
	identity_person();
	good = good && backup_tar_write(&making->set, STDOUT_FILENO, err);
	backup_remove(path);
	identity_back();
	return good;
}

static bool backup_run(struct ctl *ctl, struct error *err)
{
	struct making making = {.ctl = ctl, .set = BACKUP_SET_NONE};
	const char *path = ctl_arg(ctl, 0);
	bool stream = strcmp(path, "-") == 0;
	bool good = stream ? make_stream(&making, err) : make_folder(&making, path, err);
	if (good && !stream)
		print_made(&making, path);
	backup_set_close(&making.set);
	return good;
}

static const struct command backup_commands[] = {
        {.args = "DIR",
         .uses = USES_BACKUP,
         .help = "Writes a backup of everything to the new or empty folder DIR, or as a tar to -",
         .more = "Both databases as of one instant, the files of documents and pictures, the "
                 "center's accounts, and beside them the configuration and the templates; while "
                 "everything runs. Each file is read back and compared. DIR is made 0700. Keys "
                 "and password files are named, not copied: keep them elsewhere.",
         .examples = "backup /var/backups/dispatchd-monday\n"
                     "backup - | ssh backup@vault 'cat > dispatchd.tar'",
         .run = backup_run},
};
const struct noun noun_backup = {
        .name = "backup", .help = "write a backup of everything", COMMANDS(backup_commands)};
