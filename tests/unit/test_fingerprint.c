/* Goal: server and runner make one list of what ships an environment, and say where two lists differ.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/fingerprint.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "runner/runner_settings.h"
#include "settings/sources/settings_load.h"
#include "types/settings.h"
#include "unit.h"

#define SERVER \
	"TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789\n" \
	"ADMIN_TELEGRAM_IDS=11, 22\n"
#define NAMELESS SERVER "GITHUB_REPOSITORY=a/b\n"

static char folder[64];

static const char *
path_of(const char *name, char out[128])
{
	(void)snprintf(out, 128, "%s/%s", folder, name);
	return out;
}

static void
put(const char *name, const char *text)
{
	char path[128];

	assert_true(file_write(path_of(name, path), text, strlen(text), 0640, NULL));
}

static int
make_folder(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_fingerprint.XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(mkdir(path_of("apps", path), 0755), 0);
	return 0;
}

static int
remove_folder(void **state)
{
	static const char *const names[] = { "main", "one", "two", "apps/shop.env",
		"apps/blog.env" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		(void)unlink(path_of(names[i], path)); /* not each test writes all */
	return rmdir(path_of("apps", path)) + rmdir(folder);
}

/* --- what the server has, and the runner --- */

static void
server_list(const char *id, char *const environ_list[], char out[FINGERPRINT_LIST_MAX])
{
	static struct settings_report report;
	const struct environment_settings *environment;
	struct settings *settings = NULL;
	char path[128];

	if (!settings_load(path_of("main", path), environ_list, &settings, &report))
		fail_msg("%s", report.lines[0].text);
	environment = settings_environment(settings, id);
	assert_non_null(environment);
	assert_non_null(environment->fingerprint);
	(void)snprintf(out, FINGERPRINT_LIST_MAX, "%s", environment->fingerprint);
	settings_unref(settings);
}

static void
runner_list(const char *id, char out[FINGERPRINT_LIST_MAX])
{
	struct runner_settings settings;
	struct environment_id parsed;
	char path[128];

	assert_true(environment_id_parse(id, &parsed));
	assert_true(
	    runner_settings_read(&settings, path_of("main", path), parsed.application, NULL));
	(void)runner_settings_fingerprint(&settings, parsed.name, out);
	runner_settings_done(&settings);
}

static void
expect_one_list(const char *id, char out[FINGERPRINT_LIST_MAX])
{
	char *const nothing[] = { NULL };
	char theirs[FINGERPRINT_LIST_MAX];

	server_list(id, nothing, out);
	runner_list(id, theirs);
	assert_string_equal(out, theirs);
}

TEST_WITH(server_and_runner_make_the_same_list, make_folder, remove_folder)
{
	char list[FINGERPRINT_LIST_MAX], digest[FINGERPRINT_DIGEST];

	put("main", NAMELESS);
	expect_one_list("staging", list);
	assert_string_equal(list, "GITHUB_REPOSITORY=c14cddc033f64b9d"); /* no default is */
	put("main",
	    NAMELESS "REPOSITORY_URL=/r\nKEEP_RELEASES=3\nSTATE_DIRECTORY=/x\nSTAGING_HOST=h\n"
		     "PRODUCTION_HOST=p\nLOG_LEVEL=INFO\nDOCKERFILE=\n");
	expect_one_list("staging", list);
	assert_string_equal(list,
	    "GITHUB_REPOSITORY=c14cddc033f64b9d REPOSITORY_URL=6588117f7b516232 "
	    "KEEP_RELEASES=4e07408562bedb8b STAGING_HOST=aaa9402664f1a41f");
	assert_string_equal(fingerprint_digest(list, digest),
	    "a53a1c91da2b07b671cb7e1b184384a899a23903cc452a5449f1f07fc15a2f34");
}

TEST_WITH(an_applications_list_has_what_its_scopes_give_it, make_folder, remove_folder)
{
	char list[FINGERPRINT_LIST_MAX], other[FINGERPRINT_LIST_MAX], third[FINGERPRINT_LIST_MAX];
	char names[200];

	put("main",
	    SERVER "REGISTRY_URL=registry.example.org\nDEPLOY_USER=main\nKEEP_RELEASES=3\n");
	put("apps/shop.env", "REPOSITORY_URL=/r\nDEPLOY_USER=shop\nSTAGING_HOST=h\n");
	put("apps/blog.env", "REPOSITORY_URL=/r\nSTAGING_HOST=b\n");
	expect_one_list("shop/staging", list);
	expect_one_list("blog/staging", other);
	expect_one_list("shop/production", third);
	assert_string_equal(
	    fingerprint_differing(list, other, names, sizeof(names)), "DEPLOY_USER, STAGING_HOST");
	assert_string_equal(
	    fingerprint_differing(list, third, names, sizeof(names)), "STAGING_HOST");
	assert_non_null(strstr(list, "REGISTRY_URL="));
	assert_non_null(strstr(list, "KEEP_RELEASES="));
}

TEST_WITH(registries_that_bases_come_from_are_in_it, make_folder, remove_folder)
{
	char list[FINGERPRINT_LIST_MAX], other[FINGERPRINT_LIST_MAX], names[200];

	put("main",
	    SERVER "REGISTRIES=base\nREGISTRY_BASE_URL=b.example.org\nREGISTRY_BASE_USER=u\n"
		   "REGISTRY_BASE_PASSWORD=hunter2hunter2\nREGISTRY_HUB_URL=docker.io\n");
	put("apps/shop.env", "REPOSITORY_URL=/r\nSTAGING_REGISTRIES=base,hub\n");
	expect_one_list("shop/production", list);
	assert_non_null(strstr(list, " REGISTRY_BASE_URL="));
	assert_non_null(strstr(list, " REGISTRY_BASE_PASSWORD=e3b0c44298fc1c14")); /* of nothing */
	assert_null(strstr(list, "REGISTRY_HUB_URL"));
	expect_one_list("shop/staging", other);
	assert_string_equal(fingerprint_differing(list, other, names, sizeof(names)),
	    "REGISTRIES, STAGING_REGISTRIES, REGISTRY_HUB_URL");
}

/* The two are started with different ones, and neither changes while they run. */
TEST_WITH(what_a_process_was_started_with_is_not_in_it, make_folder, remove_folder)
{
	char *const environ_list[] = { "REGISTRY_URL=other.example.org", "KEEP_RELEASES=9", NULL };
	char list[FINGERPRINT_LIST_MAX], with[FINGERPRINT_LIST_MAX];

	put("main", NAMELESS "REGISTRY_URL=registry.example.org\n");
	expect_one_list("staging", list);
	server_list("staging", environ_list, with);
	assert_string_equal(list, with);
}

TEST_WITH(a_secret_is_the_path_of_its_file_and_its_value_is_nowhere, make_folder, remove_folder)
{
	char first[FINGERPRINT_LIST_MAX], second[FINGERPRINT_LIST_MAX], text[512], names[200];

	put("one", "ghp_0123456789abcdefghij\n");
	put("two", "ghp_0123456789abcdefghij\n");
	(void)snprintf(text, sizeof(text), NAMELESS "REPOSITORY_TOKEN_FILE=%s/one\n", folder);
	put("main", text);
	expect_one_list("staging", first);
	put("one", "ghp_another_0123456789ab\n");
	expect_one_list("staging", second);
	assert_string_equal(first, second);
	(void)snprintf(text, sizeof(text), NAMELESS "REPOSITORY_TOKEN_FILE=%s/two\n", folder);
	put("main", text);
	expect_one_list("staging", second);
	assert_string_equal(
	    fingerprint_differing(first, second, names, sizeof(names)), "REPOSITORY_TOKEN");
	put("main", NAMELESS "REPOSITORY_TOKEN=ghp_0123456789abcdefghij\n");
	expect_one_list("staging", first);
	put("main", NAMELESS "REPOSITORY_TOKEN=ghp_another_0123456789ab\n");
	expect_one_list("staging", second);
	assert_string_equal(first, second);
}

/* --- what differs --- */

TEST(what_differs_is_named_once_and_cut_where_room_ends)
{
	static const struct {
		const char *a, *b, *names;
		size_t room;
	} cases[] = {
		{ "A=1 B=2", "A=1 B=2", "", 100 },
		{ "", "", "", 100 },
		{ "A=1 B=2", "A=1 B=3", "B", 100 },
		{ "A=1", "", "A", 100 },
		{ "", "A=1 B=2", "A, B", 100 },
		{ "A=1 AB=2", "AB=2 B=1", "A, B", 100 },
		{ "AB=1", "A=1", "AB, A", 100 },
		{ "A=1", "A=12", "A", 100 },
		{ "LONG_NAME=1 OTHER_NAME=1 THIRD=1 X=1", "", "LONG_NAME, …", 17 },
	};
	char names[100];

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(
		    fingerprint_differing(cases[i].a, cases[i].b, names, cases[i].room),
		    cases[i].names);
}
