/* Goal: names, hosts and lists of agents are taken as they are meant, and nothing else is.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "types/known_peers.h"

#include <stdio.h>

#include "unit.h"

#define D "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(an_agent_is_named_behind_its_word)
{
	static const char *const others[] = { "", "agent", "agent:", "agent:-a", "agent:.a",
		"agent:A", "agent:a_b", "agent:a:22", "agent:a b", "Agent:a", "web@agent:22",
		"local", "acme", "agent:a\n" };

	assert_string_equal(peer_of_host("agent:acme"), "acme");
	assert_string_equal(peer_of_host("agent:1.b-c"), "1.b-c");
	assert_null(peer_of_host(NULL));
	for (size_t i = 0; i < COUNT(others); i++)
		if (peer_of_host(others[i]) != NULL)
			fail_msg("%s", others[i]);
}

TEST(the_longest_name_fits_into_an_identity_and_into_a_runners_name)
{
	char host[LIMIT_RUNNER + 2], identity[CRYPTO_CA_IDENTITY];

	(void)snprintf(host, sizeof(host), "agent:%0*d", CRYPTO_CA_NAME_MAX, 0);
	assert_int_equal(strlen(host), LIMIT_RUNNER - 1);
	assert_non_null(peer_of_host(host));
	assert_int_equal(strlen(peer_identity(peer_of_host(host), identity)),
	    strlen(PEER_AGENT) + CRYPTO_CA_NAME_MAX);
	(void)snprintf(host, sizeof(host), "agent:%0*d", CRYPTO_CA_NAME_MAX + 1, 0);
	assert_null(peer_of_host(host));
}

TEST(a_list_is_sorted_and_has_each_name_once)
{
	static const struct {
		const char *list;
		bool is_one;
	} rows[] = {
		{ "", true },
		{ "a=" D, true },
		{ "a=" D " a-b=" D " b=" D, true },
		{ "a-b=" D " a=" D, false },
		{ "a=" D " a=" D, false },
		{ "b=" D " a=" D, false },
		{ "a=" D " ", false },
		{ " a=" D, false },
		{ "a=" D "  b=" D, false },
		{ "a=" D "0", false },
		{ "a=0", false },
		{ "a= " D, false },
		{ "=" D, false },
		{ "a", false },
		{ "A=" D, false },
		{ "a=" D "\n", false },
		{ "a=" D "\nb=" D, false },
		{ "abcdefghijklmnopqrstuvwxyz01234=" D, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (peer_is_manifest(rows[i].list) != rows[i].is_one)
			fail_msg("%s", rows[i].list);
}

TEST(a_list_that_is_too_long_is_none)
{
	char list[2 * LIMIT_MANIFEST];
	size_t used = 0;

	for (int i = 10; used < LIMIT_MANIFEST; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used,
		    "%sabcdefghijklmnop-%d=" D, used == 0 ? "" : " ", i);
	assert_false(peer_is_manifest(list));
	*strrchr(list, ' ') = '\0';
	assert_true(peer_is_manifest(list));
}

TEST(a_capability_is_found_by_its_whole_name)
{
	static const char list[] = "restart=" D " restart-web=1" D;

	assert_memory_equal(peer_capability(list, "restart"), D, 64);
	assert_memory_equal(peer_capability(list, "restart-web"), "1" D, 65);
	assert_null(peer_capability(list, "start"));
	assert_null(peer_capability(list, "web"));
	assert_null(peer_capability("", "restart"));
}

TEST(what_is_kept_of_each_is_what_it_was)
{
	struct known_peers *known = known_peers_new(3);
	const struct peer peers[] = { { .identity = "agent/a", .digest = D, .ends_at = 7 },
		{ .identity = "agent/b", .digest = D, .manifest = D, .next_digest = D },
		{ .identity = "runner/a", .digest = D, .revoked_at = 1 } };
	struct peer got;

	for (size_t i = 0; i < COUNT(peers); i++)
		known_peers_add(known, &peers[i]);
	for (size_t i = 0; i < COUNT(peers); i++) {
		assert_int_equal(known_peers_find(known, peers[i].identity), i);
		assert_memory_equal(known_peers_get(known, i, &got), &peers[i], sizeof(got));
	}
	assert_int_equal(known_peers_find(known, "agent/"), 3);
	assert_int_equal(known_peers_find(known, "agent/aa"), 3);
	assert_null(known_peers_fault(known, "agent/a", D));
	assert_string_equal(known_peers_fault(known, "runner/a", D), "it was revoked");
	assert_string_equal(known_peers_fault(known, "agent/a", "0"), "another key has that name");
	assert_string_equal(
	    known_peers_fault(NULL, "agent/a", D), "nobody of that name is enrolled");
	known_peers_unref(known_peers_ref(known));
	known_peers_unref(known);
}
