/* Goal: what changes something is proven again by whoever asks in a session of the console.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"
#include "console_aid.h"
#include "factor_aid.h"
#include "store/store_inside.h"

#define APPROVE API_COMMAND, "/v1/command/approve"
#define LOCK	API_COMMAND, "/v1/command/lock"
#define LOCKS	"{\"arguments\": [\"staging\"]}"

/* ada and bob have a second factor, carol and the third admin none. */
static void
open_page(struct world *w, const char *required)
{
	factor_write_key(FACTOR_KEY);
	world_open(w, CONSOLE_ON, "ROLE_RATE_LIMIT=0", factor_key_setting, "PRODUCTION_APPROVALS=1",
	    "ROLE_LEAD_IDS=44", "ROLE_LEAD_MAY=approve:production, status:production, lock:staging",
	    "STAGING_BAKE=2m", required, NULL);
	world_act(w, factor_enrol, &ada);
	world_act(w, factor_enrol, &bob);
}

static int
lock(struct world *w, const char *token, const char *code)
{
	char body[100];

	(void)snprintf(body, sizeof(body), "{\"arguments\": [\"staging\"]%s%s%s}",
	    code[0] != '\0' ? ", \"code\": \"" : "", code, code[0] != '\0' ? "\"" : "");
	return token_aid_call(w, token, LOCK, body);
}

static bool
is_locked(struct world *w)
{
	int64_t n = 0;

	assert_true(db_one_i64(&n, w->aid.store->db, NULL, "SELECT COUNT(*) FROM hold"));
	return n > 0;
}

FACTOR_TEST_BARE(a_login_is_a_proof_for_ten_minutes)
{
	const char *token;

	open_page(w, NULL);
	token = console_aid_by_code(w, CAROL);
	w->aid.at += 9 * MINUTE_MS;
	if (lock(w, token, "") != 200)
		fail_msg("%s", w->aid.said);
	assert_true(is_locked(w));
	assert_int_equal(token_aid_call(w, token, API_COMMAND, "/v1/command/unlock", LOCKS), 200);
	w->aid.at += MINUTE_MS;
	assert_int_equal(lock(w, token, ""), 403); /* they have no factor */
	assert_false(is_locked(w));
	assert_int_equal(token_aid_status(w, token), 200); /* to look needs none */
	assert_int_equal(token_aid_call(w, token, API_SESSION, "/v1/session/end", "{}"), 200);
}

FACTOR_TEST_BARE(a_code_is_a_proof_for_ten_minutes_more)
{
	const char *token;

	open_page(w, NULL);
	token = console_aid_by_code(w, ada.id);
	w->aid.at += 11 * MINUTE_MS;
	assert_int_equal(lock(w, token, ""), 428);
	assert_false(is_locked(w));
	assert_int_equal(lock(w, token, factor_wrong(w, &ada)), 403);
	assert_false(is_locked(w));
	assert_int_equal(lock(w, token, factor_code(w, &ada, 0)), 200);
	assert_true(is_locked(w));
	w->aid.at += 9 * MINUTE_MS;
	assert_int_equal(token_aid_call(w, token, API_COMMAND, "/v1/command/unlock", LOCKS), 200);
	w->aid.at += 2 * MINUTE_MS;
	assert_int_equal(lock(w, token, ""), 428);
	/* What they may not is no question of a code. */
	assert_int_equal(token_aid_call(w, token, API_COMMAND, "/v1/command/lock",
			     "{\"arguments\": [\"nowhere\"]}"),
	    409);
}

/* Ada's, whose number it is. */
static int64_t
ask_approval(struct world *w)
{
	approval_asks(w, COMMIT_A);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	return world_newest(w, "production").id;
}

static int
approve(struct world *w, const char *token, int64_t work, const char *more)
{
	char body[200];

	(void)snprintf(body, sizeof(body), "{\"arguments\": [\"%" PRId64 "\"]%s}", work, more);
	return token_aid_call(w, token, APPROVE, body);
}

/* The "shown" of what was said last. */
static const char *
with_code(struct world *w, const char *code)
{
	static char more[120];
	const char *shown = strstr(w->aid.said, "\"shown\":\"");

	assert_non_null(shown);
	(void)snprintf(more, sizeof(more), ", \"code\": \"%s\", \"shown\": \"%.32s\"", code,
	    shown + strlen("\"shown\":\""));
	return more;
}

FACTOR_TEST_BARE(an_approval_always_takes_the_six_digits)
{
	const char *token;
	int64_t work;

	open_page(w, NULL);
	work = ask_approval(w);
	token = console_aid_by_app(w, bob.id, "ab"); /* a moment ago */
	assert_int_equal(approve(w, token, work, ""), 428);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	assert_int_equal(approve(w, token, work, with_code(w, factor_code(w, &bob, 0))), 200);
	assert_int_not_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	assert_true(world_audited(w, "\"by\":\"the page\"", "telegram:22") > 0);
	assert_non_null(world_says(w, "(by the page)"));
}

FACTOR_TEST_BARE(what_bakes_is_live_early_with_the_six_digits_where_deploying_takes_them)
{
	const char *token;

	open_page(w, "REQUIRE_OTP=deploy:*");
	(void)world_text(w, ada.id, "/deploy staging");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	world_run_releases(w, GOOD);
	token = console_aid_by_app(w, bob.id, "ab"); /* a moment ago */
	assert_int_equal(
	    token_aid_call(w, token, API_ANSWER, "/v1/answer/1", "{\"answer\": \"live\"}"), 428);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
}

FACTOR_TEST_BARE(without_a_factor_only_fresh_initdata_approves)
{
	const char *link, *app;
	int64_t work;

	open_page(w, NULL);
	work = ask_approval(w);
	link = console_aid_by_code(w, CAROL);
	assert_int_equal(approve(w, link, work, ""), 403);
	assert_non_null(strstr(w->aid.said, "answer in the chat"));
	app = console_aid_by_app(w, CAROL, "ab");
	w->aid.at += 10 * MINUTE_MS;
	assert_int_equal(approve(w, app, work, ""), 403);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	app = console_aid_by_app(w, CAROL, "cd");
	assert_int_equal(approve(w, app, work, ""), 200);
	assert_int_not_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
}

FACTOR_TEST_BARE(what_require_otp_names_takes_a_code_each_time)
{
	const char *token;

	open_page(w, "REQUIRE_OTP=lock:staging");
	token = console_aid_by_code(w, ada.id);
	assert_int_equal(lock(w, token, ""), 428);
	assert_int_equal(lock(w, token, factor_code(w, &ada, 0)), 200);
	assert_int_equal(token_aid_call(w, token, API_COMMAND, "/v1/command/unlock", LOCKS), 428);
	token = console_aid_by_app(w, CAROL, "ab");
	assert_int_not_equal(
	    token_aid_call(w, token, API_COMMAND, "/v1/command/unlock", LOCKS), 200);
}

/* Who they are, and what they prove it with, is no matter of a page. */
FACTOR_TEST_BARE(a_session_makes_no_factor_token_key_or_session)
{
	static const struct {
		enum api_operation operation;
		const char *path, *body;
	} never[] = {
		{ API_FACTOR, "/v1/2fa/add", "{\"person\": 11}" },
		{ API_FACTOR, "/v1/2fa/reset", "{\"person\": 22}" },
		{ API_TOKEN, "/v1/token/add",
		    "{\"name\": \"mine\", \"role\": \"admin\", \"expires\": \"1d\"}" },
		{ API_TOKEN, "/v1/token/revoke", "{\"name\": \"ci\"}" },
		{ API_AGENT, "/v1/agent/add", "{\"name\": \"acme\"}" },
		{ API_RUNNER, "/v1/runner/add", "{\"name\": \"acme\"}" },
		{ API_FIRST_ADMIN_LINK, "/v1/first-admin-link", "{}" },
		{ API_PUSH, "/v1/push", "{}" },
		{ API_COMMAND, "/v1/command/login", "{\"arguments\": [\"x\"]}" },
		{ API_COMMAND, "/v1/command/console", "{}" },
	};
	const char *token;

	open_page(w, NULL);
	token = console_aid_by_app(w, ada.id, "ab");
	for (size_t i = 0; i < COUNT(never); i++)
		if (token_aid_call(w, token, never[i].operation, never[i].path, never[i].body) !=
		    403)
			fail_msg("%s: %s", never[i].path, w->aid.said);
	assert_null(strstr(w->aid.said, "#code="));
}

/* It goes past the yes of others. */
FACTOR_TEST_BARE(an_emergency_is_proven_as_an_approval_is)
{
	static const char body[] =
	    "{\"arguments\": [\"production\", \"emergency\", \"the\", \"shop\", \"is\", \"down\"]}";
	static const char promotes[] =
	    "{\"arguments\": [\"staging\", \"production\", \"emergency\", \"down\"]}";
	const char *token;

	factor_write_key(FACTOR_KEY);
	world_open(
	    w, CONSOLE_ON, "ROLE_RATE_LIMIT=0", factor_key_setting, "PRODUCTION_APPROVALS=1", NULL);
	token = console_aid_by_code(w, ada.id);
	assert_int_equal(token_aid_call(w, token, API_COMMAND, "/v1/command/deploy", body), 403);
	assert_non_null(strstr(w->aid.said, "answer in the chat"));
	assert_int_equal(
	    token_aid_call(w, token, API_COMMAND, "/v1/command/promote", promotes), 403);
	assert_non_null(strstr(w->aid.said, "answer in the chat"));
	assert_int_equal(world_newest(w, "production").id, 0);
}

FACTOR_TEST_BARE(wrong_codes_end_the_session_before_they_close_the_factor)
{
	const char *token, *other;
	int n = 0;

	open_page(w, NULL);
	token = console_aid_by_code(w, ada.id);
	other = console_aid_by_app(w, ada.id, "ab");
	w->aid.at += 11 * MINUTE_MS;
	while (n++ < 10 && token_aid_status(w, token) == 200)
		(void)lock(w, token, factor_wrong(w, &ada));
	assert_int_equal(n, 6); /* five wrong ones */
	assert_int_equal(token_aid_status(w, token), 401);
	for (int i = 0; i < 2; i++) /* what ends by a call is refused from the next one on */
		assert_int_equal(token_aid_status(w, other), 200);
}
