/* Goal: nothing of a link is ever connected to, and what is meant to be public is.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "types/outbound.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "http_client_aid.h"

static bool
allows(enum outbound_place place, const char *url, const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
	return outbound_allows((const struct sockaddr *)&in, outbound_of(place, url));
}

TEST(what_is_public_has_public_addresses_alone)
{
	static const char *const elsewhere[] = { "127.0.0.1", "10.0.0.1", "169.254.169.254" };

	for (size_t i = 0; i < COUNT(elsewhere); i++) {
		assert_false(allows(OUTBOUND_TELEGRAM, "https://api.telegram.org", elsewhere[i]));
		assert_false(
		    allows(OUTBOUND_TELEGRAM, "https://API.telegram.org.:443", elsewhere[i]));
		assert_false(allows(
		    OUTBOUND_CLOUDFLARE, "https://api.cloudflare.com/client/v4", elsewhere[i]));
		assert_false(allows(OUTBOUND_GITHUB, "https://api.github.com", elsewhere[i]));
	}
	assert_true(allows(OUTBOUND_TELEGRAM, "https://api.telegram.org", "149.154.167.220"));
}

TEST(a_host_that_the_settings_name_may_be_private_and_never_on_a_link)
{
	static const struct {
		enum outbound_place place;
		const char *url;
	} rows[] = {
		{ OUTBOUND_TELEGRAM, "http://127.0.0.1:8081" },
		{ OUTBOUND_TELEGRAM, NULL }, /* through a proxy */
		{ OUTBOUND_CLOUDFLARE, "http://cloudflare.example" },
		{ OUTBOUND_GITHUB, "https://github.example.org/api/v3" },
		{ OUTBOUND_HEALTH, "http://10.0.1.7:8080/health" },
		{ OUTBOUND_S3, NULL },
		{ OUTBOUND_VAULT, "https://vault.example.org:8200" },
		{ OUTBOUND_CERTIFICATE, "https://bot.example.org" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(allows(rows[i].place, rows[i].url, "127.0.0.1"));
		assert_true(allows(rows[i].place, rows[i].url, "10.0.1.7"));
		assert_true(allows(rows[i].place, rows[i].url, "8.8.8.8"));
		assert_false(allows(rows[i].place, rows[i].url, "169.254.169.254"));
		assert_false(allows(rows[i].place, rows[i].url, "224.0.0.1"));
		assert_false(allows(rows[i].place, rows[i].url, "0.0.0.0"));
	}
}

TEST(a_vault_or_opa_without_tls_is_on_this_machine_whatever_its_name_leads_to)
{
	static const char *const elsewhere[] = { "10.0.0.1", "8.8.8.8", "169.254.169.254",
		"169.254.170.2", "0.0.0.0" };

	assert_true(allows(OUTBOUND_VAULT, "http://localhost:8200", "127.0.0.1"));
	assert_true(allows(OUTBOUND_VAULT, "HTTP://localhost:8200", "127.0.0.1"));
	assert_true(allows(OUTBOUND_VAULT, "HTTPS://vault.example", "10.0.0.1"));
	for (size_t i = 0; i < COUNT(elsewhere); i++)
		if (allows(OUTBOUND_VAULT, "http://localhost:8200", elsewhere[i]) ||
		    allows(OUTBOUND_OPA, "http://localhost:8181", elsewhere[i]) ||
		    allows(OUTBOUND_OPA, NULL, elsewhere[i]))
			fail_msg("%s", elsewhere[i]);
	assert_true(allows(OUTBOUND_OPA, "http://localhost:8181", "127.0.0.1"));
	assert_true(allows(OUTBOUND_OPA, "https://opa.example", "10.0.0.1"));
}

/* The only ones that are for link-local addresses: each may ask its own and nothing else. */
TEST(a_role_is_asked_for_at_its_own_addresses_alone)
{
	static const struct {
		const char *url;
		const char *may[4], *must_not[8];
	} rows[] = {
		{ "http://169.254.169.254", { "169.254.169.254" },
		    { "169.254.170.2", "169.254.169.253", "127.0.0.1", "10.0.0.1", "8.8.8.8" } },
		{ "http://169.254.170.2/v2/credentials/1", { "169.254.170.2" },
		    { "169.254.169.254", "169.254.170.23", "127.0.0.1", "10.0.0.1", "8.8.8.8" } },
		{ "http://localhost:9911/keys", { "127.0.0.1", "169.254.170.2", "169.254.170.23" },
		    { "169.254.169.254", "10.0.0.1", "8.8.8.8", "169.254.1.1" } },
		{ "https://keys.example/role", { "8.8.8.8", "10.0.0.1", "169.254.170.23" },
		    { "169.254.169.254", "169.254.1.1", "224.0.0.1" } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t n = 0; n < COUNT(rows[i].may) && rows[i].may[n] != NULL; n++)
			if (!allows(OUTBOUND_AWS_CREDENTIALS, rows[i].url, rows[i].may[n]))
				fail_msg("%s: not %s", rows[i].url, rows[i].may[n]);
		for (size_t n = 0; n < COUNT(rows[i].must_not) && rows[i].must_not[n] != NULL; n++)
			if (allows(OUTBOUND_AWS_CREDENTIALS, rows[i].url, rows[i].must_not[n]))
				fail_msg("%s: %s", rows[i].url, rows[i].must_not[n]);
	}
}

TEST(the_machine_s_metadata_is_asked_by_ipv6_too)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const struct sockaddr *address = (const struct sockaddr *)&in6;

	assert_int_equal(inet_pton(AF_INET6, "fd00:ec2::254", &in6.sin6_addr), 1);
	assert_true(outbound_allows(
	    address, outbound_of(OUTBOUND_AWS_CREDENTIALS, "http://169.254.169.254")));
	assert_false(outbound_allows(
	    address, outbound_of(OUTBOUND_AWS_CREDENTIALS, "http://[fd00:ec2::23]/keys")));
	assert_false(outbound_allows(address, outbound_of(OUTBOUND_S3, NULL)));
	assert_int_equal(inet_pton(AF_INET6, "fd00:ec2::23", &in6.sin6_addr), 1);
	assert_true(outbound_allows(
	    address, outbound_of(OUTBOUND_AWS_CREDENTIALS, "http://[fd00:ec2::23]/keys")));
}

/* No name server is asked: the address stands in the URL, and curl asks for it all the same. */
CLIENT_TEST(a_url_that_names_the_metadata_of_the_machine_is_not_asked)
{
	const struct http_client_config config = { 0 }; /* the aid's: health URLs */
	struct outcome outcome = { 0 };
	struct http_client_request request = client_aid_request(f, "/", &outcome);

	client_aid_start(f, &config);
	request.url = "http://169.254.169.254/latest/meta-data/";
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times > 0);
	assert_int_equal(outcome.code, ERR_DENIED);
}
