/* SPDX-License-Identifier: MIT */
/* Finds the functions behind those that the program defines itself, once, at the first call. */
#include "dispatchd/mailer/libc.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static struct {
	int (*connect)(int, __CONST_SOCKADDR_ARG, socklen_t);
	int (*poll)(struct pollfd *, nfds_t, int);
	ssize_t (*read)(int, void *, size_t);
	ssize_t (*write)(int, const void *, size_t);
	int (*getaddrinfo)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	void (*freeaddrinfo)(struct addrinfo *);
	void *(*dlopen)(const char *, int);
} real;

static void libc_find(void *ret_function, const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (!symbol)
		bug("no %s() in the C library", name);
	memcpy(ret_function, &symbol, sizeof symbol);
}

static void find_all(void)
{
	libc_find(&real.connect, "connect");
	libc_find(&real.poll, "poll");
	libc_find(&real.read, "read");
	libc_find(&real.write, "write");
	libc_find(&real.getaddrinfo, "getaddrinfo");
	libc_find(&real.freeaddrinfo, "freeaddrinfo");
	libc_find(&real.dlopen, "dlopen");
}

static void need_real(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_all);
}

int libc_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	need_real();
	return real.connect(fd, (__CONST_SOCKADDR_ARG){.__sockaddr__ = address}, len);
}

int libc_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	need_real();
	return real.poll(fds, n, timeout_ms);
}

ssize_t libc_read(int fd, void *ret, size_t size)
{
	need_real();
	return real.read(fd, ret, size);
}

ssize_t libc_write(int fd, const void *bytes, size_t len)
{
	need_real();
	return real.write(fd, bytes, len);
}

int libc_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                     struct addrinfo **ret)
{
	need_real();
	return real.getaddrinfo(host, port, hints, ret);
}

void libc_freeaddrinfo(struct addrinfo *list)
{
	need_real();
	real.freeaddrinfo(list);
}

void *libc_dlopen(const char *path, int flags)
{
	need_real();
	return real.dlopen(path, flags);
}
