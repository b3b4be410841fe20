/* Goal: an issuer's keys are those on its own host, for RS256, and nothing else is taken for one.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/jwks_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jwt_aid.h"
#include "lib/err.h"
#include "unit.h"

#define ISSUER "https://token.example.org"

static bool
configures(const char *body, char url[JWKS_URL])
{
	return jwks_read_configuration(body, strlen(body), ISSUER, url, NULL);
}

TEST(the_keys_are_on_the_issuers_own_host)
{
	static const char *const bad[] = { "", "[]", "<html>", "{}", "{\"issuer\":\"" ISSUER "\"}",
		"{\"issuer\":\"" ISSUER "/\",\"jwks_uri\":\"" ISSUER "/jwks\"}",
		"{\"issuer\":\"https://other.example\",\"jwks_uri\":\"" ISSUER "/jwks\"}",
		"{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://other.example/jwks\"}",
		"{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"http://token.example.org/jwks\"}",
		"{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"" ISSUER ":8443/jwks\"}",
		"{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"" ISSUER ".example/jwks\"}",
		"{\"issuer\":\"" ISSUER
		"\",\"jwks_uri\":\"https://token.example.org@b.example/k\"}",
		"{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"http://169.254.169.254/jwks\"}" };
	char url[JWKS_URL] = "", long_one[JWKS_URL + 1];

	assert_true(configures(
	    "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"" ISSUER "/.well-known/jwks\"}", url));
	assert_string_equal(url, ISSUER "/.well-known/jwks");
	for (size_t i = 0; i < COUNT(bad); i++)
		if (configures(bad[i], url))
			fail_msg("%s is taken", bad[i]);
	assert_true(jwks_configuration_url(ISSUER "/", url));
	assert_string_equal(url, ISSUER "/.well-known/openid-configuration");
	memset(long_one, 'a', JWKS_URL);
	long_one[JWKS_URL] = '\0';
	assert_false(jwks_configuration_url(long_one, url));
}

/* A set of one key with these members besides, and of another one behind it. */
static struct jwks_keys *
read_with(const char *members, const char *other)
{
	char *body = malloc(8192);
	struct jwks_keys *keys;

	assert_non_null(body);
	(void)snprintf(body, 8192, "{\"keys\":[{\"kid\":\"key-1\",\"n\":\"%s\"%s}%s]}",
	    jwt_aid_modulus, members, other);
	keys = jwks_read_keys(body, strlen(body), NULL);
	free(body);
	return keys;
}

TEST(a_key_of_rs256_is_found_and_others_are_passed_over)
{
	static const char *const good[] = { ",\"kty\":\"RSA\",\"e\":\"AQAB\"",
		",\"kty\":\"RSA\",\"e\":\"AQAB\",\"use\":\"sig\",\"alg\":\"RS256\"",
		",\"kty\":\"RSA\",\"e\":\"AQAB\",\"x5c\":[\"MIIB\"],\"x5t\":\"a\"" };
	static const char *const bad[] = { "", ",\"kty\":\"EC\",\"e\":\"AQAB\"", ",\"kty\":\"RSA\"",
		",\"kty\":\"RSA\",\"e\":\"AQ\"", ",\"kty\":\"RSA\",\"e\":65537",
		",\"kty\":\"RSA\",\"e\":\"AQAB==\"",
		",\"kty\":\"RSA\",\"e\":\"AQAB\",\"use\":\"enc\"",
		",\"kty\":\"RSA\",\"e\":\"AQAB\",\"alg\":\"RS512\"",
		",\"kty\":\"RSA\",\"e\":\"AQAB\",\"alg\":256" };
	static const char other[] =
	    ",{\"kid\":\"key-2\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"a\",\"y\":\"b\"},7,{}";

	for (size_t i = 0; i < COUNT(good); i++) {
		struct jwks_keys *keys = read_with(good[i], other);

		assert_non_null(keys);
		assert_int_equal(keys->n, 1);
		assert_non_null(jwks_find(keys, "key-1"));
		assert_null(jwks_find(keys, "key-2"));
		assert_null(jwks_find(keys, "key-"));
		jwks_keys_free(keys);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (read_with(bad[i], other) != NULL)
			fail_msg("a key with %s is taken", bad[i]);
	assert_null(jwks_find(NULL, "key-1"));
}

TEST(a_set_that_is_none_is_refused)
{
	static const char *const bad[] = { "", "<html>no</html>", "[]", "{}", "{\"keys\":{}}",
		"{\"keys\":[]}", "{\"keys\":[1]}", "{\"keys\":[" };
	char *body = malloc(JWKS_ANSWER_MAX);
	struct jwks_keys *keys;
	struct err err;
	size_t used;

	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_null(jwks_read_keys(bad[i], strlen(bad[i]), &err));
		assert_int_not_equal(err.code, ERR_NONE);
	}
	keys = read_with(",\"kty\":\"RSA\",\"e\":\"AQAB\"",
	    ",{\"kid\":\"key-1\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}");
	assert_non_null(keys); /* the other one is too short to be a key */
	jwks_keys_free(keys);
	used = (size_t)snprintf(body, JWKS_ANSWER_MAX, "{\"keys\":[0");
	for (size_t i = 0; i < JWKS_KEYS_MAX; i++)
		used += (size_t)snprintf(body + used, JWKS_ANSWER_MAX - used, ",0");
	(void)snprintf(body + used, JWKS_ANSWER_MAX - used, "]}");
	assert_null(jwks_read_keys(body, strlen(body), &err));
	assert_int_equal(err.code, ERR_LIMIT);
	/* Which of two keys of one id is meant nobody knows. */
	(void)snprintf(body, JWKS_ANSWER_MAX,
	    "{\"keys\":[{\"kid\":\"a\",\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"},"
	    "{\"kid\":\"a\",\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"}]}",
	    jwt_aid_modulus, jwt_aid_modulus);
	assert_null(jwks_read_keys(body, strlen(body), &err));
	assert_int_equal(err.code, ERR_INVALID);
	free(body);
}
