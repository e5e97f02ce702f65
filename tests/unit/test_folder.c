/* SPDX-License-Identifier: MIT */
/* What is made and opened in a folder where others may write. */
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

struct place {
	char path[64];
	struct folder folder;
};

static const char *below(const struct place *place, const char *name)
{
	static char paths[4][256];
	static unsigned n;
	char *path = paths[n++ % 4];
	(void)snprintf(path, sizeof paths[0], "%s/%s", place->path, name);
	return path;
}

static int begin(void **state)
{
	struct place *place = calloc(1, sizeof *place);
	struct error err;
	strcpy(place->path, "/tmp/dispatchd-folder-XXXXXX");
	assert_non_null(mkdtemp(place->path));
	assert_true(folder_open(&place->folder, place->path, true, &err));
	*state = place;
	return 0;
}

static int end(void **state)
{
	struct place *place = *state;
	char command[128];
	folder_close(&place->folder);
	(void)snprintf(command, sizeof command, "rm -rf %s", place->path);
	int done = system(command);
	free(place);
	return done;
}

static void put(const struct place *place, const char *name)
{
	FILE *file = fopen(below(place, name), "w");
	assert_non_null(file);
	assert_true(fputs("text", file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void refused(const struct place *place, const char *name, int code, const char *words)
{
	struct error err = {0};
	bool there;
	assert_int_equal(folder_file(&place->folder, name, O_RDONLY, &err), -1);
	if (err.code != code || !strstr(err.text, words))
		fail_msg("%s: %d %s", name, err.code, err.text);
	if (code != EX_IOERR)
		assert_false(folder_check(&place->folder, name, &there, &err));
	assert_int_equal(folder_make(&place->folder, name, 0660, &err) >= 0, code == EX_IOERR);
}

static void only_plain_files_are_opened(void **state)
{
	struct place *place = *state;
	put(place, "plain");
	int fd = folder_file(&place->folder, "plain", O_RDONLY, NULL);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(symlink("plain", below(place, "link")), 0);
	assert_int_equal(symlink("nowhere", below(place, "dangling")), 0);
	assert_int_equal(mkfifo(below(place, "fifo"), 0600), 0);
	assert_int_equal(mkdir(below(place, "dir"), 0700), 0);
	refused(place, "link", EX_NOPERM, "expected a regular file, found a symbolic link");
	refused(place, "dangling", EX_NOPERM, "found a symbolic link");
	refused(place, "fifo", EX_DATAERR, "found a FIFO");
	refused(place, "dir", EX_DATAERR, "found a folder");
	refused(place, "absent", EX_IOERR, "absent");
	assert_int_equal(link(below(place, "plain"), below(place, "second")), 0);
	refused(place, "plain", EX_NOPERM, "hard link");
}

static void folders_are_entered_without_links(void **state)
{
	struct place *place = *state;
	struct folder found = FOLDER_NONE;
	struct error err;
	struct stat st;
	assert_true(folder_enter(&place->folder, "made", 02770, &found, &err));
	assert_int_equal(stat(below(place, "made"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 02770);
	folder_close(&found);
	assert_int_equal(symlink("made", below(place, "link")), 0);
	assert_false(folder_enter(&place->folder, "link", 02770, &found, &err));
	assert_int_equal(err.code, EX_NOPERM);
	assert_non_null(strstr(err.text, "expected a folder, found a symbolic link"));
	put(place, "plain");
	assert_false(folder_enter(&place->folder, "plain", 02770, &found, &err));
	assert_int_equal(err.code, EX_DATAERR);
	assert_false(folder_enter(&place->folder, "absent", 0, &found, &err));
	assert_int_equal(err.code, EX_IOERR);
}

static void what_is_made_has_its_mode(void **state)
{
	struct place *place = *state;
	struct error err;
	struct stat st;
	mode_t old = umask(0077);
	int fd = folder_make(&place->folder, "new", 0660, &err);
	(void)umask(old);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	(void)close(fd);
	assert_true(folder_share(&place->folder, "new", S_IFREG, 0600));
	assert_int_equal(stat(below(place, "new"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(symlink("new", below(place, "link")), 0);
	assert_false(folder_share(&place->folder, "link", S_IFREG, 0666));
	assert_int_equal(stat(below(place, "new"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void strangers_folders_and_files(void **state)
{
	struct place *place = *state;
	struct folder found = FOLDER_NONE;
	struct error err;
	if (geteuid() != 0)
		skip(); /* nobody else can make a stranger's file */
	put(place, "plain");
	assert_int_equal(chown(below(place, "plain"), 12345, 12345), 0);
	refused(place, "plain", EX_NOPERM, "belongs to another user (uid 12345, gid 12345)");
	assert_int_equal(chown(below(place, "plain"), 12345, place->folder.group), 0);
	int fd = folder_file(&place->folder, "plain", O_RDONLY, &err);
	assert_true(fd >= 0); /* a colleague's: the folder gives its group */
	(void)close(fd);
	assert_int_equal(mkdir(below(place, "theirs"), 0777), 0);
	assert_int_equal(chown(below(place, "theirs"), 12345, 12345), 0);
	assert_int_equal(chmod(place->path, 0755), 0);
	assert_int_equal(seteuid(54321), 0);
	bool opened = folder_open(&found, below(place, "theirs"), true, &err);
	assert_int_equal(seteuid(0), 0);
	assert_false(opened);
	assert_non_null(strstr(err.text,
	                       "must belong to root or to the user that this runs as (uid 54321)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(only_plain_files_are_opened, begin, end),
	        cmocka_unit_test_setup_teardown(folders_are_entered_without_links, begin, end),
	        cmocka_unit_test_setup_teardown(what_is_made_has_its_mode, begin, end),
	        cmocka_unit_test_setup_teardown(strangers_folders_and_files, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
