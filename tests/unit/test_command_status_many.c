/* Goal: of many environments /status, /history and /help are what a phone shows.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

#define HEALTH "STAGING_HEALTH_URL=http://127.0.0.1:1/\n"

static struct world w;

/* A hundred environments of ten applications, in order: app00/a to app09/j. */
static int
open_many(void **state)
{
	char name[ENVIRONMENT_NAME_MAX], text[512];

	*state = &w;
	world_open(&w, NULL);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "app%02d", i);
		(void)snprintf(text, sizeof(text),
		    "ENVIRONMENTS=staging,b,c,d,e,f,g,h,i,j\nB_HOST=b%d\nC_HOST=c%d\nD_HOST=d%d\n"
		    "E_HOST=e%d\nF_HOST=f%d\nG_HOST=g%d\nH_HOST=h%d\nI_HOST=i%d\nJ_HOST=j%d\n",
		    i, i, i, i, i, i, i, i, i);
		world_application(&w, name, text);
	}
	return 0;
}

/* One application, with more environments than a message shows whole. */
static int
open_large(void **state)
{
	char text[1024] = "ENVIRONMENTS=staging";

	*state = &w;
	world_open(&w, NULL);
	for (char c = 'b'; c <= 'r'; c++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ",%c", c);
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "\n");
	for (char c = 'b'; c <= 'r'; c++)
		(void)snprintf(
		    text + strlen(text), sizeof(text) - strlen(text), "%c_HOST=h%c\n", c - 32, c);
	world_application(&w, "shop", text);
	return 0;
}

/* The longest that it gets: nothing is said of each command of each environment. */
TEST_WITH(help_over_a_hundred_environments_is_a_page_of_a_phone, open_many, world_tear_down)
{
	const char *text;
	char apps[192];
	size_t rows = 0;

	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w.aid.folder);
	world_settings(&w, apps, "GITHUB_REPOSITORY=", "ROLE_C_IDS=50",
	    "ROLE_C_MAY=status:*/*, deploy:*/b, cancel:*/b, log:*/c", NULL);
	(void)world_text_in(&w, 50, 50, "/help");
	text = world_plain(world_last(&w));
	assert_non_null(strstr(text, "In app00/b, app01/b, app02/b and 7 more only:\n/deploy "));
	assert_non_null(strstr(text, "\n100 environments: /status"));
	assert_null(strstr(text, "staging"));
	for (const char *at = text; *at != '\0'; at++)
		rows += *at == '\n';
	assert_in_range(rows, 8, 16);
	assert_in_range(strlen(text), 500, 1200);
	(void)world_text_in(&w, WORLD_ADMIN, WORLD_ADMIN, "/help all");
	assert_in_range(strlen(world_plain(world_last(&w))), 1000, 3000);
}

TEST_WITH(a_page_shows_twenty_and_leads_to_the_others, open_many, world_tear_down)
{
	struct world_message *message;
	char second[LIMIT_BUTTON_ID];

	world_released(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	message = world_last(&w);
	assert_int_equal(strncmp(world_plain(message), "⚪ app00/staging", 16), 0);
	assert_non_null(strstr(world_plain(message), "app01/j"));
	assert_null(strstr(world_plain(message), "app02"));
	assert_int_equal(message->buttons.n, 11);
	assert_string_equal(message->buttons.at[10].label, "2/5 ▶");
	(void)text_copy(second, sizeof(second), message->buttons.at[10].id);

	/* Another person's page would show what only they may see. */
	(void)world_press(&w, WORLD_OTHER_ADMIN, WORLD_GROUP, second);
	assert_true(w.is_alert);
	assert_non_null(strstr(world_plain(message), "app00/staging"));

	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, second);
	assert_string_equal(w.toast, "Page 2");
	assert_ptr_equal(world_last(&w), message); /* the same message */
	assert_int_equal(strncmp(world_plain(message), "⚪ app02/staging", 16), 0);
	assert_string_equal(message->buttons.at[10].label, "◀ 1/5");
	assert_string_equal(message->buttons.at[11].label, "3/5 ▶");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, second); /* of the keyboard before */
	assert_string_equal(w.toast, "This button has expired or was used.");
}

/* It would stand on the fifth. */
TEST_WITH(what_is_in_trouble_is_on_the_first_page, open_many, world_tear_down)
{
	world_released(&w, NULL);
	world_act(&w, world_set_down, (void *)(uintptr_t) "app09/j");
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_true(text_starts(world_plain(world_last(&w)), "🔥 app09/j may be DOWN; last live: "));
}

/* The first page's health comes when the second is shown. */
TEST_WITH(a_page_that_was_left_is_not_shown_again, open_many, world_tear_down)
{
	struct world_message *message;
	char text[512];

	(void)snprintf(text, sizeof(text), "ENVIRONMENTS=staging\n" HEALTH);
	world_application(&w, "aaa", text);
	world_released(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	message = world_last(&w);
	assert_non_null(world_peek(&w, EFFECT_PROBE));
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, " ▶"));
	assert_null(world_peek(&w, EFFECT_PROBE)); /* withdrawn */
	assert_null(strstr(world_plain(message), "aaa/staging"));
	/* And a page's buttons stay while its health comes. */
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "◀ "));
	assert_non_null(strstr(world_plain(message), "aaa/staging"));
	(void)text_copy(text, sizeof(text), message->buttons.at[0].id);
	world_probed(&w, NULL);
	assert_non_null(strstr(world_plain(message), "🟢 aaa/staging runs aaaaaaa"));
	assert_string_equal(message->buttons.at[0].id, text);
}

static void
fail_everywhere(struct tx *tx, UNUSED void *arg)
{
	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		struct deployment failed = { .program = PROGRAM_DEPLOY,
			.state = DEPLOY_FAILED,
			.requested_at = tx->at,
			.started_at = tx->at,
			.ended_at = tx->at };

		(void)text_copy(failed.environment, sizeof(failed.environment),
		    tx->settings->environments[i].name);
		(void)text_copy(failed.commit, sizeof(failed.commit), COMMIT_A);
		row_deployment_add(tx, &failed);
	}
}

static void
end_gate(struct tx *tx, UNUSED void *arg)
{
	struct deployment gate = { .program = PROGRAM_ACTION,
		.action = "open-gate",
		.environment = "app03/c",
		.commit = COMMIT_A,
		.state = DEPLOY_DONE,
		.ended_at = tx->at };

	row_deployment_add(tx, &gate);
}

/* What only a forge ships has no release here, and is not "nothing yet". */
TEST_WITH(of_many_one_with_a_gate_that_ended_has_its_line, open_many, world_tear_down)
{
	world_act(&w, end_gate, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_true(text_starts(world_plain(world_last(&w)),
	    "⚪ app03/c has no release yet; 🚦 gate aaaaaaa ended well just now\n"));
	world_answers(&w, WORLD_ADMIN, "/history", "app03/c\nno deployments yet\nActions:\n");
}

/* What nothing was deployed to is left out. */
TEST_WITH(a_page_of_the_history_is_five_environments, open_many, world_tear_down)
{
	struct world_message *message;

	(void)world_text(&w, WORLD_ADMIN, "/history");
	assert_string_equal(world_plain(world_last(&w)), "No deployments yet.");
	world_act(&w, fail_everywhere, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/history");
	message = world_last(&w);
	assert_non_null(strstr(world_plain(message), "app00/e\n"));
	assert_null(strstr(world_plain(message), "app00/f"));
	assert_string_equal(message->buttons.at[5].label, "2/20 ▶");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, message->buttons.at[5].id);
	assert_string_equal(w.toast, "Page 2");
	assert_non_null(strstr(world_plain(message), "app00/f\n"));
	(void)world_text(&w, WORLD_ADMIN, "/history app03");
	assert_non_null(strstr(world_plain(world_last(&w)), "app03/j"));
	assert_int_equal(world_last(&w)->buttons.n, 5); /* each leads to one */
}

TEST_WITH(of_one_application_with_many_each_environment_is_a_line, open_large, world_tear_down)
{
	world_released(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/status shop");
	assert_non_null(strstr(world_plain(world_last(&w)), "\n18 environments"));
	assert_null(strstr(world_plain(world_last(&w)), "no deployments yet"));
}

/* An admin of one application is none of the others'. */
