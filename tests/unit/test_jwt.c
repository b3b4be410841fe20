/* Goal: a token is read when it is of the one form that is accepted, and of nobody else's key.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/jwt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jwt_aid.h"
#include "lib/base64.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"
#include "unit.h"

#define HEADER "{\"alg\":\"RS256\",\"kid\":\"key-1\"}"
#define SECOND 1000LL
#define LIFE   (70 * 60 * SECOND)

/* "": it was read and is proven; else why it was not. */
static const char *
why_not(const char *text)
{
	static struct err err;
	struct crypto_rsa *key = jwt_aid_public();
	struct jwt jwt = { 0 };

	err = (struct err){ 0 };
	if (jwt_read(text, strlen(text), &jwt, &err) && jwt_verify(&jwt, key) != CRYPTO_PROVEN)
		(void)err_set(&err, ERR_DENIED, "not proven");
	jwt_done(&jwt);
	crypto_rsa_free(key);
	return err.text;
}

static void
assert_refused(const char *header, const char *claims, const char *why)
{
	char *text = jwt_aid_sign(header, claims);

	if (strstr(why_not(text), why) == NULL)
		fail_msg("%s %s: \"%s\", not \"%s\"", header, claims, why_not(text), why);
	free(text);
}

TEST(a_token_made_by_others_is_read)
{
	struct jwt jwt;

	assert_string_equal(why_not(jwt_aid_token), "");
	assert_true(jwt_read(jwt_aid_token, strlen(jwt_aid_token), &jwt, NULL));
	assert_string_equal(jwt.kid, "key-1");
	assert_string_equal(json_get_str(jwt.claims, "repository_id"), "456789");
	assert_int_equal(
	    jwt_check_claims(jwt.claims,
		&(struct jwt_wanted){ JWT_AID_ISSUER, JWT_AID_AUDIENCE, LIFE }, JWT_AID_AT, NULL),
	    JWT_FIT);
	jwt_done(&jwt);
}

TEST(a_header_that_brings_a_key_or_wants_more_is_refused)
{
	static const char *const headers[][2] = {
		{ "{\"alg\":\"none\",\"kid\":\"key-1\"}", "alg" },
		{ "{\"alg\":\"HS256\",\"kid\":\"key-1\"}", "alg" },
		{ "{\"alg\":\"RS512\",\"kid\":\"key-1\"}", "alg" },
		{ "{\"alg\":\"rs256\",\"kid\":\"key-1\"}", "alg" },
		{ "{\"alg\":256,\"kid\":\"key-1\"}", "alg" },
		{ "{\"kid\":\"key-1\"}", "alg" },
		{ "{\"alg\":\"RS256\",\"alg\":\"none\",\"kid\":\"key-1\"}", "header" },
		{ "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"typ\":\"at+jwt\"}", "typ" },
		{ "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"typ\":null}", "typ" },
		{ "{\"alg\":\"RS256\"}", "kid" },
		{ "{\"alg\":\"RS256\",\"kid\":\"\"}", "kid" },
		{ "{\"alg\":\"RS256\",\"kid\":7}", "kid" },
		{ "{\"alg\":\"RS256\",\"kid\":\"../key-1\"}", "kid" },
		{ "{\"alg\":\"RS256\",\"kid\":\"key-1\\n\"}", "kid" },
		{ "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"crit\":[]}", "crit" },
		{ "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"crit\":[\"exp\"],\"exp\":1}", "crit" },
		{ "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"jwk\":{}}", "jwk" },
		{ "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"jku\":\"https://a.example\"}", "jku" },
		{ "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"x5u\":\"https://a.example\"}", "x5u" },
		{ "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"x5c\":[]}", "x5c" },
		{ "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"b64\":false}", "b64" },
		{ "[]", "no object" },
		{ "", "header" },
	};
	char long_kid[160 + JWT_KID];

	for (size_t i = 0; i < COUNT(headers); i++)
		assert_refused(headers[i][0], "{}", headers[i][1]);
	(void)snprintf(
	    long_kid, sizeof(long_kid), "{\"alg\":\"RS256\",\"kid\":\"%0*d\"}", JWT_KID, 1);
	assert_refused(long_kid, "{}", "kid");
	assert_refused("{\"alg\":\"RS256\",\"kid\":\"key-1\",\"typ\":\"JWT\"}", "{}", "");
}

TEST(claims_that_are_doubled_or_no_object_are_refused)
{
	static const char *const claims[] = { "[]", "7", "\"so\"", "",
		"{\"iss\":\"a\",\"iss\":\"b\"}", "{} {}", "{\"iss\":\"a\\u0000\"}",
		"{\"iss\":\"\xff\"}" };

	for (size_t i = 0; i < COUNT(claims); i++)
		assert_refused(HEADER, claims[i], "claims");
}

TEST(a_text_of_another_form_is_refused)
{
	size_t size = strlen(jwt_aid_token);
	char *text = malloc(size + 8), *longer = malloc(JWT_MAX + 2);
	struct err err;
	struct jwt jwt;

	assert_false(jwt_is_meant("a.b"));
	assert_true(jwt_is_meant("..") && jwt_is_meant(jwt_aid_token));
	assert_false(jwt_is_meant("a.b.c.d"));
	assert_string_not_equal(why_not(""), "");
	assert_string_not_equal(why_not(".."), "");
	(void)snprintf(text, size + 8, "%s=", jwt_aid_token); /* padding */
	assert_string_not_equal(why_not(text), "");
	(void)snprintf(text, size + 8, "%s.", jwt_aid_token); /* five parts are encrypted */
	assert_string_not_equal(why_not(text), "");
	(void)snprintf(text, size + 8, " %s", jwt_aid_token);
	assert_string_not_equal(why_not(text), "");
	/* The signature of none. */
	(void)snprintf(text, size + 8, "%s", jwt_aid_token);
	strrchr(text, '.')[1] = '\0';
	assert_string_equal(why_not(text), "not proven");
	memset(longer, 'a', JWT_MAX + 1);
	longer[10] = longer[20] = '.';
	assert_false(jwt_read(longer, JWT_MAX + 1, &jwt, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	free(text);
	free(longer);
}

/* Each letter of it is signed, or is the signature. */
TEST(a_letter_that_was_changed_is_seen)
{
	char *text = strdup(jwt_aid_token);

	for (size_t i = 0; i < strlen(text); i += 7) {
		char was = text[i];

		text[i] = was == 'A' ? 'B' : 'A';
		if (was != '.')
			assert_string_not_equal(why_not(text), "");
		text[i] = was;
	}
	free(text);
}

static bool
is_accepted(const char *claims, int64_t now)
{
	struct json *root = json_decode(claims, strlen(claims), NULL);
	bool ok = jwt_check_claims(root, &(struct jwt_wanted){ "https://i", "https://a", LIFE },
		      now, NULL) == JWT_FIT;

	assert_non_null(root);
	json_free(root);
	return ok;
}

#define OF "\"iss\":\"https://i\",\"aud\":\"https://a\""

TEST(claims_are_of_this_issuer_for_this_audience_and_now)
{
	static const char good[] = "{" OF ",\"iat\":10000,\"nbf\":9400,\"exp\":10300}";
	static const char *const bad[] = {
		"{\"aud\":\"https://a\",\"iat\":10000,\"exp\":10300}",
		"{\"iss\":\"https://i\",\"iat\":10000,\"exp\":10300}",
		"{\"iss\":\"https://i/\",\"aud\":\"https://a\",\"iat\":10000,\"exp\":10300}",
		"{\"iss\":\"https://i\",\"aud\":[\"https://a\"],\"iat\":10000,\"exp\":10300}",
		"{\"iss\":\"https://i\",\"aud\":[\"https://a\",\"https://b\"],\"iat\":10000,\"exp\":10300}",
		"{\"iss\":\"https://i\",\"aud\":\"https://ab\",\"iat\":10000,\"exp\":10300}",
		"{" OF ",\"exp\":10300}", "{" OF ",\"iat\":10000}",
		"{" OF ",\"iat\":\"10000\",\"exp\":10300}",
		"{" OF ",\"iat\":10000,\"exp\":10300.5}", "{" OF ",\"iat\":-1,\"exp\":10300}",
		"{" OF ",\"iat\":10000,\"exp\":4102444800}",
		"{" OF ",\"iat\":10000,\"exp\":9223372036854775807}",
		"{" OF ",\"iat\":-9223372036854775808,\"exp\":10300}",
		"{" OF ",\"iat\":10000,\"nbf\":\"9400\",\"exp\":10300}",
		"{" OF ",\"iat\":10000,\"nbf\":10600,\"exp\":10900}",
		"{" OF ",\"iat\":10600,\"exp\":10900}", /* issued ten minutes from now */
		"{" OF ",\"iat\":10000,\"exp\":14201}", /* more than 70 minutes */
	};

	for (size_t i = 0; i < COUNT(bad); i++)
		if (is_accepted(bad[i], 10000 * SECOND))
			fail_msg("%s is accepted", bad[i]);
	assert_true(is_accepted(good, 10000 * SECOND));
	assert_true(is_accepted("{" OF ",\"iat\":10000,\"exp\":14200}", 10000 * SECOND));
	/* A minute of leeway on both sides. */
	assert_true(is_accepted(good, 9940 * SECOND));
	assert_false(is_accepted(good, 9940 * SECOND - 1));
	assert_true(is_accepted(good, 10360 * SECOND - 1));
	assert_false(is_accepted(good, 10360 * SECOND));
}

TEST(what_is_written_is_read)
{
	struct crypto_rsa *pair = crypto_rsa_new_private(jwt_aid_key, strlen(jwt_aid_key), NULL);
	struct crypto_rsa *key = jwt_aid_public();
	CLEANUP(buf_done) struct buf text = buf_make(JWT_MAX), little = buf_make(100);
	char header[64], *claims;
	size_t size;

	buf_adds(&text, "Bearer ");
	assert_true(jwt_write(&text, "{\"iss\":\"12345\"}", pair, NULL));
	assert_true(jwt_is_meant(buf_text(&text)));
	/* It says no kid, as GitHub's apps have none: what we read asks for one. */
	assert_true(strstr(why_not(buf_text(&text) + 7), "kid") != NULL);
	size = (size_t)(strchr(buf_text(&text), '.') - buf_text(&text)) - 7;
	assert_true(base64_url_decode(buf_text(&text) + 7, size, header, sizeof(header), &size));
	assert_memory_equal(header, "{\"alg\":\"RS256\",\"typ\":\"JWT\"}", size);
	assert_false(jwt_write(&little, "{\"iss\":\"12345\"}", pair, NULL));
	claims = calloc(1, JWT_MAX);
	memset(claims, 'a', JWT_MAX - 1);
	assert_false(jwt_write(&text, claims, pair, NULL));
	free(claims);
	crypto_rsa_free(pair);
	crypto_rsa_free(key);
}
