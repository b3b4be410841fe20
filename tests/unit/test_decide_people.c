/* Goal: one human stays one human: a token's maker, its account, and whoever used it are not two.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "people_aid.h"

#include "store/row_press.h"
#include "store/store_inside.h"
#include "types/principal.h"

#define ADA		WORLD_ADMIN
#define BOB		WORLD_OTHER_ADMIN
#define EVE		WORLD_STRANGER
#define NOT_TO_BE_ASKED "PRODUCTION_CONFIRM=false"
#define HOUR		(3600 * INT64_C(1000))
#define DEPLOY		API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"production\"]}"

#define ALWAYS PEOPLE_ON, PEOPLE_KEY, PEOPLE_MANY

static void
open_with(struct world *w, const char *setting, const char *other)
{
	world_open(w, ALWAYS, "PRODUCTION_APPROVALS=1", setting, other, NULL);
}

/* Nobody is asked whether it is meant, and these may approve without being admins. */
static void
open_with_leads(struct world *w, const char *ids)
{
	world_open(w, ALWAYS, "PRODUCTION_APPROVALS=1", NOT_TO_BE_ASKED, ids,
	    "ROLE_LEAD_MAY=approve:production, status", NULL);
}

static const char *
token_of(struct world *w, int64_t maker, const char *name)
{
	static char texts[8][TOKEN_TEXT];
	static size_t n;
	char *text = texts[n++ % COUNT(texts)];

	if (!people_token(w, maker, name, "admin", "30d", text))
		fail_msg("%s: %s", name, w->aid.said);
	return text;
}

/* They ask in a group and confirm it. */
static void
asks(struct world *w, int64_t person)
{
	world_asks(w, person, "/deploy production", COMMIT_A);
	if (world_newest(w, "production").state == DEPLOY_AWAITING_CONFIRMATION) {
		approval_press_in(w, person, WORLD_GROUP, "Deploy to");
		world_git(w, (struct world_git){ .commit = COMMIT_A });
	}
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
}

static void
is_denied(struct world *w, int64_t person, const char *why)
{
	approval_press_in(w, person, WORLD_TEAM, "Approve");
	if (strstr(w->toast, why) == NULL)
		fail_msg("%" PRId64 " is answered: %s", person, w->toast);
	assert_null(world_peek(w, EFFECT_RUN));
}

static void
may_approve(struct world *w, int64_t person)
{
	approval_press_in(w, person, WORLD_TEAM, "Approve");
	if (world_peek(w, EFFECT_RUN) == NULL)
		fail_msg("%" PRId64 " is answered: %s", person, w->toast);
}

#define JOINED "a token joins you with who asked for it"

/* --- who made it, who logs in with it, whoever has it --- */

TEST(who_made_the_token_of_a_login_does_not_approve_what_it_asked_for)
{
	static const char *const pushers[] = { "APPROVE_UNKNOWN_PUSHER=true",
		"APPROVE_UNKNOWN_PUSHER=false" };
	struct world w;

	for (size_t i = 0; i < COUNT(pushers); i++) {
		open_with(&w, pushers[i], "ADMIN_TELEGRAM_IDS=11,22,44");
		people_login(&w, EVE, token_of(&w, ADA, "t"));
		asks(&w, EVE);
		assert_non_null(world_says_in(&w, WORLD_TEAM,
		    "\n🔑 by a token: t, made by p11\n"
		    "⚠️ whoever has that token asked for it"));
		assert_non_null(world_says_in(&w, WORLD_TEAM, "requested by @eve\n"));
		is_denied(&w, ADA, JOINED);
		if (i == 0) {
			may_approve(&w, BOB);
		} else { /* whose login it is, no role says */
			assert_non_null(
			    world_says_in(&w, WORLD_TEAM, "; so one more must approve"));
			approval_press_in(&w, BOB, WORLD_TEAM, "Approve");
			assert_null(world_peek(&w, EFFECT_RUN));
			may_approve(&w, CAROL);
		}
		world_close(&w);
	}
}

/* The session is over when the maker presses; its token is revoked, or has expired. */
TEST(a_login_that_is_over_is_not_forgotten)
{
	static const enum {
		LEFT,
		REVOKED,
		IDLE,
		ANOTHER
	} ends[] = { LEFT, REVOKED, IDLE, ANOTHER };
	struct world w;

	for (size_t i = 0; i < COUNT(ends); i++) {
		/* The account has a role of its own: what it asked for goes on. */
		open_with(&w, "ROLE_DEV_IDS=99", "ROLE_DEV_MAY=deploy:production, status");
		people_login(&w, EVE, token_of(&w, ADA, "t"));
		asks(&w, EVE);
		if (ends[i] == LEFT)
			people_logout(&w, EVE);
		else if (ends[i] == REVOKED)
			assert_int_equal(people_revoke(&w, ADA, "t"), 200);
		else if (ends[i] == ANOTHER)
			people_login(&w, EVE, token_of(&w, BOB, "u"));
		else
			w.aid.at += 2 * HOUR; /* before the approval expires */
		is_denied(&w, ADA, JOINED);
		may_approve(&w, BOB);
		world_close(&w);
	}
}

WORLD_TEST_BARE(a_bearers_token_has_a_maker_and_an_account)
{
	const char *token;

	open_with_leads(w, "ROLE_LEAD_IDS=44,55");
	token = token_of(w, ADA, "ci");
	people_login(w, CAROL, token); /* who may approve */
	assert_int_equal(people_call(w, token, DEPLOY), 200);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_says_in(w, WORLD_TEAM, "\n🔑 by a token: ci, made by p11\n"));
	is_denied(w, ADA, JOINED);
	is_denied(w, CAROL, JOINED);
	people_logout(w, CAROL);
	is_denied(w, CAROL, JOINED);
	may_approve(w, DAN);
}

/* The maker asks with it, and another account of theirs logs in with it before they press. */
WORLD_TEST_BARE(a_login_that_begins_later_makes_nobody_else_of_the_maker)
{
	const char *token;

	open_with_leads(w, "ROLE_LEAD_IDS=44");
	token = token_of(w, ADA, "ci");
	assert_int_equal(people_call(w, token, DEPLOY), 200);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	is_denied(w, ADA, JOINED);
	people_login(w, EVE, token);
	is_denied(w, ADA, JOINED);
	may_approve(w, BOB);
}

/* An approver's account that logs in with it after they approved: that no longer counts. */
WORLD_TEST_OF(an_approval_of_who_turns_out_to_have_the_token_is_void, ALWAYS,
    "PRODUCTION_APPROVALS=2", NOT_TO_BE_ASKED, "ADMIN_TELEGRAM_IDS=11,22,44,55")
{
	const char *token;

	token = token_of(w, ADA, "ci");
	assert_int_equal(people_call(w, token, DEPLOY), 200);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	approval_press_in(w, BOB, WORLD_TEAM, "Approve");
	people_login(w, BOB, token);
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_audited(w, "approval_void", "asked for it too"), 1);
	may_approve(w, DAN);
}

/* --- each press --- */

WORLD_TEST_BARE(who_confirms_by_a_login_has_asked_for_it_too)
{
	open_with(w, "ADMIN_TELEGRAM_IDS=11,22,44", "APPROVE_UNKNOWN_PUSHER=true");
	people_login(w, EVE, token_of(w, ADA, "t"));
	world_asks(w, BOB, "/deploy production", COMMIT_A);
	approval_press_in(w, EVE, WORLD_GROUP, "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	is_denied(w, ADA, JOINED);
	is_denied(w, BOB, "you asked for it");
	may_approve(w, CAROL);
}

WORLD_TEST_OF(who_confirms_after_a_push_by_a_login_is_one_with_its_maker, ALWAYS,
    "STAGING_APPROVALS=1", "STAGING_CONFIRM=true")
{
	people_login(w, EVE, token_of(w, ADA, "t"));
	world_push_is_at(w, COMMIT_A);
	approval_press_in(w, EVE, WORLD_TEAM, "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	is_denied(w, ADA, JOINED);
	may_approve(w, BOB);
}

/* The burner joins somebody else's question, and leaves before git has answered. */
WORLD_TEST_OF(who_joins_a_question_by_a_login_has_asked_for_it_too, ALWAYS,
    "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44", "ROLE_DEV_IDS=99",
    "ROLE_DEV_MAY=deploy:production")
{
	world_asks(w, BOB, "/deploy production", COMMIT_A);
	people_login(w, EVE, token_of(w, ADA, "t"));
	(void)world_text(w, EVE, "/deploy production");
	people_logout(w, EVE);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	approval_press_in(w, BOB, WORLD_GROUP, "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	is_denied(w, ADA, JOINED);
	may_approve(w, CAROL);
}

WORLD_TEST_BARE(an_approval_by_a_login_of_who_asked_is_none)
{
	open_with(w, "ADMIN_TELEGRAM_IDS=11,22,44", "APPROVE_UNKNOWN_PUSHER=true");
	people_login(w, CAROL, token_of(w, ADA, "t"));
	asks(w, ADA);
	is_denied(w, CAROL, JOINED);
	people_logout(w, CAROL);
	may_approve(w, CAROL); /* nothing that stands with this work joins the two */
}

/* Two approve, and one of them is logged in by a token of the other. */
WORLD_TEST_OF(two_who_share_a_token_approve_as_one, ALWAYS, "PRODUCTION_APPROVALS=2",
    "ADMIN_TELEGRAM_IDS=11,22,44,55")
{
	people_login(w, CAROL, token_of(w, BOB, "t"));
	asks(w, ADA);
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	approval_press_in(w, BOB, WORLD_TEAM, "Approve");
	assert_null(world_peek(w, EFFECT_RUN));
	for (int i = 0; i < 2; i++) { /* what counts as one is no failure when it comes again */
		approval_press_in(w, i == 0 ? CAROL : BOB, WORLD_TEAM, "Approve");
		assert_string_not_equal(w->toast, "");
		assert_null(world_peek(w, EFFECT_RUN));
	}
	may_approve(w, DAN);
}

WORLD_TEST_BARE(asked_anew_the_last_confirmation_counts)
{
	open_with(w, "ADMIN_TELEGRAM_IDS=11,22,44", "STAGING_TELEGRAM_IDS=33");
	people_login(w, EVE, token_of(w, ADA, "t"));
	world_asks(w, BOB, "/deploy production", COMMIT_A);
	approval_press_in(w, EVE, WORLD_GROUP, "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .is_off_branch = true });
	assert_int_equal(world_newest(w, "production").confirmed_by, 0);
	approval_press_in(w, BOB, WORLD_GROUP, "Deploy");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .is_off_branch = true });
	may_approve(w, ADA);
}

WORLD_TEST_OF(a_rollback_by_a_login_is_asked_for_by_its_maker_too, ALWAYS,
    "STAGING_ROLLBACK_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22")
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	people_login(w, EVE, token_of(w, ADA, "t"));
	(void)world_text(w, EVE, "/rollback staging");
	if (world_peek(w, EFFECT_GIT_QUERY) != NULL)
		world_settings_listed(w);
	approval_press_in(w, EVE, WORLD_GROUP, "Roll back");
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_AWAITING_APPROVAL);
	is_denied(w, ADA, JOINED);
	may_approve(w, BOB);
}

WORLD_TEST_OF(an_action_by_a_login_is_asked_for_by_its_maker_too, ALWAYS, "CLIENTS=acme",
    "CLIENT_ACME_HOST=web@acme.example", "CLIENT_ACME_ACTIONS=restart-web",
    "CLIENT_ACME_WEB_UNIT=web.service")
{
	people_login(w, EVE, token_of(w, ADA, "t"));
	(void)world_text(w, EVE, "/request restart-web acme");
	people_logout(w, EVE);
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_AWAITING_APPROVAL);
	(void)world_text(w, ADA, "/approve 1");
	assert_non_null(world_says_in(w, WORLD_GROUP, JOINED));
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_AWAITING_APPROVAL);
	(void)world_text(w, BOB, "/approve 1");
	assert_int_not_equal(world_newest(w, "client/acme").state, DEPLOY_AWAITING_APPROVAL);
}

/* --- emergencies --- */

#define PAST "/deploy production emergency the shop is down"

static void
emergency(struct world *w, int64_t person)
{
	world_asks(w, person, PAST, COMMIT_A);
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "production").current.commit, COMMIT_A);
}

TEST(an_emergency_by_a_login_is_not_reviewed_by_the_tokens_maker)
{
	struct world w;

	open_with(&w, "EMERGENCY_WITHOUT_OTP=true", NOT_TO_BE_ASKED);
	people_login(&w, EVE, token_of(&w, ADA, "t"));
	emergency(&w, EVE);
	people_logout(&w, EVE);
	(void)world_text(&w, ADA, "/review 1");
	assert_non_null(world_says_in(&w, WORLD_GROUP, JOINED));
	assert_int_equal(world_newest(&w, "production").exempt.reviewed_at, 0);
	(void)world_text(&w, BOB, "/review 1");
	assert_int_not_equal(world_newest(&w, "production").exempt.reviewed_at, 0);
	world_close(&w);
	/* Where nobody else could: then the maker is who asked for it, and is alone. */
	world_open(&w, ALWAYS, "PRODUCTION_APPROVALS=1", NOT_TO_BE_ASKED,
	    "EMERGENCY_WITHOUT_OTP=true", "ADMIN_TELEGRAM_IDS=11", NULL);
	people_login(&w, EVE, token_of(&w, ADA, "t"));
	emergency(&w, EVE);
	(void)world_text(&w, ADA, "/review 1");
	assert_int_not_equal(world_newest(&w, "production").exempt.reviewed_at, 0);
	world_close(&w);
}

/* Whoever has asked the open question by a token has asked for the emergency that passes it. */
WORLD_TEST_BARE(an_emergency_takes_the_tokens_of_the_question_that_it_passes)
{
	open_with(w, "EMERGENCY_WITHOUT_OTP=true", "ADMIN_TELEGRAM_IDS=11,22,44");
	people_login(w, EVE, token_of(w, ADA, "t"));
	world_asks(w, EVE, "/deploy production", COMMIT_A);
	world_asks(w, BOB, PAST, COMMIT_A);
	if (world_newest(w, "production").state == DEPLOY_AWAITING_CONFIRMATION) {
		approval_press_in(w, BOB, WORLD_GROUP, "Deploy");
		world_git(w, (struct world_git){ .commit = COMMIT_A });
	}
	world_run_ends(w, GOOD);
	(void)world_text(w, ADA, "/review 2");
	assert_int_equal(world_deployment(w, 2).exempt.reviewed_at, 0);
	assert_non_null(world_says_in(w, WORLD_GROUP, JOINED));
	(void)world_text(w, CAROL, "/review 2");
	assert_int_not_equal(world_deployment(w, 2).exempt.reviewed_at, 0);
}

/* --- by which door --- */

#define OF_STAGING API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"staging\"]}"

WORLD_TEST_OF(each_door_has_a_trigger_of_its_own, ALWAYS, "STAGING_APPROVALS=")
{
	const char *token;

	token = token_of(w, ADA, "ci");
	world_asks(w, ADA, "/deploy staging", COMMIT_A);
	/* Each is a person's place in the queue, none of them the one push that may wait there. */
	assert_int_equal(people_call(w, token, OF_STAGING), 200);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(people_ask(w, BOB, OF_STAGING), 200);
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	world_push_is_at(w, COMMIT_D);
	for (int64_t id = 2; id <= 4; id++)
		assert_int_equal(world_deployment(w, id).state, DEPLOY_QUEUED);
	assert_int_equal(world_deployment(w, 1).trigger, TRIGGER_CHAT);
	assert_int_equal(world_deployment(w, 2).trigger, TRIGGER_API);
	assert_int_equal(world_deployment(w, 3).trigger, TRIGGER_LOCAL);
	assert_int_equal(world_deployment(w, 4).trigger, TRIGGER_PUSH);
	assert_int_equal(world_audited(w, "deploy_requested", "\"trigger\":\"chat\""), 1);
	assert_int_equal(world_audited(w, "deploy_requested", "\"trigger\":\"api\""), 1);
	assert_int_equal(world_audited(w, "deploy_requested", "\"trigger\":\"local\""), 1);
	(void)world_text(w, ADA, "/show 2");
	assert_non_null(world_says_in(w, WORLD_GROUP, "requested by token:ci over the API, "));
	(void)world_text(w, ADA, "/show 3");
	assert_non_null(world_says_in(w, WORLD_GROUP, "requested by p22 on the machine, "));
	world_run_ends(w, GOOD);
	world_git(w, (struct world_git){ .commit = COMMIT_B }); /* compared with what is live now */
	assert_int_equal(world_active(w, "staging").id, 2);
}

/* A token's number says over which door its work of before came, which was called a chat's. */
WORLD_TEST_OF(work_of_before_is_shown_by_its_door, ALWAYS)
{
	assert_int_equal(people_call(w, token_of(w, ADA, "ci"), OF_STAGING), 200);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	world_rewrite(w, "UPDATE work SET cause = 'chat'");
	(void)world_text(w, ADA, "/show 1");
	assert_non_null(world_says_in(w, WORLD_GROUP, "requested by token:ci over the API, "));
}

/* Who filters by deploy_failed counts failures alone. */
WORLD_TEST_OF(what_was_replaced_or_refused_has_not_failed, ALWAYS, "PRODUCTION_APPROVALS=1")
{
	asks(w, ADA);
	(void)world_text(w, BOB, "/deploy production"); /* the same commit */
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_deployment(w, 2).state, DEPLOY_SUPERSEDED);
	(void)world_text(w, BOB, "/reject 1 later");
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_REFUSED);
	assert_int_equal(world_audited(w, "\"action\":\"deploy_failed\"", NULL), 0);
	assert_int_equal(world_audited(w, "\"action\":\"deploy_not_done\"", NULL), 2);
}

/* --- of whom no row knows --- */

TEST(whom_no_row_knows_is_said_in_its_own_words)
{
	const struct {
		int64_t person;
		const char *words;
	} rows[] = {
		{ principal_of_user(33),
		    "⚠️ asked for on the machine by a role, perhaps by one of you" },
		{ 0, /* root's number is of a row */
		    "⚠️ asked for on the machine by root, perhaps by one of you" },
	};
	struct world w;

	for (size_t i = 0; i < COUNT(rows); i++) {
		world_open(&w, ALWAYS, "PRODUCTION_APPROVALS=1", NOT_TO_BE_ASKED,
		    "LOCAL_WWW_DATA_IS=role admin", NULL);
		(void)world_text(&w, rows[i].person != 0 ? rows[i].person : world_root(&w, "admin"),
		    "/deploy production");
		world_git(&w, (struct world_git){ .commit = COMMIT_A });
		if (world_says_in(&w, WORLD_TEAM, rows[i].words) == NULL)
			fail_msg("%s: %s", rows[i].words, world_plain(world_last(&w)));
		assert_null(world_says_in(&w, WORLD_TEAM, "by a token"));
		world_close(&w);
	}
}

/* A token of root's: its maker is nobody whom a row knows. */
WORLD_TEST_BARE(a_token_that_root_has_made_names_that)
{
	char token[TOKEN_TEXT];

	open_with(w, NOT_TO_BE_ASKED, "APPROVE_UNKNOWN_PUSHER=false");
	assert_true(people_token(w, world_root(w, "admin"), "ci", "admin", "9d", token));
	people_login(w, EVE, token);
	asks(w, EVE);
	assert_non_null(world_says_in(w, WORLD_TEAM, "\n🔑 by a token: ci, made by p-"));
	assert_non_null(world_says_in(w, WORLD_TEAM, "so one more must approve"));
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 2"));
}

/* --- too many to be known --- */

struct crowd {
	int64_t work;
	int64_t n;
};

static void
add_crowd(struct tx *tx, void *arg)
{
	const struct crowd *crowd = arg;

	for (int64_t i = 0; i < crowd->n; i++)
		(void)tx_run(tx,
		    "INSERT INTO press (work, act, person, token) VALUES ($1, 'request', $2, $3)",
		    DB_I64(crowd->work), DB_I64(1000 + i), DB_I64(1000 + i));
}

TEST(where_the_list_is_full_everybody_has_asked)
{
	struct crowd crowd = { 1, ROW_PRESSES - 1 };
	struct world w;

	open_with(&w, "ADMIN_TELEGRAM_IDS=11,22,44", "STAGING_TELEGRAM_IDS=33");
	asks(&w, ADA);
	world_act(&w, add_crowd, &crowd);
	crowd.n = 1;
	crowd.work = 2; /* of another work */
	world_act(&w, add_crowd, &crowd);
	may_approve(&w, BOB);
	world_close(&w);
	open_with(&w, "ADMIN_TELEGRAM_IDS=11,22,44", "STAGING_TELEGRAM_IDS=33");
	asks(&w, ADA);
	crowd = (struct crowd){ 1, ROW_PRESSES };
	world_act(&w, add_crowd, &crowd);
	is_denied(&w, BOB, "you asked for it");
	is_denied(&w, CAROL, "you asked for it");
	world_close(&w);
}
