/* Goal: what a restored database has again of tokens and factors is known to the admins.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"
#include "link_aid.h"
#include "token_aid.h"

#define EVE WORLD_STRANGER
#define DAY (24 * 3600 * INT64_C(1000))

FACTOR_TEST_BARE(a_start_on_a_copy_ends_logins_and_names_tokens_and_factors)
{
	static const char said[] =
	    "🔐 This database was restored from a backup: what was revoked, reset or made anew since then is valid again as it was. All logins have ended. Revoke and reset again what was:\n"
	    "Tokens, deploybot token revoke NAME:\n"
	    "ci: role staging, made by telegram:11, until 2026-01-10\n"
	    "Second factors, deploybot 2fa reset ID; their recovery codes, deploybot 2fa codes ID:\n"
	    "telegram:11";
	const char *token;

	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, TOKEN_AID_ON, TOKEN_AID_KEY, STAGING_URL, NULL);
	token = token_aid_make(w, WORLD_ADMIN, "ci", "staging", "2026-01-10");
	(void)token_aid_make(w, WORLD_ADMIN, "gone", "staging", "9d");
	(void)token_aid_make(w, WORLD_ADMIN, "short", "staging", "1d");
	assert_int_equal(token_aid_revoke(w, "gone"), 200);
	world_act(w, factor_enrol, &ada);
	w->aid.at += DAY;
	world_restart(w);
	assert_null(world_says_in(w, ada.id, "restored from a backup"));
	token_aid_login(w, EVE, token);
	world_restored(w);
	assert_string_equal(
	    world_plain(world_says_in(w, ada.id, "🔐 This database was restored")), said);
	assert_string_equal(
	    world_plain(world_says_in(w, bob.id, "🔐 This database was restored")), said);
	assert_int_equal(
	    world_audited(w, "\"logout\"", "the database was restored from a backup"), 1);
	assert_false(token_aid_may(w, EVE, POLICY_DEPLOY, "staging"));
}

/* One whose role's file is missing on the new machine, or whose key, comes back with that. */
WORLD_TEST_OF(a_token_that_may_come_back_is_named_too, TOKEN_AID_ON, TOKEN_AID_KEY, STAGING_URL)
{
	(void)token_aid_make(w, WORLD_ADMIN, "ci", "staging", "9d");
	world_settings(w, STAGING_URL, NULL);
	world_restored(w);
	assert_non_null(world_says_in(w, ada.id, "ci: role staging"));
}

#define KEY "3f9a111111111111111111111111111111111111111111111111111111111111"

WORLD_TEST_BARE(agents_that_may_have_been_revoked_since_are_named)
{
	struct link_aid link;

	link_aid_make(&link, 0);
	world_open(w, LINK_AID_LINES(&link), NULL);
	assert_int_equal(token_aid_ask(w, WORLD_ADMIN, API_AGENT, "/v1/agent/enrol",
			     "{\"name\": \"acme\", \"key\": \"" KEY "\"}"),
	    200);
	world_restored(w);
	assert_non_null(strstr(world_plain(world_says_in(w, ada.id, "restored from a backup")),
	    "\nAgents, deploybot agent revoke NAME or move NAME KEY:\nacme: key 3f9a11111111…"));
	link_aid_remove(&link);
}

WORLD_TEST_OF(where_nobody_has_one_nothing_is_sent, STAGING_URL)
{
	world_restored(w);
	assert_null(world_says_in(w, ada.id, "🔐"));
}
