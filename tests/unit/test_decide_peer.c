/* Goal: one name has one key and one key one name; admins alone say which.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"
#include "agent_aid.h"
#include "token_aid.h"

#include "lib/buf.h"
#include "lib/text.h"
#include "store/row_peer.h"
#include "store/store_inside.h"

#define K1		"1111111111111111111111111111111111111111111111111111111111111111"
#define K2		"2222222222222222222222222222222222222222222222222222222222222222"
#define BODY(name, key) "{\"name\": \"" name "\", \"key\": \"" key "\"}"

#define PEER_TEST(name) WORLD_TEST_BETWEEN(name, agent_aid_set_up, agent_aid_tear_down)

/* "agent/acme 1111 agent/web -", the dash of one that is revoked. */
static void
read_known(struct tx *tx, void *text)
{
	struct known_peers *peers = row_peer_known(tx);
	struct buf out = buf_make(256);
	struct peer peer;

	assert_non_null(peers);
	for (size_t i = 0; i < known_peers_count(peers); i++) {
		(void)known_peers_get(peers, i, &peer);
		buf_addf(&out, "%s%s %.4s", i == 0 ? "" : " ", peer.identity,
		    peer.revoked_at != 0 ? "-" : peer.digest);
	}
	assert_true(text_copy(text, 256, buf_text(&out)));
	buf_done(&out);
	known_peers_unref(peers);
}

static const char *
known(struct world *w)
{
	static char text[256];

	world_act(w, read_known, text);
	return text;
}

static int
runner_ask(struct world *w, const char *word, const char *body)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/v1/runner/%s", word);
	return token_aid_ask(w, WORLD_ADMIN, API_RUNNER, path, body);
}

PEER_TEST(a_name_has_one_key_and_a_key_one_name)
{
	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	assert_int_equal(agent_aid_ask(w, "enrol", BODY("acme", K1)), 200);
	assert_string_equal(known(w), "agent/acme 1111");
	assert_int_equal(agent_aid_ask(w, "enrol", BODY("acme", K2)), 409);
	assert_int_equal(agent_aid_ask(w, "enrol", BODY("other", K1)), 409);
	assert_int_equal(agent_aid_ask(w, "move", BODY("acme", K1)), 409);
	assert_int_equal(agent_aid_ask(w, "move", BODY("other", K2)), 404);
	assert_string_equal(known(w), "agent/acme 1111");
	assert_int_equal(agent_aid_ask(w, "move", BODY("acme", K2)), 200);
	assert_string_equal(known(w), "agent/acme 2222");
	assert_int_equal(agent_aid_ask(w, "revoke", "{\"name\": \"acme\"}"), 200);
	assert_string_equal(known(w), "agent/acme -");
	assert_int_equal(agent_aid_ask(w, "revoke", "{\"name\": \"acme\"}"), 404);
	assert_int_equal(
	    agent_aid_ask(w, "enrol", BODY("other", K2)), 409); /* it was stolen, perhaps */
	assert_int_equal(agent_aid_ask(w, "move", BODY("acme", K1)), 200);
	assert_string_equal(known(w), "agent/acme 1111");
	assert_int_equal(world_audited(w, "\"peer_enrolled\"", "agent/acme"), 3);
	assert_int_equal(world_audited(w, "\"peer_enrolled\"", "\"key_before\":\"" K1), 1);
	assert_int_equal(world_audited(w, "\"peer_revoked\"", K2), 1);
}

PEER_TEST(admins_alone_change_and_read_it)
{
	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	for (int i = 0; i < 2; i++) {
		int64_t who = i == 0 ? WORLD_STAGING_USER : WORLD_STRANGER;

		assert_int_equal(
		    token_aid_ask(w, who, API_AGENT, "/v1/agent/enrol", BODY("acme", K1)), 403);
		assert_int_equal(token_aid_ask(w, who, API_AGENTS, "/v1/agents", NULL), 403);
	}
	assert_string_equal(known(w), "");
	assert_int_equal(token_aid_ask(w, WORLD_ADMIN, API_AGENTS, "/v1/agents", NULL), 200);
}

PEER_TEST(where_tokens_need_a_code_a_key_needs_one_and_its_end_needs_none)
{
	factor_write_key(FACTOR_KEY);
	world_open(
	    w, LINK_AID_LINES(&agent_aid_authority), factor_key_setting, "REQUIRE_OTP=token", NULL);
	assert_int_equal(
	    agent_aid_ask(w, "enrol", BODY("acme", K1)), 403); /* she has no second factor */
	assert_non_null(strstr(w->aid.said, "second factor"));
	assert_string_equal(known(w), "");
	assert_int_equal(agent_aid_ask(w, "revoke", "{\"name\": \"acme\"}"), 404);
}

PEER_TEST(without_a_link_nobody_is_enrolled)
{
	world_open(w, NULL);
	assert_int_equal(agent_aid_ask(w, "enrol", BODY("acme", K1)), 409);
	assert_non_null(strstr(w->aid.said, "LINK_ADDRESS is not set"));
	assert_string_equal(known(w), "");
}

/* A runner's name and an agent's are two; a key is one's, whatever its role. */
PEER_TEST(a_runner_has_a_name_of_its_own_and_no_agents_key)
{
	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	assert_int_equal(agent_aid_ask(w, "enrol", BODY("acme", K1)), 200);
	assert_int_equal(runner_ask(w, "enrol", BODY("acme", K1)), 409);
	assert_int_equal(runner_ask(w, "move", BODY("acme", K2)), 404);
	assert_non_null(strstr(w->aid.said, "deploybot runner enrol acme"));
	assert_int_equal(runner_ask(w, "enrol", BODY("acme", K2)), 200);
	assert_string_equal(known(w), "agent/acme 1111 runner/acme 2222");
	assert_int_equal(token_aid_ask(w, WORLD_ADMIN, API_RUNNERS, "/v1/runners", NULL), 200);
	assert_null(strstr(w->aid.said, K1));
	assert_non_null(strstr(w->aid.said, K2));
	assert_int_equal(runner_ask(w, "revoke", "{\"name\": \"acme\"}"), 200);
	assert_string_equal(known(w), "agent/acme 1111 runner/acme -");
	assert_int_equal(
	    token_aid_ask(w, WORLD_STAGING_USER, API_RUNNER, "/v1/runner/enrol", BODY("x", K1)),
	    403);
}

PEER_TEST(two_hosts_with_one_key_are_audited_and_said_to_all_admins)
{
	struct event *event;

	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	assert_int_equal(agent_aid_ask(w, "enrol", BODY("acme", K1)), 200);
	event = store_aid_event(&w->aid, EVENT_PEER_TWICE);
	(void)text_copy(event->u.peer.identity, sizeof(event->u.peer.identity), "agent/acme");
	(void)text_copy(event->u.peer.text, sizeof(event->u.peer.text), "192.0.2.1 192.0.2.9");
	(void)world_decide(w, event);
	assert_int_equal(world_audited(w, "\"peer_twice\"", "\"severity\":\"high\""), 1);
	assert_non_null(world_says_in(
	    w, WORLD_OTHER_ADMIN, "🔐 Two hosts have one key: acme, from 192.0.2.1 192.0.2.9."));
	event = store_aid_event(&w->aid, EVENT_PEER_TWICE);
	(void)text_copy(event->u.peer.identity, sizeof(event->u.peer.identity), "agent/other");
	(void)world_decide(w, event);
	assert_int_equal(world_audited(w, "\"peer_twice\"", NULL), 1);
}
