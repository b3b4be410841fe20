/* Goal: a code enrols one key, once, within ten minutes, for the name and role that it was made for.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"
#include "agent_aid.h"
#include "token_aid.h"

#include "lib/enrol_code.h"
#include "lib/text.h"
#include "store/row_peer.h"
#include "store/row_peer_code.h"
#include "store/store_inside.h"

#define MINUTE INT64_C(60000)
#define NO_CODE \
	"no code that is open for that: enrol NAME, of deploybot agent or runner on the server, makes a new one"
#define K1 "1111111111111111111111111111111111111111111111111111111111111111"

static struct crypto_ca_pair host, other;
static char host_key[CRYPTO_SHA256_HEX], other_key[CRYPTO_SHA256_HEX];

static int
make_keys(void **state)
{
	assert_true(crypto_ca_make_request(&host, NULL));
	assert_true(crypto_ca_make_request(&other, NULL));
	assert_true(crypto_ca_check_request(host.text, host_key, NULL));
	assert_true(crypto_ca_check_request(other.text, other_key, NULL));
	return agent_aid_set_up(state);
}

#define CODE_TEST(name) WORLD_TEST_BETWEEN(name, make_keys, agent_aid_tear_down)

/* The code of what was answered. */
static const char *
code(const struct world *w)
{
	static char text[ENROL_CODE];
	const char *at = strstr(w->aid.said, "\"code\":\"");

	assert_non_null(at);
	at += strlen("\"code\":\"");
	(void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(at, "\""), at);
	return text;
}

static const char *
make(struct world *w, const char *word)
{
	assert_int_equal(agent_aid_ask(w, word, "{\"name\": \"acme\"}"), 200);
	return code(w);
}

/* What a host has sent; what it is answered is w->aid.said. */
static int
send_text(struct world *w, const char *text)
{
	struct event *event = store_aid_event(&w->aid, EVENT_ENROL);

	event->u.enrol = calloc(1, sizeof(*event->u.enrol));
	assert_non_null(event->u.enrol);
	event->u.enrol->request = 7;
	(void)text_copy(event->u.enrol->address, sizeof(event->u.enrol->address), "192.0.2.7");
	(void)text_copy(event->u.enrol->text, sizeof(event->u.enrol->text), text);
	return world_decide(w, event).status;
}

static int
send_shown(struct world *w, const char *id, const char *mac, const char *request)
{
	char text[ENROL_PACKET + 1];

	(void)snprintf(text, sizeof(text), "%.90s %.64s\n%.3000s", id, mac, request);
	return send_text(w, text);
}

static int
enrol_as(struct world *w, const char *role, const char *by, const char *request)
{
	char id[96], mac[CRYPTO_SHA256_HEX];
	struct enrol_proof proof;

	assert_true(enrol_code_proof(by, &proof, NULL));
	assert_true(enrol_code_mac(proof.secret, "ask", request, mac, NULL));
	(void)snprintf(id, sizeof(id), "%s %s", role, proof.id);
	return send_shown(w, id, mac, request);
}

static int
enrol(struct world *w, const char *by, const struct crypto_ca_pair *pair)
{
	return enrol_as(w, "agent", by, pair->text);
}

/* One certificate is to be signed for acme, and no other. */
static void
expect_signed(struct world *w, const struct crypto_ca_pair *pair)
{
	struct effect *effect = world_take(w, EFFECT_SIGN_CERTIFICATE);

	assert_non_null(effect);
	assert_string_equal(effect->u.sign_certificate.identity, "agent/acme");
	assert_string_equal(effect->u.sign_certificate.text, pair->text);
	assert_int_equal(effect->u.sign_certificate.request, 7);
	assert_in_range(effect->u.sign_certificate.from, w->aid.at - 1000, w->aid.at);
	effect_free(effect);
	assert_int_equal(world_count(w, EFFECT_SIGN_CERTIFICATE), 0);
}

static void
read_peer(struct tx *tx, void *peer)
{
	*(struct peer *)peer = row_peer_get(tx, "agent/acme");
}

static struct peer
peer(struct world *w)
{
	struct peer peer;

	world_act(w, read_peer, &peer);
	return peer;
}

static void
expect_denied(struct world *w, int status, const char *why)
{
	assert_int_equal(status, 403);
	assert_string_equal(w->aid.said, NO_CODE);
	assert_int_equal(world_count(w, EFFECT_SIGN_CERTIFICATE), 0);
	assert_int_equal(world_audited(w, "\"peer_code_refused\"", why), 1);
}

CODE_TEST(a_code_enrols_the_key_that_shows_it)
{
	const char *by;

	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	by = make(w, "enrol");
	assert_int_equal(strlen(by), ENROL_CODE - 1);
	assert_int_equal(strspn(by, "0123456789abcdefghjkmnpqrstvwxyz-"), ENROL_CODE - 1);
	assert_non_null(strstr(w->aid.said,
	    "\"line\":\"sudo /usr/lib/deploybot/deploybot-link enrol agent link.example.org:9443 "));
	assert_non_null(
	    strstr(w->aid.said, "Settings here that name it: CLIENT_<ID>_HOST=agent:acme"));
	assert_int_equal(world_audited(w, "\"peer_code_made\"", "agent/acme"), 1);
	assert_int_equal(enrol(w, by, &host), 200);
	expect_signed(w, &host);
	assert_string_equal(peer(w).digest, host_key);
	assert_int_equal(peer(w).made_by, WORLD_ADMIN);
	assert_in_range(peer(w).ends_at, w->aid.at - 1000 + PEER_LIFE_MS, w->aid.at + PEER_LIFE_MS);
	assert_int_equal(world_audited(w, "\"peer_enrolled\"", host_key), 1);
	assert_int_equal(world_audited(w, "", by), 0);
}

CODE_TEST(who_was_not_answered_asks_again_with_the_same_key_and_no_other_is_answered)
{
	const char *by;

	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	by = make(w, "enrol");
	assert_int_equal(enrol(w, by, &host), 200);
	expect_signed(w, &host);
	assert_int_equal(enrol(w, by, &host), 200);
	expect_signed(w, &host);
	assert_int_equal(world_audited(w, "\"peer_enrolled\"", NULL), 1);
	expect_denied(w, enrol(w, by, &other), "another key has used");
	assert_string_equal(peer(w).digest, host_key);
	assert_int_equal(agent_aid_ask(w, "revoke", "{\"name\": \"acme\"}"), 200);
	assert_int_equal(enrol(w, by, &host), 403); /* nor who is revoked */
	assert_int_equal(world_count(w, EFFECT_SIGN_CERTIFICATE), 0);
}

CODE_TEST(a_code_ends_after_ten_minutes_and_with_the_next_one)
{
	char first[ENROL_CODE];
	const char *second;

	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	(void)text_copy(first, sizeof(first), make(w, "enrol"));
	second = make(w, "enrol");
	expect_denied(w, enrol(w, first, &host), "no such code");
	w->aid.at += 10 * MINUTE;
	expect_denied(w, enrol(w, second, &host), "late");
	second = make(w, "enrol");
	w->aid.at += 10 * MINUTE - 100; /* each event comes a moment later */
	assert_int_equal(enrol(w, second, &host), 200);
	w->aid.at += 100;
	assert_int_equal(enrol(w, second, &host), 403); /* it asks again too late */
}

CODE_TEST(what_is_guessed_is_counted_and_said_in_one_sentence)
{
	char by[ENROL_CODE], long_line[256];

	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	(void)text_copy(by, sizeof(by), make(w, "enrol"));
	expect_denied(w, enrol(w, "0", &host), "no such code");
	for (int i = 0; i < 9; i++)
		assert_int_equal(enrol(w, "00000-00000-00000-00000", &host), 403);
	expect_denied(w, enrol_as(w, "runner", by, host.text), "another role");
	assert_int_equal(enrol_as(w, "agen", by, host.text), 403);
	assert_int_equal(enrol_as(w, "agent/acme", by, host.text), 403);
	expect_denied(w, send_text(w, ""), "without a code");
	assert_int_equal(send_text(w, "\n"), 403);
	assert_int_equal(send_text(w, "agent"), 403);
	assert_int_equal(send_text(w, "agent code\n"), 403);
	(void)snprintf(long_line, sizeof(long_line), "agent %0*d x\n", 200, 0);
	assert_int_equal(send_text(w, long_line), 403);
	assert_string_equal(peer(w).digest, "");
}

/* Of P-384. */
static const char other_curve[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBBDCBiwIBADAMMQowCAYDVQQDDAF4MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE\n"
    "pivYsYUoF3PCFhr53dHoP2pP9Ke4l7ZND8ACTFWfHEkkm3bM3JV5XMjXVJOZ3N5A\n"
    "ELKCYpzx6W4Y0/FLii5HNoadaU09Y6YwsVNWpLOj6aFOElOj8nDn8qlU8INTrLEl\n"
    "oAAwCgYIKoZIzj0EAwIDaAAwZQIwH5ZCnspp7PRIprUg1zAszU1AgCH5ouha2Quj\n"
    "cTALdVulAywdUDhjgENT2YBVvkRLAjEA98934dfKVTKCybmakbYgXZbFxP7ITWiM\n"
    "bNewEd9V/sXg8BBsmBWlm9/Ozo1nP8KX\n"
    "-----END CERTIFICATE REQUEST-----\n";

CODE_TEST(a_request_that_cannot_be_signed_uses_no_code)
{
	char bad[CRYPTO_CA_PEM];
	const char *by;

	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	by = make(w, "enrol");
	assert_int_equal(enrol_as(w, "agent", by, ""), 400);
	assert_int_equal(enrol_as(w, "agent", by, other_curve), 400);
	assert_non_null(strstr(w->aid.said, "P-256"));
	(void)text_copy(bad, sizeof(bad), host.text);
	bad[strlen(bad) / 2] ^= 1;
	assert_int_equal(enrol_as(w, "agent", by, bad), 400);
	assert_int_equal(world_count(w, EFFECT_SIGN_CERTIFICATE), 0);
	assert_string_equal(peer(w).digest, "");
	assert_int_equal(enrol(w, by, &host), 200);
}

/* Who passes it on knows the id and the MAC, and not the code. */
CODE_TEST(who_passes_a_request_on_puts_no_other_in_its_place)
{
	char id[96], mac[CRYPTO_SHA256_HEX];
	struct enrol_proof proof;

	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	assert_true(enrol_code_proof(make(w, "enrol"), &proof, NULL));
	(void)snprintf(id, sizeof(id), "agent %s", proof.id);
	assert_true(enrol_code_mac(proof.secret, "ask", host.text, mac, NULL));
	expect_denied(w, send_shown(w, id, mac, other.text), "changed on its way");
	assert_true(enrol_code_mac(proof.id, "ask", other.text, mac, NULL));
	assert_int_equal(send_shown(w, id, mac, other.text), 403);
	assert_true(enrol_code_mac(proof.secret, "yes", other.text, mac, NULL));
	assert_int_equal(send_shown(w, id, mac, other.text), 403);
	assert_int_equal(send_shown(w, id, "", other.text), 403);
	assert_string_equal(peer(w).digest, "");
}

CODE_TEST(a_name_or_key_that_is_taken_meanwhile_stays_whose_it_is)
{
	char body[160];

	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	(void)make(w, "enrol");
	(void)snprintf(body, sizeof(body), "{\"name\": \"web\", \"key\": \"%s\"}", host_key);
	assert_int_equal(agent_aid_ask(w, "enrol", body), 200);
	assert_int_equal(agent_aid_ask(w, "enrol", "{\"name\": \"acme\"}"), 200);
	assert_int_equal(enrol(w, code(w), &host), 409);
	assert_int_equal(agent_aid_ask(w, "enrol", "{\"name\": \"acme\"}"), 200);
	{
		char by[ENROL_CODE];

		(void)text_copy(by, sizeof(by), code(w));
		assert_int_equal(
		    agent_aid_ask(w, "enrol", "{\"name\": \"acme\", \"key\": \"" K1 "\"}"), 200);
		assert_int_equal(enrol(w, by, &other), 409);
	}
	assert_string_equal(peer(w).digest, K1);
	assert_int_equal(agent_aid_ask(w, "enrol", "{\"name\": \"acme\"}"), 409);
	assert_int_equal(world_count(w, EFFECT_SIGN_CERTIFICATE), 0);
}

CODE_TEST(a_name_moves_to_another_machine_by_a_code)
{
	struct crypto_ca_pair third;
	char by[ENROL_CODE];

	assert_true(crypto_ca_make_request(&third, NULL));
	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	assert_int_equal(agent_aid_ask(w, "move", "{\"name\": \"acme\"}"), 404);
	assert_int_equal(enrol(w, make(w, "enrol"), &host), 200);
	expect_signed(w, &host);
	assert_int_equal(enrol(w, make(w, "move"), &other), 200);
	expect_signed(w, &other);
	assert_string_equal(peer(w).digest, other_key);
	assert_int_equal(world_audited(w, "\"peer_moved\"", host_key), 1);
	(void)text_copy(by, sizeof(by), make(w, "move"));
	assert_int_equal(enrol(w, by, &third), 200);
	expect_signed(w, &third);
	assert_int_equal(
	    agent_aid_ask(w, "move", "{\"name\": \"acme\", \"key\": \"" K1 "\"}"), 200);
	assert_int_equal(enrol(w, by, &third), 403); /* it would be answered again, else */
}

CODE_TEST(revoking_a_name_ends_its_code)
{
	char by[ENROL_CODE];

	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	(void)text_copy(by, sizeof(by), make(w, "enrol"));
	assert_int_equal(agent_aid_ask(w, "revoke", "{\"name\": \"acme\"}"), 200);
	assert_int_equal(enrol(w, by, &host), 403);
	assert_int_equal(agent_aid_ask(w, "revoke", "{\"name\": \"acme\"}"), 404);
	assert_int_equal(enrol(w, make(w, "enrol"), &host), 200);
	expect_signed(w, &host);
	(void)text_copy(by, sizeof(by), make(w, "move"));
	assert_int_equal(agent_aid_ask(w, "revoke", "{\"name\": \"acme\"}"), 200);
	assert_int_equal(enrol(w, by, &other), 403);
	assert_string_equal(peer(w).digest, host_key);
}

CODE_TEST(admins_alone_make_one_and_only_as_long_as_they_are)
{
	char by[ENROL_CODE];

	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	assert_int_equal(token_aid_ask(w, WORLD_STAGING_USER, API_AGENT, "/v1/agent/enrol",
			     "{\"name\": \"acme\"}"),
	    403);
	(void)text_copy(by, sizeof(by), make(w, "enrol"));
	world_settings(w, LINK_AID_LINES(&agent_aid_authority), "ADMIN_TELEGRAM_IDS=22", NULL);
	expect_denied(w, enrol(w, by, &host), "no admin any more");
}

CODE_TEST(where_tokens_need_a_code_of_the_second_factor_this_needs_one)
{
	factor_write_key(FACTOR_KEY);
	world_open(
	    w, LINK_AID_LINES(&agent_aid_authority), factor_key_setting, "REQUIRE_OTP=token", NULL);
	assert_int_equal(agent_aid_ask(w, "enrol", "{\"name\": \"acme\"}"), 403);
	assert_non_null(strstr(w->aid.said, "second factor"));
	assert_null(strstr(w->aid.said, "\"line\""));
}

CODE_TEST(where_the_authority_is_offline_no_code_is_made_and_none_counts)
{
	char by[ENROL_CODE];

	world_open(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	(void)text_copy(by, sizeof(by), make(w, "enrol"));
	world_settings(w, LINK_AID_ADDRESS, agent_aid_authority.ca_line,
	    agent_aid_authority.cert_line, agent_aid_authority.order_line, NULL);
	assert_int_equal(enrol(w, by, &host), 409);
	assert_non_null(strstr(w->aid.said, "the authority is offline"));
	assert_int_equal(agent_aid_ask(w, "enrol", "{\"name\": \"acme\"}"), 409);
	assert_non_null(strstr(w->aid.said, "the authority is offline"));
	world_settings(w, NULL);
	assert_int_equal(agent_aid_ask(w, "enrol", "{\"name\": \"acme\"}"), 409);
	assert_non_null(strstr(
	    w->aid.said, "LINK_ADDRESS is not set, so nobody can connect: sudo deploybot ca init"));
}
