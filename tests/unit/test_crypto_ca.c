/* Goal: of a request its key alone is signed, and only one key that has one encoding.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_ca.h"

#include <stdio.h>
#include <string.h>

#include "lib/err.h"
#include "unit.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))
#define NOW    INT64_C(1764400000000)

/* Of OpenSSL's, with a SAN URI:deploybot:server and basicConstraints CA:TRUE in it. */
static const char request_with_a_san[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBCDCBrwIBADARMQ8wDQYDVQQDDAZzZXJ2ZXIwWTATBgcqhkjOPQIBBggqhkjO\n"
    "PQMBBwNCAAT27H8y9nctgXt12ps/9GiJzWzod7Rb2YeeITqyyGYDPpPVe2KCqxtH\n"
    "W5UBUDA+My/ANMmQgZcO7oI1EMdMdT1HoDwwOgYJKoZIhvcNAQkOMS0wKzAbBgNV\n"
    "HREEFDAShhBkZXBsb3lib3Q6c2VydmVyMAwGA1UdEwQFMAMBAf8wCgYIKoZIzj0E\n"
    "AwIDSAAwRQIgTx/IOE5LycMJYqy/u9+1ML5ouDcGltuf1lxrkT9aGkUCIQCgVJnM\n"
    "G2hfSiM2r1cLsxzK6p1dn/3Ynh9MulzH62JcoQ==\n"
    "-----END CERTIFICATE REQUEST-----\n";

static const char *const refused_keys[] = {
	/* RSA, P-384, a compressed point, a hybrid one, a curve that is spelt out */
	"-----BEGIN CERTIFICATE REQUEST-----\n"
	"MIICUTCCATkCAQAwDDEKMAgGA1UEAwwBeDCCASIwDQYJKoZIhvcNAQEBBQADggEP\n"
	"ADCCAQoCggEBAK8JhMJWZhyLu297/0Tid4rQpFXLjmAef2pKaYIK4LpIR5Juisd3\n"
	"9iCWZsiCXCK2F/UNsDLAW2uqwThatecc59EJNMGRlS3EGRvHHBZfrt4Qql84/Pel\n"
	"DkwM0cRfhUTPVurmKFKANblw9y3/0u3UOBK7kEYfYUTey00USUBCiQgtOCaWWSKW\n"
	"hORlGeWSCP4BAuYPsxMFzPc49QvIWy9tvCAqdelLVBhSn5S+lEDFrCzW7vutnHHF\n"
	"E7VZZqWb026ZV8QYwGU9z3Lt6LnfPIErA3B5xZdtfabV5SiP/JYzzXwKjB/YbRlT\n"
	"5N4MclB2SDHARnFzEvPdiihqUCzBEGinCvECAwEAAaAAMA0GCSqGSIb3DQEBCwUA\n"
	"A4IBAQAngZxe7ID0lq0CBaKMI2XZhkt2X1/GjwazhCtQmtW2FI6utXCLrffiHnPI\n"
	"NNIaTDGkluUhas/Z7Zeg7CqWb0SmiB8/fnl/ZSkvoOoNoAM/Eem9KnOQgzkzaHt5\n"
	"+AE48WVxdiPjMm99YLqDlYQlVOwONmLUdK3G0oJVcpU1fEVN2OHGzZ8h3JH2yqrh\n"
	"3DfoV1/83p7zJI8ZdcYPmCWK0Ke9pU1lqBKK2ohD7xfgDHtnhwdgrR/+pxV3c/n1\n"
	"2x5oHe+SShsLq93lxR7ydQO3I7xwsDZ++BoOdem1lImiUcM7HhgrzgWcDTUUHx0A\n"
	"06N8n8CPWbkecIYqBoIOjYm5AHVI\n"
	"-----END CERTIFICATE REQUEST-----\n",
	"-----BEGIN CERTIFICATE REQUEST-----\n"
	"MIIBBDCBiwIBADAMMQowCAYDVQQDDAF4MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE\n"
	"pivYsYUoF3PCFhr53dHoP2pP9Ke4l7ZND8ACTFWfHEkkm3bM3JV5XMjXVJOZ3N5A\n"
	"ELKCYpzx6W4Y0/FLii5HNoadaU09Y6YwsVNWpLOj6aFOElOj8nDn8qlU8INTrLEl\n"
	"oAAwCgYIKoZIzj0EAwIDaAAwZQIwH5ZCnspp7PRIprUg1zAszU1AgCH5ouha2Quj\n"
	"cTALdVulAywdUDhjgENT2YBVvkRLAjEA98934dfKVTKCybmakbYgXZbFxP7ITWiM\n"
	"bNewEd9V/sXg8BBsmBWlm9/Ozo1nP8KX\n"
	"-----END CERTIFICATE REQUEST-----\n",
	"-----BEGIN CERTIFICATE REQUEST-----\n"
	"MIGmME4CAQAwDDEKMAgGA1UEAwwBeDA5MBMGByqGSM49AgEGCCqGSM49AwEHAyIA\n"
	"AhwgfkIUjoYzFIt9QD1H7jJgXxgyWJkW/TviIVQozYadoAAwCgYIKoZIzj0EAwID\n"
	"SAAwRQIgXHrANmqPCD0LgmojTW0iYHQT0xviDBzdmU1X2O5FJHkCIQDWTivUTBTS\n"
	"7MIvgIlB7+eM5mJLYcEyPEDZnoAUxEOjeQ==\n"
	"-----END CERTIFICATE REQUEST-----\n",
	"-----BEGIN CERTIFICATE REQUEST-----\n"
	"MIHFMG4CAQAwDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA\n"
	"BhwgfkIUjoYzFIt9QD1H7jJgXxgyWJkW/TviIVQozYadGreYMzNnPLygm+zdItcB\n"
	"GEpIuy+lSx7+OA/qXb4jA4CgADAKBggqhkjOPQQDAgNHADBEAiBRsgReDPYzOPaS\n"
	"fhfgu3kDQMDdEYlWv2e1O+3p9//6pwIgX+qQ4MzjhVqYxolPhD9lxyxcF7GGmaom\n"
	"juyI6FRRKHg=\n"
	"-----END CERTIFICATE REQUEST-----\n",
	"-----BEGIN CERTIFICATE REQUEST-----\n"
	"MIIBvDCCAWICAQAwDDEKMAgGA1UEAwwBeDCCAUswggEDBgcqhkjOPQIBMIH3AgEB\n"
	"MCwGByqGSM49AQECIQD/////AAAAAQAAAAAAAAAAAAAAAP///////////////zBb\n"
	"BCD/////AAAAAQAAAAAAAAAAAAAAAP///////////////AQgWsY12Ko6k+ez671V\n"
	"dpiGvGUdBrDMU7D2O848PifSYEsDFQDEnTYIhucEk2pmeOETnSa3gZ9+kARBBGsX\n"
	"0fLhLEJH+Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT+NC4v4af5uO5+tKfA+eFivO\n"
	"M1drMV7Oy7ZAaDe/UfUCIQD/////AAAAAP//////////vOb6racXnoTzucrC/GMl\n"
	"UQIBAQNCAAQy295IzYzyrk3WwcCHK8LpmA9sjPqYZgHBRYJKaVUEy2nUf7BGg2Id\n"
	"0KPCQ2N2U7Ej8x7UXkUjtWbuf6y7b59XoAAwCgYIKoZIzj0EAwIDSAAwRQIhAIvG\n"
	"3NSyDwNrOe+HC6QI9kOsfWsyIwqBCD1A2L35p6qBAiAtpxBX/3UYw3hvteMj358R\n"
	"bqP9+pj+kNC6m/yCWLF7MQ==\n"
	"-----END CERTIFICATE REQUEST-----\n",
};

static bool
is_refused(const char *request)
{
	char digest[CRYPTO_SHA256_HEX] = "as before";
	struct err err = { 0 };
	bool ok = crypto_ca_check_request(request, digest, &err);

	assert_true(ok || (err.code == ERR_INVALID && strcmp(digest, "as before") == 0));
	return !ok;
}

TEST(a_request_is_for_p256_and_signed_by_its_own_key)
{
	char digest[CRYPTO_SHA256_HEX];
	char changed[sizeof(request_with_a_san)];
	struct err err;

	assert_true(crypto_ca_check_request(request_with_a_san, digest, &err));
	assert_int_equal(strlen(digest), 64);
	for (size_t i = 0; i < COUNT(refused_keys); i++)
		assert_true(is_refused(refused_keys[i]));
	/* A letter of the signature: the base64 stays one. */
	memcpy(changed, request_with_a_san, sizeof(changed));
	changed[strlen(changed) - 60] = changed[strlen(changed) - 60] == 'A' ? 'B' : 'A';
	assert_true(is_refused(changed));
	assert_true(is_refused(""));
	assert_true(is_refused("-----BEGIN CERTIFICATE REQUEST-----\n"));
}

TEST(a_request_is_4096_bytes_at_most)
{
	char text[CRYPTO_CA_REQUEST + 2];
	size_t size = strlen(request_with_a_san), before = CRYPTO_CA_REQUEST - size;

	memset(text, '\n', sizeof(text));
	memcpy(text + before, request_with_a_san, size + 1);
	assert_false(is_refused(text));
	memcpy(text + before + 1, request_with_a_san, size + 1);
	assert_true(is_refused(text));
}

/* An authority of ten years signs for `identity`; "": it did. */
static const char *
sign(struct crypto_ca_order *order, const char *identity, char ret[CRYPTO_CA_PEM])
{
	static struct err err;

	order->identity = identity;
	return crypto_ca_sign(order, request_with_a_san, ret, &err) ? "" : err.text;
}

TEST(who_signs_is_an_authority_and_for_whom_a_name)
{
	struct crypto_ca_pair ca, other;
	struct crypto_ca_order order = { .from = NOW, .until = NOW + 30 * DAY_MS };
	char first[CRYPTO_CA_PEM], again[CRYPTO_CA_PEM], both[2 * CRYPTO_CA_PEM];
	char of_request[CRYPTO_SHA256_HEX], of_certificate[CRYPTO_SHA256_HEX];

	assert_true(crypto_ca_make(NOW, NOW + 3652 * DAY_MS, &ca, NULL));
	assert_true(crypto_ca_make(NOW, NOW + 3652 * DAY_MS, &other, NULL));
	order.key = ca.key;
	order.certificate = ca.text;
	assert_string_equal(sign(&order, "agent/acme", first), "");
	assert_string_equal(sign(&order, "runner/build-1", again), "");
	assert_string_equal(sign(&order, "server", again), "");
	assert_string_equal(sign(&order, "agent/acme", again), "");
	assert_string_not_equal(first, again); /* another serial number */
	assert_true(crypto_ca_check_request(request_with_a_san, of_request, NULL));
	assert_true(crypto_ca_key_digest(first, of_certificate, NULL));
	assert_string_equal(of_certificate, of_request);
	for (const char *const *wrong = (const char *const[]){ "", "agent/", "agent", "admin/acme",
		 "agent/acme,URI:deploybot:server", "agent/a b", "agent/Acme", "agent/a/b", NULL };
	     *wrong != NULL; wrong++)
		assert_non_null(strstr(sign(&order, *wrong, again), "no identity"));
	order.certificate = other.text;
	assert_non_null(strstr(sign(&order, "agent/acme", again), "not of its key"));
	order.certificate = first; /* not even with its own key: it is no authority */
	assert_non_null(strstr(sign(&order, "agent/acme", again), "of no authority"));
	order.certificate = "";
	assert_non_null(strstr(sign(&order, "agent/acme", again), "not of its key"));
	/* Where one authority takes the other's place, both stand in one text. */
	(void)snprintf(both, sizeof(both), "%s%s", other.text, ca.text);
	order.certificate = both;
	assert_string_equal(sign(&order, "agent/acme", again), "");
	assert_true(crypto_ca_check(ca.key, both, NULL) && crypto_ca_check(other.key, both, NULL));
	assert_false(crypto_ca_check(other.key, ca.text, NULL));
	order.key = "";
	assert_non_null(strstr(sign(&order, "agent/acme", again), "no private key"));
}

TEST(a_leaf_signs_nothing)
{
	struct crypto_ca_pair ca, leaf;
	struct crypto_ca_order order = { .from = NOW, .until = NOW + DAY_MS, .identity = "server" };
	char certificate[CRYPTO_CA_PEM], next[CRYPTO_CA_PEM];
	struct err err;

	assert_true(crypto_ca_make(NOW, NOW + DAY_MS, &ca, NULL));
	assert_true(crypto_ca_make_request(&leaf, NULL));
	order.key = ca.key;
	order.certificate = ca.text;
	assert_true(crypto_ca_sign(&order, leaf.text, certificate, NULL));
	order.key = leaf.key;
	order.certificate = certificate;
	assert_false(crypto_ca_sign(&order, leaf.text, next, &err));
	assert_int_equal(err.code, ERR_CONFIG);
}

TEST(an_order_key_is_of_ed25519)
{
	char key[CRYPTO_CA_PEM], public[CRYPTO_SHA256_HEX];
	struct crypto_ca_pair ca;
	struct err err;

	assert_true(crypto_ca_make_order_key(key, NULL));
	assert_true(crypto_ca_order_public(key, public, NULL));
	assert_int_equal(strlen(public), 64);
	assert_true(crypto_ca_make(NOW, NOW + DAY_MS, &ca, NULL));
	assert_false(crypto_ca_order_public(ca.key, public, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_false(crypto_ca_order_public("nothing", public, &err));
	assert_int_equal(err.code, ERR_INVALID);
}

TEST(a_name_is_a_word)
{
	struct crypto_ca_pair ca;
	struct crypto_ca_order order = { .from = NOW, .until = NOW + DAY_MS };
	char certificate[CRYPTO_CA_PEM], name[CRYPTO_CA_IDENTITY] = "runner/";

	assert_true(crypto_ca_make(NOW, NOW + DAY_MS, &ca, NULL));
	order.key = ca.key;
	order.certificate = ca.text;
	memset(name + strlen("runner/"), 'a', CRYPTO_CA_NAME_MAX);
	assert_string_equal(sign(&order, name, certificate), "");
	name[strlen(name)] = 'a';
	assert_non_null(strstr(sign(&order, name, certificate), "no identity"));
	assert_string_equal(sign(&order, "agent/web1.acme-2", certificate), "");
	assert_non_null(strstr(sign(&order, "agent/-a", certificate), "no identity"));
	assert_non_null(strstr(sign(&order, "agent/a_b", certificate), "no identity"));
}
