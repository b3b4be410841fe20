/* Goal: Vault is asked in one way, by TLS or on this machine, and what belongs to it says which one.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings_aid.h"

#include <unistd.h>

#define ADDR	  "VAULT_ADDR=https://vault.example.org:8200/"
#define BY_TOKEN  "VAULT_TOKEN=hvs." SECRET
#define BY_ROLE	  "VAULT_ROLE_ID=deploybot"
#define ITS_PROOF "VAULT_SECRET_ID=" SECRET

TEST(vault_is_asked_with_a_token_or_a_role)
{
	struct settings *s = LOAD(NULL, COMPLETE, ADDR, BY_TOKEN, "VAULT_NAMESPACE=teams/shop");

	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_string_equal(s->vault.address, "https://vault.example.org:8200");
	assert_string_equal(s->vault.token, "hvs." SECRET);
	assert_string_equal(s->vault.name_space, "teams/shop");
	assert_true(s->vault.role_id == NULL && s->vault.secret_id == NULL);
	assert_null(s->vault.ca_file);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, ADDR, BY_ROLE, ITS_PROOF);
	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_string_equal(s->vault.role_id, "deploybot");
	assert_string_equal(s->vault.secret_id, SECRET);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE);
	assert_null(s->vault.address);
	settings_unref(s);
}

TEST(half_a_way_or_two_of_them_are_an_error)
{
	assert_null(LOAD(NULL, COMPLETE, ADDR));
	SAYS(SETTINGS_ERROR,
	    "VAULT_TOKEN: is not set, and neither is VAULT_ROLE_ID with VAULT_SECRET_ID: VAULT_ADDR needs one");
	assert_null(LOAD(NULL, COMPLETE, ADDR, BY_ROLE));
	SAYS(SETTINGS_ERROR, "VAULT_SECRET_ID: is not set, and VAULT_ROLE_ID needs it");
	assert_int_equal(settings_said.count, 1);
	assert_null(LOAD(NULL, COMPLETE, ADDR, ITS_PROOF));
	SAYS(SETTINGS_ERROR, "VAULT_ROLE_ID: is not set, and VAULT_SECRET_ID needs it");
	assert_int_equal(settings_said.count, 1);
	assert_null(LOAD(NULL, COMPLETE, ADDR, BY_TOKEN, BY_ROLE, ITS_PROOF));
	SAYS(SETTINGS_ERROR, "VAULT_TOKEN: set together with VAULT_ROLE_ID or VAULT_SECRET_ID");
}

TEST(what_belongs_to_a_vault_needs_its_address)
{
	static const char *const lines[] = { BY_TOKEN, "VAULT_NAMESPACE=admin",
		"VAULT_CA_FILE=/etc/ssl/vault.pem", BY_ROLE, ITS_PROOF };

	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_null(LOAD(NULL, COMPLETE, lines[i]));
		SAYS(SETTINGS_ERROR, "is set, and VAULT_ADDR is not: which Vault is meant?");
	}
}

TEST(a_token_goes_over_no_network_in_the_clear)
{
	static const char *const here[] = { "VAULT_ADDR=http://127.0.0.1:8200",
		"VAULT_ADDR=http://localhost:8200", "VAULT_ADDR=http://[::1]:8200",
		"VAULT_ADDR=HTTPS://10.0.0.7" };
	static const char *const there[] = { "VAULT_ADDR=http://10.0.0.7:8200",
		"VAULT_ADDR=HTTP://vault.example.org", "VAULT_ADDR=http://127.0.0.1.example.org",
		"VAULT_ADDR=http://localhost.example.org", "VAULT_ADDR=http://[fd00::1]:8200",
		"VAULT_ADDR=http://169.254.169.254" };
	struct settings *s;

	for (size_t i = 0; i < COUNT(here); i++) {
		s = LOAD(NULL, COMPLETE, here[i], BY_TOKEN);
		if (s == NULL)
			fail_msg("%s: %s", here[i], settings_said.lines[0].text);
		settings_unref(s);
	}
	for (size_t i = 0; i < COUNT(there); i++) {
		if (LOAD(NULL, COMPLETE, there[i], BY_TOKEN) != NULL)
			fail_msg("%s", there[i]);
		SAYS(SETTINGS_ERROR, "VAULT_ADDR: http:// would carry tokens and secrets over");
	}
}

TEST(the_certificates_that_it_is_checked_with_can_be_read)
{
	char line[160], path[128] = "/tmp/test_settings_vault.XXXXXX";
	int fd = mkstemp(path);
	struct settings *s;

	assert_true(fd >= 0);
	(void)snprintf(line, sizeof(line), "VAULT_CA_FILE=%s", path);
	assert_null(LOAD(NULL, COMPLETE, ADDR, BY_TOKEN, line));
	SAYS(SETTINGS_ERROR, "has no certificate in PEM (-----BEGIN CERTIFICATE-----)");
	assert_int_equal(write(fd, "-----BEGIN CERTIFICATE-----\n", 28), 28);
	s = LOAD(NULL, COMPLETE, ADDR, BY_TOKEN, line);
	assert_non_null(s);
	assert_string_equal(s->vault.ca_file, path);
	settings_unref(s);
	assert_int_equal(close(fd) | unlink(path), 0);
	assert_null(LOAD(NULL, COMPLETE, ADDR, BY_TOKEN, line));
	SAYS(SETTINGS_ERROR, "VAULT_CA_FILE: ");
}

/* Tokens are as long as Vault makes them. */
TEST(production_takes_a_token_of_vaults_as_it_is)
{
	struct settings *s = LOAD(NULL, COMPLETE, "ENVIRONMENT=production", ADDR,
	    "VAULT_TOKEN=s.0123456789abcdefghijklmn");

	assert_null(s);
	assert_false(settings_aid_says(SETTINGS_ERROR, "VAULT_TOKEN"));
}

#define OPA "OPA_URL=https://opa.example.org/v1/data/deploybot/allow"

TEST(opa_is_asked_for_a_rule_by_tls_or_on_this_machine)
{
	static const char *const good[] = { OPA, "OPA_URL=http://127.0.0.1:8181/v1/data/a/b",
		"OPA_URL=http://localhost:8181/v1/data/a",
		"OPA_URL=http://[::1]:8181/v1/data/a/b?c",
		"OPA_URL=https://gate.example.org/opa/v1/data/a" };
	static const char *const clear[] = { "OPA_URL=http://10.0.0.7:8181/v1/data/a/b",
		"OPA_URL=http://opa.example.org/v1/data/a/b",
		"OPA_URL=http://localhost.example.org/v1/data/a" };
	static const char *const no_rule[] = { "OPA_URL=http://127.0.0.1:8181",
		"OPA_URL=http://127.0.0.1:8181/v1/data/",
		"OPA_URL=http://127.0.0.1:8181/v0/data/a/b",
		"OPA_URL=http://127.0.0.1:8181/v1/policies/a",
		"OPA_URL=http://127.0.0.1:8181/v1/data/a#b",
		"OPA_URL=http://127.0.0.1:8181/v1/data/a/",
		"OPA_URL=http://127.0.0.1:8181/v1/data/../policies/a",
		"OPA_URL=http://127.0.0.1:8181/v1/query?/v1/data/a",
		"OPA_URL=http://127.0.0.1:8181?/v1/data/a" };
	struct settings *s;

	for (size_t i = 0; i < COUNT(good); i++) {
		s = LOAD(NULL, COMPLETE, good[i], "OPA_TOKEN=" SECRET);
		if (s == NULL)
			fail_msg("%s: %s", good[i], settings_said.lines[0].text);
		assert_string_equal(s->opa.url, good[i] + strlen("OPA_URL="));
		assert_string_equal(s->opa.token, SECRET);
		settings_unref(s);
	}
	for (size_t i = 0; i < COUNT(clear); i++) {
		assert_null(LOAD(NULL, COMPLETE, clear[i]));
		SAYS(SETTINGS_ERROR, "OPA_URL: http:// would carry its answers over the network");
	}
	for (size_t i = 0; i < COUNT(no_rule); i++) {
		assert_null(LOAD(NULL, COMPLETE, no_rule[i]));
		SAYS(SETTINGS_ERROR,
		    "OPA_URL: is no rule's address: http://127.0.0.1:8181/v1/data/");
	}
	assert_null(LOAD(NULL, COMPLETE, "OPA_TOKEN=" SECRET));
	SAYS(SETTINGS_ERROR, "OPA_TOKEN: is set, and OPA_URL is not: which OPA is meant?");
	assert_null(LOAD(NULL, COMPLETE, "OPA_CA_FILE=/etc/ssl/opa.pem"));
	SAYS(SETTINGS_ERROR, "OPA_CA_FILE: is set, and OPA_URL is not: which OPA is meant?");
	assert_null(LOAD(NULL, COMPLETE, OPA, "OPA_CA_FILE=/etc/hostname"));
	SAYS(SETTINGS_ERROR, "OPA_CA_FILE: /etc/hostname has no certificate in PEM");
}
