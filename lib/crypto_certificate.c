/* crypto_certificate.c - what a certificate says, through X509; an agent's look at a server's.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "lib/err.h"
#include "lib/text.h"

#define URI	   "deploybot:"
#define NAME_BYTES 63

typedef STACK_OF(X509) certificates;

DEFINE_FREEP(X509_STORE, X509_STORE_free)
DEFINE_FREEP(X509_STORE_CTX, X509_STORE_CTX_free)

static void
free_certificates(certificates **list)
{
	sk_X509_pop_free(*list, X509_free);
}

static bool
name_is_valid(const char *name)
{
	const char *slash = strchr(name, '/');

	return strcmp(name, "server") == 0 ||
	    (slash != NULL && (text_starts(name, "agent/") || text_starts(name, "runner/")) &&
		text_is_word(slash + 1, NAME_BYTES));
}

/* The one URI of ours; two are none. */
static void
name_of(const GENERAL_NAMES *names, char ret[CRYPTO_CA_IDENTITY])
{
	ret[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		const char *text;

		if (name->type != GEN_URI)
			continue;
		text = (const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
		if (!text_starts(text, URI))
			continue;
		text += strlen(URI);
		if (ret[0] != '\0' || !name_is_valid(text) ||
		    strlen(text) + strlen(URI) !=
			(size_t)ASN1_STRING_length(name->d.uniformResourceIdentifier)) {
			ret[0] = '\0';
			return;
		}
		(void)text_copy(ret, CRYPTO_CA_IDENTITY, text); /* fits: name_is_valid() */
	}
}

void
crypto_certificate_identity(const X509 *cert, char ret[CRYPTO_CA_IDENTITY])
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	name_of(names, ret);
	GENERAL_NAMES_free(names);
}

/* All of a text; NULL: there is none, or no memory.  Nobody is asked for a passphrase: it is "". */
static certificates *
read_all(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, (int)strnlen(text, CRYPTO_CA_FILE));
	certificates *list = sk_X509_new_null();
	X509 *cert;

	while (bio != NULL && list != NULL &&
	    (cert = PEM_read_bio_X509(bio, NULL, NULL, (char[]){ "" })) != NULL)
		if (sk_X509_push(list, cert) == 0)
			X509_free(cert);
	BIO_free(bio);
	ERR_clear_error();
	if (sk_X509_num(list) > 0)
		return list;
	sk_X509_free(list);
	return NULL;
}

/* As a host checks the chain of a server. */
static bool
is_signed(X509 *cert, certificates *between, certificates *trusted)
{
	CLEANUP(X509_STORE_freep) X509_STORE *store = X509_STORE_new();
	CLEANUP(X509_STORE_CTX_freep) X509_STORE_CTX *look = X509_STORE_CTX_new();
	bool ok = store != NULL && look != NULL;

	for (int i = 0; ok && i < sk_X509_num(trusted); i++)
		ok = X509_STORE_add_cert(store, sk_X509_value(trusted, i)) == 1;
	ok = ok && X509_STORE_CTX_init(look, store, cert, between) == 1 &&
	    X509_STORE_CTX_set_purpose(look, X509_PURPOSE_SSL_SERVER) == 1;
	if (ok)
		X509_STORE_CTX_set_flags(look, X509_V_FLAG_NO_CHECK_TIME);
	ok = ok && X509_verify_cert(look) == 1;
	ERR_clear_error();
	return ok;
}

static bool
read_time(const ASN1_TIME *time, int64_t *ret)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return false;
	*ret = (int64_t)timegm(&tm) * 1000;
	return true;
}

bool
crypto_certificate_read(
    const char *text, const char *ca, struct crypto_certificate *ret, struct err *err)
{
	CLEANUP(free_certificates) certificates *list = read_all(text);
	CLEANUP(free_certificates) certificates *trusted = read_all(ca);
	X509 *cert = list == NULL ? NULL : sk_X509_value(list, 0);

	if (cert == NULL || !read_time(X509_get0_notBefore(cert), &ret->from) ||
	    !read_time(X509_get0_notAfter(cert), &ret->until))
		return err_set(err, ERR_INVALID, "no certificate in PEM");
	crypto_certificate_identity(cert, ret->identity);
	ret->is_signed = trusted != NULL && is_signed(cert, list, trusted);
	return crypto_ca_key_digest(text, ret->key, err);
}
