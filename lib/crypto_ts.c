/* crypto_ts.c - timestamps are read and checked by OpenSSL's TS.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_ts.h"

#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ts.h>
#include <openssl/x509.h>

#include "lib/err.h"

DEFINE_FREEP(TS_RESP, TS_RESP_free)
DEFINE_FREEP(TS_VERIFY_CTX, TS_VERIFY_CTX_free)
DEFINE_FREEP(X509_STORE, X509_STORE_free)
DEFINE_FREEP(BIO, BIO_free_all)

/* With what OpenSSL says of it. */
static bool
fail(struct err *err, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);

	ERR_clear_error();
	return err_set(err, ERR_INVALID, "timestamp: %s%s%s", what, reason == NULL ? "" : ": ",
	    reason == NULL ? "" : reason);
}

static bool
check_status(TS_RESP *answer, struct err *err)
{
	const ASN1_INTEGER *status = TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(answer));
	int64_t number;

	if (status == NULL || ASN1_INTEGER_get_int64(&number, status) != 1)
		return fail(err, "the answer has no status");
	return number == TS_STATUS_GRANTED || number == TS_STATUS_GRANTED_WITH_MODS ||
	    err_set(err, ERR_DENIED, "timestamp: refused by the authority, status %lld",
		(long long)number);
}

static bool
read_time(const TS_TST_INFO *info, int64_t *ret)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(TS_TST_INFO_get_time(info), &tm) != 1)
		return false;
	*ret = 1000 * (int64_t)timegm(&tm);
	return true;
}

static bool
read_hash(TS_TST_INFO *info, uint8_t out[CRYPTO_SHA256_SIZE])
{
	TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(info);
	const ASN1_OBJECT *algorithm;
	ASN1_OCTET_STRING *message;

	if (imprint == NULL || TS_MSG_IMPRINT_get_algo(imprint) == NULL)
		return false;
	X509_ALGOR_get0(&algorithm, NULL, NULL, TS_MSG_IMPRINT_get_algo(imprint));
	message = TS_MSG_IMPRINT_get_msg(imprint);
	if (OBJ_obj2nid(algorithm) != NID_sha256 || message == NULL ||
	    ASN1_STRING_length(message) != CRYPTO_SHA256_SIZE)
		return false;
	memcpy(out, ASN1_STRING_get0_data(message), CRYPTO_SHA256_SIZE);
	return true;
}

/* The signer's name; "" where its certificate is not in the answer. */
static void
read_signer(TS_RESP *answer, char *out, size_t room)
{
	STACK_OF(X509) *signers = PKCS7_get0_signers(TS_RESP_get_token(answer), NULL, 0);
	CLEANUP(BIO_free_allp) BIO *text = BIO_new(BIO_s_mem());
	int size = 0;

	if (signers != NULL && sk_X509_num(signers) > 0 && text != NULL &&
	    X509_NAME_print_ex(
		text, X509_get_subject_name(sk_X509_value(signers, 0)), 0, XN_FLAG_RFC2253) >= 0)
		size = BIO_read(text, out, (int)room - 1);
	out[size > 0 ? size : 0] = '\0';
	for (char *at = out; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	sk_X509_free(signers);
	ERR_clear_error();
}

/* Whom to trust, as of the stamp's own moment. */
static X509_STORE *
make_store(enum crypto_ts_trust trust, const char *ca_file, int64_t at, struct err *err)
{
	CLEANUP(X509_STORE_freep) X509_STORE *store = X509_STORE_new();
	X509_VERIFY_PARAM *param = store == NULL ? NULL : X509_STORE_get0_param(store);
	int ok;

	if (store == NULL)
		return ERR_NULL(fail(err, "making the store of authorities"));
	ok = trust == CRYPTO_TS_FILE ? X509_STORE_load_file(store, ca_file) :
				       X509_STORE_set_default_paths(store);
	if (ok != 1) {
		ERR_clear_error();
		return ERR_NULL(err_set(err, ERR_CONFIG, "%.160s holds no certificate in PEM",
		    trust == CRYPTO_TS_FILE ? ca_file : "the system's store"));
	}
	X509_VERIFY_PARAM_set_time(param, (time_t)(at / 1000));
	return TAKE(store);
}

/* The signature, its certificate, and that both are of this token. */
static bool
check_signature(TS_RESP *answer, const struct crypto_ts *read, enum crypto_ts_trust trust,
    const char *ca_file, struct err *err)
{
	CLEANUP(TS_VERIFY_CTX_freep) TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
	X509_STORE *store = make_store(trust, ca_file, read->at, err);

	if (store == NULL)
		return false;
	if (ctx == NULL) {
		X509_STORE_free(store);
		return fail(err, "no memory");
	}
	(void)TS_VERIFY_CTX_set_store(ctx, store); /* which frees it */
	(void)TS_VERIFY_CTX_set_flags(ctx, TS_VFY_SIGNATURE | TS_VFY_VERSION);
	return TS_RESP_verify_response(ctx, answer) == 1 ||
	    fail(err, "its signature leads to no authority that is trusted");
}

bool
crypto_ts_read(const void *bytes, size_t size, enum crypto_ts_trust trust, const char *ca_file,
    struct crypto_ts *ret, struct err *err)
{
	CLEANUP(TS_RESP_freep) TS_RESP *answer = NULL;
	const uint8_t *at = bytes;
	struct crypto_ts read = { 0 };
	TS_TST_INFO *info;

	if (size <= CRYPTO_TS_ANSWER)
		answer = d2i_TS_RESP(NULL, &at, (long)size);
	if (answer == NULL || at != (const uint8_t *)bytes + size)
		return fail(err, "it is no answer of a timestamp authority");
	if (!check_status(answer, err))
		return false;
	info = TS_RESP_get_tst_info(answer);
	if (info == NULL || !read_time(info, &read.at) || !read_hash(info, read.hash))
		return fail(err, "it stamps no SHA-256");
	read_signer(answer, read.by, sizeof(read.by));
	if (trust != CRYPTO_TS_NOBODY && !check_signature(answer, &read, trust, ca_file, err))
		return false;
	*ret = read;
	return true;
}
