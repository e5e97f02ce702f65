/* SPDX-License-Identifier: MIT */
#include "base/exposed.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

static bool is_below(const char *path, const char *folder)
{
	char *real = folder[0] == '/' ? realpath(folder, NULL) : NULL;
	size_t len = real ? strlen(real) : 0;
	/* "/" would be everything. */
	bool below = len > 1 && strncmp(path, real, len) == 0 && path[len] == '/';

	free(real);
	return below;
}

static bool is_kept(const char *path)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");

	return is_below(path, "/run/secrets") || (credentials && is_below(path, credentials));
}

/* Changes `path`, which begins with a slash, and leaves it empty. */
static bool folders_let_through(char *path)
{
	struct stat st;
	char *slash;

	while ((slash = strrchr(path, '/')) != NULL) {
		*slash = '\0';
		if (stat(slash == path ? "/" : path, &st) < 0 || !(st.st_mode & S_IXOTH))
			return false;
	}
	return true;
}

bool exposed_file(const char *path)
{
	char *real = realpath(path, NULL);
	struct stat st;
	bool exposed = real && stat(real, &st) == 0 && S_ISREG(st.st_mode) &&
	               (st.st_mode & S_IROTH) && !is_kept(real) && folders_let_through(real);

	free(real);
	return exposed;
}

char *exposed_remedy(const char *path)
{
	static const char plain[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%,=";
	struct buf text = {0};

	buf_adds(&text, "chmod o= ");
	if (path[0] != '-' && strspn(path, plain) == strlen(path)) {
		buf_adds(&text, path);
		return buf_take(&text);
	}
	buf_adds(&text, path[0] == '-' ? "-- '" : "'");
	for (; *path; path++)
		if (*path == '\'')
			buf_adds(&text, "'\\''");
		else
			buf_addc(&text, *path);
	buf_addc(&text, '\'');
	return buf_take(&text);
}

bool exposed_check(const char *path, const char *what, struct error *err)
{
	if (!exposed_file(path))
		return true;
	char *remedy = exposed_remedy(path);
	error_set(err, EX_CONFIG, "everybody can read the %s in %s; to fix it: %s", what, path,
	          remedy);
	free(remedy);
	return false;
}
