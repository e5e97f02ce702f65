/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_CLIENT_CERTIFICATE_H
#define DISPATCHD_MAILER_CLIENT_CERTIFICATE_H

#include "base/error.h"
#include "model/settings.h"

#include <stdbool.h>

struct ssl_ctx_st;

/*
 * Reads client_cert and client_key of a section into the context: the certificate, those behind it,
 * and the key, which has to be the certificate's. Without a client_cert nothing happens. A fault
 * names section, key and file; that everybody can read the private key is one. Codes 78, 77. The
 * certificate's dates are the relay's business, which it is shown to.
 */
bool client_certificate_use(struct ssl_ctx_st *ssl, const struct relay_settings *relay,
                            struct error *err) MUST_CHECK;
/* The same for nobody, each part by itself: where the certificate is bad, nothing is said of the
 * key. */
bool client_certificate_check(const struct relay_settings *relay, struct error *err) MUST_CHECK;
bool client_key_check(const struct relay_settings *relay, struct error *err) MUST_CHECK;
/* Whether it has begun and not expired. True where it can't be read. */
bool client_certificate_in_force(const struct relay_settings *relay, struct error *err) MUST_CHECK;

#endif
