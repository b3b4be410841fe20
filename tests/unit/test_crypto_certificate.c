/* Goal: what a certificate says is read as a host reads it: whose name, whose signature, until when.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_certificate.h"

#include "lib/err.h"

#include "unit.h"

#define NOW INT64_C(1767225600000)
#define DAY INT64_C(86400000)

static void
make(const struct crypto_ca_pair *ca, const char *identity, char ret[CRYPTO_CA_PEM])
{
	struct crypto_ca_order order = { .key = ca->key,
		.certificate = ca->text,
		.identity = identity,
		.from = NOW,
		.until = NOW + DAY };
	struct crypto_ca_pair made;

	assert_true(crypto_ca_make_request(&made, NULL));
	assert_true(crypto_ca_sign(&order, made.text, ret, NULL));
}

TEST(a_servers_certificate_is_one_by_its_name_and_its_authority)
{
	struct crypto_ca_pair ca, other;
	struct crypto_certificate shown;
	char server[CRYPTO_CA_PEM], agent[CRYPTO_CA_PEM], digest[CRYPTO_SHA256_HEX];
	char both[2 * CRYPTO_CA_PEM];

	assert_true(crypto_ca_make(NOW, NOW + DAY, &ca, NULL));
	assert_true(crypto_ca_make(NOW, NOW + DAY, &other, NULL));
	make(&ca, "server", server);
	make(&ca, "agent/acme", agent);
	/* Its time is over by now, which is judged elsewhere. */
	assert_true(crypto_certificate_read(server, ca.text, &shown, NULL));
	assert_string_equal(shown.identity, "server");
	assert_true(shown.is_signed);
	assert_int_equal(shown.from, NOW);
	assert_int_equal(shown.until, NOW + DAY);
	assert_true(crypto_ca_key_digest(server, digest, NULL));
	assert_string_equal(shown.key, digest);
	assert_true(crypto_certificate_read(server, other.text, &shown, NULL));
	assert_false(shown.is_signed);
	/* Of two authorities either counts, while one takes the other's place. */
	(void)snprintf(both, sizeof(both), "%s%s", other.text, ca.text);
	assert_true(crypto_certificate_read(server, both, &shown, NULL));
	assert_true(shown.is_signed);
	/* An agent's is for no server. */
	assert_true(crypto_certificate_read(agent, ca.text, &shown, NULL));
	assert_string_equal(shown.identity, "agent/acme");
	assert_false(shown.is_signed);
	assert_true(crypto_certificate_read(ca.text, ca.text, &shown, NULL));
	assert_string_equal(shown.identity, "");
}

TEST(what_is_no_certificate_is_refused)
{
	struct crypto_ca_pair ca;
	struct crypto_certificate shown;
	struct err err;

	assert_true(crypto_ca_make(NOW, NOW + DAY, &ca, NULL));
	assert_false(crypto_certificate_read("", ca.text, &shown, &err));
	assert_string_equal(err.text, "no certificate in PEM");
	assert_false(crypto_certificate_read(ca.key, ca.text, &shown, &err));
	ca.text[strlen(ca.text) / 2] = '!';
	assert_false(crypto_certificate_read(ca.text, ca.text, &shown, &err));
}

TEST_GROUP(NULL, NULL)
