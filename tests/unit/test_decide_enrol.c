/* Goal: on the machine a second factor is recovered with its own codes, by who may.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"

#include "decide/factor/decide_factor.h"
#include "people_aid.h"
#include "store/row_principal.h"
#include "types/principal.h"

#define LEAD 44
#define ROOT row_principal_of(tx, PRINCIPAL_USER, "", "admin")

static void
open_here(struct world *w)
{
	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, "REQUIRE_OTP=deploy:*", "ROLE_LEAD_IDS=44",
	    "ROLE_LEAD_MAY=2fa:*/*,status", NULL);
	world_act(w, factor_enrol, &ada);
	world_act(w, factor_enrol, &bob);
	world_act(w, factor_add_recovery, &bob);
}

static void
let_bob_wait(struct tx *tx, void *arg)
{
	struct factor factor = row_factor_get(tx, bob.id);

	(void)arg;
	factor.failures = 20;
	factor.locked_until = tx->at + 60 * MINUTE_MS;
	row_factor_save(tx, &factor);
}

static void
read_secret(struct tx *tx, void *arg)
{
	struct person *person = arg;
	struct factor_secret secret;

	assert_true(row_factor_open(tx, person->id, &secret, NULL));
	memcpy(person->secret, secret.totp, sizeof(person->secret));
}

static void
recover(struct tx *tx, void *arg)
{
	char why[LIMIT_LINE];

	(void)arg;
	assert_false(decide_factor_is_ready(tx, bob.id, why));
	/* Who may not, with the code; who may, with another. */
	assert_int_equal(
	    factor_ask(tx, WORLD_STAGING_USER, "recover", bob.id, FACTOR_RECOVERY), 403);
	assert_int_equal(factor_ask(tx, ROOT, "recover", ada.id, FACTOR_RECOVERY), 409);
	assert_int_equal(factor_ask(tx, ROOT, "recover", bob.id, "AAAA-AAAA-AAAA-AAAA"), 409);
	assert_string_equal(factor_said,
	    "not accepted: that is none of the recovery codes, or it was used already");
	assert_int_equal(factor_ask(tx, ROOT, "recover", bob.id, ""), 409);
	assert_int_equal(factor_ask(tx, ROOT, "recover", WORLD_STAGING_USER, FACTOR_RECOVERY), 409);
	assert_false(decide_factor_is_ready(tx, bob.id, why));

	assert_int_equal(factor_ask(tx, ROOT, "recover", bob.id, "gayt emzu gu3d oobz"), 200);
	assert_true(decide_factor_is_ready(tx, bob.id, why));
	assert_int_equal(factor_ask(tx, ROOT, "recover", bob.id, FACTOR_RECOVERY), 409);
}

FACTOR_TEST_BARE(a_recovery_code_ends_a_wait_once_and_all_are_told)
{
	open_here(w);
	world_act(w, let_bob_wait, NULL);
	world_act(w, recover, NULL);
	assert_non_null(world_says_in(w, ada.id, "Recovery code used"));
	assert_non_null(world_says_in(w, bob.id, "Recovery code used"));
	assert_int_equal(world_audited(w, "factor_recovered", "\"person\":\"22\""), 1);
	assert_int_equal(world_audited(w, "GAYT", NULL), 0);
}

static void
recover_closed(struct tx *tx, void *arg)
{
	struct factor factor = row_factor_get(tx, bob.id);

	(void)arg;
	factor.failures = 50;
	row_factor_save(tx, &factor);
	assert_int_equal(factor_ask(tx, ROOT, "recover", bob.id, FACTOR_RECOVERY), 409);
	assert_string_equal(factor_said,
	    "not accepted: this second factor is closed after 50 wrong codes, until it is reset");
	factor.failures = 49;
	row_factor_save(tx, &factor);
	assert_int_equal(factor_ask(tx, ROOT, "recover", bob.id, FACTOR_RECOVERY), 200);
}

FACTOR_TEST_BARE(what_is_closed_only_a_reset_ends)
{
	open_here(w);
	world_act(w, recover_closed, NULL);
}

static void
recover_own(struct tx *tx, void *arg)
{
	struct person cy = { .id = WORLD_STAGING_USER };

	(void)arg;
	factor_enrol(tx, &cy);
	factor_add_recovery(tx, &cy);
	assert_int_equal(factor_ask(tx, cy.id, "recover", cy.id, FACTOR_RECOVERY), 200);
	assert_int_equal(factor_ask(tx, cy.id, "reset", cy.id, ""), 403);
}

FACTOR_TEST_BARE(ones_own_needs_no_grant)
{
	open_here(w);
	world_act(w, recover_own, NULL);
}

static void
make_codes(struct tx *tx, UNUSED void *arg)
{
	assert_int_equal(factor_ask(tx, WORLD_STAGING_USER, "codes", ada.id, ""), 403);
	assert_int_equal(factor_ask(tx, ROOT, "codes", WORLD_STAGING_USER, ""), 409);
	assert_int_equal(row_factor_count_recovery(tx, bob.id), 1);
	assert_int_equal(factor_ask(tx, ROOT, "codes", bob.id, ""), 200);
	assert_int_equal(row_factor_count_recovery(tx, bob.id), 10);
	assert_int_equal(factor_ask(tx, ROOT, "recover", bob.id, FACTOR_RECOVERY), 409);
}

/* Who was confirmed by a button had none, and no way to any. */
FACTOR_TEST_BARE(recovery_codes_are_made_on_the_server_for_who_has_none)
{
	open_here(w);
	world_act(w, make_codes, NULL);
	assert_non_null(world_says_in(w, bob.id, "🔐 telegram:22: ten new recovery codes"));
	assert_non_null(world_says_in(w, ada.id, "🔐 telegram:22: ten new recovery codes"));
	assert_int_equal(world_audited(w, "factor_codes", "\"person\":\"22\""), 1);
}

/* Who has the grant and is no admin was answered nothing. */
FACTOR_TEST_BARE(who_resets_one_in_the_chat_is_answered)
{
	struct person lead = { .id = LEAD };

	open_here(w);
	(void)world_text_in(w, LEAD, LEAD, "/2fa reset 22");
	assert_non_null(world_says_in(w, LEAD,
	    "2FA reset of 22: it needs a code of your own, and you have none: root does it"));
	world_act(w, factor_enrol, &lead);
	(void)world_text_in(w, LEAD, LEAD, "/2fa reset 22");
	factor_type(w, &lead, factor_code(w, &lead, 0));
	assert_non_null(world_says_in(w, LEAD,
	    "🔐 Done: the second factor of telegram:22 ends within 10 minutes. They and all admins are notified."));
	assert_non_null(world_says_in(w, bob.id, "second factor reset"));
}

/* --- nobody makes, shows or resets by themselves what they would be asked for --- */

#define ADA_BODY(more) "{\"person\": 11" more "}"
#define BOB_BODY(more) "{\"person\": 22" more "}"
#define CY_BODY(more)  "{\"person\": 33" more "}"
#define WITH_CODE      ", \"code\": \"%s\""

static int
post(struct world *w, int64_t who, const char *word, const char *body)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/v1/2fa/%s", word);
	return people_ask(w, who, API_FACTOR, path, body);
}

/* body: where WITH_CODE stands a code is put. */
static int
post_with(struct world *w, int64_t who, const char *word, const char *body, const char *code)
{
	char text[128];

	(void)snprintf(text, sizeof(text), body, code);
	return post(w, who, word, text);
}

/* Nothing of a factor stands in an answer that asks for a code, or denies. */
static void
shows_nothing(struct world *w, const char *part)
{
	if (strstr(w->aid.said, part) == NULL)
		fail_msg("not said: %s, but %s", part, w->aid.said);
	assert_null(strstr(w->aid.said, "secret"));
	assert_null(strstr(w->aid.said, "recovery\":"));
}

struct look {
	int64_t person;
	struct factor factor;
	int64_t recovery;
};

static void
look_at(struct tx *tx, void *arg)
{
	struct look *look = arg;

	look->factor = decide_factor_of(tx, look->person);
	look->recovery = row_factor_count_recovery(tx, look->person);
}

static void
save(struct tx *tx, void *arg)
{
	const struct look *look = arg;

	row_factor_save(tx, &look->factor);
}

static struct look
factor_now(struct world *w, int64_t person)
{
	struct look look = { .person = person };

	world_act(w, look_at, &look);
	return look;
}

#define ROOT_DOES "root does it on the server, or another admin with theirs"
#define NEEDS	  "needs a code of your second factor"

/* Regression: whoever held the ssh key of an admin's account, and no telephone, reset the factor,
 * made another, and deployed to production with that. */
FACTOR_TEST_BARE(an_account_without_the_telephone_passes_no_code)
{
	open_here(w);
	assert_int_equal(post(w, ada.id, "reset", ADA_BODY()), 428);
	shows_nothing(w, "2FA reset of 11 " NEEDS);
	assert_int_equal(post(w, ada.id, "codes", ADA_BODY()), 428);
	shows_nothing(w, "2FA codes of 11 " NEEDS);
	assert_int_equal(post(w, ada.id, "add", ADA_BODY()), 409);
	assert_int_equal(post(w, ada.id, "confirm", ADA_BODY(", \"first\": \"123456\"")), 409);
	w->aid.at += 20 * MINUTE_MS;
	assert_int_not_equal(factor_now(w, ada.id).factor.enrolled_at, 0);
	assert_int_equal(factor_now(w, ada.id).factor.reset_at, 0);
	assert_int_equal(factor_now(w, ada.id).recovery, 0);
	assert_int_equal(world_audited(w, "factor_reset", NULL), 0);
	assert_int_equal(
	    post_with(w, ada.id, "reset", ADA_BODY(WITH_CODE), factor_wrong(w, &ada)), 403);
	assert_int_equal(factor_now(w, ada.id).factor.reset_at, 0);
	assert_int_equal(factor_failures(w), 1);
}

TEST(ones_own_is_shown_and_reset_for_a_code_of_it)
{
	struct world w;

	open_here(&w);
	world_act(&w, factor_add_recovery, &ada);
	assert_int_equal(
	    post_with(&w, ada.id, "codes", ADA_BODY(WITH_CODE), factor_code(&w, &ada, 0)), 200);
	assert_int_equal(factor_now(&w, ada.id).recovery, 10);
	assert_int_equal(/* the same code once more */
	    post_with(&w, ada.id, "reset", ADA_BODY(WITH_CODE), factor_code(&w, &ada, 0)), 403);
	assert_non_null(strstr(w.aid.said, "was used already"));
	assert_int_equal(
	    post_with(&w, ada.id, "reset", ADA_BODY(WITH_CODE), factor_code(&w, &ada, 1)), 200);
	assert_int_not_equal(world_says_in(&w, bob.id, "second factor reset"), NULL);
	/* It has ended: what they would be asked for from now on others make. */
	w.aid.at += 20 * MINUTE_MS;
	assert_int_equal(post(&w, ada.id, "add", ADA_BODY()), 403);
	shows_nothing(&w, "2FA add of 11");
	shows_nothing(&w, "nobody does that for themselves without a code: " ROOT_DOES);
	assert_int_equal(factor_now(&w, ada.id).factor.person, 0);
	factor_close(&w);
	/* A recovery code is a code. */
	open_here(&w);
	assert_int_equal(
	    post(&w, bob.id, "reset", BOB_BODY(", \"recovery\": \"AAAA-AAAA-AAAA-AAAA\"")), 403);
	assert_int_equal(
	    post(&w, bob.id, "reset", BOB_BODY(", \"recovery\": \"" FACTOR_RECOVERY "\"")), 200);
	assert_int_equal(factor_now(&w, bob.id).factor.person, 0); /* all were told at once */
	factor_close(&w);
}

FACTOR_TEST_BARE(who_has_none_makes_none_and_confirms_none)
{
	static const char *const words[] = { "add", "codes", "confirm", "reset" };

	factor_write_key(FACTOR_KEY);
	world_open(
	    w, factor_key_setting, "REQUIRE_OTP=deploy:*", "LOCAL_WWW_DATA_IS=role admin", NULL);
	world_act(w, factor_enrol, &bob);
	for (size_t i = 0; i < COUNT(words); i++) {
		/* Of oneself, of another, and by a user who is a role. */
		assert_int_equal(post(w, ada.id, words[i], ADA_BODY()), 403);
		shows_nothing(w, "for themselves without a code: " ROOT_DOES);
		assert_int_equal(post(w, ada.id, words[i], BOB_BODY()), 403);
		shows_nothing(w, "of your own, and you have none: " ROOT_DOES);
		assert_int_equal(post(w, principal_of_user(33), words[i], BOB_BODY()), 403);
		shows_nothing(w, "a role is no person: " ROOT_DOES);
	}
	/* Not even with the right recovery code of that person. */
	world_act(w, factor_add_recovery, &bob);
	assert_int_equal(
	    post(w, ada.id, "recover", BOB_BODY(", \"recovery\": \"" FACTOR_RECOVERY "\"")), 403);
	assert_int_equal(factor_now(w, bob.id).recovery, 1);
	assert_int_equal(factor_now(w, ada.id).factor.person, 0);
	assert_int_not_equal(world_audited(w, "\"denied\"", "telegram:11"), 0);
}

/* Somebody else made it for them, or they made it in the chat: on the machine they are nobody who
 * could say that it is they. */
FACTOR_TEST_BARE(nobody_confirms_their_own_on_the_machine)
{
	struct person cy = { .id = WORLD_STAGING_USER };
	struct look made;

	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, "REQUIRE_OTP=deploy:*", "ROLE_SELF_IDS=33",
	    "ROLE_SELF_MAY=2fa:*/*, status", NULL);
	assert_int_equal(post(w, world_root(w, "admin"), "add", CY_BODY()), 200);
	world_act(w, read_secret, &cy);
	assert_int_equal(
	    post_with(w, cy.id, "confirm", CY_BODY(", \"first\": \"%s\""), factor_code(w, &cy, 0)),
	    403);
	made = factor_now(w, cy.id);
	made.factor.proven_at = w->aid.at;
	world_act(w, save, &made);
	assert_int_equal(post(w, cy.id, "confirm", CY_BODY()), 403);
	assert_int_equal(factor_now(w, cy.id).factor.enrolled_at, 0);
}

FACTOR_TEST_BARE(anothers_is_made_for_one_code_of_ones_own)
{
	struct person cy = { .id = WORLD_STAGING_USER };

	open_here(w);
	assert_int_equal(post(w, ada.id, "add", CY_BODY()), 428);
	shows_nothing(w, "2FA add of 33 " NEEDS);
	assert_int_equal(factor_now(w, cy.id).factor.person, 0);
	assert_int_equal(
	    post_with(w, ada.id, "add", CY_BODY(WITH_CODE), factor_code(w, &ada, 0)), 200);
	assert_non_null(strstr(w->aid.said, "\"secret\""));
	world_act(w, read_secret, &cy);
	/* Another admin has not given one for it. */
	assert_int_equal(
	    post_with(w, bob.id, "confirm", CY_BODY(", \"first\": \"%s\""), factor_code(w, &cy, 0)),
	    428);
	assert_int_equal(factor_now(w, cy.id).factor.enrolled_at, 0);
	assert_int_equal(
	    post_with(w, ada.id, "confirm", CY_BODY(", \"first\": \"%s\""), factor_code(w, &cy, 0)),
	    200);
	assert_int_not_equal(factor_now(w, cy.id).factor.enrolled_at, 0);
	/* Each further one needs the next. */
	assert_int_equal(post(w, ada.id, "codes", CY_BODY()), 428);
	assert_int_equal(post(w, ada.id, "reset", CY_BODY()), 428);
	assert_int_equal(
	    post_with(w, ada.id, "reset", CY_BODY(WITH_CODE), factor_code(w, &ada, 1)), 200);
}

/* A wait of another one is ended with their recovery code, and a code of one's own. */
FACTOR_TEST_BARE(anothers_is_recovered_for_a_code_of_ones_own)
{
	open_here(w);
	assert_int_equal(
	    post(w, ada.id, "recover", BOB_BODY(", \"recovery\": \"" FACTOR_RECOVERY "\"")), 428);
	assert_int_equal(factor_now(w, bob.id).recovery, 1);
	assert_int_equal(post_with(w, ada.id, "recover",
			     BOB_BODY(", \"recovery\": \"" FACTOR_RECOVERY "\"" WITH_CODE),
			     factor_code(w, &ada, 0)),
	    200);
	assert_int_equal(factor_now(w, bob.id).recovery, 0);
}

/* Regression: the lead of one application showed and reset the factor of an admin. */
FACTOR_TEST_BARE(a_grant_of_an_application_reaches_nobody)
{
	static const char *const words[] = { "add", "codes", "confirm", "reset", "recover" };
	struct person lead = { .id = LEAD };
	char apps[160];

	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, NULL);
	world_application(w, "shop",
	    "ROLE_LEAD_IDS=44\nROLE_LEAD_MAY=deploy:staging, status, 2fa:staging, 2fa:*, *:*\n");
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, apps, "GITHUB_REPOSITORY=", factor_key_setting, NULL);
	world_act(w, factor_enrol, &ada);
	world_act(w, factor_enrol, &lead);
	for (size_t i = 0; i < COUNT(words); i++) {
		assert_int_equal(
		    post_with(w, LEAD, words[i], ADA_BODY(WITH_CODE), factor_code(w, &lead, 0)),
		    403);
		shows_nothing(w, "only an admin may");
	}
	(void)world_text_in(w, LEAD, LEAD, "/2fa reset 11");
	assert_non_null(world_says_in(w, LEAD, "2FA reset of 11: only an admin may"));
	assert_int_equal(factor_now(w, ada.id).factor.reset_at, 0);
	assert_int_equal(factor_now(w, lead.id).factor.last_step, 0); /* no code was taken */
}

/* What REQUIRE_OTP names asks for a code, also where it is of no environment. */
TEST(tokens_and_factors_are_asked_for_where_they_are_named)
{
	static const char token[] =
	    "{\"name\": \"%s\", \"role\": \"staging\", \"expires\": \"1d\"%s}";
	char body[160], code[32];
	struct world w;

	for (int i = 0; i < 2; i++) {
		factor_write_key(FACTOR_KEY);
		world_open(&w, factor_key_setting, PEOPLE_ON, PEOPLE_KEY,
		    i == 0 ? "REQUIRE_OTP=2fa" : "REQUIRE_OTP=token", NULL);
		world_act(&w, factor_enrol, &ada);
		assert_int_equal(post(&w, ada.id, "codes", ADA_BODY()), 428);
		(void)snprintf(body, sizeof(body), token, "a", "");
		assert_int_equal(
		    people_ask(&w, ada.id, API_TOKEN, "/v1/token/add", body), i == 0 ? 200 : 428);
		(void)snprintf(code, sizeof(code), WITH_CODE, factor_code(&w, &ada, 0));
		(void)snprintf(body, sizeof(body), token, "b", code);
		assert_int_equal(people_ask(&w, ada.id, API_TOKEN, "/v1/token/add", body), 200);
		/* Who looks, and who ends one, is asked for none. */
		assert_int_equal(people_ask(&w, ada.id, API_TOKENS, "/v1/tokens", NULL), 200);
		assert_non_null(strstr(w.aid.said, "\"tokens\":[{"));
		assert_int_equal(people_revoke(&w, ada.id, "b"), 200);
		factor_close(&w);
	}
}
