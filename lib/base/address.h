/* SPDX-License-Identifier: MIT */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/error.h"

#include <stdbool.h>

enum { ADDRESS_MAX = 254, MAILBOX_NAME_MAX = 256 };

/*
 * Whether `address` can be used in an SMTP envelope: RFC 5321, section 4.1.2, a Dot-string or
 * Quoted-string (64 bytes at most), `@`, and a domain or an address literal; 254 bytes at most.
 * Stricter than that in one point: no space, not even between quotes. On a fault `err` says what is
 * wrong (code 65); it may be NULL.
 */
bool address_check(const char *address, struct error *err) MUST_CHECK;

/*
 * The address with its domain as mail servers know it, in ASCII (RFC 5891: xn--…), where only the
 * domain has other letters: for a fault that says what to write. False where that doesn't make it
 * one.
 */
bool address_to_ascii(const char *address, char ret[ADDRESS_MAX + 1]) MUST_CHECK;

/* Whether the part before the @ has characters beyond ASCII (RFC 6531): no mail can be sent there.
 */
bool address_needs_smtputf8(const char *address);

/* What follows the last `@`; "" where there is none. Points into `address`. */
const char *address_domain(const char *address);

/* Whether mail for both goes to the same mailbox, as far as others can know: the domain without
 * case. */
bool address_same(const char *a, const char *b);

/* A display name and an address, as in a header. */
struct mailbox {
	char name[MAILBOX_NAME_MAX]; /* UTF-8, unquoted; "" for none */
	char address[ADDRESS_MAX + 1];
};

/*
 * `dispatch@example.com`, `<dispatch@example.com>`, `Example Hauling <dispatch@example.com>`, or
 * the name as a quoted string; spaces around it don't count. Untouched on failure.
 */
bool mailbox_parse(const char *text, struct mailbox *ret, struct error *err) MUST_CHECK;

#endif
