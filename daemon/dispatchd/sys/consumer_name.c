/* SPDX-License-Identifier: MIT */
#include "dispatchd/sys/consumer_name.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

const char *consumer_name(const struct settings *settings, char ret[CONSUMER_NAME_SIZE])
{
	char host[HOST_NAME_MAX + 1] = "";
	const char *name = settings->redis.consumer;
	if (*name == '\0' && gethostname(host, sizeof host - 1) == 0)
		name = host;
	(void)snprintf(ret, CONSUMER_NAME_SIZE, "%s", *name ? name : "dispatchd");
	return ret;
}
