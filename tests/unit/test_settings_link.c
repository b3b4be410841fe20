/* Goal: deploybot-link's certificates and keys are read, and belong to each other.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "link_aid.h"
#include "settings_aid.h"

#include <unistd.h>

static int
make(void **state)
{
	link_aid_make(*state = calloc(1, sizeof(struct link_aid)), 0);
	return 0;
}

static int
drop(void **state)
{
	link_aid_remove(*state);
	free(*state);
	return 0;
}

TEST_WITH(what_ca_init_makes_is_taken, make, drop)
{
	const struct link_aid *aid = *state;
	struct settings *s = LOAD(NULL, COMPLETE, LINK_AID_LINES(aid));
	char digest[CRYPTO_SHA256_HEX];

	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_string_equal(s->link.address, "link.example.org:9443");
	assert_string_equal(s->link.socket, "/run/deploybot-link/server.sock");
	assert_string_equal(s->link.ca, aid->ca.text);
	assert_true(crypto_ca_check(s->link.ca_key, s->link.ca, NULL));
	assert_true(crypto_ca_check_request(aid->link.text, digest, NULL));
	assert_string_equal(s->link.fingerprint, digest);
	assert_true(crypto_ca_order_public(aid->order, digest, NULL));
	assert_string_equal(s->link.order_public, digest);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE);
	assert_true(s->link.address == NULL && s->link.ca == NULL && s->link.ca_key == NULL);
	settings_unref(s);
}

TEST_WITH(an_address_needs_the_rest_but_for_the_authoritys_key, make, drop)
{
	const struct link_aid *aid = *state;
	struct settings *s;

	assert_null(LOAD(NULL, COMPLETE, LINK_AID_ADDRESS));
	SAYS(SETTINGS_ERROR,
	    "LINK_CA_FILE: is not set, and LINK_ADDRESS needs it: deploybot ca init makes it");
	SAYS(SETTINGS_ERROR, "LINK_CERT_FILE: is not set, and LINK_ADDRESS needs it");
	SAYS(SETTINGS_ERROR, "LINK_ORDER_KEY: is not set, and LINK_ADDRESS needs it");
	s = LOAD(NULL, COMPLETE, LINK_AID_ADDRESS, aid->ca_line, aid->cert_line, aid->order_line);
	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	settings_unref(s);
	assert_null(LOAD(NULL, COMPLETE, aid->key_line));
	SAYS(SETTINGS_ERROR, "LINK_CA_FILE: is not set, and LINK_CA_KEY needs it");
	s = LOAD(NULL, COMPLETE, aid->key_line, aid->ca_line, aid->order_line);
	assert_non_null(s);
	SAYS(SETTINGS_WARNING, "LINK_CA_KEY: is not used: LINK_ADDRESS is not set");
	SAYS(SETTINGS_WARNING, "LINK_ORDER_KEY: is not used: LINK_ADDRESS is not set");
	settings_unref(s);
}

TEST_WITH(a_key_of_something_else_is_an_error, make, drop)
{
	const struct link_aid *aid = *state;
	char other[CRYPTO_CA_PEM + 16];

	(void)snprintf(other, sizeof(other), "LINK_CA_KEY=%.*s", (int)strlen(aid->link.key) - 1,
	    aid->link.key);
	assert_null(LOAD(NULL, COMPLETE, LINK_AID_ADDRESS, aid->ca_line, aid->cert_line,
	    aid->order_line, other));
	SAYS(SETTINGS_ERROR, "LINK_CA_KEY: the authority's certificate is not of its key");
	(void)snprintf(
	    other, sizeof(other), "LINK_ORDER_KEY=%.*s", (int)strlen(aid->ca.key) - 1, aid->ca.key);
	assert_null(LOAD(NULL, COMPLETE, LINK_AID_ADDRESS, aid->ca_line, aid->cert_line, other));
	SAYS(SETTINGS_ERROR, "LINK_ORDER_KEY: a private key of another kind than Ed25519");
	assert_int_equal(truncate(aid->cert_file, 30), 0);
	assert_int_equal(truncate(aid->ca_file, 30), 0);
	assert_null(LOAD(NULL, COMPLETE, LINK_AID_LINES(aid)));
	SAYS(SETTINGS_ERROR, "LINK_CERT_FILE: no certificate in PEM");
	SAYS(SETTINGS_ERROR, "LINK_CA_KEY: the authority's certificate is not of its key");
	assert_null(LOAD(NULL, COMPLETE, LINK_AID_ADDRESS, "LINK_CERT_FILE=/nowhere/link.crt",
	    aid->ca_line, aid->order_line));
	SAYS(SETTINGS_ERROR, "LINK_CERT_FILE: ");
}
