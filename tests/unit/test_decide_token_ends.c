/* Goal: a role, who had it, a token and a login end at that very moment, and for good.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"
#include "token_aid.h"

#include "lib/text.h"
#include "store/store_inside.h"
#include "types/principal.h"

#define KEY    TOKEN_AID_KEY
#define ON     TOKEN_AID_ON
#define MAY    "ROLE_DEPLOYER_MAY=deploy:staging, status:staging, token:*/*"
#define MAKER  77
#define EVE    WORLD_STRANGER
#define ENDS   INT64_C(1768089600000) /* 2026-01-11 00:00 UTC: behind the last day, 2026-01-10 */
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

#define OPENED ON, KEY, "ROLE_RATE_LIMIT=0", "RATE_LIMIT_REQUESTS=0"

/* From then on the role is of these people, and may have an end. */
static void
let(struct world *w, const char *ids, const char *until)
{
	char people[80], end[80] = "ROLE_DEPLOYER_UNTIL=";

	(void)snprintf(people, sizeof(people), "ROLE_DEPLOYER_IDS=%s", ids);
	(void)text_copy(end + strlen(end), sizeof(end) - strlen(end), until);
	world_settings(w, OPENED, people, MAY, end, NULL);
	world_settings_read(w);
}

static const char *
open_with(struct world *w, int64_t maker, const char *expires)
{
	world_open(w, OPENED, "ROLE_DEPLOYER_IDS=77", MAY, NULL);
	return token_aid_make(w, maker, "ci", "deployer", expires);
}

/* As the program does: at each moment that it has asked to be called. */
static void
wait_until(struct world *w, int64_t at)
{
	while (w->aid.at < at)
		world_due(w, TIMER_SESSIONS);
}

static bool
is_listed(struct world *w, const char *part)
{
	assert_int_equal(token_aid_ask(w, WORLD_ADMIN, API_TOKENS, "/v1/tokens", NULL), 200);
	return strstr(w->aid.said, part) != NULL;
}

/* --- at that very moment --- */

static const struct end {
	const char *expires;	  /* of the token */
	const char *ids, *until;  /* of the role, from then on */
	const char *what, *login; /* in 401, to who is logged in */
} ends[] = {
	{ "2026-01-10", "77", "", "an expired token", "the token has expired" },
	{ "200d", "77", "2026-01-10", "a token whose role has ended", "its role has ended" },
	{ "200d", "77 until 2026-01-10", "", "a token whose maker's own role has ended",
	    "the role of who made the token has ended" },
	{ "200d", "77 until 2026-01-10", "2026-01-20", "a token whose maker's own role has ended",
	    "the role of who made the token has ended" },
	{ "2026-01-10", "77 until 2026-01-15", "2026-01-20", "an expired token",
	    "the token has expired" },
};

TEST(a_token_and_a_login_by_it_end_at_that_very_moment)
{
	struct world w;

	for (size_t i = 0; i < COUNT(ends); i++) {
		const char *token = open_with(&w, MAKER, ends[i].expires);

		w.aid.at = ENDS - 12 * HOUR - HOUR / 2; /* no look of each hour falls on its end */
		let(&w, ends[i].ids, ends[i].until);
		token_aid_login(&w, EVE, token);
		assert_non_null(world_says_in(&w, EVE, "Logged in as deployer until 2026-01-10;"));
		wait_until(&w, ENDS - HOUR);
		w.aid.at = ENDS - 1;
		assert_int_equal(token_aid_status(&w, token), 200);
		w.aid.at = ENDS - 1;
		assert_true(token_aid_may(&w, EVE, POLICY_DEPLOY, "staging"));
		/* Whoever asks at that moment finds it over, before anybody has looked. */
		w.aid.at = ENDS;
		assert_false(token_aid_may(&w, EVE, POLICY_DEPLOY, "staging"));
		assert_int_equal(world_audited(&w, "\"logout\"", NULL), 0);
		/* The look comes at that moment, and not within an hour of it. */
		w.aid.at = ENDS - 1;
		world_due(&w, TIMER_SESSIONS);
		assert_true(w.aid.at >= ENDS && w.aid.at < ENDS + 1000);
		assert_int_equal(world_audited(&w, "\"logout\"", ends[i].login), 1);
		assert_int_equal(world_audited(&w, "\"token_ended\"", ends[i].what), 1);
		assert_non_null(world_says_in(&w, EVE, ends[i].login));
		assert_int_equal(token_aid_status(&w, token), 401);
		assert_non_null(strstr(w.aid.said, ends[i].what));
		assert_true(is_listed(&w, ends[i].login));
		world_close(&w);
	}
}

/* The clock is set back by a day: what had its end has had it. */
TEST(a_clock_that_jumps_back_revives_nothing)
{
	struct world w;

	for (size_t i = 0; i < COUNT(ends); i++) {
		const char *token = open_with(&w, MAKER, ends[i].expires);

		w.aid.at = ENDS - 12 * HOUR;
		let(&w, ends[i].ids, ends[i].until);
		token_aid_login(&w, EVE, token);
		wait_until(&w, ENDS);
		w.aid.at = ENDS - DAY;
		assert_int_equal(token_aid_status(&w, token), 401);
		assert_false(token_aid_may(&w, EVE, POLICY_DEPLOY, "staging"));
		token_aid_login(&w, EVE, token);
		assert_false(token_aid_may(&w, EVE, POLICY_DEPLOY, "staging"));
		world_restart(&w);
		world_settings_read(&w);
		assert_int_equal(token_aid_status(&w, token), 401);
		let(&w, "77", ""); /* nor does a new date what is to be made anew */
		assert_int_equal(token_aid_status(&w, token), 401);
		world_close(&w);
	}
}

/* One that was not looked at: it is over all the same once it was asked for, and no more is said of
 * a clock that jumps to and fro before. */
WORLD_TEST_BARE(a_clock_that_jumps_by_a_day_and_back_ends_nothing_that_nobody_looked_at)
{
	const char *token;

	token = open_with(w, MAKER, "2026-01-10");
	w->aid.at = ENDS + DAY;
	assert_false(token_aid_may(w, EVE, POLICY_DEPLOY, "staging"));
	w->aid.at = ENDS - DAY;
	assert_int_equal(token_aid_status(w, token), 200);
}

/* Rows of a later version, or of an edit by hand: what ended has ended, whatever the word says. */
TEST(what_ended_by_a_word_that_is_not_known_is_over)
{
	static const char *const rows[] = {
		"UPDATE token SET ended_at = 1, fault = 'eclipsed'",
		"UPDATE token SET ended_at = 1, fault = ''",
	};
	const char *token;
	struct world w;

	for (size_t i = 0; i < COUNT(rows); i++) {
		token = open_with(&w, MAKER, "200d");
		world_rewrite(&w, rows[i]);
		for (int n = 0; n < 2; n++) {
			assert_int_equal(token_aid_status(&w, token), 401);
			world_settings_read(&w);
		}
		token_aid_login(&w, EVE, token);
		assert_false(token_aid_may(&w, EVE, POLICY_DEPLOY, "staging"));
		world_close(&w);
	}
}

/* --- whoever has a role that ended --- */

#define GAMES "LOCAL_GAMES_IS=role deployer"

/* A person, a user of the machine, root, a token, a login: by one date. */
static size_t
who_may(struct world *w, const char *token, int64_t at)
{
	const int64_t people[] = { MAKER, principal_of_user(5), EVE };
	size_t n = 0;

	for (size_t i = 0; i < COUNT(people); i++) {
		w->aid.at = at;
		n += token_aid_may(w, people[i], POLICY_DEPLOY, "staging");
	}
	w->aid.at = at;
	n += token_aid_ask_as(w, "deployer", API_STATUS, "/v1/status", NULL) == 200;
	w->aid.at = at;
	n += token_aid_status(w, token) == 200;
	return n;
}

WORLD_TEST_OF(a_role_that_ended_is_had_by_nobody, OPENED, "ROLE_DEPLOYER_IDS=77", MAY, GAMES)
{
	const char *token;

	token = token_aid_make(w, WORLD_ADMIN, "ci", "deployer", "200d");
	world_settings(
	    w, OPENED, "ROLE_DEPLOYER_IDS=77", MAY, GAMES, "ROLE_DEPLOYER_UNTIL=2026-01-10", NULL);
	w->aid.at = ENDS - 12 * HOUR;
	world_settings_read(w);
	token_aid_login(w, EVE, token);
	assert_int_equal(who_may(w, token, ENDS - 1), 5);
	assert_int_equal(who_may(w, token, ENDS), 0);
	w->aid.at = ENDS - HOUR;
	world_due(w, TIMER_ACCESS); /* its end is recorded ... */
	while (w->aid.at < ENDS)
		world_due(w, TIMER_ACCESS);
	assert_true(w->aid.at < ENDS + 1000);
	assert_int_equal(who_may(w, token, ENDS - DAY), 0); /* ... and stays */
	world_restart(w);
	assert_int_equal(who_may(w, token, ENDS - DAY), 0);
	/* Another date is another end: only the token and the login by it are over for good. */
	w->aid.at = ENDS - 2 * DAY;
	world_settings(
	    w, OPENED, "ROLE_DEPLOYER_IDS=77", MAY, GAMES, "ROLE_DEPLOYER_UNTIL=2026-01-09", NULL);
	world_settings_read(w);
	assert_int_equal(who_may(w, token, ENDS - DAY - 1), 3);
	assert_int_equal(who_may(w, token, ENDS - DAY), 0);
}

/* Of one member alone, and of nobody else. */
WORLD_TEST_OF(an_end_of_ones_own_is_recorded_of_oneself, OPENED,
    "ROLE_DEPLOYER_IDS=77 until 2026-01-10, 78", MAY)
{
	while (w->aid.at < ENDS)
		world_due(w, TIMER_ACCESS);
	w->aid.at = ENDS - DAY;
	assert_false(token_aid_may(w, MAKER, POLICY_DEPLOY, "staging"));
	assert_true(token_aid_may(w, 78, POLICY_DEPLOY, "staging"));
	world_settings(w, OPENED, "ROLE_DEPLOYER_IDS=77 until 2026-01-20, 78", MAY, NULL);
	assert_true(token_aid_may(w, MAKER, POLICY_DEPLOY, "staging"));
}

/* What was approved by who has no role any more at its turn. */
TEST(an_approval_ends_with_the_role_of_who_gave_it)
{
#define APPROVED \
	"PRODUCTION_APPROVALS=1", "ROLE_LEAD_IDS=44 until 2026-01-01", \
	    "ROLE_LEAD_MAY=approve:production,deploy:production,status", "APPROVAL_TIMEOUT=7d"
	struct world w;

	for (int is_back = 0; is_back < 2; is_back++) {
		world_open(&w, APPROVED, NULL);
		approval_asks(&w, COMMIT_A);
		approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
		approval_asks(&w, COMMIT_B); /* behind it */
		approval_press_in(&w, CAROL, WORLD_TEAM, "Approve production bbbbbbb");
		assert_string_equal(w.toast, "Approved: production bbbbbbb: it is queued.");
		while (w.aid.at < STORE_AID_AT + DAY)
			world_due(&w, TIMER_ACCESS);
		if (is_back == 1)
			w.aid.at -= HOUR;
		world_run_ends(&w, FAILED_BEFORE_RELEASE);
		assert_null(world_peek(&w, EFFECT_RUN));
		assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
		world_close(&w);
	}
}

/* --- who made it --- */

WORLD_TEST_BARE(a_token_is_good_while_who_made_it_has_its_role)
{
	static const char gone[] = "a token whose maker does not have its role any more";
	const char *token;

	token = open_with(w, MAKER, "200d");
	token_aid_login(w, EVE, token);
	let(w, "78", "");
	assert_int_equal(token_aid_status(w, token), 401);
	assert_non_null(strstr(w->aid.said, gone));
	assert_true(is_listed(w, "who made the token does not have its role any more"));
	assert_non_null(world_says_in(w, EVE, "who made the token does not have its role"));
	assert_false(token_aid_may(w, EVE, POLICY_DEPLOY, "staging"));
	assert_string_equal(world_plain(world_says_in(w, WORLD_OTHER_ADMIN, "not valid any more")),
	    "🔐 1 token is not valid any more:\n"
	    "ci: who made the token does not have its role any more (role deployer, made by telegram:77)\n"
	    "Who stays makes another: deploybot token add NAME --role ROLE --expires 90d; all are in "
	    "deploybot token list.");
	world_settings_read(w); /* once */
	world_restart(w);
	assert_int_equal(world_says_times(w, WORLD_ADMIN, "not valid any more"), 1);
	/* What was a mistake is none: but nobody is logged in by it. */
	let(w, "77, 78", "");
	assert_int_equal(token_aid_status(w, token), 200);
	assert_false(token_aid_may(w, EVE, POLICY_DEPLOY, "staging"));
	let(w, "78", "");
	assert_int_equal(world_says_times(w, WORLD_ADMIN, "not valid any more"), 2);
}

/* A second before, and asked for before the settings are told to the store. */
WORLD_TEST_BARE(a_token_made_a_second_before_its_maker_leaves_goes_with_them)
{
	const char *token;

	token = open_with(w, MAKER, "366d");
	w->aid.at += 1000;
	world_settings(w, OPENED, "ROLE_DEPLOYER_IDS=78", MAY, NULL);
	assert_int_equal(token_aid_status(w, token), 401);
}

/* An admin has all roles, root has every one, for as long as that is there. */
WORLD_TEST_BARE(an_admins_token_is_good_while_they_are_one_and_roots_while_its_role_is_there)
{
	const char *of_admin, *of_root;

	of_admin = open_with(w, WORLD_OTHER_ADMIN, "200d");
	assert_int_equal(token_aid_ask_as(w, "admin", API_TOKEN, "/v1/token/add",
			     token_aid_body("roots", "deployer", "200d")),
	    200);
	of_root = token_aid_text(w);
	let(w, "78", "");
	assert_int_equal(token_aid_status(w, of_admin), 200);
	assert_int_equal(token_aid_status(w, of_root), 200);
	world_settings(w, OPENED, "ADMIN_TELEGRAM_IDS=11", "ROLE_DEPLOYER_IDS=78", MAY, NULL);
	assert_int_equal(token_aid_status(w, of_admin), 401);
	assert_int_equal(token_aid_status(w, of_root), 200);
	world_settings(w, OPENED, NULL);
	assert_int_equal(token_aid_status(w, of_root), 401);
	assert_non_null(strstr(w->aid.said, "a token whose role is gone"));
}

/* An admin who stops being one keeps what their own role gives. */
WORLD_TEST_OF(a_maker_has_the_role_by_any_way, OPENED, "ROLE_DEPLOYER_IDS=22 until 2026-01-10", MAY)
{
	const char *token;

	token = token_aid_make(w, WORLD_OTHER_ADMIN, "ci", "deployer", "200d");
	assert_true(is_listed(w, "2026-07-20")); /* not with their own role: they are an admin */
	world_settings(
	    w, OPENED, "ADMIN_TELEGRAM_IDS=11", "ROLE_DEPLOYER_IDS=22 until 2026-01-10", MAY, NULL);
	assert_int_equal(token_aid_status(w, token), 200);
	w->aid.at = ENDS;
	assert_int_equal(token_aid_status(w, token), 401);
}

WORLD_TEST_OF(a_token_ends_with_its_maker_at_the_latest, OPENED,
    "ROLE_DEPLOYER_IDS=77 until 2026-01-10, 78", MAY)
{
	const char *token;

	token = token_aid_make(w, MAKER, "ci", "deployer", "300d");
	assert_non_null(strstr(w->aid.said, "\"expires_at\":\"2026-01-11T00:00:00.000Z\""));
	(void)token_aid_make(w, 78, "other", "deployer", "300d");
	assert_null(strstr(w->aid.said, "2026-01-11T00:00:00.000Z"));
	w->aid.at = ENDS;
	assert_int_equal(token_aid_status(w, token), 401);
	assert_int_equal(token_aid_ask(w, MAKER, API_TOKEN, "/v1/token/add",
			     token_aid_body("late", "deployer", "1d")),
	    403);
}

WORLD_TEST_BARE(a_week_before_the_admins_are_sent_its_name_once)
{
	(void)open_with(w, MAKER, "200d");
	w->aid.at = ENDS - 8 * DAY;
	let(w, "77 until 2026-01-10", "");
	assert_int_equal(world_says_times(w, WORLD_ADMIN, "within a week"), 0);
	while (w->aid.at < ENDS - 6 * DAY)
		world_due(w, TIMER_SESSIONS);
	world_restart(w);
	world_settings_read(w);
	assert_int_equal(world_says_times(w, WORLD_ADMIN, "within a week"), 1);
	assert_string_equal(world_plain(world_says_in(w, WORLD_OTHER_ADMIN, "within a week")),
	    "⏳ 1 token ends within a week:\n"
	    "ci: with telegram:77, who made it: their role deployer ends with 2026-01-10\n"
	    "Who stays makes another: deploybot token add NAME --role ROLE --expires 90d; all are in "
	    "deploybot token list.");
}

/* --- who may see it --- */

WORLD_TEST_BARE(others_tokens_are_shown_to_who_has_the_servers_grant)
{
	static const char revoke[] = "{\"name\": \"ci\"}";

	(void)open_with(w, MAKER, "200d");
	world_settings(w, OPENED, "ROLE_DEPLOYER_IDS=77,78",
	    "ROLE_DEPLOYER_MAY=deploy:staging, status:staging, token", NULL);
	/* Their own: also without the grant that they made it by. */
	assert_int_equal(token_aid_ask(w, MAKER, API_TOKENS, "/v1/tokens", NULL), 200);
	assert_non_null(strstr(w->aid.said, "\"ci\""));
	assert_int_equal(token_aid_ask(w, 78, API_TOKENS, "/v1/tokens", NULL), 403);
	assert_null(strstr(w->aid.said, "\"ci\""));
	assert_int_equal(token_aid_ask(w, 78, API_TOKEN, "/v1/token/revoke", revoke), 403);
	assert_int_equal(
	    token_aid_ask(w, 78, API_TOKEN, "/v1/token/revoke", "{\"name\": \"none\"}"), 403);
	assert_int_equal(token_aid_ask(w, MAKER, API_TOKEN, "/v1/token/add",
			     token_aid_body("more", "deployer", "1d")),
	    403);
	assert_int_equal(token_aid_ask(w, MAKER, API_TOKEN, "/v1/token/revoke", revoke), 200);
}
