/* Goal: a code is taken for what is done, and what is refused costs none, whichever way it comes.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"

#include "decide/factor/decide_factor_state.h"
#include "decide/factor/decide_factor_try.h"
#include "lib/err.h"
#include "lib/text.h"
#include "types/api.h"

#define NONCE "0123456789abcdef"
#define OTHER "fedcba9876543210"

static void
open_with(struct world *w, const char *required, const char *more)
{
	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, required, STAGING_URL, "CLIENTS=acme",
	    "CLIENT_ACME_HOST=web@acme.example",
	    "CLIENT_ACME_ACTIONS=restart-web,reload-nginx,service-status",
	    "CLIENT_ACME_WEB_UNIT=web.service", more, NULL);
	world_act(w, factor_enrol, &ada);
	world_act(w, factor_enrol, &bob);
}

static void
say_line(struct world *w, const char *nonce, int64_t ahead_s, const char *code)
{
	char text[160];

	(void)snprintf(text, sizeof(text), "APPROVE: restart-web acme nonce=%s ts=%lld%s%s", nonce,
	    (long long)(w->aid.at / 1000 + ahead_s), code[0] != '\0' ? " otp=" : "", code);
	(void)world_text(w, ada.id, text);
}

static bool
is_begun(struct world *w)
{
	return world_peek(w, EFFECT_RUN) != NULL;
}

static bool
is_asked_for_code(struct world *w)
{
	return world_says_in(w, ada.id, "Code for") != NULL;
}

/* --- a trial --- */

/* Writes a row where *arg says so; and notes what a code would be about. */
static void
try_it(struct tx *tx, const struct update *update, void *arg)
{
	const bool *writes = arg;

	assert_true(decide_factor_is_trial(tx));
	assert_true(decide_factor_is_counted(tx));
	assert_int_equal(tx->factor_of, update->person);
	decide_factor_set_work(tx, 7);
	decide_factor_set_typed(tx, "123456");
	if (*writes)
		factor_add_recovery(tx, &ada);
}

static void
is_as_before(struct tx *tx, void *arg)
{
	bool *writes = arg;
	const struct update update = { .person = ada.id };

	assert_null(tx->factor); /* a decision knows nothing of the one before it */
	assert_int_equal(decide_factor_work(tx), 0);
	assert_string_equal(decide_factor_for(tx), "");
	assert_int_equal(decide_factor_try(tx, &update, try_it, writes),
	    *writes ? FACTOR_WANTED : FACTOR_REFUSED);
	assert_int_equal(decide_factor_work(tx), *writes ? 0 : 7);
	assert_string_equal(decide_factor_typed(tx), *writes ? "" : "123456");
	assert_false(decide_factor_is_trial(tx) || decide_factor_is_counted(tx));
	assert_false(decide_factor_is_wanted(tx));
	assert_int_equal(tx->factor_of, 0);
}

FACTOR_TEST_BARE(what_a_trial_notes_of_a_code_is_undone_with_what_it_did)
{
	bool writes = true, says = false;

	open_with(w, NULL, NULL);
	world_act(w, is_as_before, &writes);
	world_act(w, is_as_before, &says);
}

/* --- a line --- */

/* Its pad is answered when its ts is past. */
FACTOR_TEST_BARE(a_line_that_became_too_old_spends_no_code)
{
	open_with(w, "REQUIRE_OTP=do:client/acme", NULL);
	say_line(w, NONCE, -290, "");
	w->aid.at += MINUTE_MS;
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_non_null(world_says(w, "its ts is more than 5 minutes ago"));
	assert_string_equal(world_plain(world_says_in(w, ada.id, "🔐")),
	    "🔐 Not done: client/acme restart-web: no code was used: why stands where you asked for it.");
	assert_false(is_begun(w));
	say_line(w, OTHER, 0, factor_code(w, &ada, 0));
	assert_true(is_begun(w));
}

FACTOR_TEST_BARE(a_line_for_ones_own_request_spends_no_code)
{
	char nonce[17];
	const char *line;

	open_with(w, "REQUIRE_OTP=approve:client/acme", NULL);
	(void)world_text(w, ada.id, "/request restart-web acme");
	(void)world_press(w, ada.id, WORLD_GROUP,
	    world_button(world_says(w, "Awaiting approval"), "Show APPROVE line"));
	line = strstr(world_says(w, "APPROVE: ")->text, "nonce=");
	assert_non_null(line);
	(void)snprintf(nonce, sizeof(nonce), "%s", line + strlen("nonce="));
	say_line(w, nonce, 0, factor_code(w, &ada, 0));
	assert_non_null(world_says(w, "you asked for it, so somebody else must"));
	assert_false(is_begun(w));
	say_line(w, OTHER, 0, factor_code(w, &ada, 0));
	assert_true(is_begun(w));
}

/* --- a pad --- */

FACTOR_TEST_BARE(a_lock_in_between_spends_no_code)
{
	open_with(w, "REQUIRE_OTP=deploy:staging", NULL);
	(void)world_text(w, ada.id, "/deploy staging");
	(void)world_text(w, bob.id, "/lock staging");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_non_null(world_says(w, "locked"));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	(void)world_text(w, ada.id, "/deploy staging"); /* nor is one asked for */
	assert_null(world_says_in(w, ada.id, "Code for staging deploy: "));
	(void)world_text(w, bob.id, "/unlock staging");
	(void)world_text(w, ada.id, "/deploy staging");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

FACTOR_TEST_BARE(a_wrong_code_is_counted_and_a_right_one_goes_on)
{
	open_with(w, "REQUIRE_OTP=deploy:staging", NULL);
	(void)world_text(w, ada.id, "/deploy staging");
	factor_type(w, &ada, factor_wrong(w, &ada));
	assert_string_equal(w->toast, "🔐 wrong code: 4 more tries before a wait.");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_int_equal(world_newest(w, "staging").id, 0);
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

FACTOR_TEST_BARE(a_recovery_code_is_not_spent_on_a_no)
{
	open_with(w, "REQUIRE_OTP=deploy:staging", NULL);
	world_act(w, factor_add_recovery, &ada);
	(void)world_text(w, ada.id, "/deploy staging");
	(void)world_text(w, bob.id, "/lock staging");
	(void)world_text_in(w, ada.id, ada.id, "/2fa recover " FACTOR_RECOVERY);
	assert_null(world_says_in(w, bob.id, "Recovery code used"));
	(void)world_text(w, bob.id, "/unlock staging");
	(void)world_text(w, ada.id, "/deploy staging");
	(void)world_text_in(w, ada.id, ada.id, "/2fa recover " FACTOR_RECOVERY);
	assert_non_null(world_says_in(w, bob.id, "Recovery code used"));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

/* --- one act, one code --- */

FACTOR_TEST_BARE(what_asks_because_of_other_work_needs_one_code)
{
	struct world_message *question;

	open_with(w, "REQUIRE_OTP=do.reload-nginx:client/acme", NULL);
	(void)world_text(w, ada.id, "/do service-status acme");
	assert_true(is_begun(w));
	(void)world_text(w, ada.id, "/do reload-nginx acme");
	assert_false(is_asked_for_code(w)); /* its question comes first */
	question = world_says(w, "reload-nginx");
	assert_non_null(question);
	(void)world_press(w, ada.id, WORLD_GROUP, question->buttons.at[0].id);
	assert_true(is_asked_for_code(w));
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_false(is_asked_for_code(w));
	assert_int_equal(world_newest(w, "client/acme").confirmed_by, ada.id);
}

FACTOR_TEST_BARE(a_question_that_came_in_between_spends_no_code)
{
	struct world_message *question;

	open_with(w, "REQUIRE_OTP=do.reload-nginx:client/acme", NULL);
	(void)world_text(w, ada.id, "/do reload-nginx acme");
	assert_true(is_asked_for_code(w));
	(void)world_text(w, bob.id, "/do service-status acme");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_non_null(world_says_in(w, ada.id, "so it asks first"));
	(void)world_text(w, ada.id, "/do reload-nginx acme");
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_AWAITING_CONFIRMATION);
	question = world_says(w, "reload-nginx");
	(void)world_press(w, ada.id, WORLD_GROUP, question->buttons.at[0].id);
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(world_newest(w, "client/acme").confirmed_by, ada.id);
}

/* --- a terminal --- */

static int
post(struct world *w, enum api_operation operation, const char *path, const char *body)
{
	struct event *event = store_aid_event(&w->aid, EVENT_API);
	struct api_request *api = calloc(1, sizeof(*api));
	struct err err;

	assert_non_null(api);
	event->u.api = api;
	api->from.person = ada.id;
	(void)text_copy(api->from.name, sizeof(api->from.name), "@ada (from the machine)");
	if (!api_read(operation, path, body, strlen(body), api, &err))
		fail_msg("%s: %s", path, err.text);
	return world_decide(w, event).status;
}

static int
deploy_with(struct world *w, const char *code)
{
	char body[128];

	(void)snprintf(
	    body, sizeof(body), "{\"arguments\": [\"staging\"], \"code\": \"%s\"}", code);
	return post(w, API_COMMAND, "/v1/command/deploy", body);
}

FACTOR_TEST_BARE(a_request_that_is_refused_spends_no_code)
{
	open_with(w, "REQUIRE_OTP=deploy:staging", NULL);
	(void)world_text(w, bob.id, "/lock staging");
	assert_int_equal(deploy_with(w, factor_code(w, &ada, 0)), 403);
	assert_non_null(strstr(w->aid.said, "locked by"));
	(void)world_text(w, bob.id, "/unlock staging");
	assert_int_equal(
	    post(w, API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"staging\"]}"), 428);
	assert_int_equal(deploy_with(w, factor_wrong(w, &ada)), 403);
	assert_int_equal(deploy_with(w, factor_code(w, &ada, 0)), 200);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

/* The request once more, with a code for what the answer before it has shown. */
static int
post_code(struct world *w, enum api_operation operation, const char *path, const char *body,
    const char *shown)
{
	char with[256];

	(void)snprintf(with, sizeof(with), "{%s, \"code\": \"%s\"%s%.32s%s}", body,
	    factor_code(w, &ada, 0), shown[0] != '\0' ? ", \"shown\": \"" : "", shown,
	    shown[0] != '\0' ? "\"" : "");
	return post(w, operation, path, with);
}

static void
read_shown(struct world *w, char ret[API_SHOWN])
{
	static const char key[] = "\"shown\":\"";
	const char *at = strstr(w->aid.said, key);

	assert_non_null(at);
	(void)snprintf(ret, API_SHOWN, "%s", at + strlen(key));
}

FACTOR_TEST_BARE(a_code_in_a_terminal_is_for_the_question_as_shown)
{
#define APPROVE API_COMMAND, "/v1/command/approve"
#define ONE	"\"arguments\": [\"1\"]"
	char before[API_SHOWN], now[API_SHOWN];
	struct event *event;

	open_with(w, "REQUIRE_OTP=approve:production", "PRODUCTION_APPROVALS=1");
	(void)world_text(w, bob.id, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	(void)world_press(
	    w, bob.id, WORLD_GROUP, world_button(world_says(w, "Deploy"), "Deploy to"));
	world_git_same(w);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	assert_int_equal(post(w, APPROVE, "{" ONE "}"), 428);
	assert_non_null(strstr(w->aid.said,
	    "\"question\":\"#1 production approve: aaaaaaa Make it blue, requested by @bob\""));
	read_shown(w, before);
	event = store_aid_event(&w->aid, EVENT_STARTED);
	event->u.started.is_restored = true;
	(void)world_decide(w, event); /* asked anew */
	assert_int_equal(post_code(w, APPROVE, ONE, before), 428);
	assert_non_null(strstr(w->aid.said, "asked again: what production runs is not known"));
	read_shown(w, now);
	assert_string_not_equal(before, now);
	assert_int_equal(post_code(w, APPROVE, ONE, ""), 428); /* for which? */
	assert_int_equal(world_audited(w, "deploy_approval", "\"approved\""), 0);
	assert_int_equal(post_code(w, APPROVE, ONE, now), 200); /* it was used for nothing */
	assert_int_equal(world_audited(w, "deploy_approval", "\"approved\""), 1);
}

FACTOR_TEST_BARE(a_yes_in_a_terminal_is_too)
{
	char shown[API_SHOWN];

	open_with(w, "REQUIRE_OTP=deploy:production", "CONFIRM_TIMEOUT=10m");
	(void)world_text(w, ada.id, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(post(w, API_ANSWER, "/v1/answer/1", "{\"answer\": \"yes\"}"), 428);
	read_shown(w, shown);
	assert_int_equal(post_code(w, API_ANSWER, "/v1/answer/1", "\"answer\": \"yes\"", ""), 428);
	assert_int_equal(
	    post_code(w, API_ANSWER, "/v1/answer/1", "\"answer\": \"yes\"", shown), 200);
	assert_int_equal(world_newest(w, "production").confirmed_by, ada.id);
}
