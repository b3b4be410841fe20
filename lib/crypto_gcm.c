/* crypto_gcm.c - AES-256-GCM through EVP; every answer is checked.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_gcm.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/mem.h"

DEFINE_FREEP(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

/* The context has key and nonce, and has been fed what goes with the data.  NULL: too much at
 * once.  Whatever else OpenSSL refuses here and below it has no memory for. */
static EVP_CIPHER_CTX *
begin(const struct crypto_gcm *gcm, size_t size, bool is_sealing, struct err *err)
{
	CLEANUP(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	if (size > CRYPTO_GCM_MAX || gcm->with_size > CRYPTO_GCM_MAX)
		return ERR_NULL(err_set(err, ERR_LIMIT, "too much to encrypt at once"));
	/* The nonce's length is GCM's default: 12. */
	if (ctx == NULL ||
	    EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, gcm->key, gcm->nonce, is_sealing) !=
		1 ||
	    (gcm->with_size > 0 &&
		EVP_CipherUpdate(ctx, NULL, &n, gcm->with, (int)gcm->with_size) != 1))
		mem_abort();
	return TAKE(ctx);
}

bool
crypto_gcm_seal(const struct crypto_gcm *gcm, const void *data, size_t size, void *out,
    uint8_t tag[CRYPTO_GCM_TAG], struct err *err)
{
	CLEANUP(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *ctx = begin(gcm, size, true, err);
	uint8_t rest[CRYPTO_GCM_TAG];
	int n = 0, more = 0;

	if (ctx == NULL)
		return false;
	if ((size > 0 && EVP_CipherUpdate(ctx, out, &n, data, (int)size) != 1) ||
	    EVP_CipherFinal_ex(ctx, rest, &more) != 1 || (size_t)n != size || more != 0 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CRYPTO_GCM_TAG, tag) != 1)
		mem_abort();
	return true;
}

bool
crypto_gcm_open(const struct crypto_gcm *gcm, const void *data, size_t size,
    const uint8_t tag[CRYPTO_GCM_TAG], void *out, struct err *err)
{
	CLEANUP(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *ctx = begin(gcm, size, false, err);
	uint8_t rest[CRYPTO_GCM_TAG], wanted[CRYPTO_GCM_TAG];
	int n = 0, more = 0;

	if (ctx == NULL)
		return false;
	memcpy(wanted, tag, sizeof(wanted));
	if ((size > 0 && EVP_CipherUpdate(ctx, out, &n, data, (int)size) != 1) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(wanted), wanted) != 1)
		mem_abort();
	if (EVP_CipherFinal_ex(ctx, rest, &more) != 1) {
		ERR_clear_error();
		crypto_wipe(out, size);
		return err_set(err, ERR_DENIED, "it was changed, or stands where it was not put");
	}
	return true;
}
