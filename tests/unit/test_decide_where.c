/* Goal: who names an environment means one of those that they see, and is asked where it is not one.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

#define HEALTH "STAGING_HEALTH_URL=http://127.0.0.1:1/\n"

static struct world w;

static int
open_two(void **state)
{
	*state = &w;
	world_open(&w, NULL);
	world_application(&w, "shop", HEALTH);
	world_application(&w, "blog", "ENVIRONMENTS=staging,preview\nPREVIEW_HOST=b-v\n");
	return 0;
}

/* Where git was asked to look for what, and forgets it; "": nowhere. */
static const char *
asked_git(void)
{
	static char text[LIMIT_ENVIRONMENT + LIMIT_REF + 2];
	struct effect *effect = world_take(&w, EFFECT_GIT_QUERY);

	if (effect == NULL)
		return "";
	(void)snprintf(
	    text, sizeof(text), "%s %s", effect->u.git_query.environment, effect->u.git_query.ref);
	effect_free(effect);
	return text;
}

/* Where there is nothing to roll back to nobody is led; what is named may be a newer one. */
TEST_WITH(a_rollback_offers_what_has_an_earlier_release, open_two, world_tear_down)
{
	world_answers(&w, WORLD_ADMIN, "/rollback shop", "❓ /rollback shop: which environment?");
	world_released(&w, "shop/staging");
	world_released(&w, "shop/production");
	world_released(&w, "shop/production");
	world_answers(&w, WORLD_ADMIN, "/rollback shop", "Roll back shop/production?");
	(void)world_text(&w, WORLD_ADMIN, "/rollback shop 2");
	assert_int_equal(world_last(&w)->buttons.n, 2);
}

TEST_WITH(each_form_names_an_environment, open_two, world_tear_down)
{
	static const struct {
		const char *typed, *asked;
	} cases[] = {
		{ "/deploy shop/staging", "shop/staging develop" },
		{ "/deploy shop staging", "shop/staging develop" },
		{ "/deploy SHOP Production", "shop/production main" },
		{ "/deploy shop/staging v1", "shop/staging v1" },
		{ "/deploy shop production Feature/X", "shop/production Feature/X" },
		{ "/deploy shop/staging production", "shop/staging production" },
		{ "/deploy preview v2", "blog/preview v2" }, /* only one has it */
		{ "/deploy production", "shop/production main" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)world_text(&w, WORLD_ADMIN, cases[i].typed);
		assert_string_equal(asked_git(), cases[i].asked);
		(void)world_tear_down(state);
		(void)open_two(state);
	}
}

TEST_WITH(an_application_with_one_environment_is_named_by_itself, open_two, world_tear_down)
{
	world_application(&w, "docs", "ENVIRONMENTS=staging\n");
	(void)world_text(&w, WORLD_ADMIN, "/deploy docs");
	assert_string_equal(asked_git(), "docs/staging develop");
	(void)world_text(&w, WORLD_ADMIN, "/deploy docs main");
	assert_string_equal(asked_git(), "docs/staging main");
}

static struct world_message *
says(const char *text)
{
	struct world_message *message = world_last(&w);

	assert_string_equal(world_plain(message), text);
	return message;
}

TEST_WITH(a_name_that_several_have_is_asked_for_with_a_button_for_each, open_two, world_tear_down)
{
	struct world_message *message;
	const char *staging;

	(void)world_text(&w, WORLD_ADMIN, "/deploy staging v1");
	message = says("❓ /deploy staging: of which application?\nv1 is taken as the ref.");
	assert_string_equal(asked_git(), "");
	assert_int_equal(message->buttons.n, 2);
	assert_string_equal(message->buttons.at[0].label, "blog/staging");
	assert_string_equal(message->buttons.at[1].label, "shop/staging");

	(void)world_text(&w, WORLD_ADMIN, "/deploy shop");
	message = says("❓ /deploy shop: which environment?");
	staging = world_button(message, "shop/staging");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, staging);
	assert_string_equal(asked_git(), "shop/staging develop");
	assert_string_equal(w.toast, "shop/staging");
	assert_string_equal(world_plain(message), "@ada: /deploy shop/staging");
	assert_int_equal(message->buttons.n, 0);
}

TEST_WITH(a_choice_carries_what_was_typed_behind_it, open_two, world_tear_down)
{
	struct world_message *message;

	(void)world_text(&w, WORLD_ADMIN, "/deploy staging Feature/X");
	message = world_last(&w);
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "blog/staging"));
	assert_string_equal(asked_git(), "blog/staging Feature/X");
	assert_string_equal(world_plain(message), "@ada: /deploy blog/staging Feature/X");
}

/* Two presses, or one on each button: a phone sends what thumbs do. */
TEST_WITH(a_choice_is_made_once, open_two, world_tear_down)
{
	char first[LIMIT_BUTTON_ID], second[LIMIT_BUTTON_ID];

	(void)world_text(&w, WORLD_ADMIN, "/deploy shop");
	(void)text_copy(first, sizeof(first), world_button(world_last(&w), "staging"));
	(void)text_copy(second, sizeof(second), world_button(world_last(&w), "production"));
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, first);
	assert_string_equal(asked_git(), "shop/staging develop");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, first);
	assert_string_equal(w.toast, "This button has expired or was used.");
	assert_string_equal(asked_git(), "");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, second);
	assert_string_equal(w.toast, "This button has expired or was used.");
	assert_string_equal(asked_git(), "");
}

TEST_WITH(a_choice_is_of_whom_it_was_offered, open_two, world_tear_down)
{
	char button[LIMIT_BUTTON_ID];

	(void)world_text(&w, WORLD_ADMIN, "/deploy shop");
	(void)text_copy(button, sizeof(button), world_button(world_last(&w), "staging"));
	(void)world_press(&w, WORLD_OTHER_ADMIN, WORLD_GROUP, button);
	assert_string_equal(w.toast, "⛔ Only who asked may press this. You may type /deploy.");
	assert_true(w.is_alert);
	assert_int_equal(world_audited(&w, "\"denied\"", "the button is another person's"), 1);
	assert_string_equal(asked_git(), "");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, button); /* it is there as before */
	assert_string_equal(asked_git(), "shop/staging develop");
}

TEST_WITH(a_choice_ends_after_ten_minutes, open_two, world_tear_down)
{
	char button[LIMIT_BUTTON_ID];

	(void)world_text(&w, WORLD_ADMIN, "/deploy shop");
	(void)text_copy(button, sizeof(button), world_button(world_last(&w), "staging"));
	w.aid.at += 600000;
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, button);
	assert_string_equal(w.toast, "This button has expired or was used.");
	assert_string_equal(asked_git(), "");
}

/* The role went between question and tap: the choice stays to be seen, and does nothing. */
TEST_WITH(a_choice_is_checked_when_it_is_made, open_two, world_tear_down)
{
	char button[LIMIT_BUTTON_ID], apps[128];

	(void)world_text(&w, WORLD_ADMIN, "/deploy shop");
	(void)text_copy(button, sizeof(button), world_button(world_last(&w), "production"));
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w.aid.folder);
	world_settings(&w, apps, "GITHUB_REPOSITORY=", "ADMIN_TELEGRAM_IDS=22", NULL);
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, button);
	assert_true(w.is_alert);
	assert_int_equal(strncmp(w.toast, "⛔", 3), 0);
	assert_string_equal(asked_git(), "");
}

TEST_WITH(many_are_offered_a_page_at_a_time, open_two, world_tear_down)
{
	struct world_message *message;
	char name[ENVIRONMENT_NAME_MAX];

	for (int i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "svc%d", i);
		world_application(&w, name, "");
	}
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging v1");
	message = world_last(&w);
	assert_int_equal(message->buttons.n, 11);
	assert_string_equal(message->buttons.at[10].label, "2/2 ▶");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, message->buttons.at[10].id);
	assert_string_equal(w.toast, "Page 2");
	assert_int_equal(message->buttons.n, 3);
	assert_string_equal(message->buttons.at[1].label, "svc9/staging");
	assert_string_equal(message->buttons.at[2].label, "◀ 1/2");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, message->buttons.at[1].id);
	assert_string_equal(asked_git(), "svc9/staging v1");
}

TEST_WITH(what_is_none_is_said_with_the_nearest, open_two, world_tear_down)
{
	(void)world_text(&w, WORLD_ADMIN, "/deploy shop/stagign");
	(void)says("No \"shop/stagign\". Did you mean shop/staging?");
	(void)world_text(&w, WORLD_ADMIN, "/cancel xyz");
	(void)says("No \"xyz\". There are:"
		   " blog/staging blog/preview shop/staging shop/production");
	assert_int_equal(world_audited(&w, "\"denied\"", NULL), 0);
}

TEST_WITH(the_nearest_is_a_button_for_the_same, open_two, world_tear_down)
{
	struct world_message *message;

	(void)world_text(&w, WORLD_ADMIN, "/deploy shop/stagign v1");
	message = says("No \"shop/stagign\". Did you mean shop/staging?");
	assert_int_equal(message->buttons.n, 1);
	(void)world_press(&w, WORLD_OTHER_ADMIN, WORLD_GROUP, message->buttons.at[0].id);
	assert_string_equal(asked_git(), ""); /* not theirs */
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, message->buttons.at[0].id);
	assert_string_equal(asked_git(), "shop/staging v1");
	(void)world_text(&w, WORLD_ADMIN, "/deploy stagign");
	message = says("No \"stagign\". Did you mean blog/staging shop/staging?"); /* two have it */
	assert_int_equal(message->buttons.n, 2);
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "shop/staging"));
	assert_string_equal(asked_git(), "shop/staging develop");
}

/* Half a name that several begin with, or that of an application: each environment is one tap away;
 * what is only looked at is looked at as a whole. */
TEST_WITH(what_begins_several_names_offers_each_of_them, open_two, world_tear_down)
{
	struct world_message *message;

	world_application(&w, "shop",
	    "ENVIRONMENTS=staging,preview-eu,preview-us\n"
	    "PREVIEW_EU_HOST=e\nPREVIEW_US_HOST=u\n");
	(void)world_text(&w, WORLD_ADMIN, "/deploy prev v3");
	message = says("No \"prev\". Did you mean blog/preview shop/preview-eu shop/preview-us?");
	assert_int_equal(message->buttons.n, 3);
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "shop/preview-us"));
	assert_string_equal(asked_git(), "shop/preview-us v3");
	(void)world_text(&w, WORLD_ADMIN, "/lock shpo");
	message = says("No \"shpo\". Did you mean shop/staging shop/preview-eu shop/preview-us?");
	assert_int_equal(message->buttons.n, 3);
	(void)world_text(&w, WORLD_ADMIN, "/status shpo");
	message = says("No \"shpo\". Did you mean shop?");
	assert_int_equal(message->buttons.n, 1);
	/* Of what they see, what they may. */
	(void)world_text(&w, WORLD_STAGING_USER, "/deploy bolg");
	(void)says("No \"bolg\". Did you mean blog/staging?");
}

/* Nothing begins by it, so nothing is asked first: a tap less at night. */
TEST_WITH(what_only_reads_asks_nothing_first, open_two, world_tear_down)
{
	struct effect *effect;

	(void)world_text_in(&w, WORLD_ADMIN, WORLD_ADMIN, "/logs shop/prod 5");
	effect = world_take(&w, EFFECT_APPLICATION_LOG);
	assert_non_null(effect);
	assert_string_equal(effect->u.application_log.environment, "shop/production");
	assert_int_equal(effect->u.application_log.lines, 5);
	effect_free(effect);
}

/* In a team's chat its own application is meant, and no other one is offered by a bare name. */
TEST_WITH(the_nearest_is_first_of_the_chats_own_application, open_two, world_tear_down)
{
	(void)world_text(&w, WORLD_ADMIN, "/deploy prodution");
	(void)says("No \"prodution\". Did you mean shop/production?"); /* only one has it */
	(void)world_text(&w, WORLD_ADMIN, "/deploy stagign");
	(void)says("No \"stagign\". Did you mean blog/staging shop/staging?"); /* two have */
	world_application(&w, "docs", "ENVIRONMENTS=staging\nTELEGRAM_CHAT_ID=-1002\n");
	(void)world_text(&w, WORLD_ADMIN, "/deploy stagign");
	(void)says("No \"stagign\". Did you mean docs/staging?");
	(void)world_text(&w, WORLD_ADMIN, "/deploy shop/stagign");
	(void)says("No \"shop/stagign\". Did you mean shop/staging?");
}

TEST_WITH(without_a_name_there_is_a_button_for_each, open_two, world_tear_down)
{
	static const char *const typed[] = { "/deploy", "/lock", "/unlock" };
	struct world_message *message;

	for (size_t i = 0; i < COUNT(typed); i++) {
		(void)world_text(&w, WORLD_ADMIN, typed[i]);
		message = world_last(&w);
		assert_int_equal(message->buttons.n, 4);
		assert_string_equal(asked_git(), "");
	}
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(&w, "/deploy: which environment?"), "blog/preview"));
	(void)says("⛔ Not deployed: blog/preview has no branch configured. Say what to deploy: "
		   "/deploy blog/preview <branch, tag or commit>");
}

static void
goes_live(const char *environment, const char *commit)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "/deploy %s main", environment);
	(void)world_text(&w, WORLD_ADMIN, text);
	world_git(&w, (struct world_git){ .commit = commit, .ref = "main" });
	if (world_newest(&w, environment).state == DEPLOY_AWAITING_CONFIRMATION) {
		(void)world_press(
		    &w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(&w), "Deploy to"));
		world_git_same(&w);
	}
	world_run_ends(&w, GOOD);
	if (world_peek(&w, EFFECT_PROBE) != NULL)
		world_probed(&w, NULL);
	assert_string_equal(world_environment(&w, environment).current.commit, commit);
}

static void
offers(const char *typed, const char *labels)
{
	struct world_message *message;
	char text[512] = "";

	(void)world_text(&w, WORLD_ADMIN, typed);
	message = world_last(&w);
	for (size_t i = 0; i < message->buttons.n; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
		    i == 0 ? "" : " ", message->buttons.at[i].label);
	assert_string_equal(text, labels);
}

/* What has nothing earlier cannot be rolled back; what was released last is most likely meant. */
TEST_WITH(without_a_name_a_rollback_offers_what_has_an_earlier_release, open_two, world_tear_down)
{
	(void)world_text(&w, WORLD_ADMIN, "/rollback");
	(void)says("Nothing to roll back: no environment of yours has an earlier release.");
	goes_live("shop/staging", COMMIT_A);
	goes_live("blog/staging", COMMIT_A);
	(void)world_text(&w, WORLD_ADMIN, "/rollback");
	(void)says("Nothing to roll back: no environment of yours has an earlier release.");
	goes_live("shop/staging", COMMIT_B);
	world_answers(&w, WORLD_ADMIN, "/rollback", "Roll back shop/staging?\nbbbbbbb → aaaaaaa");
	goes_live("blog/staging", COMMIT_B);
	offers("/rollback", "blog/staging shop/staging");
	goes_live("shop/staging", COMMIT_C);
	offers("/rollback", "shop/staging blog/staging");
	goes_live("shop/production", COMMIT_C);
	offers("/rollback", "shop/staging blog/staging");
}

TEST_WITH(without_a_name_a_deployment_offers_their_last_three_first, open_two, world_tear_down)
{
	offers("/deploy", "blog/staging blog/preview shop/staging shop/production");
	goes_live("shop/staging", COMMIT_A);
	offers("/deploy", "shop/staging blog/staging blog/preview shop/production");
	goes_live("shop/production", COMMIT_A);
	goes_live("blog/preview", COMMIT_A);
	goes_live("shop/staging", COMMIT_B);
	offers("/deploy", "shop/staging blog/preview shop/production blog/staging");
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/deploy"); /* theirs, and nobody else's */
	assert_string_equal(world_last(&w)->buttons.at[0].label, "blog/staging");
}

/* Staging is deployed without a question: who types half of it is asked. */
TEST_WITH(a_prefix_starts_nothing_that_is_not_asked_about, open_two, world_tear_down)
{
	struct world_message *message;

	(void)world_text(&w, WORLD_ADMIN, "/deploy shop/stag v1");
	assert_string_equal(asked_git(), "");
	message = says("❓ /deploy shop/staging?\nv1 is taken as the ref.\n"
		       "shop/stag is taken as shop/staging.");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "shop/staging"));
	assert_string_equal(asked_git(), "shop/staging v1");
	(void)world_text(&w, WORLD_ADMIN, "/lock shop/stag");
	(void)says("❓ /lock shop/staging?\nshop/stag is taken as shop/staging.");
	assert_int_equal(world_audited(&w, "lock", NULL), 0);
	(void)world_text(&w, WORLD_ADMIN, "/deploy prod emergency it is down");
	(void)says("❓ /deploy shop/production?\nprod is taken as production.");
	assert_string_equal(asked_git(), "");

	(void)world_text(&w, WORLD_ADMIN, "/deploy prod"); /* its question names it */
	assert_string_equal(asked_git(), "shop/production main");
	(void)world_text(&w, WORLD_ADMIN, "/deploy pro"); /* three letters */
	assert_string_equal(asked_git(), "shop/production main");
	(void)world_text(&w, WORLD_ADMIN, "/deploy pr");
	(void)says("No \"pr\". There are: blog/staging blog/preview shop/staging shop/production");
	(void)world_text(&w, WORLD_ADMIN, "/deploy sta");
	(void)says("❓ /deploy staging: of which application?\nsta is taken as staging.");
	(void)world_text(&w, WORLD_ADMIN, "/deploy shop/");
	(void)says("No \"shop/\". Did you mean shop/staging shop/production?");
	assert_string_equal(asked_git(), "");
}

TEST_WITH(a_stranger_learns_of_no_environment, open_two, world_tear_down)
{
	static const char *const typed[] = { "/deploy shop/staging", "/deploy shop", "/status shop",
		"/status", "/history nothing", "/deploy" };

	for (size_t i = 0; i < COUNT(typed); i++) {
		w.aid.at += 3600000;
		(void)world_text(&w, WORLD_STRANGER, typed[i]);
		assert_non_null(strstr(world_plain(world_last(&w)), ": you have no role here."));
		assert_null(strstr(world_plain(world_last(&w)), "blog"));
		assert_int_equal(world_last(&w)->buttons.n, 0);
	}
}

#define CONTRACTOR 44

static void
expect(const char *typed, const char *answer)
{
	(void)world_text(&w, CONTRACTOR, typed);
	assert_string_equal(world_plain(world_last(&w)), answer);
	assert_int_equal(world_last(&w)->buttons.n, 0);
	assert_string_equal(asked_git(), "");
}

/* One environment of one application: all others are as names that nobody gave. */
TEST_WITH(what_one_may_not_see_is_not_there, open_two, world_tear_down)
{
	world_application(&w, "shop",
	    "ROLE_CONTRACTOR_IDS=44\nROLE_CONTRACTOR_MAY=deploy:shop/staging, status:shop/staging\n");
	(void)world_text(&w, CONTRACTOR, "/deploy staging"); /* for them there is one */
	assert_string_equal(asked_git(), "shop/staging develop");
	(void)world_text(&w, CONTRACTOR, "/deploy shop v1");
	assert_string_equal(asked_git(), "shop/staging v1");
	(void)world_text(&w, CONTRACTOR, "/deploy blog/staging");
	(void)says("No \"blog/staging\". Did you mean shop/staging?");
	(void)world_text(&w, CONTRACTOR, "/deploy sta"); /* one, of those that they see */
	(void)says("❓ /deploy shop/staging?\nsta is taken as staging.");
	assert_string_equal(asked_git(), "");
	expect("/deploy blog staging", "No \"blog\". There are: shop/staging");
	expect("/deploy shop/production", "No \"shop/production\". There are: shop/staging");
	expect("/deploy production", "No \"production\". There are: shop/staging");
	expect("/status blog", "No \"blog\". There are: shop/staging");
	expect("/deploy blo", "No \"blo\". There are: shop/staging");
	expect("/deploy prod", "No \"prod\". There are: shop/staging");
	expect("/status prod", "No \"prod\". There are: shop/staging");
	expect("/status", "⚪ shop/staging has no release yet\nno health check configured\n");
	expect("/cancel staging",
	    "⛔ Denied: shop/staging cancel: your role does not grant it. Ask somebody with the role staging, or an admin.");
	expect("/history staging",
	    "⛔ Denied: shop/staging history: your role does not grant it. Ask somebody with the role staging, or an admin.");
}
