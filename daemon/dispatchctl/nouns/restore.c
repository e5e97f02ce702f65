/* SPDX-License-Identifier: MIT */
/*
 * `restore`: a backup's databases and files are put where the configuration has them. Everything is
 * compared and copied beside its place first; only then what is there is put aside, and what was
 * copied gets its name. So a restore that fails half way has changed nothing, but for its very last
 * steps, which are renames.
 */
#include "base/identity.h"
#include "db/db_copy.h"
#include "db/db_lock.h"
#include "dispatchctl/backup/tar.h"
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/backup.h"
#include "dispatchctl/nouns/nouns.h"
#include "engine/lock.h"
#include "model/settings.h"
#include "records/customers.h"
#include "spool/spool_pause.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define ASIDE     ".before-restore"
#define INCOMING  ".restoring"
#define FILE_MODE 0660

/* What has a place of its own. */
struct place {
	const char *name; /* in the backup: "spool.db", or "files" for the folder */
	const char *path; /* where the configuration has it */
	const char *last; /* its last step */
	struct folder folder;
	bool wanted; /* the backup has it */
};
enum { SPOOL, CUSTOMERS, CENTER, FILES, PLACES };

struct restoring {
	struct ctl *ctl;
	struct backup_set set;
	struct place places[PLACES];
	int lock;
};

static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
enum { SUFFIXES = sizeof suffixes / sizeof *suffixes };

/* ---- places */

static const char *last_step(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

static bool has_files(const struct backup_set *set)
{
	const char *name;
	for (size_t i = 0; (name = backup_set_name(set, i)) != NULL; i++)
		if (strncmp(name, "files/", 6) == 0)
			return true;
	return false;
}

static bool find_places(struct restoring *restoring, struct error *err)
{
	const struct settings *settings = restoring->ctl->settings;
	const char *customers = settings->customers.path;
	const char *files = arena_printf(restoring->ctl->arena, "%.*sfiles",
	                                 (int)(last_step(customers) - customers), customers);
	const struct place places[PLACES] = {
	        [SPOOL] = {.name = "spool.db", .path = settings->spool.path},
	        [CUSTOMERS] = {.name = "customers.db", .path = customers},
	        [CENTER] = {.name = "center.db", .path = settings->center.path},
	        [FILES] = {.name = "files", .path = files},
	};
	for (int i = 0; i < PLACES; i++) {
		struct place *place = &restoring->places[i];
		*place = places[i];
		place->last = last_step(place->path);
		place->folder = FOLDER_NONE;
		place->wanted = i == FILES ? has_files(&restoring->set)
		                           : backup_set_has(&restoring->set, place->name);
		if (place->wanted && !folder_open_of(&place->folder, place->path, false, err))
			return false;
		place->folder.gives = i != CENTER;
	}
	if (!restoring->places[SPOOL].wanted || !restoring->places[CUSTOMERS].wanted)
		return error_set(err, EX_DATAERR, "%s: has no databases",
		                 restoring->set.folder.path);
	return true;
}

static const char *with(const struct restoring *restoring, const struct place *place,
                        const char *mark, const char *suffix)
{
	return arena_printf(restoring->ctl->arena, "%s%s%s", place->last, mark, suffix);
}

/* The first that is in the way: itself, or what SQLite has beside it. NULL: none. */
static const char *in_the_way(const struct restoring *restoring, const struct place *place,
                              const char *mark)
{
	for (int s = 0; s < SUFFIXES; s++) {
		const char *name = with(restoring, place, mark, suffixes[s]);
		if (folder_has(&place->folder, name))
			return arena_printf(restoring->ctl->arena, "%s/%s", place->folder.path,
			                    name);
	}
	return NULL;
}

static bool check_free(const struct restoring *restoring, struct error *err)
{
	bool force = ctl_option(restoring->ctl, "force") != NULL;
	for (int i = 0; i < PLACES; i++) {
		const struct place *place = &restoring->places[i];
		const char *found = place->wanted ? in_the_way(restoring, place, "") : NULL;
		if (found != NULL && !force)
			return error_set(err, EX_DATAERR,
			                 "%s is there: nothing was changed; --force puts it aside "
			                 "as %s" ASIDE,
			                 found, found);
		found = place->wanted ? in_the_way(restoring, place, ASIDE) : NULL;
		if (found != NULL)
			return error_set(err, EX_DATAERR,
			                 "%s is there, of an earlier restore: nothing was changed; "
			                 "move or remove it first",
			                 found);
	}
	return true;
}

/* No daemon works with the spool as long as we have its lock. */
static bool take_lock(struct restoring *restoring, struct error *err)
{
	const char *path = restoring->ctl->settings->spool.path;
	restoring->lock =
	        db_lock(path, ENGINE_LOCK, 0,
	                "dispatchd is running with it: stop it first, nothing was changed", err);
	return restoring->lock >= 0;
}

/* ---- copying beside */

static bool copy_over(int in, int out)
{
	static char block[256 * 1024];
	for (ssize_t n; (n = read(in, block, sizeof block)) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || write(out, block, (size_t)n) != n)
			return false;
	}
	return fsync(out) == 0;
}

static bool copy_file(const struct restoring *restoring, const char *name, const struct folder *to,
                      const char *as, mode_t mode, struct error *err)
{
	identity_person();
	int in = backup_set_file(&restoring->set, name, err);
	identity_back();
	int out = in >= 0 ? folder_make(to, as, mode, err) : -1;
	bool good = out >= 0 && (copy_over(in, out) || error_set(err, EX_IOERR, "%s/%s: %s",
	                                                         to->path, as, strerror(errno)));
	if (in >= 0)
		(void)close(in);
	if (out >= 0)
		(void)close(out);
	return good;
}

/* What an earlier restore left that was interrupted. */
static void remove_incoming(const struct restoring *restoring, const struct place *place)
{
	for (int s = 0; s < SUFFIXES; s++)
		folder_remove(&place->folder, with(restoring, place, INCOMING, suffixes[s]));
}

static bool copy_contents(const struct restoring *restoring, struct error *err)
{
	const struct place *place = &restoring->places[FILES];
	struct folder files;
	const char *name;
	bool good = folder_enter(&place->folder, with(restoring, place, INCOMING, ""), 02770,
	                         &files, err);
	for (size_t i = 0; good && (name = backup_set_name(&restoring->set, i)) != NULL; i++) {
		struct folder shelf;
		if (strncmp(name, "files/", 6) != 0)
			continue;
		const char step[] = {name[6], name[7], '\0'};
		good = folder_enter(&files, step, 02770, &shelf, err);
		if (!good)
			break;
		if (!folder_has(&shelf, last_step(name)))
			good = copy_file(restoring, name, &shelf, last_step(name), FILE_MODE, err);
		folder_close(&shelf);
	}
	folder_close(&files);
	return good;
}

/* center.db is dispatch-center's alone. */
static bool give_to_center(const struct restoring *restoring, struct error *err)
{
	const struct place *place = &restoring->places[CENTER];
	const char *name = with(restoring, place, INCOMING, "");
	const struct passwd *user = getpwnam(restoring->ctl->settings->center.user);
	struct stat there;
	uid_t owner = user != NULL ? user->pw_uid : geteuid();
	if (fstatat(place->folder.fd, place->last, &there, AT_SYMLINK_NOFOLLOW) == 0)
		owner = there.st_uid;
	identity_person();
	bool given = owner == geteuid() || geteuid() != 0 ||
	             fchownat(place->folder.fd, name, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) == 0;
	int number = errno;
	identity_back();
	return given ||
	       error_set(err, EX_NOPERM, "%s/%s: %s", place->folder.path, name, strerror(number));
}

static bool copy_all(const struct restoring *restoring, struct error *err)
{
	for (int i = 0; i < PLACES; i++) {
		const struct place *place = &restoring->places[i];
		if (!place->wanted || i == FILES)
			continue;
		remove_incoming(restoring, place);
		if (!copy_file(restoring, place->name, &place->folder,
		               with(restoring, place, INCOMING, ""), i == CENTER ? 0600 : FILE_MODE,
		               err))
			return false;
	}
	return (!restoring->places[FILES].wanted || copy_contents(restoring, err)) &&
	       (!restoring->places[CENTER].wanted || give_to_center(restoring, err));
}

/* ---- what the copies are */

static const char *incoming_path(const struct restoring *restoring, int i)
{
	return arena_printf(restoring->ctl->arena, "%s" INCOMING, restoring->places[i].path);
}

/* In a cluster it is a seed: it goes on where the journal does, with the owner's ids. */
static bool is_seed(const struct restoring *restoring)
{
	return *restoring->ctl->settings->cluster.name != '\0';
}

/* A seed stays as the owner has it: the journal says when it goes on. */
static enum db_mode mode_of(const struct restoring *restoring)
{
	return is_seed(restoring) ? DB_FOLLOW : DB_OWN;
}

/* Nothing goes out until a person has looked: what was queued then may have gone since. */
static bool pause_spool(const struct restoring *restoring, struct error *err)
{
	struct actor actor;
	const json_t *made = json_object_get(restoring->set.manifest, "made");
	struct spool *spool = spool_open(incoming_path(restoring, SPOOL), mode_of(restoring), err);
	if (spool == NULL)
		return false;
	bool good = actor_find(restoring->ctl, &actor, err) && spool_begin(spool, err);
	if (good) {
		const struct spool_pause pause = {
		        .since = restoring->ctl->now,
		        .by = actor.user,
		        .note = arena_printf(restoring->ctl->arena,
		                             "restored from the backup of %s: what waited then may "
		                             "have gone out since",
		                             json_string_value(made))};
		spool_jump(spool);
		spool_pause_set(spool, &pause);
		good = spool_commit(spool, err);
	}
	spool_close(spool);
	return good;
}

static bool look_at_spool(const struct restoring *restoring, struct error *err)
{
	struct spool *spool = spool_open(incoming_path(restoring, SPOOL), mode_of(restoring), err);
	bool good = spool != NULL;
	spool_close(spool);
	return good;
}

/* By our own schemas, so that a later version's, or another program's, is refused before anything
 * is moved. */
static bool prepare(const struct restoring *restoring, struct error *err)
{
	struct customers *customers =
	        customers_open(incoming_path(restoring, CUSTOMERS), mode_of(restoring), err);
	if (customers == NULL)
		return false;
	bool good = is_seed(restoring) || customers_jump(customers, err);
	customers_close(customers);
	return good &&
	       (is_seed(restoring) ? look_at_spool(restoring, err) : pause_spool(restoring, err));
}

/* ---- into place */

static bool put_aside(const struct restoring *restoring, const struct place *place,
                      struct error *err)
{
	for (int s = 0; s < SUFFIXES; s++) {
		const char *from = with(restoring, place, "", suffixes[s]);
		if (folder_has(&place->folder, from) &&
		    !folder_rename(&place->folder, from, &place->folder,
		                   with(restoring, place, ASIDE, suffixes[s]), err))
			return false;
	}
	return true;
}

static bool put_in_place(const struct restoring *restoring, struct error *err)
{
	for (int i = 0; i < PLACES; i++) {
		const struct place *place = &restoring->places[i];
		if (!place->wanted)
			continue;
		if (!put_aside(restoring, place, err) ||
		    !folder_rename(&place->folder, with(restoring, place, INCOMING, ""),
		                   &place->folder, place->last, err) ||
		    !folder_sync(&place->folder, err))
			return false;
	}
	return true;
}

/* Where this machine's configuration has that key; "" where nowhere. */
static const char *key_here(const json_t *here, const char *key)
{
	size_t i;
	const json_t *row;
	json_array_foreach(here, i, row)
	{
		if (strcmp(table_text(row, "key"), key) == 0)
			return table_text(row, "path");
	}
	return "";
}

/* The backup names them, with their places at that time; what counts is whether they are in their
 * place here. */
static void print_keys(struct ctl *ctl, const json_t *keys)
{
	size_t i;
	const json_t *row;
	json_t *here = backup_keys(ctl->settings);
	json_array_foreach(keys, i, row)
	{
		const char *key = table_text(row, "key"), *path = key_here(here, key);
		identity_person();
		bool there = *path != '\0' && access(path, F_OK) == 0;
		identity_back();
		if (*path == '\0')
			output_print(ctl->out,
			             "not in the backup, and not configured here: %s, which was %s",
			             key, table_text(row, "path"));
		else if (!there)
			output_print(ctl->out,
			             "not in the backup: put the old %s (%s) in its place, %s, "
			             "before the start",
			             table_text(row, "path"), key, path);
		else
			output_print(ctl->out, "not in the backup, but in its place: %s (%s)", path,
			             key);
	}
	json_decref(here);
}

static void print_restored(struct restoring *restoring)
{
	struct ctl *ctl = restoring->ctl;
	const char *made = json_string_value(json_object_get(restoring->set.manifest, "made"));
	json_t *paths = json_array();
	for (int i = 0; i < PLACES; i++) {
		if (!restoring->places[i].wanted)
			continue;
		output_print(ctl->out, "restored %s", restoring->places[i].path);
		json_array_append_new(paths, json_string(restoring->places[i].path));
	}
	output_print(ctl->out,
	             is_seed(restoring)
	                     ? "the backup is of %s; start dispatchd, which follows the owner of "
	                       "the cluster"
	                     : "the backup is of %s; sending is paused: look at `dispatchctl mail "
	                       "list`, start dispatchd, then run `dispatchctl mail resume`",
	             made);
	print_keys(ctl, json_object_get(restoring->set.manifest, "keys"));
	output_document(ctl->out, json_pack("{s:o, s:s}", "restored", paths, "made", made));
}

static bool restore_set(struct restoring *restoring, struct error *err)
{
	bool good = find_places(restoring, err) && take_lock(restoring, err) &&
	            check_free(restoring, err) && copy_all(restoring, err) &&
	            prepare(restoring, err) && put_in_place(restoring, err);
	if (good)
		print_restored(restoring);
	for (int i = 0; i < PLACES; i++)
		folder_close(&restoring->places[i].folder);
	if (restoring->lock >= 0)
		(void)close(restoring->lock);
	return good;
}

static bool unpack(struct ctl *ctl, const char *path, struct error *err)
{
	struct backup_set set;
	(void)ctl;
	bool good = backup_set_create(&set, path, err) && backup_tar_read(STDIN_FILENO, &set, err);
	backup_set_close(&set);
	return good;
}

static bool restore_run(struct ctl *ctl, struct error *err)
{
	struct restoring restoring = {.ctl = ctl, .set = BACKUP_SET_NONE, .lock = -1};
	const char *path = ctl_arg(ctl, 0);
	bool stream = strcmp(path, "-") == 0;
	for (int i = 0; i < PLACES; i++)
		restoring.places[i].folder = FOLDER_NONE;
	identity_person();
	if (stream)
		path = backup_temporary(ctl, err);
	bool good = path != NULL && (!stream || unpack(ctl, path, err)) &&
	            backup_set_open(&restoring.set, path, err);
	identity_back();
	good = good && restore_set(&restoring, err);
	identity_person();
	backup_set_close(&restoring.set);
	if (stream && path != NULL)
		backup_remove(path);
	identity_back();
	return good;
}

static const struct option restore_options[] = {
        {.name = "force", .help = "puts what is there aside, as NAME.before-restore"},
        {0},
};
static const struct command restore_commands[] = {
        {.args = "DIR",
         .options = restore_options,
         .uses = USES_BACKUP,
         .help = "Puts a backup's databases and files where the configuration has them",
         .more = "DIR is a backup's folder, - a tar on standard input. All of it is compared with "
                 "its manifest first. Where a daemon runs nothing happens (75), nor where "
                 "something is there already (65), unless --force puts it aside. Sending is left "
                 "paused: mails that were waiting at the time of the backup may have gone out "
                 "since. Look at mail list, then run mail resume. Where [cluster] name is set "
                 "it isn't: a seed follows its owner. The configuration is not touched; it is in "
                 "DIR/config.",
         .examples = "restore /var/backups/dispatchd-monday\n"
                     "restore --force - <dispatchd.tar",
         .run = restore_run},
};

const struct noun noun_restore = {
        .name = "restore", .help = "put a backup back", COMMANDS(restore_commands)};
