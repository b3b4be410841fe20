/* crypto_renewal.c - a host asks for the certificate of its next key, by the key that it has.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_renewal.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "lib/base64.h"
#include "lib/err.h"
#include "lib/order_bytes.h"
#include "lib/text.h"

#define KEY	  91 /* bytes of a P-256 key, as crypto_ca.c takes it */
#define SIGNATURE 72

DEFINE_FREEP(BIO, BIO_free_all)
DEFINE_FREEP(EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_FREEP(EVP_PKEY, EVP_PKEY_free)

static void
replace(char *text, char from, char to)
{
	for (; *text != '\0'; text++)
		*text = *text == from ? to : *text;
}

void
crypto_renewal_fold(char *text)
{
	replace(text, '\n', ',');
}

void
crypto_renewal_unfold(char *text)
{
	replace(text, ',', '\n');
}

/* 0: they do not fit. */
static size_t
bytes_of(const char *identity, const char *next, uint8_t ret[ORDER_BYTES_MAX])
{
	const struct order_bytes order = { .kind = "renew",
		.agent = identity,
		.capability = "",
		.manifest = next,
		.challenge = "" };

	return order_bytes_write(&order, ret);
}

bool
crypto_renewal_make(const char *text, const char *identity, const char *request,
    char ret[CRYPTO_RENEWAL_TEXT], struct err *err)
{
	CLEANUP(BIO_free_allp) BIO *bio = BIO_new_mem_buf(text, -1);
	CLEANUP(EVP_PKEY_freep)
	EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, "");
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t bytes[ORDER_BYTES_MAX], signature[SIGNATURE], der[KEY], *end = der;
	char next[CRYPTO_SHA256_HEX], shown[BASE64_SIZE(KEY)], proof[BASE64_SIZE(SIGNATURE)];
	size_t size = sizeof(signature), n = 0;
	bool good = crypto_ca_check_request(request, next, err);

	if (!good)
		return false;
	n = bytes_of(identity, next, bytes);
	good = n != 0 && key != NULL && ctx != NULL && i2d_PUBKEY(key, NULL) == KEY &&
	    i2d_PUBKEY(key, &end) == KEY &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, signature, &size, bytes, n) == 1;
	ERR_clear_error();
	if (!good)
		return err_set(err, ERR_INVALID, "the key of before is not one of P-256");
	n = (size_t)snprintf(ret, CRYPTO_RENEWAL_TEXT, "%s %s %s", base64_encode(der, KEY, shown),
	    base64_encode(signature, size, proof), request);
	crypto_renewal_fold(ret);
	return n < CRYPTO_RENEWAL_TEXT || err_set(err, ERR_LIMIT, "a request that is too long");
}

/* One word in base64; 0: it is none, or too long. */
static size_t
take_word(const char **text, uint8_t *ret, size_t room)
{
	size_t size = strcspn(*text, " "), n = 0;
	bool good = (*text)[size] == ' ' && base64_decode(*text, size, ret, room, &n);

	*text += good ? size + 1 : 0;
	return n;
}

static bool
is_signed(
    const uint8_t der[KEY], const uint8_t *signature, size_t size, const uint8_t *bytes, size_t n)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = d2i_PUBKEY(NULL, &der, KEY);
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = key != NULL && ctx != NULL && EVP_PKEY_is_a(key, "EC") == 1 &&
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, signature, size, bytes, n) == 1;

	ERR_clear_error();
	return good;
}

bool
crypto_renewal_read(
    const char *text, const char *identity, struct crypto_renewal *ret, struct err *err)
{
	uint8_t bytes[ORDER_BYTES_MAX], der[KEY], signature[SIGNATURE], digest[CRYPTO_SHA256_SIZE];
	bool has_key = take_word(&text, der, sizeof(der)) == sizeof(der);
	size_t size = take_word(&text, signature, sizeof(signature)), n;

	if (!has_key || size == 0 || !text_copy(ret->request, sizeof(ret->request), text))
		return err_set(err, ERR_INVALID, "no key, signature and request");
	crypto_renewal_unfold(ret->request);
	if (!crypto_ca_check_request(ret->request, ret->next, err) ||
	    !crypto_sha256(der, sizeof(der), digest, err))
		return false;
	text_hex(ret->key, digest, sizeof(digest));
	n = bytes_of(identity, ret->next, bytes);
	return (n != 0 && is_signed(der, signature, size, bytes, n)) ||
	    err_set(err, ERR_INVALID, "not signed by the key that it names, for that next key");
}
