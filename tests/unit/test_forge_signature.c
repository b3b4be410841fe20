/* Goal: a forge's delivery is proven by its own header alone, and an empty one proves nothing.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "forges/forge_signature.h"

#include "lib/err.h"
#include "lib/text.h"
#include "unit.h"

#define SECRET "a secret of the forge, 0123456789"
#define HEX_63 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
#define HEX    HEX_63 "5"
#define UPPER  "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
/* The example of standard-webhooks/standard-webhooks, libraries/python/tests. */
#define SIGNING "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID	"msg_p5jXN8AQM9LWM0D4loKWxJek"
#define AT	"1614265330"
#define BODY	"{\"test\": 2432232314}"
#define SIGNED	"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static enum forge_proof
proof_of(enum forge_scheme scheme, const char *signature)
{
	const struct forge_headers headers = { .signature = signature };
	struct forge_signature read;

	return forge_signature_read(scheme, SECRET, &headers, &read);
}

TEST(each_scheme_has_its_own_form)
{
	static const struct {
		const char *value;
		enum forge_proof token, hex, sha256;
	} rows[] = {
		{ NULL, FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ "", FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ SECRET, FORGE_PROVEN, FORGE_REFUSED, FORGE_REFUSED },
		{ SECRET " ", FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ "a secret of the forge, 012345678", FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ HEX, FORGE_REFUSED, FORGE_SIGNED, FORGE_REFUSED },
		{ UPPER, FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ HEX "0", FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ HEX "\n", FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ " " HEX, FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ "sha256=", FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ "sha256=" HEX, FORGE_REFUSED, FORGE_REFUSED, FORGE_SIGNED },
		{ "sha256=" UPPER, FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ "sha256=" HEX_63, FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ "sha256=" HEX_63 "g", FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ "sha256= " HEX_63, FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ " sha256=" HEX, FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ "sha1=" HEX, FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ "SHA256=" HEX, FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
		{ "sha256=" HEX ",sha256=" HEX, FORGE_REFUSED, FORGE_REFUSED, FORGE_REFUSED },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(proof_of(FORGE_TOKEN, rows[i].value), rows[i].token);
		assert_int_equal(proof_of(FORGE_HEX, rows[i].value), rows[i].hex);
		assert_int_equal(proof_of(FORGE_SHA256_HEX, rows[i].value), rows[i].sha256);
	}
}

TEST(without_a_secret_nothing_is_proven)
{
	const struct forge_headers headers = { .signature = "" };
	struct forge_signature read;

	for (enum forge_scheme i = FORGE_HEX; i <= FORGE_TOKEN; i++)
		assert_int_equal(forge_signature_read(i, NULL, &headers, &read), FORGE_REFUSED);
}

static enum crypto_proof
check(const char *secret, const char *body, const struct forge_signature *given,
    uint8_t mac[CRYPTO_SHA256_SIZE])
{
	CLEANUP(crypto_hmac_key_freep)
	struct crypto_hmac_key *key = crypto_hmac_key_new(secret, strlen(secret), NULL);
	struct crypto_hmac *hmac = crypto_hmac_begin(key, NULL);

	assert_true(crypto_hmac_add(hmac, body, strlen(body), NULL));
	return forge_signature_check(hmac, given, mac);
}

/* From GitHub's page "Validating webhook deliveries". */
TEST(githubs_own_example_holds_and_no_other_byte_or_secret)
{
	static const char secret[] = "It's a Secret to Everybody", body[] = "Hello, World!";
	const struct forge_headers headers = {
		.signature =
		    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	};
	uint8_t mac[CRYPTO_SHA256_SIZE] = { 7 };
	struct forge_signature read;

	assert_int_equal(
	    forge_signature_read(FORGE_SHA256_HEX, secret, &headers, &read), FORGE_SIGNED);
	assert_int_equal(check(secret, "Hello, World?", &read, mac), CRYPTO_REFUSED);
	assert_int_equal(check("another secret here", body, &read, mac), CRYPTO_REFUSED);
	for (size_t i = 0; i < CRYPTO_SHA256_SIZE; i++) {
		read.given[0][i] ^= 1;
		assert_int_equal(check(secret, body, &read, mac), CRYPTO_REFUSED);
		read.given[0][i] ^= 1;
	}
	assert_int_equal(mac[0], 7);
	assert_int_equal(check(secret, body, &read, mac), CRYPTO_PROVEN);
	assert_memory_equal(mac, read.given[0], sizeof(mac));
}

static bool
holds(const char *secret, const struct forge_headers *headers, const char *body)
{
	CLEANUP(crypto_hmac_key_freep) struct crypto_hmac_key *key = NULL;
	uint8_t mac[CRYPTO_SHA256_SIZE];
	struct forge_signature read;
	struct crypto_hmac *hmac;
	struct err err;

	if (forge_signature_read(FORGE_TOKEN, secret, headers, &read) != FORGE_SIGNED)
		return false;
	assert_true(forge_secret_key(FORGE_TOKEN, secret, &key, &err));
	hmac = crypto_hmac_begin(key, &err);
	assert_non_null(hmac);
	assert_true(crypto_hmac_add(hmac, read.before, strlen(read.before), &err));
	assert_true(crypto_hmac_add(hmac, body, strlen(body), &err));
	return forge_signature_check(hmac, &read, mac) == CRYPTO_PROVEN;
}

TEST(a_signing_token_is_that_of_standard_webhooks)
{
	static const struct {
		struct forge_headers headers;
		const char *body;
		bool holds;
	} rows[] = {
		{ { .standard = SIGNED, .id = ID, .timestamp = AT }, BODY, true },
		{ { .standard = "v1,AAAA v2,x v1a,y " SIGNED, .id = ID, .timestamp = AT }, BODY,
		    true },
		{ { .standard = SIGNED " " SIGNED, .id = ID, .timestamp = AT }, BODY, true },
		{ { .standard = SIGNED, .id = ID, .timestamp = AT }, BODY " ", false },
		{ { .standard = SIGNED, .id = ID "x", .timestamp = AT }, BODY, false },
		{ { .standard = SIGNED, .id = ID, .timestamp = "1614265331" }, BODY, false },
		{ { .standard = SIGNED, .id = ID, .timestamp = "" }, BODY, false },
		{ { .standard = SIGNED, .id = ID, .timestamp = "-1" }, BODY, false },
		{ { .standard = SIGNED, .id = ID, .timestamp = NULL }, BODY, false },
		{ { .standard = SIGNED, .id = NULL, .timestamp = AT }, BODY, false },
		{ { .standard = SIGNED, .id = "a.b", .timestamp = AT }, BODY, false },
		{ { .standard = "", .id = ID, .timestamp = AT }, BODY, false },
		{ { .standard = NULL, .id = ID, .timestamp = AT }, BODY, false },
		{ { .standard = "v1,", .id = ID, .timestamp = AT }, BODY, false },
		{ { .standard = "v1,g0hM9SsE", .id = ID, .timestamp = AT }, BODY, false },
		/* The token itself is no proof where it signs. */
		{ { .signature = SIGNING }, BODY, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (holds(SIGNING, &rows[i].headers, rows[i].body) != rows[i].holds)
			fail_msg("row %zu", i);
}

TEST(a_signing_token_that_is_none_makes_no_key)
{
	static const char *const secrets[] = { "whsec_", "whsec_x", "whsec_QUJD",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!" };
	struct crypto_hmac_key *key = NULL;
	struct err err;

	for (size_t i = 0; i < COUNT(secrets); i++) {
		assert_false(forge_secret_key(FORGE_TOKEN, secrets[i], &key, &err));
		assert_null(strstr(err.text, "QUJD"));
	}
	assert_true(forge_secret_key(FORGE_HEX, "whsec_QUJD", &key, &err));
	crypto_hmac_key_free(key);
}
