/* jwt.c - three parts in base64: a header, claims, and a signature of both.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/jwt.h"

#include "lib/base64.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"

/* Parameters by which a header brings a key of its own, or asks for what is not done here. */
static const char *const refused[] = { "crit", "jwk", "jku", "x5u", "x5c", "b64" };

/* The parts between the dots; false: there are not exactly three. */
struct parts {
	const char *at[3];
	size_t size[3];
};

static bool
split(const char *text, size_t size, struct parts *ret)
{
	size_t part = 0;

	*ret = (struct parts){ .at = { text } };
	for (size_t i = 0; i < size; i++) {
		if (text[i] != '.') {
			ret->size[part]++;
			continue;
		}
		if (++part == COUNT(ret->at))
			return false;
		ret->at[part] = text + i + 1;
	}
	return part + 1 == COUNT(ret->at);
}

bool
jwt_is_meant(const char *text)
{
	struct parts parts;

	return split(text, strlen(text), &parts);
}

static struct json *
read_object(const struct parts *parts, size_t part, const char *what, struct err *err)
{
	CLEANUP(json_freep) struct json *root = NULL;
	uint8_t text[JWT_MAX];
	size_t size;

	if (!base64_url_decode(parts->at[part], parts->size[part], text, sizeof(text), &size))
		return ERR_NULL(err_set(err, ERR_INVALID, "JWT: its %s is no base64", what));
	root = json_decode(text, size, err);
	if (root == NULL)
		return ERR_NULL(err_wrap(err, "JWT: its %s", what));
	if (!json_holds_object(root))
		return ERR_NULL(err_set(err, ERR_INVALID, "JWT: its %s is no object", what));
	return TAKE(root);
}

static bool
is_kid(const char *kid)
{
	size_t size = kid == NULL ? 0 : strlen(kid);

	return size > 0 && size < JWT_KID &&
	    strspn(kid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=-") ==
	    size;
}

static bool
check_header(const struct json *header, char kid[JWT_KID], struct err *err)
{
	for (size_t i = 0; i < COUNT(refused); i++)
		if (json_get(header, refused[i]) != NULL)
			return err_set(err, ERR_DENIED, "JWT: its header has %s", refused[i]);
	if (!json_has(header, "alg", "RS256"))
		return err_set(err, ERR_DENIED, "JWT: alg is not RS256");
	if (json_get(header, "typ") != NULL && !json_has(header, "typ", "JWT"))
		return err_set(err, ERR_DENIED, "JWT: typ is not JWT");
	if (!is_kid(json_get_str(header, "kid")))
		return err_set(err, ERR_DENIED, "JWT: kid names no key");
	(void)text_copy(kid, JWT_KID, json_get_str(header, "kid")); /* is_kid(): it fits */
	return true;
}

bool
jwt_read(const char *text, size_t size, struct jwt *ret, struct err *err)
{
	CLEANUP(json_freep) struct json *header = NULL;
	struct jwt jwt = { .text = text };
	struct parts parts;

	if (size > JWT_MAX)
		return err_set(err, ERR_LIMIT, "JWT: longer than %d bytes", JWT_MAX);
	if (!split(text, size, &parts))
		return err_set(err, ERR_INVALID, "JWT: it has not three parts");
	jwt.signed_size = parts.size[0] + 1 + parts.size[1];
	if (!base64_url_decode(parts.at[2], parts.size[2], jwt.signature, sizeof(jwt.signature),
		&jwt.signature_size))
		return err_set(err, ERR_INVALID, "JWT: its signature is no base64");
	header = read_object(&parts, 0, "header", err);
	if (header == NULL || !check_header(header, jwt.kid, err))
		return false;
	jwt.claims = read_object(&parts, 1, "claims", err);
	if (jwt.claims == NULL)
		return false;
	*ret = jwt;
	return true;
}

void
jwt_done(struct jwt *jwt)
{
	json_free(jwt->claims); /* takes NULL */
	jwt->claims = NULL;
}

enum crypto_proof
jwt_verify(const struct jwt *jwt, const struct crypto_rsa *key)
{
	return crypto_rsa_verify(
	    key, jwt->text, jwt->signed_size, jwt->signature, jwt->signature_size);
}

/* A moment of the claims, which have seconds, in ms; false: it is none that anybody means. */
static bool
get_moment(const struct json *claims, const char *name, int64_t *ret)
{
	int64_t seconds;

	if (!json_get_i64(claims, name, &seconds) || seconds < 0 || seconds > INT32_MAX * 4LL)
		return false;
	*ret = 1000 * seconds;
	return true;
}

static bool
is_in_force(const struct json *claims, int64_t life_ms, int64_t now, struct err *err)
{
	int64_t issued, expires, since = 0;

	if (!get_moment(claims, "iat", &issued) || !get_moment(claims, "exp", &expires) ||
	    (json_get(claims, "nbf") != NULL && !get_moment(claims, "nbf", &since)))
		return err_set(err, ERR_DENIED, "JWT: iat, exp or nbf is no moment");
	if (issued > now + JWT_LEEWAY || since > now + JWT_LEEWAY)
		return err_set(err, ERR_DENIED, "JWT: it begins later than now");
	if (expires <= now - JWT_LEEWAY)
		return err_set(err, ERR_DENIED, "JWT: it has expired");
	if (expires - issued > life_ms)
		return err_set(err, ERR_DENIED, "JWT: it lives longer than %d minutes",
		    (int)(life_ms / 60000));
	return true;
}

enum jwt_fault
jwt_check_claims(
    const struct json *claims, const struct jwt_wanted *wanted, int64_t now, struct err *err)
{
	if (!json_has(claims, "iss", wanted->issuer)) {
		(void)err_set(err, ERR_DENIED, "JWT: iss is not %.160s", wanted->issuer);
		return JWT_ISSUER;
	}
	if (!json_has(claims, "aud", wanted->audience)) {
		(void)err_set(err, ERR_DENIED, "JWT: aud is not %.160s alone%s%.80s",
		    wanted->audience, json_text(claims, "aud")[0] != '\0' ? ", but " : "",
		    json_text(claims, "aud"));
		return JWT_AUDIENCE;
	}
	return is_in_force(claims, wanted->life_ms, now, err) ? JWT_FIT : JWT_TIMES;
}

static void
add_part(struct buf *out, const void *data, size_t size)
{
	char text[BASE64_URL_SIZE(JWT_MAX)];

	buf_adds(out, base64_url_encode(data, size, text));
}

bool
jwt_write(struct buf *out, const char *claims, const struct crypto_rsa *key, struct err *err)
{
	static const char header[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\"}";
	uint8_t signature[CRYPTO_RSA_BYTES];
	size_t begins = out->size, size = strlen(claims);

	if (size > JWT_MAX / 2)
		return err_set(err, ERR_LIMIT, "JWT: claims of more than %d bytes", JWT_MAX / 2);
	add_part(out, header, sizeof(header) - 1);
	buf_addc(out, '.');
	add_part(out, claims, size);
	if (!buf_check(out, err))
		return false;
	size = crypto_rsa_sign(key, buf_text(out) + begins, out->size - begins, signature, err);
	if (size == 0)
		return false;
	buf_addc(out, '.');
	add_part(out, signature, size);
	return buf_check(out, err);
}
