/* Goal: /status and /history of several applications: trouble first, in pages.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/file.h"
#include "lib/text.h"

#define HEALTH "STAGING_HEALTH_URL=http://127.0.0.1:1/\n"

static struct world w;

static int
open_two(void **state)
{
	(void)state;
	world_open(&w, NULL);
	world_application(&w, "shop", HEALTH);
	world_application(&w, "blog", "");
	return 0;
}

/* A hundred environments of ten applications, in order: app00/a to app09/j. */
static int
open_many(void **state)
{
	char name[ENVIRONMENT_NAME_MAX], text[512];

	(void)state;
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

	(void)state;
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

static int
close_world(void **state)
{
	(void)state;
	world_close(&w);
	return 0;
}

static void
set_down(struct tx *tx, void *arg)
{
	row_environment_down(tx, arg);
}

static void
of_several_applications_each_environment_is_a_line(void **state)
{
	struct world_message *message;

	(void)state;
	(void)world_text(&w, WORLD_ADMIN, "/status");
	message = world_last(&w);
	assert_string_equal(world_plain(message),
	    "⚪ blog/staging has no release yet\n⚪ blog/production has no release yet\n"
	    "⚪ shop/staging has no release yet\n⚪ shop/production has no release yet\n"
	    "checking health …\n\n4 environments; /status <application> shows all of one.");
	assert_int_equal(message->buttons.n, 4);
	assert_string_equal(message->buttons.at[2].label, "shop/staging");
	assert_int_equal(world_peek(&w, EFFECT_PROBE)->u.probe.n, 1);
	world_probed(&w, NULL);
	assert_non_null(strstr(world_plain(message), "⚪ shop/staging has no release yet\n"));
	assert_null(strstr(world_plain(message), "checking"));
}

/* From all to one and back, in one message. */
static void
a_button_leads_to_one_environment_and_back(void **state)
{
	struct world_message *message;

	(void)state;
	(void)world_text(&w, WORLD_ADMIN, "/status");
	message = world_last(&w);
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "shop/staging"));
	assert_ptr_equal(world_last(&w), message);
	assert_true(text_starts(world_plain(message), "⚪ shop/staging has no"));
	assert_null(strstr(world_plain(message), "blog"));
	assert_int_equal(message->buttons.n, 1);
	world_probed(&w, NULL);
	assert_non_null(strstr(world_plain(message), "healthy, HTTP 200 in 12 ms"));
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "◀ all"));
	assert_ptr_equal(world_last(&w), message);
	assert_non_null(strstr(world_plain(message), "4 environments;"));
	assert_int_equal(message->buttons.n, 4);
}

static void
of_one_application_each_environment_is_a_paragraph(void **state)
{
	(void)state;
	(void)world_text(&w, WORLD_ADMIN, "/status shop");
	assert_non_null(strstr(world_plain(world_last(&w)),
	    "shop/staging has no release yet\n"
	    "checking health …"));
	assert_non_null(strstr(world_plain(world_last(&w)),
	    "\n\n⚪ shop/production has no release yet\nno health check configured\n"));
	assert_null(strstr(world_plain(world_last(&w)), "blog"));
	world_probed(&w, NULL);
	assert_non_null(strstr(world_plain(world_last(&w)), "healthy, HTTP 200 in 12 ms"));
	(void)world_text(&w, WORLD_ADMIN, "/status blog production");
	assert_string_equal(world_plain(world_last(&w)),
	    "⚪ blog/production has no release yet\nno health check configured\n");
	(void)world_text(&w, WORLD_ADMIN, "/status production"); /* those of this name */
	assert_non_null(strstr(world_plain(world_last(&w)), "2 environments;"));
	assert_null(strstr(world_plain(world_last(&w)), "staging"));
}

/* Of two hosts one may have stayed behind: which, and what it answers as. */
static void
of_several_hosts_each_is_named(void **state)
{
	struct world one;
	const char *status;

	(void)state;
	world_open(&one, "STAGING_HEALTH_URL=http://h1:81/a?key=x,http://[::1]/health", NULL);
	world_deploy_goes_live(&one, COMMIT_A);
	(void)world_text(&one, WORLD_ADMIN, "/status staging");
	world_probed_as(&one, COMMIT_B);
	status = world_plain(world_last(&one));
	assert_non_null(strstr(status, "\nhealthy at h1:81, HTTP 200 in 12 ms\n"));
	assert_non_null(
	    strstr(status, "\nhealthy at [::1], HTTP 200 in 12 ms, answers as bbbbbbb\n"));
	/* A green light said that aaaaaaa runs. */
	assert_true(text_starts(status,
	    "⚠️ staging: another commit answers; last live: aaaaaaa \"Make it blue\"\n"));
	assert_non_null(strstr(status, "\nrelease 1, went live 00:00"));
	(void)world_text(&one, WORLD_ADMIN, "/status staging");
	world_probed_as(&one, "aaaaaaa"); /* the same, said shorter */
	assert_true(text_starts(world_plain(world_last(&one)), "🟢 staging runs aaaaaaa"));
	world_close(&one);
}

static const char *
status_of(struct world *one)
{
	(void)world_text(one, WORLD_ADMIN, "/status staging");
	return world_plain(world_last(one));
}

static void
says(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

/* One bad answer may be a restart: three in a row, and the sentence has them. */
static void
down_is_said_after_three_tries(void **state)
{
	struct world one;

	(void)state;
	world_open(&one, STAGING_URL, NULL);
	world_deploy_goes_live(&one, COMMIT_A);
	one.aid.at += INT64_C(3) * 3600 * 1000;
	says(status_of(&one), "\nrelease 1, live since 00:00, 3 h ago, by @ada\n");
	assert_int_equal(world_peek(&one, EFFECT_PROBE)->u.probe.plan.failures, 3);
	world_probed(&one, "HTTP 500");
	says(world_plain(world_last(&one)), "\nDOWN: HTTP 500, 3 of 3 tries\n");
	one.aid.at += INT64_C(24) * 3600 * 1000;
	says(status_of(&one), "live since Thu 2026-01-01 00:00, 1 d ago"); /* not today */
	world_close(&one);
}

/* Where one replaces another, no answer of the old one is a fault of its. */
static void
what_is_being_replaced_is_not_down(void **state)
{
	struct world one;

	(void)state;
	world_open(&one, STAGING_URL, NULL);
	world_deploy_goes_live(&one, COMMIT_A);
	world_deploy_starts(&one, COMMIT_B);
	world_run_step(&one, 0, "release");
	says(status_of(&one), "\nrelease 1, went live 00:00");
	world_probed(&one, "no answer");
	says(world_plain(world_last(&one)), "\nno healthy answer: no answer");
	assert_null(strstr(world_plain(world_last(&one)), "DOWN"));
	world_close(&one);
}

static void
polled(struct tx *tx, void *arg)
{
	row_environment_set_head(tx, "staging", "develop", arg);
}

/* What git said last, and when: a count is that of two commits, and of no others. */
static void
what_waits_is_as_git_said_it_last(void **state)
{
	struct world one;

	(void)state;
	world_open(&one, "STAGING_CONFIRM=true", NULL);
	(void)world_text(&one, WORLD_ADMIN, "/deploy staging");
	world_git(&one, (struct world_git){ .commit = COMMIT_A });
	(void)world_press(&one, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(&one, "Deploy to staging?"), "Deploy"));
	world_git_same(&one);
	(void)world_run_starts(&one);
	world_run_ends(&one, GOOD);
	assert_null(strstr(status_of(&one), "develop"));
	(void)world_decide(&one, world_push(&one, "develop"));
	world_git(&one, (struct world_git){ .commit = COMMIT_B, .count = 3 });
	one.aid.at += INT64_C(2) * 3600 * 1000;
	says(status_of(&one), "\n3 newer commits in develop (asked git 2 h ago)\n");
	/* A poll has seen the same head: what it is ahead of has not changed. */
	world_act(&one, polled, (void *)(uintptr_t)COMMIT_B);
	says(status_of(&one), "\n3 newer commits in develop (asked git just now)\n");
	/* ... another: how many these are is not known. */
	world_act(&one, polled, (void *)(uintptr_t)COMMIT_C);
	says(status_of(&one), "\ndevelop is at ccccccc (asked git just now)\n");
	assert_null(strstr(status_of(&one), "newer"));
	/* Another branch is none of its. */
	world_settings(&one, "GITHUB_BRANCH_STAGING=next", NULL);
	assert_null(strstr(status_of(&one), "(git"));
	world_close(&one);
}

/* The count was of what is not live any more. */
static void
behind_a_new_release_an_old_count_is_not_said(void **state)
{
	struct world one;

	(void)state;
	world_open(&one, "STAGING_CONFIRM=true", NULL);
	(void)world_text(&one, WORLD_ADMIN, "/deploy staging");
	world_git(&one, (struct world_git){ .commit = COMMIT_A });
	(void)world_press(&one, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(&one, "Deploy to staging?"), "Deploy"));
	world_git_same(&one);
	(void)world_run_starts(&one);
	world_run_ends(&one, GOOD);
	(void)world_decide(&one, world_push(&one, "develop"));
	world_git(&one, (struct world_git){ .commit = COMMIT_C, .count = 3 });
	(void)world_text(&one, WORLD_ADMIN, "/deploy staging " COMMIT_B);
	world_git(&one, (struct world_git){ .commit = COMMIT_B, .branch_commit = COMMIT_C });
	(void)world_press(
	    &one, WORLD_ADMIN, WORLD_GROUP, world_button(world_says(&one, "bbbbbbb"), "Deploy"));
	world_git(&one, (struct world_git){ .commit = COMMIT_B, .branch_commit = COMMIT_C });
	(void)world_run_starts(&one);
	world_run_ends(&one, GOOD);
	says(status_of(&one), "staging runs bbbbbbb");
	says(status_of(&one), "\ndevelop is at ccccccc (asked git just now)\n");
	assert_null(strstr(status_of(&one), "newer"));
	world_close(&one);
}

/* Its application's; with two zones each clock says which it is of. */
static void
a_clock_is_that_of_its_application(void **state)
{
	const char *status;

	(void)state;
	world_application(&w, "shop", "TIMEZONE=Europe/Berlin\n");
	for (int i = 0; i < 2; i++) {
		(void)world_text(
		    &w, WORLD_ADMIN, i == 0 ? "/deploy shop/staging" : "/deploy blog/staging");
		world_git(&w, (struct world_git){ .commit = COMMIT_A });
		(void)world_run_starts(&w);
		world_run_ends(&w, GOOD);
	}
	(void)world_text(&w, WORLD_ADMIN, "/status shop staging");
	says(world_plain(world_last(&w)), ", live since 01:00 CET, just now");
	(void)world_text(&w, WORLD_ADMIN, "/status blog staging");
	says(world_plain(world_last(&w)), ", live since 00:00 UTC, just now");
	(void)world_text(&w, WORLD_ADMIN, "/lock shop/staging until 05:00");
	(void)world_text(&w, WORLD_ADMIN, "/status shop staging");
	status = world_plain(world_last(&w));
	says(status, "until Thu 2026-01-01 05:00 (Europe/Berlin)");
	world_application(&w, "shop", "");
	(void)world_text(&w, WORLD_ADMIN, "/status shop staging");
	says(world_plain(world_last(&w)), ", live since 00:00, just now");
}

/* What a script only notes is no step: it stands in the deployment's message. */
static void
of_a_run_the_step_that_it_came_to_is_shown(void **state)
{
	(void)state;
	(void)world_text(&w, WORLD_ADMIN, "/deploy blog/staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	(void)world_run_starts(&w);
	world_run_step(&w, 0, "pull");
	world_run_step(&w, 1, "stays-old worker");
	(void)world_text(&w, WORLD_ADMIN, "/status blog staging");
	assert_non_null(
	    strstr(world_plain(world_last(&w)), " aaaaaaa (pull), begun just now, requested by "));
}

static void
what_is_in_trouble_stands_first(void **state)
{
	struct world_message *message;

	(void)state;
	store_aid_act(&w.aid, set_down, (void *)(uintptr_t) "shop/production");
	(void)world_text(&w, WORLD_ADMIN, "/deploy shop/staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	(void)world_text(&w, WORLD_ADMIN, "/status");
	message = world_last(&w);
	assert_string_equal(world_plain(message),
	    "🔥 shop/production may be DOWN; no release yet\n"
	    "⚪ shop/staging has no release yet; ⏳ in progress aaaaaaa\n"
	    "⚪ blog/staging has no release yet\n⚪ blog/production has no release yet\n"
	    "checking health …\n\n4 environments; /status <application> shows all of one.");
}

/* A red one stood below green ones: rows knew of no trouble, and its health was not looked at. */
static void
of_several_what_is_unhealthy_stands_first(void **state)
{
	const char *said;

	(void)state;
	(void)world_text(&w, WORLD_ADMIN, "/deploy shop/staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_true(text_starts(world_plain(world_last(&w)), "⚪ blog/staging"));
	world_probed(&w, "HTTP 500");
	said = world_plain(world_last(&w));
	assert_true(text_starts(said, "🔴 shop/staging: unhealthy; last live: aaaaaaa, "));
	assert_non_null(strstr(said, "\n⚪ blog/staging has no release yet\n"));
}

/* A dot alone said so, behind the word "runs"; and of two nobody knows which has answered. */
static void
of_several_one_that_is_down_is_said_to_be_unless_something_replaces_it(void **state)
{
	(void)state;
	(void)world_text(&w, WORLD_ADMIN, "/deploy shop/staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	(void)world_run_starts(&w);
	world_run_ends(&w, (struct run_ended){ .gate_opened = true, .released = true });
	world_probed(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	world_probed(&w, "HTTP 500");
	says(world_plain(world_last(&w)), "🔴 shop/staging: unhealthy; last live: aaaaaaa");
	(void)world_text(&w, WORLD_ADMIN, "/deploy shop/staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_B });
	(void)world_run_starts(&w);
	world_run_step(&w, 0, "release");
	(void)world_text(&w, WORLD_ADMIN, "/status");
	world_probed(&w, "HTTP 500");
	says(world_plain(world_last(&w)),
	    "⏳ shop/staging: in progress bbbbbbb; last live: aaaaaaa, ");
}

/* The longest that it gets: nothing is said of each command of each environment. */
static void
help_over_a_hundred_environments_is_a_page_of_a_phone(void **state)
{
	const char *text;
	char apps[192];
	size_t rows = 0;

	(void)state;
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w.aid.folder);
	world_settings(&w, apps, "GITHUB_REPOSITORY=", "ROLE_C_IDS=50",
	    "ROLE_C_MAY=status:*/*, deploy:*/b, cancel:*/b, log:*/c", NULL);
	(void)world_text(&w, 50, "/help");
	text = world_plain(world_last(&w));
	assert_non_null(strstr(text, "In app00/b, app01/b, app02/b and 7 more only:\n/deploy "));
	assert_non_null(strstr(text, " app03/j and 60 more: /status"));
	assert_null(strstr(text, "app04/staging"));
	for (const char *at = text; *at != '\0'; at++)
		rows += *at == '\n';
	assert_in_range(rows, 8, 16);
	assert_in_range(strlen(text), 500, 1200);
	(void)world_text(&w, WORLD_ADMIN, "/help all");
	assert_in_range(strlen(world_plain(world_last(&w))), 1000, 3000);
}

static void
a_page_shows_twenty_and_leads_to_the_others(void **state)
{
	struct world_message *message;
	char second[LIMIT_BUTTON_ID];

	(void)state;
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

/* The first page's health comes when the second is shown. */
static void
a_page_that_was_left_is_not_shown_again(void **state)
{
	struct world_message *message;
	char text[512];

	(void)state;
	(void)snprintf(text, sizeof(text), "ENVIRONMENTS=staging\n" HEALTH);
	world_application(&w, "aaa", text);
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
	assert_non_null(strstr(world_plain(message), "⚪ aaa/staging has no release yet"));
	assert_string_equal(message->buttons.at[0].id, text);
}

static void
a_page_of_the_history_is_five_environments(void **state)
{
	struct world_message *message;

	(void)state;
	(void)world_text(&w, WORLD_ADMIN, "/history");
	message = world_last(&w);
	assert_non_null(strstr(world_plain(message), "app00/e\nno deployments yet"));
	assert_null(strstr(world_plain(message), "app00/f"));
	assert_string_equal(message->buttons.at[5].label, "2/20 ▶");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, message->buttons.at[5].id);
	assert_string_equal(w.toast, "Page 2");
	assert_non_null(strstr(world_plain(message), "app00/f\nno deployments yet"));
	(void)world_text(&w, WORLD_ADMIN, "/history app03");
	assert_non_null(strstr(world_plain(world_last(&w)), "app03/j"));
	assert_int_equal(world_last(&w)->buttons.n, 5); /* each leads to one */
}

static void
a_file_that_is_not_in_force_is_named_to_who_may_everything(void **state)
{
	char path[192];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/apps/Bad.env", w.aid.folder);
	assert_true(file_write(path, "X=1\n", 4, 0600, NULL));
	world_application(&w, "blog", "");
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_non_null(strstr(world_plain(world_last(&w)), "⚠️ Bad.env is not in force: "));
	(void)world_text(&w, WORLD_STAGING_USER, "/status");
	assert_null(strstr(world_plain(world_last(&w)), "Bad.env"));
}

/* That it is so, to whom the application is shown; where and why, to admins. */
static void
a_file_with_a_mistake_is_told_to_whom_its_application_is_shown(void **state)
{
	(void)state;
	world_application(&w, "blog", "STAGING_PORT=eighty\n");
	(void)world_text(&w, WORLD_STAGING_USER, "/status blog");
	assert_non_null(strstr(world_plain(world_last(&w)),
	    "⚠️ blog.env is not in force: an admin's /status says why.\n"));
	assert_null(strstr(world_plain(world_last(&w)), "STAGING_PORT"));
	(void)world_text(&w, WORLD_STAGING_USER, "/status shop");
	assert_null(strstr(world_plain(world_last(&w)), "blog.env"));
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_non_null(strstr(world_plain(world_last(&w)), "STAGING_PORT"));
}

static void
of_one_application_with_many_each_environment_is_a_line(void **state)
{
	(void)state;
	(void)world_text(&w, WORLD_ADMIN, "/status shop");
	assert_non_null(strstr(world_plain(world_last(&w)), "\n18 environments; "));
	assert_null(strstr(world_plain(world_last(&w)), "no deployments yet"));
}

/* An admin of one application is none of the others'. */
static void
what_means_nothing_is_named_to_who_may_everything(void **state)
{
	const char *text;
	char apps[192];

	(void)state;
	world_application(&w, "blog", "STAGING_HOTS=x\n");
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w.aid.folder);
	world_settings(&w, apps, "GITHUB_REPOSITORY=", "ROLE_X_IDS=44",
	    "ROLE_X_MAY=*:shop/staging, *:infra/*", NULL);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	text = world_plain(world_last(&w));
	assert_non_null(strstr(
	    text, "⚠️ blog.env: STAGING_HOTS: is no setting; did you mean STAGING_HOST?\n"));
	assert_non_null(strstr(text,
	    "⚠️ ROLE_X_MAY: *:infra/*: there is no application infra: take this grant out, or put back what it names\n"));
	(void)world_text(&w, 44, "/status");
	assert_null(strstr(world_plain(world_last(&w)), "⚠️"));
}

/* However many there are, the message holds them. */
static void
of_many_files_with_a_mistake_the_first_are_named(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < 7; i++) {
		(void)snprintf(name, sizeof(name), "bad%d", i);
		world_application(&w, name, "STAGING_PORT=eighty\n");
	}
	(void)world_text(&w, WORLD_STAGING_USER, "/status");
	assert_non_null(strstr(world_plain(world_last(&w)), "bad4.env is not in force"));
	assert_null(strstr(world_plain(world_last(&w)), "bad5.env"));
	assert_non_null(strstr(world_plain(world_last(&w)), "… and 2 more\n"));
}

int
main(void)
{
#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, close_world)
	const struct CMUnitTest tests[] = {
		TEST(a_button_leads_to_one_environment_and_back, open_two),
		TEST(of_several_applications_each_environment_is_a_line, open_two),
		TEST(of_one_application_each_environment_is_a_paragraph, open_two),
		cmocka_unit_test(of_several_hosts_each_is_named),
		cmocka_unit_test(down_is_said_after_three_tries),
		cmocka_unit_test(what_is_being_replaced_is_not_down),
		cmocka_unit_test(what_waits_is_as_git_said_it_last),
		cmocka_unit_test(behind_a_new_release_an_old_count_is_not_said),
		TEST(a_clock_is_that_of_its_application, open_two),
		TEST(of_a_run_the_step_that_it_came_to_is_shown, open_two),
		TEST(what_is_in_trouble_stands_first, open_two),
		TEST(of_several_what_is_unhealthy_stands_first, open_two),
		TEST(of_several_one_that_is_down_is_said_to_be_unless_something_replaces_it,
		    open_two),
		TEST(a_page_shows_twenty_and_leads_to_the_others, open_many),
		TEST(help_over_a_hundred_environments_is_a_page_of_a_phone, open_many),
		TEST(a_page_that_was_left_is_not_shown_again, open_many),
		TEST(a_page_of_the_history_is_five_environments, open_many),
		TEST(a_file_that_is_not_in_force_is_named_to_who_may_everything, open_two),
		TEST(a_file_with_a_mistake_is_told_to_whom_its_application_is_shown, open_two),
		TEST(of_many_files_with_a_mistake_the_first_are_named, open_two),
		TEST(what_means_nothing_is_named_to_who_may_everything, open_two),
		TEST(of_one_application_with_many_each_environment_is_a_line, open_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
