/* crypto_ca.c - certificates through EVP and X509; every answer is checked.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_ca.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "lib/err.h"
#include "lib/text.h"

#define CURVE	     "prime256v1"
#define URI	     "URI:deploybot:"
#define SERIAL_BYTES 16
#define KEY_DER	     91 /* bytes of a P-256 key on a named curve, its point uncompressed */

DEFINE_FREEP(ASN1_INTEGER, ASN1_INTEGER_free)
DEFINE_FREEP(BIGNUM, BN_free)
DEFINE_FREEP(BIO, BIO_free_all)
DEFINE_FREEP(EVP_PKEY, EVP_PKEY_free)
DEFINE_FREEP(X509, X509_free)
DEFINE_FREEP(X509_EXTENSION, X509_EXTENSION_free)
DEFINE_FREEP(X509_NAME, X509_NAME_free)
DEFINE_FREEP(X509_REQ, X509_REQ_free)

static bool
fail(struct err *err, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	return err_set(err, ERR_IO, "OpenSSL: %s: %s", what, reason == NULL ? "failed" : reason);
}

/* --- texts --- */

/* Nobody is asked for a passphrase, which OpenSSL would do at the terminal. */
static int
give_no_passphrase(char *buffer, int room, int is_writing, void *context)
{
	(void)buffer, (void)room, (void)is_writing, (void)context;
	return -1;
}

static BIO *
open_text(const char *text)
{
	return BIO_new_mem_buf(text, (int)strnlen(text, CRYPTO_CA_FILE));
}

static EVP_PKEY *
read_key(const char *text, struct err *err)
{
	CLEANUP(BIO_free_allp) BIO *bio = open_text(text);
	EVP_PKEY *key =
	    bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, give_no_passphrase, NULL);

	ERR_clear_error();
	return key != NULL ?
	    key :
	    ERR_NULL(err_set(err, ERR_INVALID, "no private key in PEM, without a passphrase"));
}

static X509 *
read_certificate(const char *text, struct err *err)
{
	CLEANUP(BIO_free_allp) BIO *bio = open_text(text);
	X509 *cert = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, give_no_passphrase, NULL);

	ERR_clear_error();
	return cert != NULL ? cert : ERR_NULL(err_set(err, ERR_INVALID, "no certificate in PEM"));
}

static X509_REQ *
read_request(const char *text, struct err *err)
{
	CLEANUP(BIO_free_allp) BIO *bio = NULL;
	X509_REQ *request = NULL;

	if (strnlen(text, CRYPTO_CA_REQUEST + 1) > CRYPTO_CA_REQUEST)
		return ERR_NULL(err_set(
		    err, ERR_INVALID, "a request of more than %d bytes", CRYPTO_CA_REQUEST));
	bio = BIO_new_mem_buf(text, -1);
	request = bio == NULL ? NULL : PEM_read_bio_X509_REQ(bio, NULL, give_no_passphrase, NULL);
	ERR_clear_error();
	return request != NULL ?
	    request :
	    ERR_NULL(err_set(err, ERR_INVALID, "no request for a certificate in PEM"));
}

/* What was written to it, as a text. */
static bool
take_text(BIO *bio, bool is_written, char ret[CRYPTO_CA_PEM], struct err *err)
{
	char *data = NULL;
	long size = is_written ? BIO_get_mem_data(bio, &data) : 0;

	if (size <= 0 || size >= CRYPTO_CA_PEM)
		return fail(err, "writing PEM");
	memcpy(ret, data, (size_t)size);
	ret[size] = '\0';
	return true;
}

static bool
write_key(EVP_PKEY *key, char ret[CRYPTO_CA_PEM], struct err *err)
{
	CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_secmem());

	return take_text(bio,
	    bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1,
	    ret, err);
}

static bool
write_certificate(X509 *cert, char ret[CRYPTO_CA_PEM], struct err *err)
{
	CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());

	return take_text(bio, bio != NULL && PEM_write_bio_X509(bio, cert) == 1, ret, err);
}

/* --- keys --- */

static bool
digest_key(EVP_PKEY *key, char ret[CRYPTO_SHA256_HEX], struct err *err)
{
	uint8_t digest[CRYPTO_SHA256_SIZE];
	unsigned char *der = NULL;
	int size = i2d_PUBKEY(key, &der);
	bool ok =
	    size > 0 ? crypto_sha256(der, (size_t)size, digest, err) : fail(err, "a public key");

	OPENSSL_free(der);
	if (ok)
		text_hex(ret, digest, sizeof(digest));
	return ok;
}

/* Each key has one encoding, and so one digest: a point that is compressed, or a curve that is
 * spelt out, would be a second one. */
static bool
is_p256(EVP_PKEY *key)
{
	char curve[32] = "", form[32] = "";

	return key != NULL && EVP_PKEY_is_a(key, "EC") == 1 &&
	    EVP_PKEY_get_utf8_string_param(
		key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof(curve), NULL) == 1 &&
	    strcmp(curve, CURVE) == 0 &&
	    EVP_PKEY_get_utf8_string_param(
		key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form, sizeof(form), NULL) == 1 &&
	    strcmp(form, "uncompressed") == 0 && i2d_PUBKEY(key, NULL) == KEY_DER;
}

/* The key of a request that can be signed, borrowed from it. */
static EVP_PKEY *
check_request(X509_REQ *request, struct err *err)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(request);
	bool is_fit = is_p256(key);
	bool is_signed = is_fit && X509_REQ_verify(request, key) == 1;

	ERR_clear_error();
	if (!is_fit)
		return ERR_NULL(err_set(err, ERR_INVALID,
		    "a request for another key than P-256 (prime256v1, its point uncompressed)"));
	if (!is_signed)
		return ERR_NULL(err_set(
		    err, ERR_INVALID, "a request that is not signed by the key that it is for"));
	return key;
}

bool
crypto_ca_check_request(const char *text, char ret[CRYPTO_SHA256_HEX], struct err *err)
{
	CLEANUP(X509_REQ_freep) X509_REQ *request = read_request(text, err);
	EVP_PKEY *key = request == NULL ? NULL : check_request(request, err);

	return key != NULL && digest_key(key, ret, err);
}

bool
crypto_ca_key_digest(const char *text, char ret[CRYPTO_SHA256_HEX], struct err *err)
{
	CLEANUP(X509_freep) X509 *cert = read_certificate(text, err);
	EVP_PKEY *key = cert == NULL ? NULL : X509_get0_pubkey(cert);

	return key != NULL ? digest_key(key, ret, err) :
			     cert != NULL && fail(err, "a certificate's key");
}

bool
crypto_ca_make_order_key(char ret[CRYPTO_CA_PEM], struct err *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	return key != NULL ? write_key(key, ret, err) : fail(err, "a key of Ed25519");
}

static EVP_PKEY *
read_order_key(const char *text, struct err *err)
{
	EVP_PKEY *key = read_key(text, err);

	if (key == NULL || EVP_PKEY_is_a(key, "ED25519") == 1)
		return key;
	EVP_PKEY_free(key);
	return ERR_NULL(err_set(err, ERR_INVALID, "a private key of another kind than Ed25519"));
}

bool
crypto_ca_order_public(const char *text, char ret[CRYPTO_SHA256_HEX], struct err *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = read_order_key(text, err);
	uint8_t raw[CRYPTO_ED25519_KEY];
	size_t size = sizeof(raw);

	if (key == NULL)
		return false;
	if (EVP_PKEY_get_raw_public_key(key, raw, &size) != 1)
		return fail(err, "a public key of Ed25519");
	text_hex(ret, raw, sizeof(raw));
	return true;
}

bool
crypto_ca_order_seed(const char *text, uint8_t ret[CRYPTO_ED25519_KEY], struct err *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = read_order_key(text, err);
	size_t size = CRYPTO_ED25519_KEY;

	return key != NULL &&
	    (EVP_PKEY_get_raw_private_key(key, ret, &size) == 1 ||
		fail(err, "a private key of Ed25519"));
}

/* --- certificates --- */

static bool
is_name(const char *name)
{
	return text_is_word(name, CRYPTO_CA_NAME_MAX);
}

static bool
is_identity(const char *identity)
{
	return strcmp(identity, "server") == 0 ||
	    (text_starts(identity, "agent/") && is_name(identity + strlen("agent/"))) ||
	    (text_starts(identity, "runner/") && is_name(identity + strlen("runner/")));
}

static bool
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	CLEANUP(X509_EXTENSION_freep) X509_EXTENSION *extension = NULL;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	return extension != NULL && X509_add_ext(cert, extension, -1) == 1;
}

/* Positive, as RFC 5280 has it, and never longer than its 20 bytes. */
static bool
set_serial(X509 *cert)
{
	CLEANUP(BN_freep) BIGNUM *number = NULL;
	CLEANUP(ASN1_INTEGER_freep) ASN1_INTEGER *serial = NULL;
	uint8_t bytes[SERIAL_BYTES];

	if (!crypto_random(bytes, sizeof(bytes), NULL))
		return false;
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	serial = number == NULL ? NULL : BN_to_ASN1_INTEGER(number, NULL);
	return serial != NULL && X509_set_serialNumber(cert, serial) == 1;
}

static bool
set_times(X509 *cert, int64_t from, int64_t until)
{
	time_t first = (time_t)(from / 1000), last = (time_t)(until / 1000);

	return X509_time_adj_ex(X509_getm_notBefore(cert), 0, 0, &first) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(cert), 0, 0, &last) != NULL;
}

static X509_NAME *
make_name(const char *text)
{
	X509_NAME *name = X509_NAME_new();

	if (name != NULL &&
	    X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)text, -1, -1, 0) != 1) {
		X509_NAME_free(name);
		return NULL;
	}
	return name;
}

/* A certificate without its issuer, which is not signed yet. */
static X509 *
begin(const char *subject, EVP_PKEY *key, int64_t from, int64_t until)
{
	CLEANUP(X509_freep) X509 *cert = X509_new();
	CLEANUP(X509_NAME_freep) X509_NAME *name = make_name(subject);

	if (cert == NULL || name == NULL || X509_set_version(cert, X509_VERSION_3) != 1 ||
	    !set_serial(cert) || !set_times(cert, from, until) ||
	    X509_set_subject_name(cert, name) != 1 || X509_set_pubkey(cert, key) != 1)
		return NULL;
	return TAKE(cert);
}

/* Two authorities, one of which takes the other's place, have two names. */
static bool
sign_itself(EVP_PKEY *key, int64_t from, int64_t until, char ret[CRYPTO_CA_PEM], struct err *err)
{
	CLEANUP(X509_freep) X509 *cert = NULL;
	char digest[CRYPTO_SHA256_HEX], name[sizeof("deploybot 12345678")];

	if (!digest_key(key, digest, err))
		return false;
	(void)snprintf(name, sizeof(name), "deploybot %.8s", digest);
	cert = begin(name, key, from, until);
	if (cert == NULL || X509_set_issuer_name(cert, X509_get_subject_name(cert)) != 1 ||
	    !add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
	    !add_extension(cert, cert, NID_key_usage, "critical,keyCertSign") ||
	    !add_extension(cert, cert, NID_subject_key_identifier, "hash") ||
	    X509_sign(cert, key, EVP_sha256()) <= 0)
		return fail(err, "an authority's certificate");
	return write_certificate(cert, ret, err);
}

bool
crypto_ca_make(int64_t from, int64_t until, struct crypto_ca_pair *ret, struct err *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", CURVE);

	return (key != NULL || fail(err, "a key of P-256")) && write_key(key, ret->key, err) &&
	    sign_itself(key, from, until, ret->text, err);
}

static bool
write_request(EVP_PKEY *key, char ret[CRYPTO_CA_PEM], struct err *err)
{
	CLEANUP(X509_REQ_freep) X509_REQ *request = X509_REQ_new();
	CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());

	if (request == NULL || bio == NULL ||
	    X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
	    X509_REQ_set_pubkey(request, key) != 1 ||
	    X509_REQ_sign(request, key, EVP_sha256()) <= 0)
		return fail(err, "a request");
	return take_text(bio, PEM_write_bio_X509_REQ(bio, request) == 1, ret, err);
}

bool
crypto_ca_make_request(struct crypto_ca_pair *ret, struct err *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", CURVE);

	return (key != NULL || fail(err, "a key of P-256")) && write_key(key, ret->key, err) &&
	    write_request(key, ret->text, err);
}

bool
crypto_ca_request_of(struct crypto_ca_pair *ret, struct err *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = read_key(ret->key, err);

	return key != NULL && write_request(key, ret->text, err);
}

static bool
add_extensions(X509 *cert, X509 *issuer, const char *identity)
{
	bool is_server = strcmp(identity, "server") == 0;
	char uri[sizeof(URI) + CRYPTO_CA_IDENTITY] = URI;

	memcpy(
	    uri + strlen(URI), identity, strlen(identity) + 1); /* is_identity() knows its size */
	return add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	    add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
	    add_extension(
		cert, issuer, NID_ext_key_usage, is_server ? "serverAuth" : "clientAuth") &&
	    add_extension(cert, issuer, NID_subject_alt_name, uri) &&
	    add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
	    add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always");
}

/* Of several in a text that one, where it is an authority's. */
static X509 *
find_issuer(const char *text, EVP_PKEY *key, struct err *err)
{
	CLEANUP(BIO_free_allp) BIO *bio = open_text(text);
	X509 *cert;

	while (bio != NULL &&
	    (cert = PEM_read_bio_X509(bio, NULL, give_no_passphrase, NULL)) != NULL) {
		if (X509_check_private_key(cert, key) == 1 && X509_check_ca(cert) == 1)
			return cert;
		X509_free(cert);
	}
	ERR_clear_error();
	return ERR_NULL(err_set(
	    err, ERR_CONFIG, "the authority's certificate is not of its key, or of no authority"));
}

bool
crypto_ca_check(const char *key, const char *certificate, struct err *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = read_key(key, err);
	CLEANUP(X509_freep)
	X509 *issuer = pkey == NULL ? NULL : find_issuer(certificate, pkey, err);

	return issuer != NULL;
}

bool
crypto_ca_sign(
    const struct crypto_ca_order *order, const char *text, char ret[CRYPTO_CA_PEM], struct err *err)
{
	CLEANUP(X509_REQ_freep) X509_REQ *request = read_request(text, err);
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *ca_key = NULL;
	CLEANUP(X509_freep) X509 *issuer = NULL;
	CLEANUP(X509_freep) X509 *cert = NULL;
	EVP_PKEY *key = request == NULL ? NULL : check_request(request, err);

	if (key == NULL || (ca_key = read_key(order->key, err)) == NULL ||
	    (issuer = find_issuer(order->certificate, ca_key, err)) == NULL)
		return false;
	if (!is_identity(order->identity))
		return err_set(err, ERR_INVALID, "no identity: agent/NAME, runner/NAME or server");
	cert = begin(order->identity, key, order->from, order->until);
	if (cert == NULL || X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1 ||
	    !add_extensions(cert, issuer, order->identity) ||
	    X509_sign(cert, ca_key, EVP_sha256()) <= 0)
		return fail(err, "a certificate");
	return write_certificate(cert, ret, err);
}
