/* crypto.c - OpenSSL 3 through EVP; every answer is checked.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "lib/err.h"

/* None of the three is ever defined: struct crypto_sha256 is an EVP_MD_CTX by another name, struct
 * crypto_hmac an EVP_MAC_CTX, and struct crypto_hmac_key one that has its key and is never fed, but
 * copied for each MAC.  So each is passed on as a void pointer. */

/* The reason of the oldest error in OpenSSL's own queue, which is emptied. */
static bool
fail(struct err *err, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	return err_set(err, ERR_IO, "OpenSSL: %s: %s", what, reason == NULL ? "failed" : reason);
}

/* Looked for once: EVP_sha256() is looked for again in every use, by its name and under locks. */
static const EVP_MD *
sha256(void)
{
	static _Atomic(EVP_MD *) found; /* stays until the program ends */
	EVP_MD *known = atomic_load(&found), *mine;

	if (known != NULL)
		return known;
	mine = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (mine == NULL)
		return EVP_sha256(); /* short of memory: its use says so */
	if (atomic_compare_exchange_strong(&found, &known, mine))
		return mine;
	EVP_MD_free(mine); /* another thread was first */
	return known;
}

bool
crypto_sha256(const void *data, size_t size, uint8_t out[CRYPTO_SHA256_SIZE], struct err *err)
{
	return EVP_Digest(data, size, out, NULL, sha256(), NULL) == 1 || fail(err, "SHA-256");
}

struct crypto_sha256 *
crypto_sha256_new(struct err *err)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	if (hash != NULL && EVP_DigestInit_ex(hash, sha256(), NULL) == 1)
		return (void *)hash;
	EVP_MD_CTX_free(hash); /* takes NULL */
	return ERR_NULL(fail(err, "beginning SHA-256"));
}

bool
crypto_sha256_add(struct crypto_sha256 *hash, const void *data, size_t size, struct err *err)
{
	return EVP_DigestUpdate((void *)hash, data, size) == 1 || fail(err, "SHA-256");
}

bool
crypto_sha256_finish(struct crypto_sha256 *hash, uint8_t out[CRYPTO_SHA256_SIZE], struct err *err)
{
	return EVP_DigestFinal_ex((void *)hash, out, NULL) == 1 || fail(err, "ending SHA-256");
}

void
crypto_sha256_free(struct crypto_sha256 *hash)
{
	EVP_MD_CTX_free((void *)hash); /* takes NULL */
}

static EVP_MAC_CTX *
new_hmac_context(void)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);

	EVP_MAC_free(mac); /* the context holds its own count */
	return ctx;
}

struct crypto_hmac_key *
crypto_hmac_key_new(const void *key, size_t size, struct err *err)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string("digest", digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ret;

	if (size == 0) /* OpenSSL takes it, and anybody could sign */
		return ERR_NULL(err_set(err, ERR_INVALID, "an HMAC key must not be empty"));
	ret = new_hmac_context();
	if (ret != NULL && EVP_MAC_init(ret, key, size, params) == 1)
		return (void *)ret;
	EVP_MAC_CTX_free(ret);
	return ERR_NULL(fail(err, "preparing HMAC-SHA256"));
}

void
crypto_hmac_key_free(struct crypto_hmac_key *key)
{
	EVP_MAC_CTX_free((void *)key); /* takes NULL */
}

/* What OpenSSL makes of itself when it is first asked, it never makes again once memory was short
 * for it: every hash fails from then on.  So here, where a failure ends a start. */
bool
crypto_start(struct err *err)
{
	CLEANUP(crypto_hmac_key_freep) struct crypto_hmac_key *key = NULL;

	/* OPENSSL_CONF and OPENSSL_ENGINES would let the environment load code. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return fail(err, "starting");
	if (sha256() == EVP_sha256()) /* it was not found */
		return fail(err, "looking for SHA-256");
	key = crypto_hmac_key_new("any", 3, err);
	return key != NULL;
}

struct crypto_hmac *
crypto_hmac_begin(const struct crypto_hmac_key *key, struct err *err)
{
	EVP_MAC_CTX *mac = EVP_MAC_CTX_dup((const void *)key);

	return mac != NULL ? (void *)mac : ERR_NULL(fail(err, "beginning HMAC-SHA256"));
}

bool
crypto_hmac_add(struct crypto_hmac *mac, const void *data, size_t size, struct err *err)
{
	if (size > 0 && EVP_MAC_update((void *)mac, data, size) != 1)
		return fail(err, "HMAC-SHA256");
	return true;
}

bool
crypto_hmac_finish(struct crypto_hmac *mac, uint8_t out[CRYPTO_SHA256_SIZE], struct err *err)
{
	size_t size = 0;

	if (EVP_MAC_final((void *)mac, out, &size, CRYPTO_SHA256_SIZE) != 1 ||
	    size != CRYPTO_SHA256_SIZE)
		return fail(err, "ending HMAC-SHA256");
	return true;
}

void
crypto_hmac_drop(struct crypto_hmac *mac)
{
	EVP_MAC_CTX_free((void *)mac); /* wipes; takes NULL */
}

bool
crypto_hmac(const void *key, size_t key_size, const void *data, size_t size,
    uint8_t out[CRYPTO_SHA256_SIZE], struct err *err)
{
	CLEANUP(crypto_hmac_key_freep)
	struct crypto_hmac_key *prepared = crypto_hmac_key_new(key, key_size, err);
	CLEANUP(crypto_hmac_dropp)
	struct crypto_hmac *mac = prepared == NULL ? NULL : crypto_hmac_begin(prepared, err);

	return mac != NULL && crypto_hmac_add(mac, data, size, err) &&
	    crypto_hmac_finish(mac, out, err);
}

bool
crypto_same(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}

/* By the length of what is given alone: no hash, which could fail for want of memory. */
bool
crypto_same_text(const char *given, const char *secret)
{
	size_t size, room;
	volatile unsigned differ;

	if (given == NULL || secret == NULL || secret[0] == '\0')
		return false;
	size = strlen(given);
	room = strlen(secret);
	differ = size != room;
	for (size_t i = 0; i < size; i++)
		differ |= (unsigned char)given[i] ^ (unsigned char)secret[i < room ? i : room];
	return differ == 0;
}

bool
crypto_random(void *out, size_t size, struct err *err)
{
	unsigned char *at = out;
	ssize_t n;

	assert(size <= 1u << 20);
	/* The kernel's own: OpenSSL's generator allocates when first asked, and may fail then. */
	for (; size > 0; at += n, size -= (size_t)n) {
		n = getrandom(at, size, 0);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return err_errno(err, ERR_IO, errno, "random bytes");
	}
	return true;
}

void
crypto_wipe(void *data, size_t size)
{
	if (data != NULL)
		OPENSSL_cleanse(data, size);
}
