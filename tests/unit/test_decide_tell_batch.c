/* Goal: a push that asks in several environments is one message, and each answer its own.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "chat/chat_push.h"
#include "chat/chat_text.h"
#include "decide/tell/decide_tell.h"
#include "lib/text.h"

static struct world w;

static int
open_three(void **state)
{
	*state = &w;
	world_open(&w, "ENVIRONMENTS=staging,qa,demo,production", "GITHUB_BRANCH_QA=develop",
	    "GITHUB_BRANCH_DEMO=develop", "STAGING_CONFIRM=true", "ROLE_QA_IDS=44",
	    "ROLE_QA_MAY=confirm:qa, deploy:qa, status:*/*", NULL);
	return 0;
}

/* Git answers for each of them, as ever. */
static void
push(const char *commit)
{
	(void)world_decide(&w, world_push(&w, "develop"));
	for (int i = 0; i < 3; i++)
		world_git(&w, (struct world_git){ .commit = commit, .count = 2 });
}

static const char *
said(void)
{
	return world_plain(world_says_in(&w, WORLD_TEAM, "❓ Deploy to "));
}

static struct world_message *
chosen(int64_t person, const char *environment)
{
	struct world_message *asks = world_says_in(&w, WORLD_TEAM, "waits for an answer");
	char text[64];

	(void)world_press(&w, person, WORLD_TEAM, world_button(asks, "Choose…"));
	(void)world_press(&w, person, WORLD_TEAM, world_button(world_last(&w), environment));
	(void)snprintf(
	    text, sizeof(text), "%s: asking git; the question comes below.", environment);
	assert_string_equal(w.toast, text);
	world_git(&w,
	    (struct world_git){
		.commit = world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.ref, .count = 2 });
	(void)snprintf(text, sizeof(text), "❓ Deploy to %s?\n", environment);
	return world_says_in(&w, WORLD_TEAM, text);
}

TEST_WITH(a_push_that_asks_in_several_environments_rings_once, open_three, world_tear_down)
{
	struct world_message *asks;

	push(COMMIT_A);
	assert_int_equal(w.n_screen, 1);
	assert_int_equal(world_rings(&w), 1);
	asks = world_last(&w);
	assert_int_equal(asks->chat, WORLD_TEAM);
	assert_string_equal(world_plain(asks),
	    "❓ Deploy to staging, qa, demo?\naaaaaaa \"Make it blue\" waits for an answer in "
	    "each of them.\nauthor Ann Example · pushed by octo (GitHub)");
	assert_string_equal(world_labels(asks), "Choose…");
	push(COMMIT_B); /* it replaces the first everywhere, and rings once more */
	assert_int_equal(w.n_screen, 2);
	assert_int_equal(world_rings(&w), 2);
	assert_non_null(world_says(&w, "bbbbbbb \"Make it blue\" waits for an answer in each"));
	assert_string_equal(world_plain(asks),
	    "Answered: demo and all others that asked\naaaaaaa \"Make it blue\" waits nowhere any more.");
	assert_string_equal(world_labels(asks), "");
}

TEST_WITH(one_that_is_chosen_is_asked_about_as_ever, open_three, world_tear_down)
{
	struct world_message *question;

	push(COMMIT_A);
	question = chosen(WORLD_ADMIN, "qa");
	assert_non_null(question);
	assert_true(question->is_silent); /* whoever chose it is looking */
	assert_non_null(strstr(world_plain(question), "\n• aaaaaaa \"Change 2\""));
	assert_string_equal(world_labels(question), "🚀 Deploy to qa | Not now");
	assert_true(text_starts(said(), "❓ Deploy to qa?") ||
	    text_starts(said(), "❓ Deploy to staging, demo?"));
	assert_non_null(world_says_in(&w, WORLD_TEAM, "❓ Deploy to staging, demo?"));
	(void)world_press(&w, WORLD_ADMIN, WORLD_TEAM, world_button(question, "Deploy to qa"));
	world_git_same(&w);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.environment, "qa");
	assert_int_equal(world_count(&w, EFFECT_RUN), 1);
	assert_int_equal(world_newest(&w, "staging").state, DEPLOY_AWAITING_CONFIRMATION);
	assert_int_equal(world_newest(&w, "demo").state, DEPLOY_AWAITING_CONFIRMATION);
	/* The others stay as they were. */
	question = chosen(WORLD_ADMIN, "demo");
	(void)world_press(&w, WORLD_ADMIN, WORLD_TEAM, world_button(question, "Not now"));
	assert_int_equal(world_newest(&w, "demo").state, DEPLOY_CANCELLED);
	assert_non_null(world_says_in(&w, WORLD_TEAM,
	    "❓ Deploy to staging?\naaaaaaa \"Make it blue\" waits for an answer in one environment."));
}

/* Goal: what somebody has looked at closely was not answered by that. */
TEST_WITH(what_is_asked_below_is_not_said_to_be_answered, open_three, world_tear_down)
{
	static const char *const names[] = { "qa", "staging", "demo" };
	struct world_message *asks, *question[3];

	push(COMMIT_A);
	asks = world_last(&w);
	for (size_t i = 0; i < COUNT(names); i++) {
		question[i] = chosen(WORLD_ADMIN, names[i]);
		if (i == 0)
			assert_non_null(strstr(world_plain(asks),
			    "waits for an answer in each of them. 1 is asked below."));
	}
	assert_string_equal(world_plain(asks),
	    "❓ demo: asked below, as are others\n"
	    "aaaaaaa \"Make it blue\" waits for an answer there.");
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_null(strstr(world_plain(asks), "waits nowhere"));
		(void)world_press(
		    &w, WORLD_ADMIN, WORLD_TEAM, world_button(question[i], "Not now"));
	}
	assert_string_equal(world_plain(asks),
	    "Answered: demo and all others that asked\n"
	    "aaaaaaa \"Make it blue\" waits nowhere any more.");
}

TEST_WITH(whoever_may_answer_one_is_offered_that_one, open_three, world_tear_down)
{
	struct world_message *asks;

	push(COMMIT_A);
	asks = world_last(&w);
	(void)world_press(&w, 44, WORLD_TEAM, world_button(asks, "Choose…"));
	assert_string_equal(world_labels(world_last(&w)), "qa");
	(void)world_press(&w, WORLD_STAGING_USER, WORLD_TEAM, world_button(asks, "Choose…"));
	assert_int_equal(strncmp(w.toast, "⛔ Denied: confirm", 12), 0);
	/* Another person's list is theirs alone. */
	(void)world_press(&w, WORLD_ADMIN, WORLD_TEAM, world_button(world_last(&w), "qa"));
	assert_true(w.is_alert);
	assert_int_equal(world_count(&w, EFFECT_GIT_QUERY), 0);
}

/* Each has its own deadline, and goes by itself. */
TEST_WITH(what_nobody_answers_expires_by_itself, open_three, world_tear_down)
{
	push(COMMIT_A);
	world_due(&w, TIMER_QUESTION);
	assert_int_equal(world_newest(&w, "staging").state, DEPLOY_EXPIRED);
	assert_true(text_starts(said(), "❓ Deploy to qa, demo?"));
	world_due(&w, TIMER_QUESTION);
	world_due(&w, TIMER_QUESTION);
	assert_non_null(world_says(&w, "waits nowhere any more"));
	assert_int_equal(w.n_screen, 1);
}

/* One that is answered by who pressed a button that stood there a moment ago, or on the machine. */
TEST_WITH(an_answer_from_elsewhere_leaves_the_others, open_three, world_tear_down)
{
	struct world_message *first;
	char yes[LIMIT_BUTTON_ID];

	world_push_is_at(&w, COMMIT_A);
	first = world_last(&w);
	(void)text_copy(yes, sizeof(yes), world_button(first, "Deploy to staging"));
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_true(text_starts(world_plain(first), "❓ Deploy to staging, qa, demo?"));
	(void)world_press(&w, WORLD_ADMIN, WORLD_TEAM, yes);
	assert_string_equal(w.toast, "Confirmed.");
	world_git_same(&w);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.environment, "staging");
	assert_true(text_starts(world_plain(first), "❓ Deploy to qa, demo?"));
	assert_non_null(world_says_in(&w, WORLD_TEAM, "⏳ Deploying staging"));
}

/* Who asks for one of them by name may answer it: it is asked about by itself. */
TEST_WITH(one_that_a_person_asks_for_is_asked_about_by_itself, open_three, world_tear_down)
{
	struct world_message *question;

	push(COMMIT_A);
	(void)world_text_in(&w, 44, WORLD_TEAM, "/deploy qa");
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .count = 2 });
	question = world_says_in(&w, WORLD_TEAM, "❓ Deploy to qa?\n");
	assert_non_null(question);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "❓ Deploy to staging, demo?"));
	(void)world_press(&w, 44, WORLD_TEAM, world_button(question, "Deploy to qa"));
	assert_string_equal(w.toast, "Confirmed.");
}

/* The list was theirs when it was made; what it leads to is decided at the press. */
TEST_WITH(a_grant_that_is_gone_chooses_nothing, open_three, world_tear_down)
{
	char qa[LIMIT_BUTTON_ID];

	push(COMMIT_A);
	(void)world_press(&w, 44, WORLD_TEAM, world_button(world_last(&w), "Choose…"));
	(void)text_copy(qa, sizeof(qa), world_button(world_last(&w), "qa"));
	world_settings(&w, "ENVIRONMENTS=staging,qa,demo,production", "GITHUB_BRANCH_QA=develop",
	    "GITHUB_BRANCH_DEMO=develop", "STAGING_CONFIRM=true", "ROLE_QA_IDS=44",
	    "ROLE_QA_MAY=status:*/*", NULL);
	(void)world_press(&w, 44, WORLD_TEAM, qa);
	assert_int_equal(strncmp(w.toast, "⛔ Denied: confirm", 12), 0);
	assert_int_equal(world_count(&w, EFFECT_GIT_QUERY), 0);
}

/* Found by the simulation (SEED=20215): chosen twice, git was asked twice for one question. */
TEST_WITH(what_two_choose_asks_git_once, open_three, world_tear_down)
{
	struct world_message *asks;
	char qa[2][LIMIT_BUTTON_ID];

	push(COMMIT_A);
	asks = world_last(&w);
	for (int i = 0; i < 2; i++) {
		(void)world_press(
		    &w, i == 0 ? 44 : WORLD_ADMIN, WORLD_TEAM, world_button(asks, "Choose…"));
		(void)text_copy(qa[i], sizeof(qa[i]), world_button(world_last(&w), "qa"));
	}
	(void)world_press(&w, 44, WORLD_TEAM, qa[0]);
	(void)world_press(&w, WORLD_ADMIN, WORLD_TEAM, qa[1]);
	assert_int_equal(world_count(&w, EFFECT_GIT_QUERY), 1);
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .count = 2 });
	assert_non_null(world_says_in(&w, WORLD_TEAM, "❓ Deploy to qa?\n"));
	assert_int_equal(world_count(&w, EFFECT_GIT_QUERY), 0);
}

static void
read_text(struct tx *tx, void *arg)
{
	struct deployment work;

	(void)row_deployment_list_asked(tx, "qa", &work, 1);

	*(char **)arg = decide_tell_text(tx, &work, 45);
}

/* What they see of one is that one: the others' names stand in the chat of who may see them. */
TEST_WITH(over_the_api_a_question_names_its_own_environment_alone, open_three, world_tear_down)
{
	char *text = NULL;

	world_settings(&w, "ENVIRONMENTS=staging,qa,demo,production", "GITHUB_BRANCH_QA=develop",
	    "GITHUB_BRANCH_DEMO=develop", "STAGING_CONFIRM=true", "ROLE_ONE_IDS=45",
	    "ROLE_ONE_MAY=status:qa", NULL);
	push(COMMIT_A);
	world_act(&w, read_text, &text);
	assert_non_null(strstr(text, "Deploy to "));
	assert_null(strstr(text, "demo"));
	assert_null(strstr(text, "staging"));
	free(text);
	/* Nor are they named to who may see them all. */
	world_settings(&w, "ENVIRONMENTS=staging,qa,demo,production", "GITHUB_BRANCH_QA=develop",
	    "GITHUB_BRANCH_DEMO=develop", "STAGING_CONFIRM=true", "ROLE_ONE_IDS=45",
	    "ROLE_ONE_MAY=*:*", NULL);
	world_act(&w, read_text, &text);
	assert_null(strstr(text, "demo"));
	free(text);
}

/* Without a group. */
#define SETTINGS \
	"TELEGRAM_CHAT_ID=", "ENVIRONMENTS=staging,qa,demo,production", \
	    "GITHUB_BRANCH_QA=develop", "GITHUB_BRANCH_DEMO=develop", "STAGING_CONFIRM=true", \
	    "ROLE_QA_IDS=44,45", "ROLE_QA_MAY=confirm:qa, deploy:qa, status:qa", "ROLE_TWO_IDS=46"
#define TWO "ROLE_TWO_MAY=deploy:qa, deploy:demo, status:*/*"

static size_t
count_in(int64_t chat, bool rings)
{
	size_t n = 0;

	for (size_t i = 0; i < w.n_screen; i++)
		n += w.screen[i].chat == chat && !w.screen[i].is_gone &&
		    !(rings && w.screen[i].is_silent);
	return n;
}

/* Of what they could act on, and of nothing else. */
TEST_WITH(without_a_group_each_who_may_has_one_message_of_a_push, open_three, world_tear_down)
{
	struct world_message *asks, *theirs;
	char qa[LIMIT_BUTTON_ID];

	world_settings(&w, SETTINGS, TWO, NULL);
	push(COMMIT_A);
	for (int64_t who = WORLD_ADMIN; who <= WORLD_OTHER_ADMIN; who += 11) {
		assert_true(text_starts(
		    world_plain(world_says_in(&w, who, "❓")), "❓ Deploy to staging, qa, demo?"));
		assert_int_equal(count_in(who, false), 1);
		assert_int_equal(count_in(who, true), 1);
	}
	theirs = world_says_in(&w, 44, "❓ Deploy to qa?");
	assert_string_not_equal(world_button(theirs, "Deploy to qa"), "");
	assert_null(strstr(world_plain(theirs), "demo"));
	asks = world_says_in(&w, 46, "❓ Deploy to qa, demo?"); /* and may confirm none */
	assert_string_equal(world_labels(asks), "");
	assert_int_equal(count_in(46, true), 0); /* who can answer none is rung by none */

	/* What one chooses is a question for all who could act there, and rings nobody anew. */
	asks = world_says_in(&w, WORLD_OTHER_ADMIN, "❓");
	(void)world_press(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, world_button(asks, "Choose…"));
	(void)text_copy(qa, sizeof(qa), world_button(world_last(&w), "qa"));
	(void)world_press(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, qa);
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .count = 2 });
	assert_true(world_says_in(&w, WORLD_OTHER_ADMIN, "❓ Deploy to qa?\n")->is_silent);
	assert_non_null(world_says_in(&w, WORLD_ADMIN, "❓ Deploy to staging, demo?"));
	assert_non_null(world_says_in(&w, 46, "❓ Deploy to demo?"));
	/* The first answer closes it everywhere. */
	(void)world_press(&w, 44, 44, world_button(theirs, "Deploy to qa"));
	world_git_same(&w);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.environment, "qa");
	for (size_t i = 0; i < w.n_screen; i++)
		assert_string_equal(world_button(&w.screen[i], "Deploy to"), "");
	assert_non_null(world_says_in(&w, WORLD_ADMIN, "⏳ Deploying qa"));
}

/* Whose role has ended reads no names in what changes below them. */
TEST_WITH(who_may_no_more_is_shown_none_of_them, open_three, world_tear_down)
{
	struct world_message *asks;

	world_settings(&w, SETTINGS, TWO, NULL);
	push(COMMIT_A);
	asks = world_says_in(&w, 46, "❓ Deploy to qa, demo?");
	world_settings(&w, SETTINGS, "ROLE_TWO_MAY=status:client/*", NULL);
	world_due(&w, TIMER_QUESTION);
	world_due(&w, TIMER_QUESTION); /* of qa */
	assert_null(strstr(world_plain(asks), "qa"));
	assert_null(strstr(world_plain(asks), "demo"));
	assert_true(text_starts(world_plain(asks), "Answered by others\n"));
}

TEST(those_of_one_name_are_counted)
{
	struct chat_push_ask ask = { .commit = COMMIT_A,
		.subject = "Sort",
		.author = "",
		.requester = "git",
		.n = 9,
		.names = { "mail/qa", "web/qa", "mail/preview-eu", "web/preview-eu", "shop/qa",
		    "shop/demo", "shop/a", "shop/b", "web/b" } };
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct buf plain = { .cap = LIMIT_MESSAGE };
	char *marked;

	chat_push_asks(&text, &ask);
	marked = chat_text_take(&text);
	chat_text_plain(marked, &plain);
	assert_string_equal(buf_text(&plain),
	    "❓ Deploy to qa ×3, preview-eu ×2, shop/demo, shop/a and 2 more?\naaaaaaa \"Sort\" "
	    "waits for an answer in each of them.");
	free(marked);
	buf_done(&plain);
}
