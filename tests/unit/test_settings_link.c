/* Goal: deploybot-link's certificates and keys are read, and belong to each other.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "link_aid.h"
#include "settings/checks/settings_runners.h"
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
	SAYS(SETTINGS_ERROR, "LINK_CERTIFICATE_FILE: is not set, and LINK_ADDRESS needs it");
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
	SAYS(SETTINGS_ERROR, "LINK_CERTIFICATE_FILE: no certificate in PEM");
	SAYS(SETTINGS_ERROR, "LINK_CA_KEY: the authority's certificate is not of its key");
	assert_null(LOAD(NULL, COMPLETE, LINK_AID_ADDRESS,
	    "LINK_CERTIFICATE_FILE=/nowhere/link.crt", aid->ca_line, aid->order_line));
	SAYS(SETTINGS_ERROR, "LINK_CERTIFICATE_FILE: ");
}

TEST_WITH(a_remote_runner_is_named_and_an_environment_has_one_of_them, make, drop)
{
	const struct link_aid *aid = *state;
	struct settings *s = LOAD(NULL, COMPLETE, LINK_AID_LINES(aid), "RUNNERS= build-1 ,build-2,",
	    "STAGING_RUNNER=build-2");
	char name[LIMIT_RUNNER];
	size_t at = 0;

	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_true(settings_next_runner(s, &at, name));
	assert_string_equal(name, "build-1");
	assert_true(settings_next_runner(s, &at, name));
	assert_string_equal(name, "build-2");
	assert_false(settings_next_runner(s, &at, name));
	assert_string_equal(settings_runner(s, "staging"), "build-2");
	assert_string_equal(settings_runner(s, "production"), "local");
	assert_string_equal(settings_runner(s, "nowhere"), "local");
	settings_unref(s);
}

TEST_WITH(a_runner_that_is_none_is_an_error, make, drop)
{
	const struct link_aid *aid = *state;

	assert_null(LOAD(NULL, COMPLETE, LINK_AID_LINES(aid), "STAGING_RUNNER=build-1"));
	SAYS(SETTINGS_ERROR, "STAGING_RUNNER: build-1 is none of RUNNERS, and not local");
	assert_null(LOAD(NULL, COMPLETE, LINK_AID_LINES(aid), "RUNNERS=local Build ../x"));
	SAYS(SETTINGS_ERROR,
	    "RUNNERS: expected names of a-z, 0-9, dots and hyphens, and not local: local");
	SAYS(SETTINGS_ERROR,
	    "RUNNERS: expected names of a-z, 0-9, dots and hyphens, and not local: Build");
	SAYS(SETTINGS_ERROR,
	    "RUNNERS: expected names of a-z, 0-9, dots and hyphens, and not local: ../x");
	assert_null(LOAD(NULL, COMPLETE, "RUNNERS=build-1"));
	SAYS(SETTINGS_ERROR,
	    "RUNNERS: none of them can connect: LINK_ADDRESS is not set (docs/agents.md)");
	assert_null(
	    LOAD(NULL, COMPLETE, LINK_AID_LINES(aid), "RUNNERS=a b c d e f g h i j k l m n o p q"));
	SAYS(SETTINGS_ERROR, "RUNNERS: 17, of 16 at most");
	assert_null(LOAD(NULL, COMPLETE, LINK_AID_LINES(aid),
	    "RUNNERS=a-name-that-is-longer-than-the-name-of-a-certificate-may-ever-be-1234567890"));
}
