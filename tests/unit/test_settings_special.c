/* Goal: what is said for one environment decides there and nowhere else, in server and runner alike.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_load.h"
#include "settings/settings_table.h"
#include "types/settings.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/redact.h"
#include "lib/text.h"
#include "runner/runner_settings.h"
#include "settings/sources/settings_adopt.h"
#include "unit.h"

#define TABLE "tests/fixtures/settings-of-environments.txt"
#define REPO  "GITHUB_REPOSITORY=acme/shop\n"
#define SERVER \
	"TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789\n" \
	"ADMIN_TELEGRAM_IDS=11\n"
/* Nothing is left to say of it. */
#define HOSTS	    "STAGING_HOST=a\nPRODUCTION_HOST=b\n"
#define WHOLE	    SERVER REPO HOSTS "REGISTRY_URL=registry.example.org\n"
#define ENVIRON_MAX 8

static char folder[64];
static struct settings_report report;

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

	assert_true(file_write(path_of(name, path), text, strlen(text), 0600, NULL));
}

static int
make_folder(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_special.XXXXXX");
	return mkdtemp(folder) == NULL || mkdir(path_of("apps", path), 0755) != 0;
}

static int
remove_folder(void **state)
{
	static const char *const names[] = { "main", "secret", "apps/shop.env" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		(void)unlink(path_of(names[i], path)); /* not each test writes all */
	return rmdir(path_of("apps", path)) + rmdir(folder);
}

/* NULL: refused. */
static struct settings *
load_with(char *const environ_list[])
{
	struct settings *s = NULL;
	char path[128];

	return settings_load(path_of("main", path), environ_list, &s, &report) ? s : NULL;
}

/* own: shop's file; NULL: there is none. */
static struct settings *
load_beside(const char *text, const char *own)
{
	char *const nothing[] = { NULL };
	char path[128];

	put("main", text);
	(void)unlink(path_of("apps/shop.env", path)); /* of a test before */
	if (own != NULL)
		put("apps/shop.env", own);
	return load_with(nothing);
}

static struct settings *
load(const char *text)
{
	return load_beside(text, NULL);
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

/* --- the table --- */

struct asked {
	char setting[SETTING_NAME_MAX];
	const char *said; /* "-": nothing */
	bool is_application;
	char *environ_list[ENVIRON_MAX + 1];
	size_t n;
};

static void
add_said(struct asked *asked, const char *word, struct buf *main, struct buf *own)
{
	const char *text = strchr(word, ':') + 1;

	if (text_starts(word, "env:")) {
		assert_true(asked->n < ENVIRON_MAX);
		asked->environ_list[asked->n] = strdup(text);
		assert_non_null(asked->environ_list[asked->n++]);
	} else {
		asked->is_application |= text_starts(word, "app:");
		buf_addf(text_starts(word, "app:") ? own : main, "%s\n", text);
	}
}

/* Writes the files of a row, SETTING | where … | what. */
static struct asked
read_row(char *row)
{
	struct asked asked = { .n = 0 };
	char *where = strchr(row, '|'), *said = strrchr(row, '|'), *rest = NULL, path[128];
	struct buf main, own;

	buf_init(&main, 4096);
	buf_init(&own, 4096);
	buf_adds(&own, REPO);
	assert_true(where != NULL && said > where);
	*where++ = *said++ = '\0';
	asked.said = said + strspn(said, " ");
	(void)snprintf(asked.setting, sizeof(asked.setting), "%.*s", (int)strcspn(row, " "), row);
	for (char *word = strtok_r(where, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		add_said(&asked, word, &main, &own);
	buf_adds(&main, asked.is_application ? SERVER : SERVER REPO);
	put("main", buf_text(&main));
	if (asked.is_application)
		put("apps/shop.env", buf_text(&own));
	else
		(void)unlink(path_of("apps/shop.env", path));
	buf_done(&main);
	buf_done(&own);
	return asked;
}

static enum setting
find_setting(const char *name)
{
	for (enum setting i = 0; i < SETTING_COUNT; i++)
		if (strcmp(settings_table[i].name, name) == 0)
			return i;
	fail_msg("no setting %s", name);
	return SETTING_COUNT;
}

static void
check_server(const struct asked *asked, const char *row)
{
	struct settings *s = load_with(asked->environ_list);
	enum setting setting = find_setting(asked->setting);
	const struct environment_settings *e;
	const char *text;

	assert_non_null(s);
	e = settings_environment(s, asked->is_application ? "shop/staging" : "staging");
	assert_non_null(e);
	text = settings_text_for(e, setting);
	/* The runner spells a truth anew, for scripts. */
	if (settings_table[setting].type == SETTING_TYPE_BOOL && text != NULL)
		text = text_same_ci(text, "yes") ? "true" : text;
	if (strcmp(text == NULL ? "-" : text, asked->said) != 0)
		fail_msg("server: %s: %s", row, text == NULL ? "-" : text);
	settings_unref(s);
}

static void
check_runner(const struct asked *asked, const char *row)
{
	struct runner_settings settings;
	const char *text;
	char path[128];

	for (size_t i = 0; i < asked->n; i++)
		assert_int_equal(putenv(asked->environ_list[i]), 0);
	assert_true(runner_settings_read(
	    &settings, path_of("main", path), asked->is_application ? "shop" : "", NULL));
	runner_settings_for(&settings, "staging");
	assert_true(runner_settings_text(&settings, asked->setting, &text, NULL));
	if (strcmp(text == NULL ? "-" : text, asked->said) != 0)
		fail_msg("runner: %s: %s", row, text == NULL ? "-" : text);
	runner_settings_done(&settings);
	for (size_t i = 0; i < asked->n; i++) {
		char *pair = asked->environ_list[i];
		char *name = strndup(pair, strcspn(pair, "="));

		assert_int_equal(unsetenv(name), 0); /* "NAME=VALUE" is in the environment itself */
		free(name);
		free(pair);
	}
}

/* tests/e2e/test_settings_environments.py asks scripts the same. */
TEST(server_and_runner_read_the_table_of_cases_alike)
{
	size_t size, rows = 0;
	char *text = file_read(TABLE, 16384, &size, NULL), *rest = NULL;

	assert_non_null(text);
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		char row[512];
		struct asked asked;

		if (line[0] == '#')
			continue;
		(void)snprintf(row, sizeof(row), "%s", line);
		asked = read_row(line);
		check_server(&asked, row);
		check_runner(&asked, row);
		rows++;
	}
	assert_true(rows > 20);
	free(text);
}

/* --- one list of what ships an environment --- */

static void
check_one_list(const char *main, const char *own)
{
	static char theirs[FINGERPRINT_LIST_MAX];
	const char *const names[] = { "staging", "production" };
	struct runner_settings settings;
	struct settings *s;
	char path[128], id[ENVIRONMENT_ID_MAX];

	s = load_beside(main, own);
	assert_non_null(s);
	assert_true(runner_settings_read(
	    &settings, path_of("main", path), own != NULL ? "shop" : "", NULL));
	for (size_t i = 0; i < COUNT(names); i++)
		assert_string_equal(
		    settings_environment(
			s, environment_id_text(own != NULL ? "shop" : "", names[i], id))
			->fingerprint,
		    runner_settings_fingerprint(&settings, names[i], theirs));
	assert_non_null(strstr(theirs, "PRODUCTION_DEPLOY_USER="));
	assert_null(strstr(theirs, "STAGING_DEPLOY_USER="));
	assert_null(strstr(theirs, " DEPLOY_USER=")); /* it decides nothing there */
	runner_settings_done(&settings);
	settings_unref(s);
}

TEST(what_is_said_for_one_environment_is_in_its_fingerprint_alone)
{
	check_one_list(WHOLE
	    "DEPLOY_USER=a\nSTAGING_DEPLOY_USER=b\nPRODUCTION_DEPLOY_USER=c\nKEEP_RELEASES=3\n"
	    "PRODUCTION_WAVES=1, 100%\nPRODUCTION_FAILURES_MAX=1\n",
	    NULL);
	check_one_list(SERVER "DEPLOY_USER=a\nPRODUCTION_DEPLOY_USER=c\nSTAGING_DEPLOY_USER=c\n",
	    REPO "KEEP_RELEASES=3\nSTAGING_KEEP_RELEASES=4\n");
	check_one_list(SERVER "PRODUCTION_SSH_KEY_PATH=/k\n",
	    REPO
	    "DEPLOY_USER=a\nPRODUCTION_DEPLOY_USER=c\nREGISTRY_USER=u\n"
	    "REGISTRY_PASSWORD_FILE=/dev/null\nPRODUCTION_REGISTRY_PASSWORD_FILE=/etc/hostname\n");
}

/* --- names --- */

static struct settings *
load_environments(const char *list, const char *more)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), SERVER REPO "ENVIRONMENTS=%s\n%s", list, more);
	return load(text);
}

TEST(names_that_would_collide_are_refused_and_both_named)
{
	static const struct {
		const char *environments, *more, *says;
	} cases[] = {
		{ "staging,docker", "",
		    "docker cannot be used: its settings would be mixed up with DOCKER_HOST" },
		{ "client-a", "", "mixed up with CLIENT_<ID>_HOST and others, the clients" },
		{ "role-x", "", "mixed up with ROLE_<NAME>_IDS" },
		{ "hook-x", "", "mixed up with HOOK_<NAME>_" },
		{ "person-1", "", "mixed up with PERSON_<ID>_GITHUB" },
		{ "registry-eu", "", "mixed up with REGISTRY_<NAME>_" },
		{ "workflow-a", "", "mixed up with WORKFLOW_<NAME>_" },
		{ "pipeline-a", "", "mixed up with PIPELINE_<NAME>" },
		{ "secret-a", "", "mixed up with SECRET_<NAME>_" },
		{ "notify-a", "", "mixed up with NOTIFY_<NAME>_" },
		{ "playbook-a", "", "mixed up with PLAYBOOK_<NAME>_" },
		{ "job-b", "", "mixed up with JOB_<NAME>, the jobs" },
		{ "job", "", "mixed up with JOB_<NAME>, the jobs" },
		{ "transport", "", "mixed up with TRANSPORT_" },
		{ "a,a-docker", "",
		    "the settings of a and a-docker would have the same names (A_DOCKER_HOST)" },
		{ "a-docker,a", "",
		    "the settings of a-docker and a would have the same names (A_DOCKER_HOST)" },
		{ "a,a-transport", "",
		    "the settings of a and a-transport would have the same names" },
		{ "client",
		    "CLIENTS=docker\nCLIENT_DOCKER_HOST=h\nCLIENT_DOCKER_ACTIONS=service-status\n",
		    "the settings of docker and client would have the same names (CLIENT_DOCKER_HOST)" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_null(load_environments(cases[i].environments, cases[i].more));
		SAYS(SETTINGS_ERROR, cases[i].says);
	}
}

/* An installation of before has such names; a family's member has a suffix of its own. */
TEST(local_client_and_hook_are_environments_as_ever)
{
	struct settings *s = load_environments("local,client,hook,role,health,migrate",
	    "LOCAL_HOST=h\nLOCAL_DEPLOY_USER=me\nLOCAL_ADA_IS=11\nLOCAL_SOCKET=/run/x/l.sock\n"
	    "CLIENT_HOST=c\nCLIENT_SSH_KEY_PATH=/k\nHOOK_HOST=x\n");

	assert_non_null(s);
	assert_string_equal(
	    settings_text_for(settings_environment(s, "local"), SETTING_DEPLOY_USER), "me");
	assert_string_equal(
	    settings_text_for(settings_environment(s, "client"), SETTING_SSH_KEY_PATH), "/k");
	assert_string_equal(s->local_socket, "/run/x/l.sock");
	assert_non_null(settings_runners_spec(s, NULL, "LOCAL_DEPLOY_USER"));
	assert_null(settings_runners_spec(s, NULL, "LOCAL_HEALTH_CHECK_RETRIES"));
	assert_false(says(SETTINGS_WARNING, "is no setting"));
	settings_unref(s);
}

TEST(what_is_misspelt_or_is_no_environments_is_said)
{
	struct settings *s =
	    load(WHOLE "STAGING_DEPLOY_USR=x\nSTAGING_REPOSITORY_URL=/r\n"
		       "PRODUCTION_ADMIN_TELEGRAM_IDS=12\nSTAGING_REPOSITORY_TOKEN_FILE=/t\n"
		       "STAGING_DRAIN_SECONDS=\n");

	assert_non_null(s);
	SAYS(SETTINGS_WARNING,
	    "STAGING_DEPLOY_USR: is no setting; did you mean STAGING_DEPLOY_USER?");
	SAYS(SETTINGS_FLAW,
	    "STAGING_REPOSITORY_URL: no environment has a REPOSITORY_URL of its own: it is one of the application");
	SAYS(SETTINGS_FLAW,
	    "PRODUCTION_ADMIN_TELEGRAM_IDS: no environment has a ADMIN_TELEGRAM_IDS");
	SAYS(SETTINGS_FLAW, "STAGING_REPOSITORY_TOKEN_FILE: no environment has a REPOSITORY_TOKEN");
	assert_int_equal(report.count, 4);
	settings_unref(s);
}

/* --- what follows from them --- */

TEST(a_wrong_one_is_named_as_it_stands)
{
	struct runner_settings settings;
	struct err err;
	char path[128];
	size_t from = 0;

	assert_null(load(WHOLE "DRAIN_SECONDS=9\nSTAGING_DRAIN_SECONDS=soon\n"));
	SAYS(SETTINGS_ERROR, "STAGING_DRAIN_SECONDS: \"soon\" is not");
	assert_true(runner_settings_read(&settings, path_of("main", path), "", NULL));
	assert_true(runner_settings_next_fault(&settings, &from, &err));
	assert_true(text_starts(err.text, "STAGING_DRAIN_SECONDS: \"soon\" is not"));
	assert_false(runner_settings_next_fault(&settings, &from, &err));
	runner_settings_done(&settings);
}

TEST(rules_hold_for_each_environment_as_it_is)
{
	struct settings *s;

	s = load(WHOLE "DEPLOY_STRATEGY=bluegreen\nSTAGING_NGINX_UPSTREAM_FILE=/s\n"
		       "PRODUCTION_DEPLOY_STRATEGY=recreate\n");
	assert_non_null(s);
	assert_int_equal(report.count, 0);
	settings_unref(s);
	assert_null(load(WHOLE "DEPLOY_STRATEGY=bluegreen\nSTAGING_NGINX_UPSTREAM_FILE=/s\n"));
	SAYS(SETTINGS_ERROR, "PRODUCTION_NGINX_UPSTREAM_FILE: is not set");
	assert_null(load(WHOLE "DEPLOY_STRATEGY=bluegreen\n"));
	SAYS(SETTINGS_ERROR, "NGINX_UPSTREAM_FILE: is not set");
	assert_int_equal(report.count, 1);
	assert_null(
	    load(WHOLE "PRODUCTION_REGISTRY_USER=ci\nSTAGING_REGISTRY_PASSWORD=abcdefgh\n"));
	SAYS(
	    SETTINGS_ERROR, "PRODUCTION_REGISTRY_PASSWORD: is not set, and REGISTRY_USER needs it");
	SAYS(SETTINGS_WARNING, "STAGING_REGISTRY_PASSWORD: is not used");
	assert_null(
	    load(WHOLE "STAGING_HEALTH_CHECK_DEADLINE=5\nSTAGING_HEALTH_CHECK_INTERVAL=5\n"));
	SAYS(SETTINGS_ERROR, "STAGING_HEALTH_CHECK_DEADLINE: in 5 s no release can pass");
	assert_null(load(WHOLE "IMAGE_SOURCE=registry\nPRODUCTION_DEPLOY_TIMEOUT_SECONDS=200\n"));
	SAYS(SETTINGS_ERROR,
	    "PRODUCTION_IMAGE_WAIT_SECONDS: 300 is not below DEPLOY_TIMEOUT_SECONDS (200)");
}

TEST(times_are_those_of_the_environment)
{
	struct settings *s =
	    load(WHOLE "HEALTH_CHECK_RETRIES=4\nPRODUCTION_HEALTH_CHECK_RETRIES=40\n"
		       "PRODUCTION_DEPLOY_TIMEOUT_SECONDS=1800\n");

	assert_non_null(s);
	assert_int_equal(settings_times(s, "staging")->health_check_retries, 4);
	assert_int_equal(settings_times(s, "staging")->deploy_timeout_seconds, 600);
	assert_int_equal(settings_times(s, "production")->health_check_retries, 40);
	assert_int_equal(settings_times(s, "production")->deploy_timeout_seconds, 1800);
	assert_int_equal(settings_times(s, "gone")->health_check_retries, 4);
	assert_true(settings_times(s, "production")->health_check_deadline_seconds >
	    settings_times(s, "staging")->health_check_deadline_seconds);
	settings_unref(s);
}

/* The first file's release took the other's ports, or wrote nginx's one file. */
TEST(two_blue_green_environments_on_one_host_have_each_their_own)
{
#define ONE_HOST \
	SERVER REPO \
	    "REGISTRY_URL=r.example.org\nDEPLOY_STRATEGY=bluegreen\nSTAGING_HOST=h\n" \
	    "PRODUCTION_HOST=h\nSTAGING_COMPOSE_DIR=/srv/s\nPRODUCTION_COMPOSE_DIR=/srv/p\n" \
	    "STAGING_NGINX_UPSTREAM_FILE=/etc/nginx/s\nPRODUCTION_NGINX_UPSTREAM_FILE=/etc/nginx/p\n"
	struct settings *s = load(ONE_HOST "STAGING_APP_PORTS=1,2\nPRODUCTION_APP_PORTS=3,4\n");

	assert_non_null(s);
	assert_int_equal(report.count, 0);
	assert_null(settings_refusal(s, "production"));
	settings_unref(s);
	s = load(ONE_HOST "STAGING_APP_PORTS=1,2\nPRODUCTION_APP_PORTS=2,3\n");
	assert_non_null(s);
	assert_non_null(settings_refusal(s, "production"));
	settings_unref(s);
	s = load(ONE_HOST);
	assert_non_null(settings_refusal(s, "production"));
	settings_unref(s);
}

TEST(a_secret_of_one_environment_is_kept_out_of_messages)
{
	struct redact *redact = redact_new();
	struct buf out;
	char text[512], path[128], key[] = "of-staging-alone-1";
	struct settings *s;

	put("secret", "of-production-alone-2\n");
	(void)snprintf(text, sizeof(text),
	    WHOLE "REGISTRY_USER=ci\nSTAGING_REGISTRY_PASSWORD=%s\n"
		  "PRODUCTION_REGISTRY_PASSWORD_FILE=%s\n",
	    key, path_of("secret", path));
	s = load(text);
	assert_non_null(s);
	assert_true(settings_redact(s, redact, NULL));
	buf_init(&out, 256);
	(void)snprintf(text, sizeof(text), "login %s of-production-alone-2 done", key);
	redact_text(redact, text, strlen(text), &out);
	assert_string_equal(buf_text(&out), "login *** *** done");
	buf_done(&out);
	redact_free(redact);
	settings_unref(s);
}

/* NAME= says nothing; two readings of one text differ in nothing. */
TEST(a_reload_names_what_became_another_one)
{
	struct settings *a = load(WHOLE "STAGING_DEPLOY_USER=a\nPRODUCTION_KEEP_RELEASES=4\n");
	struct settings *b = load(WHOLE "STAGING_DEPLOY_USER=b\nSTAGING_KEEP_RELEASES=4\n");
	struct settings_change change;

	settings_change_init(&change);
	assert_false(settings_diff(a, a, &change));
	assert_true(settings_diff(a, b, &change));
	assert_string_equal(buf_text(&change.names),
	    "STAGING_DEPLOY_USER, STAGING_KEEP_RELEASES, PRODUCTION_KEEP_RELEASES");
	settings_change_done(&change);
	settings_unref(a);
	settings_unref(b);
}

/* Else it would stay in the file of all, where it refuses the application that it is of. */
TEST(adopt_moves_what_is_said_for_one_environment_of_one_application)
{
	char *const environ_list[] = { (char[]){ "PRODUCTION_SMOKE_URL=http://localhost/" }, NULL };
	struct settings_adopted adopted;

	assert_true(settings_adopt(&adopted, "shop",
	    SERVER "STAGING_APP_PORTS=1,2\nSTAGING_DEPLOY_USER=all\nPRODUCTION_APP_PORTS=3,4\n",
	    environ_list, NULL));
	assert_string_equal(buf_text(&adopted.main), SERVER "STAGING_DEPLOY_USER=all\n");
	assert_non_null(strstr(buf_text(&adopted.application), "\nSTAGING_APP_PORTS=1,2\n"));
	assert_non_null(strstr(buf_text(&adopted.application), "\nPRODUCTION_APP_PORTS=3,4\n"));
	assert_string_equal(buf_text(&adopted.elsewhere), "PRODUCTION_SMOKE_URL");
	assert_null(strstr(buf_text(&adopted.application), "\nAPP_PORTS="));
	settings_adopted_done(&adopted);
	/* The former default, which a name would take away, and nobody else uses. */
	assert_true(settings_adopt(&adopted, "shop",
	    SERVER "PRODUCTION_DEPLOY_STRATEGY=BlueGreen\nSMOKE_URL=http://localhost/\n", NULL,
	    NULL));
	assert_non_null(strstr(buf_text(&adopted.application), "\nAPP_PORTS=8001,8002\n"));
	settings_adopted_done(&adopted);
}

/* Regression: no code was asked for any more, and a role lost what it might. */
TEST(what_names_an_environment_that_is_adopted_names_the_application_too)
{
	struct settings_adopted adopted;

	assert_true(settings_adopt(&adopted, "shop",
	    SERVER "STAGING_HOST=a\nREQUIRE_OTP=deploy:production , 2fa # why\n"
		   "ROLE_LEAD_MAY=status:*/*, *:staging, deploy:web/staging\nROLE_DEV_MAY=status\n"
		   "GITHUB_REPOSITORY=acme/shop\n",
	    NULL, NULL));
	assert_string_equal(buf_text(&adopted.main),
	    SERVER "REQUIRE_OTP=\"deploy:shop/production, 2fa\"\n"
		   "ROLE_LEAD_MAY=\"status:*/*, *:shop/staging, deploy:web/staging\"\n"
		   "ROLE_DEV_MAY=status\n");
	assert_string_equal(buf_text(&adopted.renamed), "REQUIRE_OTP, ROLE_LEAD_MAY");
	settings_adopted_done(&adopted);
}

TEST_GROUP(make_folder, remove_folder)
