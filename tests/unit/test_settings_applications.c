/* Goal: each application has its file, and no file touches another's.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "folder_aid.h"
#include "jwt_aid.h"
#include "lib/json.h"
#include "types/workflow.h"

#include <sys/stat.h>
#include <unistd.h>

TEST_WITH(each_file_is_an_application, folder_aid_make, folder_aid_remove)
{
	struct settings *s;

	folder_aid_put("main",
	    SERVER "TELEGRAM_CHAT_ID=-1\nHEALTH_CHECK_RETRIES=7\nPRODUCTION_CONFIRM=false\n");
	folder_aid_put(
	    "apps/web.env", OF("web") "TELEGRAM_CHAT_ID=-2\nSTAGING_HEALTH_URL=http://web/\n");
	folder_aid_put(
	    "apps/shop.env", OF("shop") "ENVIRONMENTS=production,staging\nKEEP_RELEASES=9\n");
	folder_aid_put("apps/README", "nothing");
	folder_aid.environment[0] = (char[]){ "KEEP_RELEASES=3" };
	folder_aid.environment[1] = (char[]){ "DRAIN_SECONDS=4" };
	s = folder_aid_load();
	assert_int_equal(settings_said.count, 0);
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
	assert_string_equal(folder_aid_text(s, "shop", SETTING_KEEP_RELEASES), "9");
	assert_string_equal(folder_aid_text(s, "web", SETTING_KEEP_RELEASES), "3");
	assert_string_equal(folder_aid_text(s, "shop", SETTING_DRAIN_SECONDS), "4");
	assert_false(settings_environment(s, "shop/production")->confirm);
	/* the server's: everywhere the same */
	assert_int_equal(settings_application(s, "shop")->admins.count, 2);
	settings_unref(s);
}

TEST_WITH(defaults_by_which_two_would_meet_carry_the_name, folder_aid_make, folder_aid_remove)
{
	struct settings *s;

	folder_aid_put("main", SERVER);
	folder_aid_put("apps/shop.env", OF("shop"));
	s = folder_aid_load();
	assert_string_equal(folder_aid_text(s, "shop", SETTING_REGISTRY_IMAGE), "shop");
	assert_null(folder_aid_text(s, "shop", SETTING_APP_PORTS));
	assert_string_equal(settings_own(settings_application(s, "shop")->inside->members[0],
				ENVIRONMENT_SETTING_COMPOSE_DIR)
				->text,
	    "/srv/shop");
	assert_string_equal(settings_environment(s, "shop/staging")->branch, "develop");
	settings_unref(s);
	folder_aid_put(
	    "apps/shop.env", OF("shop") "DEPLOY_STRATEGY=bluegreen\nNGINX_UPSTREAM_FILE=/etc/u\n");
	s = folder_aid_load();
	SAYS(SETTINGS_FLAW, "shop: APP_PORTS: is not set");
	settings_unref(s);
}

/* What the main file says for all suits those that use it. */
TEST_WITH(what_an_application_has_from_the_main_file_is_no_mistake_of_its_own, folder_aid_make,
    folder_aid_remove)
{
	static const char main_file[] = SERVER "DEPLOY_STRATEGY=bluegreen\nDRAIN_SECONDS=30\n";
	struct settings *s;

	folder_aid_put("main", main_file);
	folder_aid_put(
	    "apps/shop.env", OF("shop") "DEPLOY_TRANSPORT=systemd\nSYSTEMD_UNITS=shop.service\n");
	s = folder_aid_load();
	assert_false(settings_aid_says(SETTINGS_WARNING, "DEPLOY_STRATEGY: is"));
	assert_false(settings_aid_says(SETTINGS_WARNING, "DRAIN_SECONDS"));
	settings_unref(s);
	folder_aid_put("apps/shop.env",
	    OF("shop") "DEPLOY_TRANSPORT=systemd\nSYSTEMD_UNITS=shop.service\nDRAIN_SECONDS=3\n");
	s = folder_aid_load();
	assert_false(settings_aid_says(SETTINGS_WARNING, "DEPLOY_STRATEGY: is"));
	SAYS(SETTINGS_WARNING, "shop: DRAIN_SECONDS: is used by DEPLOY_STRATEGY=bluegreen");
	settings_unref(s);
}

/* Who may push to the one would read with it what the other one's people have. */
TEST_WITH(a_login_of_the_main_file_is_no_applications_own, folder_aid_make, folder_aid_remove)
{
	struct settings *s;

	folder_aid_put(
	    "main", SERVER "REPOSITORY_TOKEN=ghp_0123456789abcdef\nREPOSITORY_SUBMODULES=fetch\n");
	folder_aid_put("apps/shop.env", OF("shop"));
	folder_aid_put("apps/web.env", OF("web") "REPOSITORY_TOKEN=ghp_another0123456\n");
	s = folder_aid_load();
	SAYS(SETTINGS_WARNING, "shop: REPOSITORY_SUBMODULES_FROM: is not set");
	assert_false(
	    settings_aid_says(SETTINGS_WARNING, "web: REPOSITORY_SUBMODULES_FROM: is not set"));
	settings_unref(s);
}

/* Whose login that is, no application's file says: it would be read, and mean nothing. */
/* Whoever may write an application's file would get what the main file has for GitHub. */
TEST_WITH(
    what_github_is_asked_with_goes_to_the_address_beside_it, folder_aid_make, folder_aid_remove)
{
	struct settings *s;

	folder_aid_put("main", SERVER "GITHUB_API_TOKEN=ghp_of_the_main_file_1\n");
	folder_aid_put("apps/a.env", OF("a"));
	folder_aid_put("apps/b.env", OF("b") "GITHUB_API_TOKEN=ghp_of_its_own_file_2\n");
	folder_aid_put("apps/c.env",
	    OF("c") "GITHUB_API_URL=https://github.example.org\nGITHUB_API_TOKEN=ghp_of_its_own_file_3\n");
	folder_aid_put("apps/d.env", OF("d") "GITHUB_API_URL=https://github.example.org\n");
	s = folder_aid_load();
	assert_int_equal(settings_said.count, 1);
	SAYS(SETTINGS_FLAW,
	    "d: GITHUB_API_URL: an address of this application's own, which does not get the main file's GITHUB_API_TOKEN: set one here too");
	assert_string_equal(s->applications[0]->github.token, "ghp_of_the_main_file_1");
	assert_string_equal(s->applications[0]->github.url, "https://api.github.com");
	assert_string_equal(s->applications[1]->github.token, "ghp_of_its_own_file_2");
	assert_string_equal(s->applications[2]->github.token, "ghp_of_its_own_file_3");
	assert_string_equal(s->applications[2]->github.url, "https://github.example.org");
	assert_null(s->applications[3]->github.token);
	settings_unref(s);
}

TEST_WITH(who_a_person_is_stands_in_the_main_file, folder_aid_make, folder_aid_remove)
{
	struct settings *s;

	folder_aid_put("main", SERVER "PERSON_11_GITHUB=ada\nPERSON_13_GITLAB=ada\n");
	folder_aid_put(
	    "apps/shop.env", OF("shop") "PERSON_12_GITHUB=mallory\nPERSON_14_GITLAB=eve\n");
	s = folder_aid_load();
	SAYS(SETTINGS_WARNING, "shop: PERSON_12_GITHUB: is one of the whole server");
	SAYS(SETTINGS_WARNING, "shop: PERSON_14_GITLAB: is one of the whole server");
	assert_int_equal(settings_person_of_login(s, "gitlab:eve", 10), 0);
	assert_false(settings_aid_says(SETTINGS_WARNING, "PERSON_11_GITHUB"));
	assert_int_equal(settings_person_of_login(s, "ada", 3), 11);
	assert_int_equal(settings_person_of_login(s, "mallory", 7), 0);
	/* Two forges have two people of one login. */
	assert_int_equal(settings_person_of_login(s, "gitlab:Ada", 10), 13);
	assert_int_equal(settings_person_of_login(s, "gitlab:", 7), 0);
	settings_unref(s);
}

/* Of others than the administrator, of no application, or twice: named, and the rest is read. */
TEST_WITH(a_file_that_may_not_be_read_is_named, folder_aid_make, folder_aid_remove)
{
	struct settings *s;
	char path[128];

	folder_aid_put("main", SERVER);
	folder_aid_put("apps/shop.env", OF("shop"));
	folder_aid_put("apps/Shop.env", OF("shop"));
	folder_aid_put("apps/my_app.env", OF("shop"));
	folder_aid_put("apps/client.env", OF("shop"));
	folder_aid_put("apps/a-name-that-is-too-long.env", OF("shop"));
	folder_aid_put("apps/open.env", OF("open"));
	folder_aid_put("apps/group.env", OF("group"));
	folder_aid_put("apps/.web.env", OF("web"));
	(void)snprintf(path, sizeof(path), "%s/apps/open.env", folder_aid.path);
	assert_int_equal(chmod(path, 0646), 0);
	(void)snprintf(path, sizeof(path), "%s/apps/group.env", folder_aid.path);
	assert_int_equal(chmod(path, 0660), 0);
	(void)snprintf(path, sizeof(path), "%s/apps/link.env", folder_aid.path);
	assert_int_equal(symlink("shop.env", path), 0);
	s = folder_aid_load();
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
	(void)snprintf(path, sizeof(path), "%s/apps", folder_aid.path);
	assert_int_equal(chmod(path, 0777), 0);
	s = folder_aid_load();
	assert_int_equal(s->application_count, 0); /* they could folder_aid_put any there */
	SAYS(SETTINGS_FLAW, "APPS_DIRECTORY: ");
	settings_unref(s);
}

TEST_WITH(what_stands_in_the_wrong_file_is_said, folder_aid_make, folder_aid_remove)
{
	struct settings *s;

	folder_aid_put("main", SERVER "GITHUB_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef\n");
	folder_aid_put("apps/shop.env", OF("shop") "LOG_LEVEL=DEBUG\nTELEGRAM_BOT_TOKEN_FILE=/x\n");
	folder_aid_put("apps/web.env", OF("web") "STAGING_TELEGRAM_IDS=33\n");
	s = folder_aid_load();
	assert_int_equal(settings_said.flaws, 2);
	SAYS(SETTINGS_FLAW, "shop: LOG_LEVEL: is one of the whole server");
	SAYS(SETTINGS_FLAW, "shop: TELEGRAM_BOT_TOKEN: is one of the whole server");
	assert_non_null(strstr(settings_refusal(s, "shop/staging"),
	    "shop.env has a mistake: TELEGRAM_BOT_TOKEN: is one"));
	assert_non_null(strstr(settings_refusal(s, "shop/staging"), "(shop.env line "));
	assert_null(strchr(settings_refusal(s, "shop/staging"), '/')); /* hooks' callers read it */
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
	folder_aid_put("main", SERVER "GITHUB_REPOSITORY=acme/old\nSTAGING_HOST=nonsense host\n");
	folder_aid.environment[0] = (char[]){ "STAGING_COMPOSE_DIR=/srv/old" };
	s = folder_aid_load();
	SAYS(SETTINGS_FLAW,
	    "GITHUB_REPOSITORY, STAGING_HOST, STAGING_COMPOSE_DIR: of one application");
	assert_non_null(strstr(settings_refusal(s, "staging"), "deploybot application adopt NAME"));
	assert_non_null(settings_refusal(s, "production"));
	assert_null(settings_refusal(s, "web/staging"));
	assert_string_equal(settings_own(settings_application(s, "web")->inside->members[0],
				ENVIRONMENT_SETTING_COMPOSE_DIR)
				->text,
	    "/srv/web"); /* never inherited */
	settings_unref(s);
}

TEST_WITH(a_secret_does_not_stand_where_the_runner_reads, folder_aid_make, folder_aid_remove)
{
	struct settings *s;
	char text[512];

	folder_aid_put("main", SERVER "RUNNER_SOCKET=/run/x\n");
	folder_aid_put(
	    "apps/shop.env", OF("shop") "GITHUB_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef\n");
	folder_aid_put("secret", "0123456789abcdef0123456789abcdef");
	(void)snprintf(text, sizeof(text), OF("web") "GITHUB_WEBHOOK_SECRET_FILE=%s/secret\n",
	    folder_aid.path);
	folder_aid_put("apps/web.env", text);
	s = folder_aid_load();
	assert_int_equal(settings_said.flaws, 1);
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

TEST_WITH(two_applications_do_not_share_a_target, folder_aid_make, folder_aid_remove)
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

	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[512];
		struct settings *s;

		(void)snprintf(text, sizeof(text), SERVER "%s", cases[i].main);
		folder_aid_put("main", text);
		(void)snprintf(text, sizeof(text),
		    "REPOSITORY_URL=/a\n%s\nSTAGING_HEALTH_URL=http://a/", cases[i].shop);
		folder_aid_put("apps/shop.env", text);
		(void)snprintf(text, sizeof(text), "REPOSITORY_URL=/b\n%s\n", cases[i].web);
		folder_aid_put("apps/web.env", text);
		s = folder_aid_load();
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
TEST_WITH(two_environments_do_not_share_a_migrations_name, folder_aid_make, folder_aid_remove)
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

	folder_aid_put("main", SERVER);
	folder_aid_put("apps/shop.env",
	    "REPOSITORY_URL=/a\nENVIRONMENTS=eu-west\nEU_WEST_HOST=a\nMIGRATE_COMMAND=m\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct settings *s;

		(void)snprintf(
		    text, sizeof(text), "REPOSITORY_URL=/b\nENVIRONMENTS=west\n%s", cases[i].web);
		folder_aid_put("apps/shop-eu.env", text);
		s = folder_aid_load();
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
TEST_WITH(two_environments_with_one_health_url_are_warned_of, folder_aid_make, folder_aid_remove)
{
	static const char by_both[] =
	    "web/staging: its health URL at h:8080 is that of shop/staging too, and what runs there answers for it";
	struct settings *s;

	folder_aid_put("main", SERVER);
	folder_aid_put("apps/shop.env", OF("shop") "STAGING_HEALTH_URL=http://h:8080/health\n");
	folder_aid_put(
	    "apps/web.env", OF("web") "STAGING_HEALTH_URL=http://g/,http://h:8080/health\n");
	s = folder_aid_load();
	SAYS(SETTINGS_WARNING, by_both);
	assert_int_equal(settings_said.count, 1);
	settings_unref(s);
	folder_aid_put("apps/web.env", OF("web") "STAGING_HEALTH_URL=http://h:8081/health\n");
	s = folder_aid_load();
	assert_int_equal(settings_said.count, 0);
	settings_unref(s);
	folder_aid_put("apps/web.env",
	    OF("web") "STAGING_HEALTH_URL=http://g/\nPRODUCTION_HEALTH_URL=http://g/\n");
	s = folder_aid_load();
	SAYS(SETTINGS_WARNING, ": its health URL at g is that of web/");
	assert_int_equal(settings_said.count, 1);
	settings_unref(s);
}

/* What is typed to freeze it freezes its neighbours too. */
TEST_WITH(an_application_that_is_called_all_is_warned_of, folder_aid_make, folder_aid_remove)
{
	struct settings *s;

	folder_aid_put("main", SERVER);
	folder_aid_put("apps/all.env", OF("all"));
	folder_aid_put("apps/alls.env", OF("alls"));
	s = folder_aid_load();
	SAYS(SETTINGS_WARNING, "/freeze all freezes every application, never this one alone");
	assert_int_equal(settings_said.count, 1);
	assert_int_equal(s->application_count, 2);
	assert_int_equal(s->warned_count, 1);
	settings_unref(s);
}

TEST_WITH(two_applications_of_one_branch_are_noted, folder_aid_make, folder_aid_remove)
{
	struct settings *s;

	folder_aid_put("main", SERVER);
	folder_aid_put("apps/shop.env", OF("shop"));
	folder_aid_put("apps/web.env",
	    OF("web") "REPOSITORY_URL=https://github.com/acme/shop.git\n"
		      "GITHUB_BRANCH_PRODUCTION=other\n");
	s = folder_aid_load();
	assert_int_equal(settings_said.flaws, 0);
	assert_int_equal(settings_said.count, 1);
	SAYS(SETTINGS_NOTE, "web/staging: a push to its branch develop is one to shop/staging too");
	settings_unref(s);
	/* paths separate them */
	folder_aid_put("apps/shop.env", OF("shop") "PATHS=shop\n");
	folder_aid_put("apps/web.env",
	    OF("web") "REPOSITORY_URL=https://github.com/acme/shop.git\nPATHS=web\n");
	s = folder_aid_load();
	assert_int_equal(settings_said.count, 0);
	settings_unref(s);
}

TEST_WITH(a_renamed_application_beside_its_old_file_is_said, folder_aid_make, folder_aid_remove)
{
	struct settings *s;

	folder_aid_put("main", SERVER);
	folder_aid_put("apps/shop.env", OF("shop"));
	folder_aid_put("apps/store.env", OF("store") "RENAMED_FROM=shop\n");
	s = folder_aid_load();
	assert_int_equal(settings_said.flaws, 1);
	SAYS(SETTINGS_FLAW, "store: RENAMED_FROM: shop.env is there still");
	settings_unref(s);
	folder_aid_put("apps/store.env", OF("store") "RENAMED_FROM=Shop\n");
	s = folder_aid_load();
	SAYS(SETTINGS_FLAW, "store: RENAMED_FROM: \"Shop\" is not the name");
	settings_unref(s);
}

TEST_WITH(a_file_has_as_many_environments_as_may_be, folder_aid_make, folder_aid_remove)
{
	static const char main_file[] = SERVER
	    "GITHUB_REPOSITORY=acme/all\nDEPLOY_SCRIPT=/bin/true\nROLLBACK_SCRIPT=/bin/true\n";
	char text[4096], path[128];
	struct settings *s = NULL;

	(void)snprintf(text, sizeof(text), "%sENVIRONMENTS=e0", main_file);
	for (int i = 1; i < SETTING_NAMES_MAX; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ",e%d", i);
	folder_aid_put("main", text);
	s = folder_aid_load();
	assert_int_equal(s->environment_count, SETTING_NAMES_MAX);
	settings_unref(s);
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ",one-more");
	folder_aid_put("main", text);
	(void)snprintf(path, sizeof(path), "%s/main", folder_aid.path);
	assert_false(settings_load(path, folder_aid.environment, &s, &settings_said));
	SAYS(SETTINGS_ERROR, "ENVIRONMENTS: has more than 64 in its list");
}

/* A line in one application's file keeps neither the server nor another one's jobs out. */
TEST_WITH(an_applications_workflow_refuses_no_other, folder_aid_make, folder_aid_remove)
{
	static const char claims[] =
	    "{\"repository_id\":\"456789\",\"repository\":\"acme/shop\",\"event_name\":\"push\","
	    "\"workflow_ref\":\"acme/shop/.github/workflows/deploy.yml@refs/heads/main\"}";
	struct json *of = json_decode(claims, strlen(claims), NULL);
	struct workflow found;
	struct settings *s;

	folder_aid_put("main", SERVER);
	folder_aid_put("apps/shop.env",
	    OF("shop") "WORKFLOW_DEPLOY_IS=github 456789 deploy.yml@refs/heads/main\n"
		       "WORKFLOW_DEPLOY_MAY=deploy:staging\n");
	folder_aid_put("apps/blog.env",
	    OF("blog") "WORKFLOW_MINE_IS=github 456789 deploy.yml@refs/heads/main\n"
		       "WORKFLOW_MINE_MAY=deploy:staging\n");
	s = folder_aid_load();
	assert_non_null(s); /* also without ENABLE_API_SERVER and PUBLIC_URL */
	assert_int_equal(workflow_find(s, DELIVERY_GITHUB, of, &found), 1);
	assert_string_equal(found.id, "shop/deploy");
	json_free(of);
	settings_unref(s);
}

/* Neither would answer the rule of an App, and its job would wait at GitHub. */
TEST_WITH(one_environment_of_github_is_one_of_all_applications, folder_aid_make, folder_aid_remove)
{
	static const char both[] = "both are staging at GitHub";
	char main_file[512];

	folder_aid_put("key", jwt_aid_key);
	folder_aid_put("apps/shop.env", OF("shop"));
	folder_aid_put("apps/admin.env",
	    "GITHUB_REPOSITORY=Acme/Shop\nENVIRONMENTS=staging\nSTAGING_HOST=admin\n");
	folder_aid_put("main", SERVER);
	settings_unref(folder_aid_load());
	assert_false(settings_aid_says(SETTINGS_WARNING, both)); /* nobody asks for either */
	(void)snprintf(main_file, sizeof(main_file),
	    SERVER "GITHUB_APP_ID=1\nGITHUB_APP_KEY_FILE=%s/key\nGITHUB_APP_WEBHOOK_SECRET=" SECRET
		   "\n",
	    folder_aid.path);
	folder_aid_put("main", main_file);
	settings_unref(folder_aid_load());
	assert_true(settings_aid_says(SETTINGS_WARNING, both));
}

/* By the App's rule alone its gate is answered without one. */
TEST_WITH(a_reviewer_has_a_token, folder_aid_make, folder_aid_remove)
{
	static const char lacks[] = "STAGING_GATE_REVIEWER: needs GITHUB_API_TOKEN";

	folder_aid_put("apps/shop.env", OF("shop") "STAGING_GATE_REVIEWER=true\n");
	folder_aid_put("main", SERVER);
	settings_unref(folder_aid_load());
	assert_true(settings_aid_says(SETTINGS_WARNING, lacks));
	folder_aid_put("main", SERVER "GITHUB_API_TOKEN=ghp_" SECRET "\n");
	settings_unref(folder_aid_load());
	assert_false(settings_aid_says(SETTINGS_WARNING, lacks));
}

TEST_WITH(an_environment_whose_runner_is_none_is_refused_alone, folder_aid_make, folder_aid_remove)
{
	struct settings *s;

	folder_aid_put("apps/shop.env", OF("shop") "STAGING_RUNNER=build-9\n");
	folder_aid_put("main", SERVER);
	s = folder_aid_load();
	assert_non_null(s);
	assert_true(settings_aid_says(
	    SETTINGS_WARNING, "shop: STAGING_RUNNER: build-9 is none of RUNNERS, and not local"));
	assert_non_null(strstr(settings_refusal(s, "shop/staging"), "none of RUNNERS"));
	assert_null(settings_refusal(s, "shop/production"));
	settings_unref(s);
}
