/* SPDX-License-Identifier: MIT */
#ifndef COMMON_TARGET_H
#define COMMON_TARGET_H

#include "base/error.h"
#include "common/sentinels.h"
#include "common/tls_stream.h"
#include "model/settings.h"

/* Which Redis, and as whom: `[redis] url` with the password from wherever it is kept. */
struct target {
	char *socket; /* path of a Unix socket; NULL for TCP */
	char *host;   /* a name or a numeric address; "" behind Sentinel */
	int port;
	struct tls_trust *trust;     /* NULL without TLS */
	struct sentinels *sentinels; /* who say where it is; NULL without them */
	char *user, *password;       /* NULL where there is none */
	char *password_path;         /* of the file that it was read from; NULL for none */
	int db;
	char *name; /* for the log: without password */
	/* The node of a Redis Cluster that has our keys, once another has said so; NULL before. */
	char *moved_host;
	int moved_port;
};

/*
 * The password is the systemd credential `redis-password` where there is one, else that of
 * password_file (one trailing line break is not part of it), else that of the URL. A file that
 * everybody can read is a fault (base/exposed.h).
 */
struct target *target_new(const struct settings *settings, struct error *err) MUST_CHECK;
/* Reads the password again where it came from a file: it may have been changed. Else all stays as
 * it is. */
bool target_reread(struct target *target, struct error *err) MUST_CHECK;
/* Where to connect to. */
const char *target_host(const struct target *target);
int target_port(const struct target *target);
/* Takes the place from "MOVED SLOT HOST:PORT" (Redis Cluster specification); false for other words,
 * and for a Unix socket. All our keys have to be in one slot. */
bool target_follow(struct target *target, const char *words);
void target_return(struct target *target); /* to where the configuration says */

/* The sentinel that was asked first is asked last from now on: it may know less than others. */
void target_turn_sentinels(struct target *target);

struct target *target_free(struct target *target); /* takes NULL; returns NULL */

#endif
