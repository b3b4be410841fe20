/* jwks_answer.c - an issuer's configuration and keys, read strictly.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "clients/jwks_answer.h"

#include <stdio.h>

#include "lib/base64.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"

bool
jwks_configuration_url(const char *issuer, char out[JWKS_URL])
{
	size_t size = strlen(issuer);

	while (size > 0 && issuer[size - 1] == '/')
		size--;
	return snprintf(out, JWKS_URL, "%.*s/.well-known/openid-configuration", (int)size, issuer) <
	    JWKS_URL;
}

/* "https://host:port" of an address, up to its path. */
static size_t
origin_size(const char *url)
{
	const char *host = strstr(url, "://");

	return host == NULL ? 0 : (size_t)(host - url) + 3 + strcspn(host + 3, "/?#");
}

static bool
is_same_origin(const char *a, const char *b)
{
	size_t size = origin_size(a);

	return size > 0 && size == origin_size(b) && strncmp(a, b, size) == 0 &&
	    memchr(a, '@', size) == NULL;
}

bool
jwks_read_configuration(
    const char *body, size_t size, const char *issuer, char out[JWKS_URL], struct err *err)
{
	CLEANUP(json_freep) struct json *json = json_decode(body, size, err);
	const char *url = json_text(json, "jwks_uri");

	if (json == NULL)
		return err_wrap(err, "the issuer's configuration");
	if (!json_has(json, "issuer", issuer))
		return err_set(err, ERR_INVALID, "the configuration is not of %.160s", issuer);
	if (!text_is_plain(url) || !is_same_origin(url, issuer))
		return err_set(
		    err, ERR_INVALID, "the keys of %.160s are not on its own host", issuer);
	if (!text_copy(out, JWKS_URL, url))
		return err_set(
		    err, ERR_LIMIT, "the address of the keys of %.160s is too long", issuer);
	return true;
}

void
jwks_keys_free(struct jwks_keys *keys)
{
	for (size_t i = 0; keys != NULL && i < keys->n; i++)
		crypto_rsa_free(keys->at[i].rsa);
	free(keys);
}

/* Absent, or that. */
static bool
may_be(const struct json *key, const char *name, const char *wanted)
{
	return json_get(key, name) == NULL || json_has(key, name, wanted);
}

static bool
read_number(const struct json *key, const char *name, uint8_t *out, size_t room, size_t *ret_size)
{
	const char *text = json_text(key, name);

	return text[0] != '\0' && base64_url_decode(text, strlen(text), out, room, ret_size);
}

/* NULL: it is not one of RS256. */
static struct crypto_rsa *
read_rsa(const struct json *key)
{
	uint8_t modulus[CRYPTO_RSA_BYTES], exponent[8];
	size_t size, exponent_size;

	if (!json_has(key, "kty", "RSA") || !may_be(key, "use", "sig") ||
	    !may_be(key, "alg", "RS256") ||
	    !read_number(key, "n", modulus, sizeof(modulus), &size) ||
	    !read_number(key, "e", exponent, sizeof(exponent), &exponent_size))
		return NULL;
	return crypto_rsa_new_public(modulus, size, exponent, exponent_size, NULL);
}

static bool
add_key(struct jwks_keys *keys, const struct json *key, struct err *err)
{
	const char *kid = json_get_str(key, "kid");
	struct jwks_key *added = &keys->at[keys->n];

	if (kid == NULL || strlen(kid) >= JWT_KID)
		return true; /* no token of ours can name it */
	added->rsa = read_rsa(key);
	if (added->rsa == NULL)
		return true;
	text_set(added->kid, kid); /* fits */
	keys->n++;
	for (size_t i = 0; i + 1 < keys->n; i++)
		if (strcmp(keys->at[i].kid, kid) == 0)
			return err_set(err, ERR_INVALID, "two keys have the id %.60s", kid);
	return true;
}

static bool
add_keys(struct jwks_keys *keys, const struct json *list, struct err *err)
{
	if (!json_holds_array(list))
		return err_set(err, ERR_INVALID, "no set of keys: it has no list of them");
	if (json_count(list) > JWKS_KEYS_MAX)
		return err_set(err, ERR_LIMIT, "a set of more than %d keys", JWKS_KEYS_MAX);
	for (size_t i = 0; i < json_count(list); i++)
		if (!add_key(keys, json_at(list, i), err))
			return false;
	return keys->n > 0 || err_set(err, ERR_MISSING, "no key of the set is for RS256");
}

struct jwks_keys *
jwks_read_keys(const char *body, size_t size, struct err *err)
{
	CLEANUP(json_freep) struct json *json = json_decode(body, size, err);
	CLEANUP(jwks_keys_freep) struct jwks_keys *keys = mem_new(1, sizeof(*keys));

	if (json == NULL)
		return ERR_NULL(err_wrap(err, "the issuer's keys"));
	return add_keys(keys, json_get(json, "keys"), err) ? TAKE(keys) : NULL;
}

const struct crypto_rsa *
jwks_find(const struct jwks_keys *keys, const char *kid)
{
	for (size_t i = 0; keys != NULL && i < keys->n; i++)
		if (strcmp(keys->at[i].kid, kid) == 0)
			return keys->at[i].rsa;
	return NULL;
}
