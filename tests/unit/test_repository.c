/* Goal: a repository's news reach its applications, and a secret only those that it speaks for.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "types/repository.h"

#include "settings/settings_inside.h"
#include "tests/unit/applications_aid.h"
#include "unit.h"

#define SECRET "GITHUB_WEBHOOK_SECRET=the secret of it alone"

static struct settings *
load_main(const char *repository, const char *more)
{
	char *list[] = { (char[]){
			     "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789" },
		(char[]){ "ADMIN_TELEGRAM_IDS=1" }, (char *)(uintptr_t)repository,
		(char *)(uintptr_t)more, NULL };
	struct settings_report report;
	struct settings *settings;

	if (!settings_load(NULL, list, &settings, &report))
		fail_msg("%s", report.lines[0].text);
	return settings;
}

static bool
hears(const struct settings *s, const char *application, const char *hook, const char *repository)
{
	const struct settings *of = settings_application(s, application);

	assert_non_null(of);
	return repository_is_announced(s, of, DELIVERY_GITHUB, hook, repository);
}

TEST(a_repository_is_known_by_its_name_or_by_the_end_of_its_url)
{
	static const struct {
		const char *setting, *repository;
		bool is_it;
	} rows[] = {
		{ "GITHUB_REPOSITORY=acme/Shop", "ACME/shop", true },
		{ "GITHUB_REPOSITORY=acme/shop", "acme/shop2", false },
		{ "GITHUB_REPOSITORY=acme/shop", "acme/sho", false },
		{ "REPOSITORY_URL=https://github.com/acme/shop.git", "acme/shop", true },
		{ "REPOSITORY_URL=https://github.com/acme/shop/", "Acme/Shop", true },
		{ "REPOSITORY_URL=git@github.com:acme/shop", "acme/shop", true },
		{ "REPOSITORY_URL=git@github.com:acme/shop.git", "acme/shop", true },
		{ "REPOSITORY_URL=ssh://git@github.com:22/acme/shop.git", "acme/shop", true },
		{ "REPOSITORY_URL=/srv/git/acme/shop.git", "acme/shop", true },
		{ "REPOSITORY_URL=https://github.com/acme/shop.git", "acme/shop.git", false },
		{ "REPOSITORY_URL=https://github.com/acme/shop.git", "cme/shop", false },
		{ "REPOSITORY_URL=https://github.com/acme/shop.git", "shop", false },
		{ "REPOSITORY_URL=https://github.com/acme/shop.git", "", false },
		{ "REPOSITORY_URL=/shop", "shop", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s = load_main("GITHUB_REPOSITORY=x/y", NULL);

		applications_aid_add(s, "shop", rows[i].setting, NULL);
		if (hears(s, "shop", "", rows[i].repository) != rows[i].is_it)
			fail_msg("%s, %s", rows[i].setting, rows[i].repository);
		settings_unref(s);
	}
}

TEST(an_application_with_a_secret_of_its_own_has_one_webhook_alone)
{
	struct settings *s = load_main("GITHUB_REPOSITORY=acme/main", SECRET);

	applications_aid_add(s, "blog", "GITHUB_REPOSITORY=acme/shop", NULL);
	applications_aid_add(s, "shop", "GITHUB_REPOSITORY=acme/shop", SECRET, NULL);
	assert_true(hears(s, "", "", "acme/main"));
	assert_true(hears(s, "blog", "", "acme/shop"));
	assert_false(hears(s, "shop", "", "acme/shop"));
	assert_true(hears(s, "shop", "shop", "acme/shop"));
	assert_false(hears(s, "blog", "shop", "acme/shop"));
	assert_false(hears(s, "", "shop", "acme/main"));
	assert_false(hears(s, "shop", "shop", "acme/main"));
	assert_false(hears(s, "blog", "blog", "acme/shop"));
	settings_unref(s);
}

/* As ever where one repository is deployed; a secret of many must say whose it is. */
TEST(any_signed_repository_counts_only_where_the_secret_is_of_one_application)
{
	struct settings *s = load_main("REPOSITORY_URL=https://mirror.example/a/b.git", SECRET);

	assert_true(hears(s, "", "", "other/name"));
	applications_aid_add(
	    s, "shop", "REPOSITORY_URL=https://mirror.example/c/d.git", SECRET, NULL);
	assert_false(hears(s, "", "", "other/name"));
	assert_true(hears(s, "", "", "a/b"));
	assert_true(hears(s, "shop", "shop", "other/name"));
	settings_unref(s);
}

TEST(a_repository_is_asked_once_for_all_with_the_same_url_and_credentials)
{
	static const struct {
		const char *one, *other;
		bool is_shared;
	} rows[] = {
		{ "REPOSITORY_URL=/a", "REPOSITORY_URL=/a", true },
		{ "REPOSITORY_URL=/a", "REPOSITORY_URL=/b", false },
		{ "GITHUB_REPOSITORY=a/b", "REPOSITORY_URL=https://github.com/a/b.git", true },
	};
	struct settings *s;

	for (size_t i = 0; i < COUNT(rows); i++) {
		s = load_main("GITHUB_REPOSITORY=x/y", NULL);
		applications_aid_add(s, "a", rows[i].one, NULL);
		applications_aid_add(s, "b", rows[i].other, NULL);
		assert_int_equal(repository_is_shared(s->applications[0], s->applications[1]),
		    rows[i].is_shared);
		settings_unref(s);
	}
	s = load_main("GITHUB_REPOSITORY=x/y", NULL);
	applications_aid_add(s, "a", "GITHUB_REPOSITORY=a/b", NULL);
	applications_aid_add(s, "b", "GITHUB_REPOSITORY=a/b",
	    "REPOSITORY_TOKEN=ghp_012345678901234567890123456789012345", NULL);
	applications_aid_add(s, "c", "GITHUB_REPOSITORY=a/b",
	    "REPOSITORY_TOKEN=ghp_012345678901234567890123456789012345", NULL);
	applications_aid_add(s, "d", "GITHUB_REPOSITORY=a/b",
	    "REPOSITORY_TOKEN=ghp_another_one_78901234567890123456789", NULL);
	assert_false(repository_is_shared(s->applications[0], s->applications[1]));
	assert_true(repository_is_shared(s->applications[1], s->applications[2]));
	assert_false(repository_is_shared(s->applications[2], s->applications[3]));
	settings_unref(s);
}

TEST(two_webhooks_of_one_repository_are_named)
{
	struct settings *s = load_main("GITHUB_REPOSITORY=acme/main", SECRET);

	applications_aid_add(s, "blog", "GITHUB_REPOSITORY=acme/shop", NULL);
	applications_aid_add(s, "docs", "GITHUB_REPOSITORY=acme/shop", NULL);
	assert_null(repository_other_hook(s, s->applications[0]));
	applications_aid_add(
	    s, "shop", "REPOSITORY_URL=git@github.com:Acme/Shop.git", SECRET, NULL);
	assert_ptr_equal(repository_other_hook(s, s->applications[0]), s->applications[2]);
	assert_ptr_equal(repository_other_hook(s, s->applications[2]), s->applications[0]);
	assert_null(repository_other_hook(s, s));
	settings_unref(s);
}

TEST(whoever_checks_the_settings_reads_of_two_webhooks)
{
	struct settings *s = load_main("GITHUB_REPOSITORY=acme/main", SECRET);
	struct settings_report report = { 0 };
	struct settings_loader loader = { .s = s, .report = &report };

	applications_aid_add(s, "blog", "GITHUB_REPOSITORY=acme/shop", NULL);
	applications_aid_add(s, "docs", "GITHUB_REPOSITORY=acme/docs", SECRET, NULL);
	settings_say_hooks(&loader);
	assert_int_equal(report.count, 0);
	applications_aid_add(s, "shop", "GITHUB_REPOSITORY=acme/shop", SECRET, NULL);
	settings_say_hooks(&loader);
	assert_int_equal(report.count, 1);
	assert_string_equal(report.lines[0].text,
	    "shop: its repository is also one of blog, and it has a GITHUB_WEBHOOK_SECRET of its "
	    "own: the repository needs two webhooks, /github/webhook/shop and /github/webhook");
	settings_unref(s);
}

/* What a path ends with is no repository of a forge. */
TEST(whom_no_push_can_reach_is_named)
{
	struct settings *s = load_main("GITHUB_REPOSITORY=acme/main", SECRET);
	struct settings_report report = { 0 };
	struct settings_loader loader = { .s = s, .report = &report };

	applications_aid_add(s, "blog", "GITHUB_REPOSITORY=o/shop", "REPOSITORY_URL=/o/shop", NULL);
	applications_aid_add(s, "docs", "REPOSITORY_URL=https://a.example/o/docs.git", NULL);
	applications_aid_add(s, "site", "REPOSITORY_URL=/o/site", SECRET, NULL);
	settings_say_hooks(&loader);
	assert_int_equal(report.count, 0);
	applications_aid_add(s, "shop", "REPOSITORY_URL=/o/site", NULL);
	settings_say_hooks(&loader);
	assert_int_equal(report.count, 1); /* and not that it has one repository with site */
	assert_string_equal(report.lines[0].text,
	    "shop: no push can reach it: set GITHUB_REPOSITORY or REPOSITORY_PATH");
	settings_unref(s);
}

TEST(the_shortest_interval_of_those_that_poll_counts)
{
	struct settings *s = load_main("GITHUB_REPOSITORY=x/y", "POLL_REPOSITORY_SECONDS=0");

	assert_int_equal(repository_poll_seconds(s), 0);
	applications_aid_add(s, "a", "GITHUB_REPOSITORY=a/b", "POLL_REPOSITORY_SECONDS=90", NULL);
	applications_aid_add(s, "b", "GITHUB_REPOSITORY=a/b", "POLL_REPOSITORY_SECONDS=30", NULL);
	assert_int_equal(repository_poll_seconds(s), 30);
	settings_unref(s);
}

TEST(another_forge_names_all_of_its_path)
{
	static const struct {
		const char *setting, *more, *repository;
		bool is_it;
	} rows[] = {
		{ "REPOSITORY_URL=https://gitlab.com/group/sub/Shop.git", NULL, "Group/sub/shop",
		    true },
		{ "REPOSITORY_URL=https://gitlab.com/group/sub/shop.git/", NULL, "sub/shop",
		    false },
		{ "REPOSITORY_URL=https://gitlab.com/group/sub/shop.git", NULL, "shop", false },
		{ "REPOSITORY_URL=git@gitlab.com:group/sub/shop.git", NULL, "group/sub/shop",
		    true },
		{ "REPOSITORY_URL=git@gitlab.com:group/sub/shop.git", NULL, "x/group/sub/shop",
		    false },
		{ "REPOSITORY_URL=ssh://git@gitlab.com:2222/group/sub/shop.git", NULL,
		    "group/sub/shop", true },
		{ "REPOSITORY_URL=/srv/git/group/shop.git", NULL, "group/shop", true },
		{ "REPOSITORY_URL=/srv/git/group/shop.git", NULL, "git/group/shop", false },
		{ "REPOSITORY_URL=/srv/git/shop.git", "REPOSITORY_PATH=group/sub/shop",
		    "group/sub/SHOP", true },
		{ "REPOSITORY_URL=https://gitlab.com/other/shop.git",
		    "REPOSITORY_PATH=group/sub/shop", "other/shop", false },
		/* What is at GitHub is nowhere else, unless that is said. */
		{ "GITHUB_REPOSITORY=acme/shop", NULL, "acme/shop", false },
		{ "GITHUB_REPOSITORY=acme/shop", "REPOSITORY_PATH=acme/shop", "acme/shop", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s = load_main(rows[i].setting, rows[i].more);
		struct settings other = *s;

		other.application_count = 1; /* the webhook is that of several */
		for (enum delivery_forge forge = DELIVERY_GITLAB; forge < DELIVERY_FORGE_COUNT;
		     forge++)
			if (repository_is_announced(&other, s, forge, "", rows[i].repository) !=
			    rows[i].is_it)
				fail_msg("%s: %s", rows[i].setting, rows[i].repository);
		settings_unref(s);
	}
}
