/* Goal: a file that changes beside a running server changes what it says, and nothing else.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "folder_aid.h"

#include <malloc.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/text.h"
#include "settings/sources/settings_watch.h"

static struct settings_change change; /* of the last reload */

static int
end(void **state)
{
	settings_change_done(&change);
	return folder_aid_remove(state);
}

/* --- beside a running snapshot --- */

static struct settings *
again(const struct settings *running, const struct settings_folder *files)
{
	struct settings *s = NULL;
	char path[128];

	settings_change_done(&change);
	settings_change_init(&change);
	(void)snprintf(path, sizeof(path), "%s/main", folder_aid.path);
	assert_true(settings_reload(
	    running, path, folder_aid.environment, files, &s, &settings_said, &change));
	return s;
}

TEST_WITH(a_mistake_leaves_that_application_as_it_was, folder_aid_make, end)
{
	struct settings *one, *two, *three;

	folder_aid_put("main", SERVER);
	folder_aid_put("apps/shop.env", OF("shop"));
	folder_aid_put("apps/web.env", OF("web"));
	one = folder_aid_load();
	folder_aid_put("apps/shop.env", OF("shop") "KEEP_RELEASES=none\n");
	folder_aid_put("apps/web.env", OF("web") "KEEP_RELEASES=7\n");
	folder_aid_put("apps/new.env", "GITHUB_REPO");
	two = again(one, NULL);
	assert_string_equal(buf_text(&change.names), "web: KEEP_RELEASES");
	assert_string_equal(buf_text(&change.applications), "web");
	assert_true(change.refused_differ);
	assert_int_equal(two->application_count, 2);
	assert_ptr_equal(settings_application(two, "shop"), settings_application(one, "shop"));
	assert_null(settings_refusal(two, "shop/staging"));
	assert_string_equal(folder_aid_text(two, "web", SETTING_KEEP_RELEASES), "7");
	assert_int_equal(two->refused_count, 2);
	assert_string_equal(two->refused[0].file, "new.env");
	assert_string_equal(two->refused[1].file, "shop.env");
	/* what all share reaches those that say nothing of it, and nothing else is made anew */
	folder_aid_put("main", SERVER "KEEP_RELEASES=8\n");
	folder_aid_put("apps/shop.env", OF("shop"));
	three = again(two, NULL);
	assert_string_equal(folder_aid_text(three, "shop", SETTING_KEEP_RELEASES), "8");
	assert_ptr_equal(settings_application(three, "web"), settings_application(two, "web"));
	assert_string_equal(buf_text(&change.names), "KEEP_RELEASES");
	assert_string_equal(buf_text(&change.applications), "shop");
	settings_unref(one);
	settings_unref(two);
	settings_unref(three);
}

/* Regression: the report said it once more, where the file of before stayed in force. */
TEST_WITH(what_is_warned_of_stays_listed_while_its_file_is_refused, folder_aid_make, end)
{
	struct settings *one, *two;
	size_t n = 0;

	folder_aid_put("main", SERVER);
	folder_aid_put("apps/shop.env", OF("shop") "STAGING_HOTS=x\n");
	one = folder_aid_load();
	assert_int_equal(one->warned_count, 1);
	folder_aid_put(
	    "apps/shop.env", "KEEP_RELEASES=none\n" OF("shop") "STAGING_HOTS=x\nSTAGING_PROT=1\n");
	two = again(one, NULL);
	assert_int_equal(two->refused_count, 1);
	assert_int_equal(two->warned_count, 2); /* what is new in the refused one too */
	assert_string_equal(two->warned[0].reason, one->warned[0].reason);
	for (size_t i = 0; i < settings_said.count; i++) {
		assert_true(settings_said.lines[i].is_listed);
		n += settings_said.lines[i].severity == SETTINGS_WARNING;
	}
	assert_int_equal(n, 2);
	settings_unref(one);
	settings_unref(two);
}

/* It changes no value, and is named all the same: while it stands there. */
TEST_WITH(a_name_that_is_no_setting_is_warned_of, folder_aid_make, end)
{
	static const char wrong[] = "STAGING_HOTS: is no setting; did you mean STAGING_HOST?";
	struct settings *one, *two, *three, *four;

	folder_aid_put(
	    "main", SERVER "COMPOSE_PROJECT_NAME=x\n"); /* other programs read this one too */
	folder_aid_put("apps/shop.env", OF("shop"));
	folder_aid_put("apps/web.env", OF("web"));
	one = folder_aid_load();
	assert_int_equal(one->warned_count, 0);
	folder_aid_put("apps/shop.env", OF("shop") "STAGING_HOTS=x\n");
	two = again(one, NULL);
	assert_true(change.warned_differ && settings_change_is_any(&change));
	assert_int_equal(change.names.size, 0);
	assert_int_equal(two->warned_count, 1);
	assert_string_equal(two->warned[0].file, "shop.env");
	assert_string_equal(two->warned[0].reason, wrong);
	folder_aid_put("apps/shop.env", OF("shop") "STAGING_HOTS=x\nKEEP_RELEASES=none\n");
	three = again(two, NULL); /* the file of before is in force */
	assert_int_equal(three->refused_count, 1);
	assert_int_equal(three->warned_count, 1);
	folder_aid_put("apps/shop.env", OF("shop"));
	four = again(three, NULL);
	assert_true(change.warned_differ);
	assert_int_equal(four->warned_count, 0);
	settings_unref(one);
	settings_unref(two);
	settings_unref(three);
	settings_unref(four);
}

/* --- looks --- */

static struct settings_watch watch;
static char main_path[128];

/* The snapshot after a look; the one before is given up.  NULL names: nothing was to be read. */
static struct settings *
look(struct settings *s, bool all, bool is_read)
{
	struct settings_folder files;
	struct settings *fresh;
	bool due = settings_watch_look(&watch, s, all, &files);

	assert_int_equal(due, is_read);
	if (!due)
		return s;
	fresh = again(s, &files);
	settings_folder_done(&files);
	settings_unref(s);
	return fresh;
}

static struct settings *
start_to_look(void)
{
	struct settings *s;

	folder_aid_put("main", SERVER);
	folder_aid_put("apps/shop.env", OF("shop"));
	folder_aid_put("apps/web.env", OF("web"));
	s = folder_aid_load();
	(void)snprintf(main_path, sizeof(main_path), "%s/main", folder_aid.path);
	settings_watch_init(&watch, main_path, s);
	watch.users = "/nowhere";
	assert_true(settings_watch_has_any(&watch, s));
	s = look(s, false, true); /* it may have changed since it was loaded */
	assert_false(settings_change_is_any(&change));
	return look(s, false, false);
}

/* Or whoever gets their uid next acts as them. */
TEST_WITH(a_user_who_is_gone_is_let_in_no_more, folder_aid_make, end)
{
	struct settings *s = start_to_look();
	const char *name = NULL;
	char users[128];

	(void)snprintf(users, sizeof(users), "%s/users", folder_aid.path);
	watch.users = users;
	folder_aid_put("users", "games:x:5:60::/:/bin/sh\n");
	s = look(s, false, false); /* nobody of them is let in */
	folder_aid_put("main", SERVER "LOCAL_GAMES_IS=11\nLOCAL_MAN_IS=\n");
	s = look(s, false, false);
	s = look(s, false, true);
	s = look(s, false, false); /* now the users count */
	s = look(s, false, true);
	assert_false(settings_change_is_any(&change));
	assert_int_equal(settings_user(s, 5, &name), 11);
	for (size_t i = 0; i < s->inside->member_count; i++)
		if (s->inside->members[i]->family == FAMILY_LOCAL)
			s->inside->members[i]->user.uid = 4242; /* as it was when they were read */
	assert_int_equal(settings_user(s, 4242, &name), 11);
	folder_aid_put("users", "games:x:5:60:new:/:/bin/sh\n");
	s = look(s, false, false);
	s = look(s, false, true);
	assert_string_equal(buf_text(&change.names), "LOCAL_GAMES_IS");
	assert_int_equal(settings_user(s, 4242, &name), 0);
	assert_int_equal(settings_user(s, 5, &name), 11);
	folder_aid_put(
	    "main", SERVER "LOCAL_GAMES_IS=\n"); /* nobody, and no mistake that keeps them */
	s = look(s, false, false);
	s = look(s, false, true);
	assert_int_equal(settings_said.errors, 0);
	assert_int_equal(settings_user(s, 5, &name), 0);
	settings_watch_done(&watch);
	settings_unref(s);
}

/* What a directory elsewhere says of www-data; a reload of its own. */
static struct settings *
directory_says(struct settings *s, const char *user, uint32_t uid)
{
	struct settings_user said = {
		.name = "www-data", .is_asked = true, .has_user = uid != 0, .uid = uid
	};
	struct settings_folder files;
	struct settings *fresh;

	(void)text_copy(said.user, sizeof(said.user), user);
	assert_true(settings_watch_look(&watch, s, true, &files));
	files.users = &said;
	files.users_count = user[0] != '\0';
	fresh = again(s, &files);
	settings_folder_done(&files);
	settings_unref(s);
	return fresh;
}

/* Who stands in the machine's own file does not win over who is elsewhere. */
TEST_WITH(a_user_of_the_file_and_one_of_a_directory_are_two, folder_aid_make, end)
{
	struct settings *s = start_to_look();
	const char *name = NULL;

	folder_aid_put("main", SERVER "LOCAL_WWW_DATA_IS=11\n");
	s = directory_says(s, "www-data", 33);
	assert_int_equal(settings_user(s, 33, &name), 11);
	s = directory_says(s, "www.data", 4401);
	SAYS(SETTINGS_WARNING, "two users of this machine are meant, www-data and www.data");
	assert_int_equal(settings_user(s, 33, &name), 0);
	assert_int_equal(settings_user(s, 4401, &name), 0);
	s = directory_says(s, "", 0); /* nobody has asked again */
	assert_int_equal(settings_user(s, 33, &name), 0);
	s = directory_says(s, "www-data", 33);
	assert_int_equal(settings_user(s, 33, &name), 11);
	settings_watch_done(&watch);
	settings_unref(s);
}

TEST_WITH(a_file_is_read_when_it_stood_still, folder_aid_make, end)
{
	struct settings *s = start_to_look();

	folder_aid_put("apps/new.env", OF("new"));
	folder_aid_put("apps/shop.env", OF("shop") "KEEP_RELEASES=1");
	s = look(s, false, false);
	folder_aid_put("apps/shop.env", OF("shop") "KEEP_RELEASES=17");
	s = look(s, false, true); /* new.env is; shop.env was just written */
	assert_string_equal(buf_text(&change.names), "new: new");
	s = look(s, false, true);
	assert_string_equal(buf_text(&change.names), "shop: KEEP_RELEASES");
	assert_string_equal(folder_aid_text(s, "shop", SETTING_KEEP_RELEASES), "17");
	s = look(s, false, false);
	folder_aid_put("apps/shop.env", OF("shop"));
	s = look(s, true, true); /* who asks for it says that it is whole */
	assert_string_equal(buf_text(&change.names), "shop: KEEP_RELEASES");
	settings_watch_done(&watch);
	settings_unref(s);
}

TEST_WITH(an_application_is_removed_at_the_third_look, folder_aid_make, end)
{
	struct settings *s = start_to_look();
	char path[128], aside[128];

	(void)snprintf(path, sizeof(path), "%s/apps/web.env", folder_aid.path);
	assert_int_equal(unlink(path), 0);
	s = look(s, false, false);
	s = look(s, true, true);
	assert_non_null(settings_application(s, "web"));
	s = look(s, false, true);
	assert_null(settings_application(s, "web"));
	assert_string_equal(buf_text(&change.names), "web: removed");
	s = look(s, false, false);
	/* the last one, or all at once: that is a folder that is not mounted */
	(void)snprintf(path, sizeof(path), "%s/apps/shop.env", folder_aid.path);
	assert_int_equal(unlink(path), 0);
	for (int i = 0; i < 5; i++)
		s = look(s, false, false);
	assert_non_null(strstr(watch.error, "/apps is empty"));
	(void)snprintf(path, sizeof(path), "%s/apps", folder_aid.path);
	(void)snprintf(aside, sizeof(aside), "%s/aside", folder_aid.path);
	assert_int_equal(rename(path, aside), 0);
	for (int i = 0; i < 5; i++)
		s = look(s, false, false);
	assert_non_null(strstr(watch.error, "/apps: No such file"));
	folder_aid_put("main", SERVER "KEEP_RELEASES=4\n"); /* and the rest goes on */
	s = look(s, false, false);
	s = look(s, false, true);
	assert_non_null(settings_application(s, "shop"));
	settings_watch_done(&watch);
	settings_unref(s);
}

TEST_WITH(a_file_that_others_may_write_now_stays_as_it_was, folder_aid_make, end)
{
	struct settings *s = start_to_look();
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/apps/web.env", folder_aid.path);
	assert_int_equal(chmod(path, 0666), 0);
	s = look(s, false, false);
	s = look(s, false, true);
	for (int i = 0; i < 5; i++)
		s = look(s, false, false);
	assert_non_null(settings_application(s, "web"));
	assert_int_equal(s->refused_count, 1);
	assert_int_equal(chmod(path, 0600), 0);
	s = look(s, false, false);
	s = look(s, false, true);
	assert_int_equal(s->refused_count, 0);
	settings_watch_done(&watch);
	settings_unref(s);
}

/* --- many --- */

#define MANY	  200
#define MANY_EACH 10

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t
heap_bytes(void)
{
	return __sanitizer_get_current_allocated_bytes != NULL ?
	    __sanitizer_get_current_allocated_bytes() :
	    mallinfo2().uordblks;
}

/* What a snapshot of so many takes, in the memory of the heap. */
TEST_WITH(two_hundred_applications_of_ten_environments, folder_aid_make, end)
{
	static const char *const names[] = { "staging", "production", "qa", "canary", "eu-one",
		"eu-two", "us-one", "us-two", "demo", "load" };
	struct settings *s, *next;
	struct timespec before, after;
	size_t heap;
	char name[64], upper[SETTING_NAME_MAX];
	struct buf text;
	double load_ms;

	folder_aid_put("main", SERVER);
	for (int i = 0; i < MANY; i++) {
		buf_init(&text, 65536);
		buf_addf(&text, "GITHUB_REPOSITORY=acme/app%d\nENVIRONMENTS=", i);
		for (size_t e = 0; e < MANY_EACH; e++)
			buf_addf(&text, "%s%s", e > 0 ? "," : "", names[e]);
		buf_addf(&text, "\n");
		for (size_t e = 0; e < MANY_EACH; e++)
			buf_addf(&text, "%s=h%d-%zu.example.org\n",
			    setting_name("<ENV>_HOST", names[e], upper), i, e);
		(void)snprintf(name, sizeof(name), "apps/app%d.env", i);
		folder_aid_put(name, buf_text(&text));
		buf_done(&text);
	}
	heap = heap_bytes();
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	s = folder_aid_load();
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	load_ms = (double)(after.tv_sec - before.tv_sec) * 1e3 +
	    (double)(after.tv_nsec - before.tv_nsec) / 1e6;
	heap = heap_bytes() - heap;
	print_message("%d applications: %.0f ms of the processor, %zu KB of heap\n", MANY, load_ms,
	    heap / 1024);
	assert_int_equal(s->application_count, MANY);
	assert_int_equal(s->environment_count, MANY * MANY_EACH);
	assert_true(heap < (size_t)MANY * 48 * 1024);
	assert_int_equal(settings_said.flaws, 0);
	for (size_t i = 0; i < s->environment_count; i++)
		assert_ptr_equal(
		    settings_environment(s, s->environments[i].name), &s->environments[i]);
	/* one that changes costs one */
	folder_aid_put("apps/app7.env", OF("app7"));
	heap = heap_bytes();
	next = again(s, NULL);
	assert_true(heap_bytes() - heap < (size_t)1024 * 1024);
	assert_string_equal(buf_text(&change.applications), "app7");
	for (int i = 0; i < MANY; i++)
		assert_int_equal(next->applications[i] == s->applications[i],
		    strcmp(next->applications[i]->application, "app7") != 0);
	settings_unref(s);
	settings_unref(next);
}
