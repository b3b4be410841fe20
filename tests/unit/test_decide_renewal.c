/* Goal: the next key of a peer is signed for who has its key, when it is due; seen, it ends that.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"
#include "agent_aid.h"
#include "token_aid.h"

#include "lib/crypto_renewal.h"
#include "lib/text.h"
#include "store/row_peer.h"
#include "store/store_inside.h"
#include "types/peer_renewal.h"

#define ACME "agent/acme"
#define WEB  "agent/web"
#define DAY  (24 * 3600 * INT64_C(1000))

static struct crypto_ca_pair keys[3];
static char digests[3][CRYPTO_SHA256_HEX];

static int
make_keys(void **state)
{
	for (size_t i = 0; i < COUNT(keys); i++) {
		assert_true(crypto_ca_make_request(&keys[i], NULL));
		assert_true(crypto_ca_check_request(keys[i].text, digests[i], NULL));
	}
	return agent_aid_set_up(state);
}

#define RENEWAL_TEST(name) WORLD_TEST_BETWEEN(name, make_keys, agent_aid_tear_down)

static void
enrol(struct world *w, const char *name, int key)
{
	char body[160];

	(void)snprintf(
	    body, sizeof(body), "{\"name\": \"%s\", \"key\": \"%s\"}", name, digests[key]);
	assert_int_equal(agent_aid_ask(w, "enrol", body), 200);
}

static void
say(struct world *w, enum event_kind kind, const char *identity, const char *text)
{
	struct event *event = store_aid_event(&w->aid, kind);

	assert_true(text_copy(event->u.peer.identity, sizeof(event->u.peer.identity), identity));
	assert_true(text_copy(event->u.peer.text, sizeof(event->u.peer.text), text));
	(void)world_decide(w, event);
}

/* What is to be signed then; next -1: nothing. */
static void
expect_signed(struct world *w, int next)
{
	struct effect *effect = next < 0 ? NULL : world_take(w, EFFECT_SIGN_CERTIFICATE);

	if (next >= 0) {
		assert_non_null(effect);
		assert_string_equal(effect->u.sign_certificate.identity, ACME);
		assert_string_equal(effect->u.sign_certificate.text, keys[next].text);
		assert_string_equal(effect->u.sign_certificate.secret, "");
		assert_in_range(effect->u.sign_certificate.from, w->aid.at - 1000, w->aid.at);
		effect_free(effect);
	}
	assert_int_equal(world_count(w, EFFECT_SIGN_CERTIFICATE), 0);
}

static void
ask(struct world *w, const char *identity, int key, int next)
{
	char text[CRYPTO_RENEWAL_TEXT];

	assert_true(crypto_renewal_make(keys[key].key, identity, keys[next].text, text, NULL));
	say(w, EVENT_PEER_RENEWAL, identity, text);
}

static void
read_peer(struct tx *tx, void *peer)
{
	*(struct peer *)peer = row_peer_get(tx, ACME);
}

static struct peer
peer(struct world *w)
{
	struct peer peer;

	world_act(w, read_peer, &peer);
	return peer;
}

RENEWAL_TEST(the_next_key_stands_beside_the_one_of_before_until_it_is_seen)
{
	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	enrol(w, "acme", 0);
	assert_int_equal(peer(w).ends_at, 0);
	ask(w, ACME, 0, 1);
	expect_signed(w, 1);
	assert_string_equal(peer(w).digest, digests[0]);
	assert_string_equal(peer(w).next_digest, digests[1]);
	assert_int_equal(world_audited(w, "\"peer_renewed\"", NULL), 0);
	say(w, EVENT_PEER_SEEN, ACME, digests[0]);
	say(w, EVENT_PEER_SEEN, ACME, digests[2]);
	say(w, EVENT_PEER_SEEN, WEB, digests[1]);
	assert_string_equal(peer(w).digest, digests[0]);
	say(w, EVENT_PEER_SEEN, ACME, digests[1]);
	say(w, EVENT_PEER_SEEN, ACME, digests[1]);
	assert_string_equal(peer(w).digest, digests[1]);
	assert_string_equal(peer(w).next_digest, "");
	assert_in_range(
	    peer(w).ends_at, w->aid.at - 10000 + PEER_LIFE_MS, w->aid.at + PEER_LIFE_MS);
	assert_int_equal(world_audited(w, "\"peer_renewed\"", digests[0]), 1);
	assert_int_equal(world_audited(w, "\"peer_renewed\"", ACME), 1);
}

RENEWAL_TEST(half_of_a_life_is_over_before_and_an_hour_between)
{
	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	enrol(w, "acme", 0);
	ask(w, ACME, 0, 1);
	expect_signed(w, 1);
	ask(w, ACME, 0, 2);
	expect_signed(w, -1);
	w->aid.at += PEER_RENEWAL_MS;
	ask(w, ACME, 0, 2); /* nobody has seen the first */
	expect_signed(w, 2);
	say(w, EVENT_PEER_SEEN, ACME, digests[1]);
	assert_string_equal(peer(w).digest, digests[0]);
	say(w, EVENT_PEER_SEEN, ACME, digests[2]);
	assert_string_equal(peer(w).digest, digests[2]);
	w->aid.at += 15 * DAY - 60000;
	ask(w, ACME, 2, 1);
	expect_signed(w, -1);
	w->aid.at += 60000;
	ask(w, ACME, 2, 1);
	expect_signed(w, 1);
}

RENEWAL_TEST(who_has_not_its_key_gets_none_signed)
{
	char text[CRYPTO_RENEWAL_TEXT];

	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	enrol(w, "acme", 0);
	enrol(w, "web", 1);
	ask(w, ACME, 2, 2); /* by who passes it on */
	ask(w, ACME, 1, 2); /* by another host */
	ask(w, "agent/nobody", 0, 2);
	say(w, EVENT_PEER_RENEWAL, ACME, "");
	assert_true(crypto_renewal_make(keys[0].key, WEB, keys[2].text, text, NULL));
	say(w, EVENT_PEER_RENEWAL, ACME, text); /* for another name */
	assert_string_equal(peer(w).next_digest, "");
	ask(w, ACME, 0, 1); /* to the key of another name */
	ask(w, ACME, 0, 0);
	assert_string_equal(peer(w).next_digest, "");
	expect_signed(w, -1);
}

RENEWAL_TEST(a_key_that_has_ended_or_was_revoked_or_moved_renews_nothing)
{
	char body[160];

	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	enrol(w, "acme", 0);
	ask(w, ACME, 0, 1);
	expect_signed(w, 1);
	say(w, EVENT_PEER_SEEN, ACME, digests[1]);
	w->aid.at += 16 * DAY;
	ask(w, ACME, 0, 2);
	expect_signed(w, -1);
	ask(w, ACME, 1, 2);
	expect_signed(w, 2);
	(void)snprintf(body, sizeof(body), "{\"name\": \"web\", \"key\": \"%s\"}", digests[2]);
	assert_int_equal(agent_aid_ask(w, "enrol", body), 409); /* a next key has its name */
	(void)snprintf(body, sizeof(body), "{\"name\": \"acme\", \"key\": \"%s\"}", digests[0]);
	assert_int_equal(agent_aid_ask(w, "move", body), 200);
	say(w, EVENT_PEER_SEEN, ACME, digests[2]);
	assert_string_equal(peer(w).digest, digests[0]);
	ask(w, ACME, 0, 1);
	expect_signed(w, 1);
	assert_int_equal(agent_aid_ask(w, "revoke", "{\"name\": \"acme\"}"), 200);
	say(w, EVENT_PEER_SEEN, ACME, digests[1]);
	assert_string_equal(peer(w).digest, digests[0]);
	w->aid.at += PEER_RENEWAL_MS;
	ask(w, ACME, 0, 2);
	expect_signed(w, -1);
}

RENEWAL_TEST(where_the_authority_is_offline_nothing_is_signed)
{
	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	enrol(w, "acme", 0);
	world_settings(w, LINK_AID_ADDRESS, agent_aid_authority.ca_line,
	    agent_aid_authority.cert_line, agent_aid_authority.order_line, NULL);
	ask(w, ACME, 0, 1);
	expect_signed(w, -1);
}
