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
	*state = &w;
	world_open(&w, NULL);
	world_application(&w, "shop", HEALTH);
	world_application(&w, "blog", "");
	return 0;
}

static void
says(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

TEST_WITH(of_several_applications_each_environment_is_a_line, open_two, world_tear_down)
{
	struct world_message *message;

	world_released(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	message = world_last(&w);
	assert_string_equal(world_plain(message),
	    "⚪ blog/production runs aaaaaaa, just now\n⚪ shop/production runs aaaaaaa, just now\n"
	    "⚪ blog/staging runs aaaaaaa, just now\n🩺 shop/staging runs aaaaaaa, just now\n"
	    "checking health …\n\n4 environments; /status <application> shows all of one.");
	assert_string_equal(world_labels(message),
	    "blog/production | shop/production | blog/staging | shop/staging");
	assert_int_equal(world_peek(&w, EFFECT_PROBE)->u.probe.n, 1);
	world_probed(&w, NULL);
	assert_non_null(strstr(world_plain(message), "🟢 shop/staging runs aaaaaaa"));
	assert_null(strstr(world_plain(message), "checking"));
}

/* Eighteen lines that said nothing stood above the one that mattered. */
TEST_WITH(what_never_had_a_release_is_one_line_at_the_end, open_two, world_tear_down)
{
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_string_equal(world_plain(world_last(&w)),
	    "⚪ No release yet: blog/staging, blog/production, shop/staging, shop/production\n"
	    "\n4 environments; /status <application> shows all of one.");
	assert_int_equal(world_last(&w)->buttons.n, 0);
	assert_null(world_peek(&w, EFFECT_PROBE));
	world_released(&w, "shop/production");
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_string_equal(world_plain(world_last(&w)),
	    "⚪ shop/production runs aaaaaaa, just now\n"
	    "⚪ No release yet: blog/staging, blog/production, shop/staging\n"
	    "\n4 environments; /status <application> shows all of one.");
	assert_string_equal(world_labels(world_last(&w)), "shop/production");
	(void)world_text(&w, WORLD_ADMIN, "/status shop"); /* in paragraphs as well */
	assert_true(text_starts(world_plain(world_last(&w)), "⚪ shop/production runs aaaaaaa"));
	says(world_plain(world_last(&w)), "\n\n⚪ No release yet: shop/staging\n");
	/* What is asked about, or in progress, is none of those. */
	world_asks(&w, WORLD_ADMIN, "/deploy blog/production", COMMIT_A);
	world_asks(&w, WORLD_ADMIN, "/deploy blog/staging", COMMIT_A);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_true(text_starts(world_plain(world_last(&w)),
	    "⚪ blog/staging has no release yet; ⏳ in progress aaaaaaa\n"
	    "⚪ blog/production has no release yet; asks: aaaaaaa, nobody has said yes\n"
	    "⚪ shop/production runs aaaaaaa, just now\n"
	    "⚪ No release yet: shop/staging\n"));
}

/* At night: why, what, who, and the way out, without another command. */
TEST_WITH(what_is_red_says_why_and_has_its_way_out_beside_it, open_two, world_tear_down)
{
	struct world_message *message;
	char staging[LIMIT_BUTTON_ID];

	world_released(&w, NULL);
	world_released(&w, "shop/staging");
	(void)world_text(&w, WORLD_ADMIN, "/status");
	message = world_last(&w);
	assert_string_equal(world_labels(message),
	    "blog/production | shop/production | blog/staging | shop/staging");
	(void)text_copy(staging, sizeof(staging), world_button(message, "blog/staging"));
	world_probed(&w, "connection refused");
	assert_true(text_starts(world_plain(message),
	    "🔴 shop/staging: unhealthy; last live: bbbbbbb \"Make it blue\", just now, by @ada\n"
	    "DOWN: connection refused, 3 of 3 tries\n⚪ blog/production runs"));
	assert_string_equal(world_labels(message),
	    "shop/staging | ↩️ Roll back shop/staging | 📄 Log of shop/staging | blog/production"
	    " | shop/production | blog/staging");
	/* A press on what stood there already counts. */
	assert_string_equal(world_button(message, "blog/staging"), staging);
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "Log of"));
	assert_string_equal(
	    w.toast, "It comes in private. If nothing comes, write /start to me there first.");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "Roll back"));
	assert_string_equal(w.toast, "Asking below.");
	assert_non_null(world_says(&w, "Roll back shop/staging?\nbbbbbbb → aaaaaaa"));
	/* Who may neither has neither. */
	(void)world_text_in(&w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/status");
	world_probed(&w, "connection refused");
	assert_string_equal(world_labels(world_last(&w)),
	    "shop/staging | 📄 Log of shop/staging | blog/production | shop/production"
	    " | blog/staging");
}

/* "/status prod" was two lines without a button. */
TEST_WITH(a_name_that_several_have_and_one_alone_have_buttons, open_two, world_tear_down)
{
	world_released(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/status prod");
	assert_true(text_starts(world_plain(world_last(&w)), "⚪ blog/production runs"));
	assert_null(strstr(world_plain(world_last(&w)), "<application>"));
	assert_string_equal(
	    world_labels(world_last(&w)), "blog/production | shop/production | ◀ all");
	(void)world_text(&w, WORLD_ADMIN, "/status shop/production");
	assert_string_equal(
	    world_labels(world_last(&w)), "📄 Log of shop/production | History | ◀ all");
	world_released(&w, "shop/production");
	(void)world_text(&w, WORLD_ADMIN, "/status shop/production");
	assert_string_equal(world_labels(world_last(&w)),
	    "↩️ Roll back shop/production | 📄 Log of shop/production | History | ◀ all");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(&w), "History"));
	says(world_plain(world_last(&w)), "shop/production");
}

/* From all to one and back, in one message. */
TEST_WITH(a_button_leads_to_one_environment_and_back, open_two, world_tear_down)
{
	struct world_message *message;

	world_released(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	message = world_last(&w);
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "shop/staging"));
	assert_ptr_equal(world_last(&w), message);
	assert_true(text_starts(world_plain(message), "🩺 shop/staging runs aaaaaaa"));
	assert_null(strstr(world_plain(message), "blog"));
	assert_string_equal(world_labels(message), "📄 Log of shop/staging | History | ◀ all");
	world_probed(&w, NULL);
	assert_non_null(strstr(world_plain(message), "healthy, HTTP 200 in 12 ms"));
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "◀ all"));
	assert_ptr_equal(world_last(&w), message);
	assert_non_null(strstr(world_plain(message), "4 environments;"));
	assert_int_equal(message->buttons.n, 4);
}

TEST_WITH(of_one_application_each_environment_is_a_paragraph, open_two, world_tear_down)
{
	world_released(&w, "shop/staging");
	world_released(&w, "shop/production");
	(void)world_text(&w, WORLD_ADMIN, "/status shop");
	says(world_plain(world_last(&w)), "\n\n🩺 shop/staging runs aaaaaaa \"Make it blue\"\n");
	assert_true(text_starts(world_plain(world_last(&w)),
	    "⚪ shop/production runs aaaaaaa \"Make it blue\"\nrelease 1, "));
	assert_null(strstr(world_plain(world_last(&w)), "blog"));
	world_probed(&w, NULL);
	assert_non_null(strstr(world_plain(world_last(&w)), "healthy, HTTP 200 in 12 ms"));
	(void)world_text(&w, WORLD_ADMIN, "/status blog production");
	assert_string_equal(world_plain(world_last(&w)),
	    "⚪ blog/production has no release yet\nno health check configured\n");
	(void)world_text(&w, WORLD_ADMIN, "/status production"); /* those of this name */
	assert_non_null(strstr(world_plain(world_last(&w)), "2 environments"));
	assert_null(strstr(world_plain(world_last(&w)), "staging"));
}

/* Of two hosts one may have stayed behind: which, and what it answers as. */
TEST(of_several_hosts_each_is_named)
{
	struct world one;
	const char *status;

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

/* One bad answer may be a restart: three in a row, and the sentence has them. */
TEST(down_is_said_after_three_tries)
{
	struct world one;

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
TEST(what_is_being_replaced_is_not_down)
{
	struct world one;

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
TEST(what_waits_is_as_git_said_it_last)
{
	struct world one;

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
TEST(behind_a_new_release_an_old_count_is_not_said)
{
	struct world one;

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
TEST_WITH(a_clock_is_that_of_its_application, open_two, world_tear_down)
{
	const char *status;

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
TEST_WITH(of_a_run_the_step_that_it_came_to_is_shown, open_two, world_tear_down)
{
	world_asks(&w, WORLD_ADMIN, "/deploy blog/staging", COMMIT_A);
	(void)world_run_starts(&w);
	world_run_step(&w, 0, "pull");
	world_run_step(&w, 1, "stays-old worker");
	(void)world_text(&w, WORLD_ADMIN, "/status blog staging");
	assert_non_null(strstr(
	    world_plain(world_last(&w)), " aaaaaaa (pull), started just now, requested by "));
}

TEST_WITH(what_is_in_trouble_stands_first, open_two, world_tear_down)
{
	struct world_message *message;

	store_aid_act(&w.aid, world_set_down, (void *)(uintptr_t) "shop/production");
	world_asks(&w, WORLD_ADMIN, "/deploy shop/staging", COMMIT_A);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	message = world_last(&w);
	assert_string_equal(world_plain(message),
	    "🔥 shop/production may be DOWN; no release yet\n"
	    "the last change failed half-way: look at /logs shop/production\n"
	    "⚪ shop/staging has no release yet; ⏳ in progress aaaaaaa\n"
	    "⚪ No release yet: blog/staging, blog/production\n"
	    "checking health …\n\n4 environments; /status <application> shows all of one.");
}

/* A red one stood below green ones: rows knew of no trouble, and its health was not looked at. */
TEST_WITH(of_several_what_is_unhealthy_stands_first, open_two, world_tear_down)
{
	const char *said;

	world_asks(&w, WORLD_ADMIN, "/deploy shop/staging", COMMIT_A);
	world_run_is_probed(&w, NULL);
	world_released(&w, "blog/staging");
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_true(text_starts(world_plain(world_last(&w)), "⚪ blog/staging"));
	world_probed(&w, "HTTP 500");
	said = world_plain(world_last(&w));
	assert_true(
	    text_starts(said, "🔴 shop/staging: unhealthy; last live: aaaaaaa \"Make it blue\", "));
	assert_non_null(strstr(said, "\n⚪ blog/staging runs aaaaaaa, "));
}

/* A dot alone said so, behind the word "runs"; and of two nobody knows which has answered. */
TEST_WITH(of_several_one_that_is_down_is_said_to_be_unless_something_replaces_it, open_two,
    world_tear_down)
{
	world_asks(&w, WORLD_ADMIN, "/deploy shop/staging", COMMIT_A);
	(void)world_run_starts(&w);
	world_run_ends(&w, (struct run_ended){ .gate_opened = true, .released = true });
	world_probed(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	world_probed(&w, "HTTP 500");
	says(world_plain(world_last(&w)), "🔴 shop/staging: unhealthy; last live: aaaaaaa");
	world_asks(&w, WORLD_ADMIN, "/deploy shop/staging", COMMIT_B);
	(void)world_run_starts(&w);
	world_run_step(&w, 0, "release");
	(void)world_text(&w, WORLD_ADMIN, "/status");
	world_probed(&w, "HTTP 500");
	says(world_plain(world_last(&w)),
	    "⏳ shop/staging: in progress bbbbbbb; last live: aaaaaaa, ");
}

TEST_WITH(a_file_that_is_not_in_force_is_named_to_who_may_everything, open_two, world_tear_down)
{
	char path[192];

	(void)snprintf(path, sizeof(path), "%s/apps/Bad.env", w.aid.folder);
	assert_true(file_write(path, "X=1\n", 4, 0600, NULL));
	world_application(&w, "blog", "");
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_non_null(strstr(world_plain(world_last(&w)), "⚠️ Bad.env is ignored: "));
	(void)world_text(&w, WORLD_STAGING_USER, "/status");
	assert_null(strstr(world_plain(world_last(&w)), "Bad.env"));
}

/* That it is so, to whom the application is shown; where and why, to admins. */
TEST_WITH(a_file_with_a_mistake_is_told_to_whom_its_application_is_shown, open_two, world_tear_down)
{
	world_application(&w, "blog", "STAGING_PORT=eighty\n");
	(void)world_text(&w, WORLD_STAGING_USER, "/status blog");
	assert_non_null(strstr(world_plain(world_last(&w)),
	    "⚠️ blog.env is ignored: an admin's /status says why.\n"));
	assert_null(strstr(world_plain(world_last(&w)), "STAGING_PORT"));
	(void)world_text(&w, WORLD_STAGING_USER, "/status shop");
	assert_null(strstr(world_plain(world_last(&w)), "blog.env"));
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_non_null(strstr(world_plain(world_last(&w)), "STAGING_PORT"));
}

TEST_WITH(what_means_nothing_is_named_to_who_may_everything, open_two, world_tear_down)
{
	const char *text;
	char apps[192];

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
TEST_WITH(of_many_files_with_a_mistake_the_first_are_named, open_two, world_tear_down)
{
	char name[16];

	for (int i = 0; i < 7; i++) {
		(void)snprintf(name, sizeof(name), "bad%d", i);
		world_application(&w, name, "STAGING_PORT=eighty\n");
	}
	(void)world_text(&w, WORLD_STAGING_USER, "/status");
	assert_non_null(strstr(world_plain(world_last(&w)), "bad4.env is ignored"));
	assert_null(strstr(world_plain(world_last(&w)), "bad5.env"));
	assert_non_null(strstr(world_plain(world_last(&w)), "… and 2 more\n"));
}
