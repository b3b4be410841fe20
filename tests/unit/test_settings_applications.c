/* Goal: each application has its file, and no file touches another's.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_load.h"
#include "settings/settings_table.h"
#include "settings/settings_watch.h"
#include "types/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <ftw.h>
#include <malloc.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/text.h"

#define SERVER \
	"TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789\n" \
	"ADMIN_TELEGRAM_IDS=11, 22\n" \
	"REGISTRY_URL=registry.example.org\n"
#define OF(name) \
	"GITHUB_REPOSITORY=acme/" name "\n" \
	"STAGING_HOST=" name "-s\n" \
	"PRODUCTION_HOST=" name "-p\n"

static struct settings_report report;
static char folder[64];
static char *environment[8];
static struct settings_change change; /* of the last reload */

static int
make_folder(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_applications.XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/apps", folder);
	assert_int_equal(mkdir(path, 0755), 0);
	return 0;
}

static int
remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

static int
remove_folder(void **state)
{
	(void)state;
	for (size_t i = 0; environment[i] != NULL; i++)
		environment[i] = NULL;
	settings_change_done(&change);
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Writes "main" or "apps/shop.env". */
static void
put(const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_true(file_write(path, text, strlen(text), 0600, NULL));
}

static struct settings *
load(void)
{
	struct settings *s = NULL;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/main", folder);
	if (!settings_load(path, environment, &s, &report))
		fail_msg("refused: %s", report.lines[0].text);
	assert_non_null(s);
	return s;
}

static bool
says(enum settings_severity severity, const char *part)
{
	for (size_t i = 0; i < report.count; i++)
		if (report.lines[i].severity == severity &&
		    strstr(report.lines[i].text, part) != NULL)
			return true;
	return false;
}

#define SAYS(severity, part) \
	do { \
		if (!says(severity, part)) \
			fail_msg("not said: %s; first line: %s", part, \
			    report.count > 0 ? report.lines[0].text : "(none)"); \
	} while (0)

static const char *
text_of(const struct settings *s, const char *application, enum setting setting)
{
	const struct settings *its = settings_application(s, application);

	assert_non_null(its);
	return settings_text(its, setting);
}

static void
each_file_is_an_application(void **state)
{
	struct settings *s;

	(void)state;
	put("main",
	    SERVER "TELEGRAM_CHAT_ID=-1\nHEALTH_CHECK_RETRIES=7\nPRODUCTION_CONFIRM=false\n");
	put("apps/web.env", OF("web") "TELEGRAM_CHAT_ID=-2\nSTAGING_HEALTH_URL=http://web/\n");
	put("apps/shop.env", OF("shop") "ENVIRONMENTS=production,staging\nKEEP_RELEASES=9\n");
	put("apps/README", "nothing");
	environment[0] = (char[]){ "KEEP_RELEASES=3" };
	environment[1] = (char[]){ "DRAIN_SECONDS=4" };
	s = load();
	assert_int_equal(report.count, 0);
	assert_string_equal(s->application, "");
	assert_int_equal(s->application_count, 2);
	assert_string_equal(s->applications[0]->application, "shop"); /* by their names */
	assert_int_equal(s->environment_count, 4);
	assert_int_equal(settings_own_count(s), 0); /* no application without a name */
	assert_string_equal(s->environments[0].name, "shop/production");
	assert_string_equal(s->environments[3].name, "web/production");
	assert_null(settings_environment(s, "staging"));
	assert_null(settings_environment(s, "shop/canary"));
	assert_null(settings_environment(s, "sho/staging"));
	assert_ptr_equal(settings_environment(s, "web/staging"), &s->environments[2]);
	assert_ptr_equal(settings_of(s, "web/staging"), settings_application(s, "web"));
	assert_null(settings_refusal(s, "web/staging"));
	assert_string_equal(
	    settings_of(s, "web/staging")->repository_url, "https://github.com/acme/web.git");
	assert_int_equal(settings_environment(s, "web/staging")->health_url_count, 1);
	/* shared: its file, then the environment over the main file */
	assert_int_equal(settings_of(s, "web/staging")->telegram_chat_id, -2);
	assert_int_equal(settings_of(s, "shop/staging")->telegram_chat_id, -1);
	assert_int_equal(settings_times(s, "shop/staging")->health_check_retries, 7);
	assert_string_equal(text_of(s, "shop", SETTING_KEEP_RELEASES), "9");
	assert_string_equal(text_of(s, "web", SETTING_KEEP_RELEASES), "3");
	assert_string_equal(text_of(s, "shop", SETTING_DRAIN_SECONDS), "4");
	assert_false(settings_environment(s, "shop/production")->confirm);
	/* the server's: everywhere the same */
	assert_int_equal(settings_application(s, "shop")->admins.count, 2);
	settings_unref(s);
}

static void
defaults_by_which_two_would_meet_carry_the_name(void **state)
{
	struct settings *s;

	(void)state;
	put("main", SERVER);
	put("apps/shop.env", OF("shop"));
	s = load();
	assert_string_equal(text_of(s, "shop", SETTING_REGISTRY_IMAGE), "shop");
	assert_null(text_of(s, "shop", SETTING_APP_PORTS));
	assert_string_equal(settings_application(s, "shop")
				->inside->members[0]
				->values[ENVIRONMENT_SETTING_COMPOSE_DIR]
				.text,
	    "/srv/shop");
	assert_string_equal(settings_environment(s, "shop/staging")->branch, "develop");
	settings_unref(s);
	put("apps/shop.env", OF("shop") "DEPLOY_STRATEGY=bluegreen\nNGINX_UPSTREAM_FILE=/etc/u\n");
	s = load();
	SAYS(SETTINGS_FLAW, "shop: APP_PORTS: is not set");
	settings_unref(s);
}

/* What the main file says for all suits those that use it. */
static void
what_an_application_has_from_the_main_file_is_no_mistake_of_its_own(void **state)
{
	static const char main_file[] = SERVER "DEPLOY_STRATEGY=bluegreen\nDRAIN_SECONDS=30\n";
	struct settings *s;

	(void)state;
	put("main", main_file);
	put("apps/shop.env", OF("shop") "DEPLOY_TRANSPORT=systemd\nSYSTEMD_UNITS=shop.service\n");
	s = load();
	assert_false(says(SETTINGS_WARNING, "DEPLOY_STRATEGY: is"));
	assert_false(says(SETTINGS_WARNING, "DRAIN_SECONDS"));
	settings_unref(s);
	put("apps/shop.env",
	    OF("shop") "DEPLOY_TRANSPORT=systemd\nSYSTEMD_UNITS=shop.service\nDRAIN_SECONDS=3\n");
	s = load();
	assert_false(says(SETTINGS_WARNING, "DEPLOY_STRATEGY: is"));
	SAYS(SETTINGS_WARNING, "shop: DRAIN_SECONDS: is used by DEPLOY_STRATEGY=bluegreen");
	settings_unref(s);
}

/* Of others than the administrator, of no application, or twice: named, and the rest is read. */
static void
a_file_that_may_not_be_read_is_named(void **state)
{
	struct settings *s;
	char path[128];

	(void)state;
	put("main", SERVER);
	put("apps/shop.env", OF("shop"));
	put("apps/Shop.env", OF("shop"));
	put("apps/my_app.env", OF("shop"));
	put("apps/client.env", OF("shop"));
	put("apps/a-name-that-is-too-long.env", OF("shop"));
	put("apps/open.env", OF("open"));
	put("apps/group.env", OF("group"));
	put("apps/.web.env", OF("web"));
	(void)snprintf(path, sizeof(path), "%s/apps/open.env", folder);
	assert_int_equal(chmod(path, 0646), 0);
	(void)snprintf(path, sizeof(path), "%s/apps/group.env", folder);
	assert_int_equal(chmod(path, 0660), 0);
	(void)snprintf(path, sizeof(path), "%s/apps/link.env", folder);
	assert_int_equal(symlink("shop.env", path), 0);
	s = load();
	assert_int_equal(s->application_count, 1);
	assert_int_equal(s->refused_count, 7);
	SAYS(SETTINGS_FLAW, "apps/open.env: others may write it (mode 0646): chmod go-w");
	SAYS(SETTINGS_FLAW, "apps/group.env: others may write it (mode 0660): chmod go-w");
	SAYS(SETTINGS_FLAW, "apps/link.env: is a link");
	SAYS(SETTINGS_FLAW, "apps/Shop.env: capitals");
	SAYS(SETTINGS_FLAW, "apps/my_app.env: is not read");
	SAYS(SETTINGS_FLAW, "apps/client.env: is not read: client/ID in a grant is no application");
	SAYS(SETTINGS_FLAW, "apps/a-name-that-is-too-long.env: is not read");
	settings_unref(s);
	(void)snprintf(path, sizeof(path), "%s/apps", folder);
	assert_int_equal(chmod(path, 0777), 0);
	s = load();
	assert_int_equal(s->application_count, 0); /* they could put any there */
	SAYS(SETTINGS_FLAW, "APPS_DIRECTORY: ");
	settings_unref(s);
}

static void
what_stands_in_the_wrong_file_is_said(void **state)
{
	struct settings *s;

	(void)state;
	put("main", SERVER "GITHUB_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef\n");
	put("apps/shop.env", OF("shop") "LOG_LEVEL=DEBUG\nTELEGRAM_BOT_TOKEN_FILE=/x\n");
	put("apps/web.env", OF("web") "STAGING_TELEGRAM_IDS=33\n");
	s = load();
	assert_int_equal(report.flaws, 2);
	SAYS(SETTINGS_FLAW, "shop: LOG_LEVEL: is one of the whole server");
	SAYS(SETTINGS_FLAW, "shop: TELEGRAM_BOT_TOKEN: is one of the whole server");
	assert_non_null(strstr(settings_refusal(s, "shop/staging"),
	    "shop.env has a mistake: TELEGRAM_BOT_TOKEN: is one"));
	assert_null(settings_refusal(s, "web/staging"));
	assert_string_equal(s->refused[0].file, "shop.env");
	/* each for the file that it stands in */
	assert_non_null(s->github_webhook_secret);
	assert_null(settings_application(s, "web")->github_webhook_secret);
	assert_null(settings_text(s, SETTING_STAGING_TELEGRAM_IDS));
	assert_string_equal(
	    settings_text(settings_application(s, "web"), SETTING_STAGING_TELEGRAM_IDS), "33");
	settings_unref(s);
	/* own ones in the main file, or in the environment */
	put("main", SERVER "GITHUB_REPOSITORY=acme/old\nSTAGING_HOST=nonsense host\n");
	environment[0] = (char[]){ "STAGING_COMPOSE_DIR=/srv/old" };
	s = load();
	SAYS(SETTINGS_FLAW,
	    "GITHUB_REPOSITORY, STAGING_HOST, STAGING_COMPOSE_DIR: of one application");
	assert_non_null(strstr(settings_refusal(s, "staging"), "deploybot application adopt NAME"));
	assert_non_null(settings_refusal(s, "production"));
	assert_null(settings_refusal(s, "web/staging"));
	assert_string_equal(settings_application(s, "web")
				->inside->members[0]
				->values[ENVIRONMENT_SETTING_COMPOSE_DIR]
				.text,
	    "/srv/web"); /* never inherited */
	settings_unref(s);
}

static void
a_secret_does_not_stand_where_the_runner_reads(void **state)
{
	struct settings *s;
	char text[512];

	(void)state;
	put("main", SERVER "RUNNER_SOCKET=/run/x\n");
	put("apps/shop.env", OF("shop") "GITHUB_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef\n");
	put("secret", "0123456789abcdef0123456789abcdef");
	(void)snprintf(
	    text, sizeof(text), OF("web") "GITHUB_WEBHOOK_SECRET_FILE=%s/secret\n", folder);
	put("apps/web.env", text);
	s = load();
	assert_int_equal(report.flaws, 1);
	SAYS(SETTINGS_FLAW,
	    "shop: GITHUB_WEBHOOK_SECRET: a secret in a file that the runner reads too");
	assert_null(settings_refusal(s, "web/staging"));
	assert_non_null(settings_application(s, "web")->github_webhook_secret);
	settings_unref(s);
}

/* --- targets --- */

static bool
is_live(void *ctx, const char *name)
{
	return strstr(ctx, name) != NULL;
}

static void
two_applications_do_not_share_a_target(void **state)
{
	static const struct {
		const char *main, *shop, *web; /* beside names of hosts */
		const char *thing;
	} cases[] = {
		{ "", "STAGING_HOST=h:22", "STAGING_HOST=H\nSTAGING_COMPOSE_DIR=/srv/shop/",
		    "a host's folder or file" },
		{ "DEPLOY_TRANSPORT=systemd\n", "STAGING_HOST=h\nSYSTEMD_UNITS=a.service",
		    "STAGING_HOST=h\nSYSTEMD_UNITS=b.service", "a host's folder (SYSTEMD_DIR)" },
		{ "DEPLOY_TRANSPORT=local\n", "STAGING_PORT=5000", "STAGING_PORT=5000",
		    "a port of this machine" },
		{ "DEPLOY_TRANSPORT=kubernetes\nKUBECONFIG=/k\n",
		    "KUBE_DEPLOYMENT=x\nPRODUCTION_KUBE_NAMESPACE=p",
		    "KUBE_DEPLOYMENT=x\nPRODUCTION_KUBE_NAMESPACE=q", "a Deployment" },
		{ "DEPLOY_STRATEGY=bluegreen\n",
		    "STAGING_HOST=h\nPRODUCTION_HOST=i\nNGINX_UPSTREAM_FILE=/etc/n\nAPP_PORTS=1,2",
		    "STAGING_HOST=h\nPRODUCTION_HOST=j\nNGINX_UPSTREAM_FILE=/etc//n\nAPP_PORTS=3,4",
		    "a host's folder or file" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[512];
		struct settings *s;

		(void)snprintf(text, sizeof(text), SERVER "%s", cases[i].main);
		put("main", text);
		(void)snprintf(text, sizeof(text),
		    "REPOSITORY_URL=/a\n%s\nSTAGING_HEALTH_URL=http://a/", cases[i].shop);
		put("apps/shop.env", text);
		(void)snprintf(text, sizeof(text), "REPOSITORY_URL=/b\n%s\n", cases[i].web);
		put("apps/web.env", text);
		s = load();
		(void)snprintf(text, sizeof(text), "web/staging shares %s with shop/staging (",
		    cases[i].thing);
		SAYS(SETTINGS_FLAW, text);
		assert_null(settings_refusal(s, "shop/staging"));
		assert_non_null(strstr(settings_refusal(s, "web/staging"), text));
		assert_null(settings_refusal(s, "web/production"));
		/* the one that alone is live there stays */
		assert_null(settings_refusal_among(s, "web/staging", is_live, "web/staging"));
		assert_non_null(settings_refusal_among(s, "shop/staging", is_live, "web/staging"));
		assert_null(settings_refusal_among(s, "shop/staging", is_live, ""));
		assert_non_null(settings_refusal_among(s, "web/staging", is_live, ""));
		assert_non_null(
		    settings_refusal_among(s, "web/staging", is_live, "web/staging shop/staging"));
		assert_null(settings_refusal_among(s, "shop/production", is_live, "web/staging"));
		settings_unref(s);
	}
}

/* By its name a migration of one was waited for, and stopped, as the other's. */
static void
two_environments_do_not_share_a_migrations_name(void **state)
{
	static const struct {
		const char *web; /* of shop-eu, beside its hosts */
		bool is_shared;
	} cases[] = {
		{ "WEST_HOST=a\nMIGRATE_COMMAND=m\n", true },
		{ "WEST_HOST=b,a:22\nMIGRATE_COMMAND=m\n", true },
		{ "WEST_HOST=b\nMIGRATE_COMMAND=m\n", false },
		{ "MIGRATE_COMMAND=m\nUSE_KUBERNETES=true\nKUBECONFIG=/k\nKUBE_DEPLOYMENT=w\n",
		    false },
		{ "WEST_HOST=a\n", false },
		{ "WEST_HOST=a\nMIGRATE_COMMAND=m\nDEPLOY_SCRIPT=/bin/true\n", false },
		{ "WEST_HOST=a\nMIGRATE_COMMAND=m\nDEPLOY_TRANSPORT=systemd\n"
		  "SYSTEMD_UNITS=w.service\n",
		    false },
	};
	char text[512];

	(void)state;
	put("main", SERVER);
	put("apps/shop.env",
	    "REPOSITORY_URL=/a\nENVIRONMENTS=eu-west\nEU_WEST_HOST=a\nMIGRATE_COMMAND=m\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct settings *s;

		(void)snprintf(
		    text, sizeof(text), "REPOSITORY_URL=/b\nENVIRONMENTS=west\n%s", cases[i].web);
		put("apps/shop-eu.env", text);
		s = load();
		(void)snprintf(text, sizeof(text),
		    "%s shares a migration's name with %s (deploybot-migrate-shop-eu-west, host:a:22): a migration of one would be stopped as the other's: rename one",
		    "shop-eu/west", "shop/eu-west");
		if (cases[i].is_shared)
			SAYS(SETTINGS_FLAW, text);
		assert_null(settings_refusal(s, "shop/eu-west"));
		assert_int_equal(settings_refusal(s, "shop-eu/west") != NULL, cases[i].is_shared);
		settings_unref(s);
	}
}

/* The gate of one would be passed by the other. */
static void
two_environments_with_one_health_url_are_warned_of(void **state)
{
	static const char by_both[] =
	    "web/staging: its health URL at h:8080 is that of shop/staging too, and what runs there answers for it";
	struct settings *s;

	(void)state;
	put("main", SERVER);
	put("apps/shop.env", OF("shop") "STAGING_HEALTH_URL=http://h:8080/health\n");
	put("apps/web.env", OF("web") "STAGING_HEALTH_URL=http://g/,http://h:8080/health\n");
	s = load();
	SAYS(SETTINGS_WARNING, by_both);
	assert_int_equal(report.count, 1);
	settings_unref(s);
	put("apps/web.env", OF("web") "STAGING_HEALTH_URL=http://h:8081/health\n");
	s = load();
	assert_int_equal(report.count, 0);
	settings_unref(s);
	put("apps/web.env",
	    OF("web") "STAGING_HEALTH_URL=http://g/\nPRODUCTION_HEALTH_URL=http://g/\n");
	s = load();
	SAYS(SETTINGS_WARNING, ": its health URL at g is that of web/");
	assert_int_equal(report.count, 1);
	settings_unref(s);
}

static void
two_applications_of_one_branch_are_noted(void **state)
{
	struct settings *s;

	(void)state;
	put("main", SERVER);
	put("apps/shop.env", OF("shop"));
	put("apps/web.env",
	    OF("web") "REPOSITORY_URL=https://github.com/acme/shop.git\n"
		      "GITHUB_BRANCH_PRODUCTION=other\n");
	s = load();
	assert_int_equal(report.flaws, 0);
	assert_int_equal(report.count, 1);
	SAYS(SETTINGS_NOTE, "web/staging: a push to its branch develop is one to shop/staging too");
	settings_unref(s);
	/* paths separate them */
	put("apps/shop.env", OF("shop") "PATHS=shop\n");
	put("apps/web.env",
	    OF("web") "REPOSITORY_URL=https://github.com/acme/shop.git\nPATHS=web\n");
	s = load();
	assert_int_equal(report.count, 0);
	settings_unref(s);
}

static void
a_renamed_application_beside_its_old_file_is_said(void **state)
{
	struct settings *s;

	(void)state;
	put("main", SERVER);
	put("apps/shop.env", OF("shop"));
	put("apps/store.env", OF("store") "RENAMED_FROM=shop\n");
	s = load();
	assert_int_equal(report.flaws, 1);
	SAYS(SETTINGS_FLAW, "store: RENAMED_FROM: shop.env is there still");
	settings_unref(s);
	put("apps/store.env", OF("store") "RENAMED_FROM=Shop\n");
	s = load();
	SAYS(SETTINGS_FLAW, "store: RENAMED_FROM: \"Shop\" is not the name");
	settings_unref(s);
}

/* --- beside a running snapshot --- */

static struct settings *
again(const struct settings *running, const struct settings_folder *files)
{
	struct settings *s = NULL;
	char path[128];

	settings_change_done(&change);
	settings_change_init(&change);
	(void)snprintf(path, sizeof(path), "%s/main", folder);
	assert_true(settings_reload(running, path, environment, files, &s, &report, &change));
	return s;
}

static void
a_mistake_leaves_that_application_as_it_was(void **state)
{
	struct settings *one, *two, *three;

	(void)state;
	put("main", SERVER);
	put("apps/shop.env", OF("shop"));
	put("apps/web.env", OF("web"));
	one = load();
	put("apps/shop.env", OF("shop") "KEEP_RELEASES=none\n");
	put("apps/web.env", OF("web") "KEEP_RELEASES=7\n");
	put("apps/new.env", "GITHUB_REPO");
	two = again(one, NULL);
	assert_string_equal(buf_text(&change.names), "web: KEEP_RELEASES");
	assert_string_equal(buf_text(&change.applications), "web");
	assert_true(change.refused_differ);
	assert_int_equal(two->application_count, 2);
	assert_ptr_equal(settings_application(two, "shop"), settings_application(one, "shop"));
	assert_null(settings_refusal(two, "shop/staging"));
	assert_string_equal(text_of(two, "web", SETTING_KEEP_RELEASES), "7");
	assert_int_equal(two->refused_count, 2);
	assert_string_equal(two->refused[0].file, "new.env");
	assert_string_equal(two->refused[1].file, "shop.env");
	/* what all share reaches those that say nothing of it, and nothing else is made anew */
	put("main", SERVER "KEEP_RELEASES=8\n");
	put("apps/shop.env", OF("shop"));
	three = again(two, NULL);
	assert_string_equal(text_of(three, "shop", SETTING_KEEP_RELEASES), "8");
	assert_ptr_equal(settings_application(three, "web"), settings_application(two, "web"));
	assert_string_equal(buf_text(&change.names), "KEEP_RELEASES");
	assert_string_equal(buf_text(&change.applications), "shop");
	settings_unref(one);
	settings_unref(two);
	settings_unref(three);
}

static void
a_file_has_as_many_environments_as_may_be(void **state)
{
	static const char main_file[] = SERVER
	    "GITHUB_REPOSITORY=acme/all\nDEPLOY_SCRIPT=/bin/true\nROLLBACK_SCRIPT=/bin/true\n";
	char text[4096], path[128];
	struct settings *s = NULL;

	(void)state;
	(void)snprintf(text, sizeof(text), "%sENVIRONMENTS=e0", main_file);
	for (int i = 1; i < SETTING_NAMES_MAX; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ",e%d", i);
	put("main", text);
	s = load();
	assert_int_equal(s->environment_count, SETTING_NAMES_MAX);
	settings_unref(s);
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ",one-more");
	put("main", text);
	(void)snprintf(path, sizeof(path), "%s/main", folder);
	assert_false(settings_load(path, environment, &s, &report));
	SAYS(SETTINGS_ERROR, "ENVIRONMENTS: has more than 64 in its list");
}

/* Regression: the report said it once more, where the file of before stayed in force. */
static void
what_is_warned_of_stays_listed_while_its_file_is_refused(void **state)
{
	struct settings *one, *two;
	size_t n = 0;

	(void)state;
	put("main", SERVER);
	put("apps/shop.env", OF("shop") "STAGING_HOTS=x\n");
	one = load();
	assert_int_equal(one->warned_count, 1);
	put("apps/shop.env", "KEEP_RELEASES=none\n" OF("shop") "STAGING_HOTS=x\nSTAGING_PROT=1\n");
	two = again(one, NULL);
	assert_int_equal(two->refused_count, 1);
	assert_int_equal(two->warned_count, 2); /* what is new in the refused one too */
	assert_string_equal(two->warned[0].reason, one->warned[0].reason);
	for (size_t i = 0; i < report.count; i++) {
		assert_true(report.lines[i].is_listed);
		n += report.lines[i].severity == SETTINGS_WARNING;
	}
	assert_int_equal(n, 2);
	settings_unref(one);
	settings_unref(two);
}

/* It changes no value, and is named all the same: while it stands there. */
static void
a_name_that_is_no_setting_is_warned_of(void **state)
{
	static const char wrong[] = "STAGING_HOTS: is no setting; did you mean STAGING_HOST?";
	struct settings *one, *two, *three, *four;

	(void)state;
	put("main", SERVER "COMPOSE_PROJECT_NAME=x\n"); /* other programs read this one too */
	put("apps/shop.env", OF("shop"));
	put("apps/web.env", OF("web"));
	one = load();
	assert_int_equal(one->warned_count, 0);
	put("apps/shop.env", OF("shop") "STAGING_HOTS=x\n");
	two = again(one, NULL);
	assert_true(change.warned_differ && settings_change_is_any(&change));
	assert_int_equal(change.names.size, 0);
	assert_int_equal(two->warned_count, 1);
	assert_string_equal(two->warned[0].file, "shop.env");
	assert_string_equal(two->warned[0].reason, wrong);
	put("apps/shop.env", OF("shop") "STAGING_HOTS=x\nKEEP_RELEASES=none\n");
	three = again(two, NULL); /* the file of before is in force */
	assert_int_equal(three->refused_count, 1);
	assert_int_equal(three->warned_count, 1);
	put("apps/shop.env", OF("shop"));
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

	put("main", SERVER);
	put("apps/shop.env", OF("shop"));
	put("apps/web.env", OF("web"));
	s = load();
	(void)snprintf(main_path, sizeof(main_path), "%s/main", folder);
	settings_watch_init(&watch, main_path, s);
	watch.users = "/nowhere";
	assert_true(settings_watch_has_any(&watch, s));
	s = look(s, false, true); /* it may have changed since it was loaded */
	assert_false(settings_change_is_any(&change));
	return look(s, false, false);
}

/* Or whoever gets their uid next acts as them. */
static void
a_user_who_is_gone_is_let_in_no_more(void **state)
{
	struct settings *s = start_to_look();
	const char *name = NULL;
	char users[128];

	(void)state;
	(void)snprintf(users, sizeof(users), "%s/users", folder);
	watch.users = users;
	put("users", "games:x:5:60::/:/bin/sh\n");
	s = look(s, false, false); /* nobody of them is let in */
	put("main", SERVER "LOCAL_GAMES_IS=11\nLOCAL_MAN_IS=\n");
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
	put("users", "games:x:5:60:new:/:/bin/sh\n");
	s = look(s, false, false);
	s = look(s, false, true);
	assert_string_equal(buf_text(&change.names), "LOCAL_GAMES_IS");
	assert_int_equal(settings_user(s, 4242, &name), 0);
	assert_int_equal(settings_user(s, 5, &name), 11);
	put("main", SERVER "LOCAL_GAMES_IS=\n"); /* nobody, and no mistake that keeps them */
	s = look(s, false, false);
	s = look(s, false, true);
	assert_int_equal(report.errors, 0);
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
static void
a_user_of_the_file_and_one_of_a_directory_are_two(void **state)
{
	struct settings *s = start_to_look();
	const char *name = NULL;

	(void)state;
	put("main", SERVER "LOCAL_WWW_DATA_IS=11\n");
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

static void
a_file_is_read_when_it_stood_still(void **state)
{
	struct settings *s = start_to_look();

	(void)state;
	put("apps/new.env", OF("new"));
	put("apps/shop.env", OF("shop") "KEEP_RELEASES=1");
	s = look(s, false, false);
	put("apps/shop.env", OF("shop") "KEEP_RELEASES=17");
	s = look(s, false, true); /* new.env is; shop.env was just written */
	assert_string_equal(buf_text(&change.names), "new: new");
	s = look(s, false, true);
	assert_string_equal(buf_text(&change.names), "shop: KEEP_RELEASES");
	assert_string_equal(text_of(s, "shop", SETTING_KEEP_RELEASES), "17");
	s = look(s, false, false);
	put("apps/shop.env", OF("shop"));
	s = look(s, true, true); /* who asks for it says that it is whole */
	assert_string_equal(buf_text(&change.names), "shop: KEEP_RELEASES");
	settings_watch_done(&watch);
	settings_unref(s);
}

static void
an_application_is_removed_at_the_third_look(void **state)
{
	struct settings *s = start_to_look();
	char path[128], aside[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/apps/web.env", folder);
	assert_int_equal(unlink(path), 0);
	s = look(s, false, false);
	s = look(s, true, true);
	assert_non_null(settings_application(s, "web"));
	s = look(s, false, true);
	assert_null(settings_application(s, "web"));
	assert_string_equal(buf_text(&change.names), "web: removed");
	s = look(s, false, false);
	/* the last one, or all at once: that is a folder that is not mounted */
	(void)snprintf(path, sizeof(path), "%s/apps/shop.env", folder);
	assert_int_equal(unlink(path), 0);
	for (int i = 0; i < 5; i++)
		s = look(s, false, false);
	assert_non_null(strstr(watch.error, "/apps is empty"));
	(void)snprintf(path, sizeof(path), "%s/apps", folder);
	(void)snprintf(aside, sizeof(aside), "%s/aside", folder);
	assert_int_equal(rename(path, aside), 0);
	for (int i = 0; i < 5; i++)
		s = look(s, false, false);
	assert_non_null(strstr(watch.error, "/apps: No such file"));
	put("main", SERVER "KEEP_RELEASES=4\n"); /* and the rest goes on */
	s = look(s, false, false);
	s = look(s, false, true);
	assert_non_null(settings_application(s, "shop"));
	settings_watch_done(&watch);
	settings_unref(s);
}

static void
a_file_that_others_may_write_now_stays_as_it_was(void **state)
{
	struct settings *s = start_to_look();
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/apps/web.env", folder);
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
static void
two_hundred_applications_of_ten_environments(void **state)
{
	static const char *const names[] = { "staging", "production", "qa", "canary", "eu-one",
		"eu-two", "us-one", "us-two", "demo", "load" };
	struct settings *s, *next;
	struct timespec before, after;
	size_t heap;
	char name[64], upper[SETTING_NAME_MAX];
	struct buf text;
	double load_ms;

	(void)state;
	put("main", SERVER);
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
		put(name, buf_text(&text));
		buf_done(&text);
	}
	heap = heap_bytes();
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	s = load();
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	load_ms = (double)(after.tv_sec - before.tv_sec) * 1e3 +
	    (double)(after.tv_nsec - before.tv_nsec) / 1e6;
	heap = heap_bytes() - heap;
	print_message("%d applications: %.0f ms of the processor, %zu KB of heap\n", MANY, load_ms,
	    heap / 1024);
	assert_int_equal(s->application_count, MANY);
	assert_int_equal(s->environment_count, MANY * MANY_EACH);
	assert_true(heap < (size_t)MANY * 48 * 1024);
	assert_int_equal(report.flaws, 0);
	for (size_t i = 0; i < s->environment_count; i++)
		assert_ptr_equal(
		    settings_environment(s, s->environments[i].name), &s->environments[i]);
	/* one that changes costs one */
	put("apps/app7.env", OF("app7"));
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

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(each_file_is_an_application),
		TEST(defaults_by_which_two_would_meet_carry_the_name),
		TEST(what_an_application_has_from_the_main_file_is_no_mistake_of_its_own),
		TEST(a_file_that_may_not_be_read_is_named),
		TEST(what_stands_in_the_wrong_file_is_said),
		TEST(a_secret_does_not_stand_where_the_runner_reads),
		TEST(two_applications_do_not_share_a_target),
		TEST(two_environments_do_not_share_a_migrations_name),
		TEST(two_environments_with_one_health_url_are_warned_of),
		TEST(two_applications_of_one_branch_are_noted),
		TEST(a_renamed_application_beside_its_old_file_is_said),
		TEST(a_mistake_leaves_that_application_as_it_was),
		TEST(a_file_has_as_many_environments_as_may_be),
		TEST(a_name_that_is_no_setting_is_warned_of),
		TEST(what_is_warned_of_stays_listed_while_its_file_is_refused),
		TEST(a_file_is_read_when_it_stood_still),
		TEST(a_user_who_is_gone_is_let_in_no_more),
		TEST(a_user_of_the_file_and_one_of_a_directory_are_two),
		TEST(an_application_is_removed_at_the_third_look),
		TEST(a_file_that_others_may_write_now_stays_as_it_was),
		TEST(two_hundred_applications_of_ten_environments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
