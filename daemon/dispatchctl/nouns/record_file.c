/* SPDX-License-Identifier: MIT */
/* `document add`, `picture add`, `fetch`: files of a customer. */
#include "base/identity.h"
#include "dispatchctl/base/office.h"
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/fields.h"
#include "dispatchctl/nouns/record.h"
#include "model/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

bool record_file_add(struct ctl *ctl, struct error *err)
{
	const struct kind *kind = kind_find(ctl->command->kind);
	const char *number = ctl_arg(ctl, 0), *path = ctl_arg(ctl, 1);
	struct change_context context;
	int64_t id = 0;
	FILE *in = office_open_given(path, "rbe");
	if (in == NULL)
		return error_set(err, EX_NOINPUT, "can't read %s: %s", path, strerror(errno));
	json_t *values = fields_given(ctl, err);
	bool ok = values != NULL && store_open(ctl, DB_WRITE, &context, err) &&
	          file_add(&context, kind, number, base_name(path), in,
	                   ctl->settings->customers.max_file_size, values, &id, err);
	json_decref(values);
	(void)fclose(in);
	return ok && record_done(ctl, context.store,
	                         arena_printf(ctl->arena, "%lld", (long long)id), "added", err);
}

static FILE *create(const char *path, struct error *err)
{
	identity_person();
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	identity_back();
	if (fd >= 0)
		return fdopen(fd, "wb");
	error_set(err, EX_IOERR, "can't write %s: %s", path, strerror(errno));
	return NULL;
}

/* An existing file is left alone; a fetch that fails leaves none. */
bool record_file_fetch(struct ctl *ctl, struct error *err)
{
	const struct kind *kind = kind_find(ctl->command->kind);
	const char *path = ctl_arg(ctl, 1);
	struct change_context context;
	if (!store_open(ctl, DB_READ, &context, err))
		return false;
	bool plain = strcmp(path, "-") != 0;
	FILE *out = plain ? create(path, err) : stdout;
	if (out == NULL)
		return false;
	bool ok = file_fetch(context.store, kind, ctl_arg(ctl, 0), out, err);
	if (ok && fflush(out) != 0)
		ok = error_set(err, EX_IOERR, "can't write %s: %s", path, strerror(errno));
	if (!plain)
		return ok;
	(void)fclose(out);
	identity_person();
	if (!ok)
		(void)unlink(path);
	identity_back();
	output_print(ctl->out, "%s %s written to %s", kind->name, ctl_arg(ctl, 0), path);
	output_document(ctl->out, json_pack("{s:s}", "file", path));
	return ok;
}
