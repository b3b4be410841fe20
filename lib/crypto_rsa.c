/* crypto_rsa.c - RS256 through EVP; every answer is checked.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_rsa.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "lib/err.h"

#define EXPONENT_BYTES 4

DEFINE_FREEP(BIGNUM, BN_free)
DEFINE_FREEP(BIO, BIO_free_all)
DEFINE_FREEP(EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_FREEP(EVP_PKEY, EVP_PKEY_free)
DEFINE_FREEP(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
DEFINE_FREEP(OSSL_PARAM, OSSL_PARAM_free)
DEFINE_FREEP(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)

/* struct crypto_rsa is never defined: it is an EVP_PKEY by another name. */
static EVP_PKEY *
inner(const struct crypto_rsa *key)
{
	return (EVP_PKEY *)(uintptr_t)key;
}

void
crypto_rsa_free(struct crypto_rsa *key)
{
	EVP_PKEY_free(inner(key)); /* takes NULL */
}

static bool
fail(struct err *err, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	return err_set(err, ERR_IO, "OpenSSL: %s: %s", what, reason == NULL ? "failed" : reason);
}

/* --- keys --- */

static bool
check_modulus(const uint8_t *modulus, size_t size, struct err *err)
{
	return (size > 0 && size <= CRYPTO_RSA_BYTES && modulus[0] != 0 &&
		   8 * size - (size_t)__builtin_clz(modulus[0]) + 24 >= CRYPTO_RSA_BITS_MIN &&
		   modulus[size - 1] % 2 == 1) ||
	    err_set(err, ERR_INVALID, "no RSA modulus of %d to %d bits", CRYPTO_RSA_BITS_MIN,
		CRYPTO_RSA_BITS_MAX);
}

static bool
check_exponent(const uint8_t *exponent, size_t size, struct err *err)
{
	return (size > 0 && size <= EXPONENT_BYTES && exponent[0] != 0 &&
		   exponent[size - 1] % 2 == 1 && (size > 1 || exponent[0] > 2)) ||
	    err_set(err, ERR_INVALID, "no RSA exponent: odd, at least 3, at most %d bytes",
		EXPONENT_BYTES);
}

static OSSL_PARAM *
make_params(const BIGNUM *n, const BIGNUM *e)
{
	CLEANUP(OSSL_PARAM_BLD_freep) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();

	if (n == NULL || e == NULL || build == NULL ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		return NULL;
	return OSSL_PARAM_BLD_to_param(build);
}

struct crypto_rsa *
crypto_rsa_new_public(const void *modulus, size_t modulus_size, const void *exponent,
    size_t exponent_size, struct err *err)
{
	CLEANUP(BN_freep) BIGNUM *n = NULL;
	CLEANUP(BN_freep) BIGNUM *e = NULL;
	CLEANUP(OSSL_PARAM_freep) OSSL_PARAM *params = NULL;
	CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *key = NULL;

	if (!check_modulus(modulus, modulus_size, err) ||
	    !check_exponent(exponent, exponent_size, err))
		return NULL;
	n = BN_bin2bn(modulus, (int)modulus_size, NULL);
	e = BN_bin2bn(exponent, (int)exponent_size, NULL);
	params = make_params(n, e);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return ERR_NULL(fail(err, "an RSA key"));
	return (void *)key;
}

/* Nobody is asked for a passphrase, which OpenSSL would do at the terminal. */
static int
give_no_passphrase(char *buffer, int room, int is_writing, void *context)
{
	(void)buffer, (void)room, (void)is_writing, (void)context;
	return -1;
}

struct crypto_rsa *
crypto_rsa_new_private(const char *pem, size_t size, struct err *err)
{
	CLEANUP(BIO_free_allp) BIO *text = NULL;
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = NULL;

	text = size > INT_MAX ? NULL : BIO_new_mem_buf(pem, (int)size);
	key = text == NULL ? NULL : PEM_read_bio_PrivateKey(text, NULL, give_no_passphrase, NULL);
	ERR_clear_error();
	if (key == NULL || !EVP_PKEY_is_a(key, "RSA") ||
	    EVP_PKEY_get_bits(key) < CRYPTO_RSA_BITS_MIN ||
	    EVP_PKEY_get_bits(key) > CRYPTO_RSA_BITS_MAX)
		return ERR_NULL(err_set(err, ERR_INVALID,
		    "no private RSA key of %d to %d bits in PEM, without a passphrase",
		    CRYPTO_RSA_BITS_MIN, CRYPTO_RSA_BITS_MAX));
	return (void *)TAKE(key);
}

/* --- signatures --- */

/* What OpenSSL could not answer for want of memory is nobody's wrong signature. */
static enum crypto_proof
why_not(void)
{
	enum crypto_proof proof = CRYPTO_REFUSED;

	for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error())
		if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
			proof = CRYPTO_UNKNOWN;
	return proof;
}

enum crypto_proof
crypto_rsa_verify(const struct crypto_rsa *key, const void *data, size_t size,
    const void *signature, size_t signature_size)
{
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	/* PKCS #1 v1.5 is what OpenSSL does where nobody sets another padding. */
	if (ctx == NULL ||
	    EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, inner(key), NULL) != 1) {
		ERR_clear_error();
		return CRYPTO_UNKNOWN;
	}
	if (EVP_DigestVerify(ctx, signature, signature_size, data, size) == 1)
		return CRYPTO_PROVEN;
	return why_not();
}

size_t
crypto_rsa_sign(const struct crypto_rsa *key, const void *data, size_t size,
    uint8_t out[CRYPTO_RSA_BYTES], struct err *err)
{
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t ret = CRYPTO_RSA_BYTES;

	if (ctx == NULL ||
	    EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, inner(key), NULL) != 1 ||
	    EVP_DigestSign(ctx, out, &ret, data, size) != 1) {
		(void)fail(err, "signing with RSA");
		return 0;
	}
	return ret;
}
