/* SPDX-License-Identifier: MIT */
/*
 * Our certificate for a relay that asks for one. OpenSSL's own functions for files say little about
 * what is wrong with them, and may ask the terminal for a passphrase, so certificate and key are
 * read here.
 */
#include "dispatchd/mailer/client_certificate.h"

#include "base/exposed.h"
#include "common/tls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sysexits.h>

/* A key with a passphrase was found: nobody is there to type it. */
static int no_passphrase(char *ret, int size, int writing, void *asked)
{
	(void)ret, (void)size, (void)writing;
	*(bool *)asked = true;
	return -1;
}

static FILE *open_pem(const char *path, struct error *err)
{
	FILE *file = fopen(path, "re");

	if (!file)
		error_set(err, errno == EACCES ? EX_NOPERM : EX_CONFIG, "%s: %s", path,
		          strerror(errno));
	return file;
}

static bool is_in_force(const X509 *certificate, const char *path, struct error *err)
{
	const ASN1_TIME *from = X509_get0_notBefore(certificate);
	const ASN1_TIME *until = X509_get0_notAfter(certificate);
	char text[INSTANT_TEXT_MAX];

	if (X509_cmp_current_time(until) < 0)
		return error_set(err, EX_CONFIG, "%s: the certificate expired at %s", path,
		                 tls_time_text(until, text));
	return X509_cmp_current_time(from) <= 0 ||
	       error_set(err, EX_CONFIG, "%s: the certificate isn't valid before %s", path,
	                 tls_time_text(from, text));
}

/* The first is ours. */
static bool use_certificates(SSL_CTX *ssl, FILE *file, const char *path, struct error *err)
{
	X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
	bool ok =
	        certificate != NULL ||
	        error_set(err, EX_CONFIG, "%s: holds no certificate that can be read (PEM)", path);

	ok = ok && (SSL_CTX_use_certificate(ssl, certificate) == 1 ||
	            error_set(err, EX_CONFIG, "%s: OpenSSL refuses the certificate: %s", path,
	                      ERR_reason_error_string(ERR_peek_error())));
	X509_free(certificate);
	while (ok && (certificate = PEM_read_X509(file, NULL, NULL, NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(ssl, certificate) != 1)
			X509_free(certificate);
	return ok;
}

static bool use_key(SSL_CTX *ssl, FILE *file, const char *path, const char *certificate,
                    struct error *err)
{
	bool asked = false;
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, no_passphrase, &asked);
	bool ok = key != NULL ||
	          error_set(err, EX_CONFIG, "%s: %s", path,
	                    asked ? "the key has a passphrase, which nobody could type; store it "
	                            "without one"
	                          : "holds no private key that can be read (PEM)");

	ok = ok && (X509_check_private_key(SSL_CTX_get0_certificate(ssl), key) == 1 ||
	            error_set(err, EX_CONFIG, "%s: doesn't belong to the certificate in %s", path,
	                      certificate));
	ok = ok && (SSL_CTX_use_PrivateKey(ssl, key) == 1 ||
	            error_set(err, EX_CONFIG, "%s: OpenSSL refuses the key: %s", path,
	                      ERR_reason_error_string(ERR_peek_error())));
	EVP_PKEY_free(key);
	return ok;
}

static bool read_certificates(SSL_CTX *ssl, const struct relay_settings *relay, struct error *err)
{
	FILE *file = open_pem(relay->client_cert, err);
	bool ok = file && use_certificates(ssl, file, relay->client_cert, err);

	if (file)
		fclose(file);
	return ok || error_prefix(err, "[%s] client_cert", relay->section);
}

static bool read_key(SSL_CTX *ssl, const struct relay_settings *relay, struct error *err)
{
	bool own = relay->client_key[0] != '\0';
	const char *path = own ? relay->client_key : relay->client_cert;
	FILE *file = exposed_check(path, "key", err) ? open_pem(path, err) : NULL;
	bool ok = file && use_key(ssl, file, path, relay->client_cert, err);

	if (file)
		fclose(file);
	return ok ||
	       error_prefix(err, "[%s] %s", relay->section, own ? "client_key" : "client_cert");
}

bool client_certificate_use(SSL_CTX *ssl, const struct relay_settings *relay, struct error *err)
{
	bool ok = relay->client_cert[0] == '\0' ||
	          (read_certificates(ssl, relay, err) && read_key(ssl, relay, err));

	ERR_clear_error();
	return ok;
}

typedef bool part_check(SSL_CTX *ssl, const struct relay_settings *relay, struct error *err);

static bool key_alone(SSL_CTX *ssl, const struct relay_settings *relay, struct error *err)
{
	return !read_certificates(ssl, relay, NULL) || read_key(ssl, relay, err);
}

static bool dates_alone(SSL_CTX *ssl, const struct relay_settings *relay, struct error *err)
{
	return !read_certificates(ssl, relay, NULL) ||
	       is_in_force(SSL_CTX_get0_certificate(ssl), relay->client_cert, err) ||
	       error_prefix(err, "[%s] client_cert", relay->section);
}

static bool check_part(part_check *part, const struct relay_settings *relay, struct error *err)
{
	SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
	bool ok = relay->client_cert[0] == '\0' ||
	          (ssl ? part(ssl, relay, err)
	               : error_set(err, EX_SOFTWARE, "OpenSSL can't create a context"));

	ERR_clear_error();
	SSL_CTX_free(ssl);
	return ok;
}

bool client_certificate_check(const struct relay_settings *relay, struct error *err)
{
	return check_part(read_certificates, relay, err);
}

bool client_certificate_in_force(const struct relay_settings *relay, struct error *err)
{
	return check_part(dates_alone, relay, err);
}

bool client_key_check(const struct relay_settings *relay, struct error *err)
{
	return check_part(key_alone, relay, err);
}
