/* Goal: all that is wrong is said at once, what is right is one snapshot.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_load.h"
#include "settings/settings_table.h"
#include "types/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/redact.h"

#define TOKEN	 "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789"
#define ADMINS	 "ADMIN_TELEGRAM_IDS=11, 22"
#define REPO	 "GITHUB_REPOSITORY=acme/shop"
#define SECRET	 "0123456789abcdef0123456789abcdef"
#define REGISTRY "REGISTRY_URL=registry.example.org"
/* With a target: nothing is left to say. */
#define COMPLETE MINIMUM, REGISTRY, "STAGING_HOST=a", "PRODUCTION_HOST=b"

static struct settings_report report;

/* Loads these ("NAME=value", …, NULL) as the environment, and env_text, if any, as the file. */
static struct settings *
load(const char *env_text, const char *const environment[])
{
	char path[] = "/tmp/test_settings.XXXXXX";
	char *list[32];
	struct settings *s = NULL;
	size_t n = 0;
	int fd;

	for (; environment[n] != NULL; n++)
		list[n] = strdup(environment[n]);
	list[n] = NULL;
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_true(file_write_all(
	    fd, env_text == NULL ? "" : env_text, env_text == NULL ? 0 : strlen(env_text), NULL));
	(void)close(fd);
	if (!settings_load(env_text == NULL ? NULL : path, list, &s, &report))
		assert_null(s);
	(void)unlink(path);
	while (n > 0)
		free(list[--n]);
	return s;
}

#define LOAD(env, ...) load(env, (const char *const[]){ __VA_ARGS__, NULL })
#define MINIMUM	       TOKEN, ADMINS, REPO

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

static void
the_minimum_gets_every_default(void **state)
{
	struct settings *s = LOAD(NULL, COMPLETE);
	const struct environment_settings *e;

	(void)state;
	assert_non_null(s);
	assert_int_equal(report.count, 0);
	assert_int_equal(s->telegram_mode, TELEGRAM_POLLING);
	assert_int_equal(s->poll_repository_seconds, 60);
	assert_true(s->telegram_chat_id == 11);
	assert_string_equal(s->telegram_api_base, "https://api.telegram.org");
	assert_string_equal(s->repository_url, "https://github.com/acme/shop.git");
	assert_string_equal(s->state_directory, "/var/lib/deploybot");
	assert_int_equal(s->api_server_port, 8080);
	assert_int_equal(s->times.health_check_timeout_seconds, 5);
	assert_int_equal(s->times.health_check_retries, 10);
	assert_int_equal(s->times.health_check_interval_seconds, 10);
	assert_int_equal(s->times.health_check_successes, 2);
	assert_int_equal(s->times.health_check_deadline_seconds, 300);
	assert_int_equal(s->times.deploy_timeout_seconds, 600);
	assert_int_equal(s->shutdown_timeout_seconds, 60);
	assert_int_equal(s->run_logs_keep, 50);
	assert_true(s->enable_telemetry);
	assert_int_equal(s->log_level, LOG_LEVEL_INFO);
	assert_int_equal(s->admins.count, 2);
	assert_int_equal(s->admins.id[1], 22);
	assert_null(s->github_webhook_secret);
	assert_int_equal(s->environment_count, 2);
	e = settings_environment(s, "staging");
	assert_string_equal(e->branch, "develop");
	assert_false(e->confirm);
	e = settings_environment(s, "production");
	assert_string_equal(e->branch, "main");
	assert_true(e->confirm);
	assert_int_equal(e->health_url_count, 0);
	assert_null(settings_environment(s, "qa"));
	settings_unref(s);
}

/* They were taken, and the deployment that was to be verified by them could not start. */
static void
health_urls_that_no_deployment_could_hold_are_refused(void **state)
{
	char line[2100] = "STAGING_HEALTH_URL=http://a/";

	(void)state;
	for (size_t i = strlen(line); i < sizeof(line) - 2; i++)
		line[i] = i % 500 == 0 ? ',' : 'x';
	for (size_t i = 500; i < sizeof(line) - 20; i += 500)
		memcpy(line + i + 1, "http://b/", 9);
	line[sizeof(line) - 2] = '\n';
	assert_null(LOAD(line, "ENABLE_TELEMETRY=true"));
	SAYS(SETTINGS_ERROR, "STAGING_HEALTH_URL: is 2079 bytes long, and may be 2047");
}

/* An application that never answers has failed in half of it, whatever was set. */
static void
the_health_gates_deadline_grows_with_slow_checks(void **state)
{
	struct settings *s = LOAD(NULL, MINIMUM, "HEALTH_CHECK_TIMEOUT=30");

	(void)state;
	assert_int_equal(s->times.health_check_deadline_seconds, 800);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "HEALTH_CHECK_TIMEOUT=30", "HEALTH_CHECK_DEADLINE=120");
	assert_int_equal(s->times.health_check_deadline_seconds, 120);
	assert_int_equal(report.count, 0);
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, "HEALTH_CHECK_RETRIES=1000", "HEALTH_CHECK_INTERVAL=86400",
	    "HEALTH_CHECK_TIMEOUT=86400");
	assert_int_equal(s->times.health_check_deadline_seconds, 345600000);
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, "HEALTH_CHECK_SUCCESSES=100"); /* 990 s of passes */
	assert_int_equal(s->times.health_check_deadline_seconds, 3000);
	settings_unref(s);
}

static void
a_health_gate_that_ends_too_early_is_said(void **state)
{
	struct settings *s;

	(void)state;
	assert_null(LOAD(NULL, MINIMUM, "HEALTH_CHECK_DEADLINE=10"));
	SAYS(SETTINGS_ERROR, "HEALTH_CHECK_DEADLINE: in 10 s no release can pass: ");
	s = LOAD(NULL, MINIMUM, "HEALTH_CHECK_DEADLINE=11");
	assert_non_null(s);
	SAYS(SETTINGS_WARNING,
	    "HEALTH_CHECK_DEADLINE: after 11 s a release is unhealthy, before HEALTH_CHECK_RETRIES (10) checks have failed (90 s)");
	settings_unref(s);
}

static void
all_errors_are_said_at_once_with_their_lines(void **state)
{
	(void)state;
	assert_null(LOAD("HEALTH_CHECK_RETRIES=x\nAPI_SERVER_PORT=70000\n"
			 "STAGING_HEALTH_URL=ftp://x\nRUN_LOGS_TOTAL=10GB\n",
	    "ENABLE_TELEMETRY=maybe"));
	SAYS(SETTINGS_ERROR, "HEALTH_CHECK_RETRIES: \"x\" is not a number, 1 to 1000 (/tmp/");
	SAYS(SETTINGS_ERROR, " line 1)");
	SAYS(SETTINGS_ERROR, "API_SERVER_PORT: \"70000\" is not a port, 1 to 65535 (/tmp/");
	SAYS(SETTINGS_ERROR, "STAGING_HEALTH_URL: \"ftp://x\"");
	SAYS(SETTINGS_ERROR, "RUN_LOGS_TOTAL: \"10GB\" is not a size of 4K to 4096G");
	SAYS(SETTINGS_ERROR, "ENABLE_TELEMETRY: \"maybe\" is not true or false");
	SAYS(SETTINGS_ERROR, "TELEGRAM_BOT_TOKEN: is not set");
	SAYS(SETTINGS_ERROR, "ADMIN_TELEGRAM_IDS: is not set");
	SAYS(SETTINGS_ERROR, "REPOSITORY_URL: is not set");
	assert_int_equal(report.errors, 8);
	assert_null(LOAD(NULL, MINIMUM, REGISTRY, "STAGING_HOST=deploy@a", "PRODUCTION_HOST=b"));
	SAYS(SETTINGS_ERROR, "STAGING_HOST: \"deploy@a\" is not HOST or HOST:PORT");
	assert_int_equal(report.count, 1); /* wrong is not missing */
}

static void
the_environment_wins_over_the_file_and_empty_is_not_set(void **state)
{
	struct settings *s = LOAD("LOG_LEVEL=debug\nAPI_SERVER_PORT=1\nREPOSITORY_URL=\n", MINIMUM,
	    "API_SERVER_PORT=2", "LOG_LEVEL=");

	(void)state;
	assert_non_null(s);
	assert_int_equal(s->api_server_port, 2);
	assert_int_equal(s->log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(s->repository_url, "https://github.com/acme/shop.git");
	settings_unref(s);
}

static void
an_unknown_name_gets_the_nearest_known_one(void **state)
{
	struct settings *s =
	    LOAD("LOG_LEVLE=debug\nSTAGING_HOTS=x\nCOMPLETELY_DIFFERENT=1\nTRANSPORT_ALL=1\n"
		 "STAGING_TRANSPORT_ZONE=2\nSTAGING_SOMEWHERE_ELSE=3\n",
		MINIMUM);

	(void)state;
	assert_non_null(s);
	SAYS(SETTINGS_WARNING, "LOG_LEVLE: is no setting; did you mean LOG_LEVEL? (");
	SAYS(SETTINGS_WARNING, "STAGING_HOTS: is no setting; did you mean STAGING_HOST?");
	SAYS(SETTINGS_WARNING, "COMPLETELY_DIFFERENT: is no setting (");
	assert_false(says(SETTINGS_WARNING, "TRANSPORT_ALL"));
	assert_false(says(SETTINGS_WARNING, "STAGING_TRANSPORT_ZONE"));
	SAYS(SETTINGS_WARNING,
	    "STAGING_SOMEWHERE_ELSE: is no setting, and no script gets it (a transport");
	settings_unref(s);
}

/* Who followed "did you mean STAGING_ROLLBACK_APPROVALS?" changed what staging asks for. */
static void
what_is_of_an_environment_that_is_not_there_is_never_anothers(void **state)
{
	struct settings *s = LOAD("QA_ROLLBACK_APPROVALS=2\nPREVIEW_HEALTH_URL=http://x/\n"
				  "QA_DEPLOY_USER=x\nSTAGNG_HEALTH_URL=http://x/\n"
				  "STAGNG_DEPLOY_USER=x\nQA_HOST=x\nQA_TELEGRAM_CHAT_ID=-1001\n"
				  "PROD_DEPLOY_TRANSPORT=ssh\n",
	    MINIMUM);

	(void)state;
	assert_non_null(s);
	SAYS(SETTINGS_WARNING, "QA_ROLLBACK_APPROVALS: is no setting: ENVIRONMENTS names no qa (");
	SAYS(
	    SETTINGS_WARNING, "PREVIEW_HEALTH_URL: is no setting: ENVIRONMENTS names no preview (");
	SAYS(SETTINGS_WARNING, "QA_DEPLOY_USER: is no setting: ENVIRONMENTS names no qa (");
	SAYS(SETTINGS_WARNING, "QA_HOST: is no setting: ENVIRONMENTS names no qa (");
	SAYS(SETTINGS_WARNING, /* production is one */
	    "PROD_DEPLOY_TRANSPORT: is no setting: ENVIRONMENTS names no prod (");
	SAYS(SETTINGS_WARNING,
	    "QA_TELEGRAM_CHAT_ID: is no setting, and no environment has a TELEGRAM_CHAT_ID of its own (");
	SAYS(SETTINGS_WARNING,
	    "STAGNG_HEALTH_URL: is no setting; did you mean STAGING_HEALTH_URL? (");
	SAYS(SETTINGS_WARNING,
	    "STAGNG_DEPLOY_USER: is no setting; did you mean STAGING_DEPLOY_USER? (");
	settings_unref(s);
}

/* One line for each, whatever is set for it; what is empty is not set. */
static void
a_client_that_is_not_listed_is_named_once(void **state)
{
	struct settings *s =
	    LOAD("CLIENT_ACME_HOST=a@b\nCLIENT_ACME_WEB_UNIT=web.service\n"
		 "CLIENT_ACME_ACTIONS=restart-web\nCLIENT_SIX_TWO_HOST=h\nCLIENT_NONE_HOST=\n",
		MINIMUM);
	size_t n = 0;

	(void)state;
	assert_non_null(s);
	SAYS(SETTINGS_FLAW, "CLIENTS: does not list acme, which has settings (CLIENT_ACME_HOST, ");
	SAYS(SETTINGS_FLAW, " line 1): add it (CLIENTS=acme), or nothing is done there");
	SAYS(SETTINGS_FLAW, "CLIENTS: does not list six-two, which has settings");
	for (size_t i = 0; i < report.count; i++)
		n += strncmp(report.lines[i].text, "CLIENT", 6) == 0;
	assert_int_equal(n, 3); /* the empty one is no setting, as ever */
	assert_false(says(SETTINGS_WARNING, "CLIENT_ACME"));
	settings_unref(s);
}

static void
weak_secrets_are_refused_or_warned_of_and_never_printed(void **state)
{
	struct settings *s;

	(void)state;
	assert_null(LOAD(NULL, MINIMUM, "GITHUB_WEBHOOK_SECRET=hunter2"));
	SAYS(SETTINGS_ERROR,
	    "GITHUB_WEBHOOK_SECRET: is not a secret of at least 16 bytes and no placeholder");
	assert_false(says(SETTINGS_ERROR, "hunter2"));
	assert_null(
	    LOAD(NULL, MINIMUM, "GITHUB_WEBHOOK_SECRET=changeme-changeme-changeme-changeme"));
	SAYS(SETTINGS_ERROR, "no placeholder");
	assert_null(
	    LOAD(NULL, MINIMUM, "GITHUB_WEBHOOK_SECRET=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	s = LOAD(NULL, MINIMUM, "GITHUB_WEBHOOK_SECRET=k3k3-jd8f-29fj-xx");
	assert_non_null(s);
	SAYS(SETTINGS_WARNING, "GITHUB_WEBHOOK_SECRET: a secret shorter than 32");
	settings_unref(s);
}

static void
what_the_guide_leaves_to_be_replaced_is_named(void **state)
{
	struct settings *s;

	(void)state;
	assert_null(LOAD(NULL, TOKEN, ADMINS, "GITHUB_REPOSITORY=OWNER/NAME",
	    "STAGING_HOST=STAGING_IP", "STAGING_HEALTH_URL=http://STAGING_IP:8080/health",
	    "PRODUCTION_HOST=PRODUCTION_IP:2222", "REGISTRY_URL=REGISTRY"));
	SAYS(SETTINGS_ERROR, "GITHUB_REPOSITORY: OWNER/NAME stands for a value of yours");
	SAYS(SETTINGS_ERROR, "STAGING_HOST: STAGING_IP stands for");
	SAYS(SETTINGS_ERROR, "STAGING_HEALTH_URL: STAGING_IP stands for");
	SAYS(SETTINGS_ERROR, "PRODUCTION_HOST: PRODUCTION_IP stands for");
	SAYS(SETTINGS_ERROR, "REGISTRY_URL: REGISTRY stands for");
	s = LOAD(NULL, TOKEN, ADMINS, "GITHUB_REPOSITORY=CO-OWNER/NAMES",
	    "STAGING_HOST=MY_STAGING_IP", "REGISTRY_URL=REGISTRY.example.org",
	    "STAGING_HEALTH_URL=http://127.0.0.1/IMAGE");
	assert_non_null(s);
	assert_false(says(SETTINGS_ERROR, "stands for"));
	settings_unref(s);
}

static void
a_bots_token_that_is_a_placeholder_is_called_one(void **state)
{
	(void)state;
	assert_null(LOAD(NULL, "TELEGRAM_BOT_TOKEN=123456:example-example-example", ADMINS, REPO));
	SAYS(SETTINGS_ERROR, "no placeholder (as \"example\"");
}

static void
webhook_mode_needs_its_secret_in_telegrams_alphabet(void **state)
{
	struct settings *s;

	(void)state;
	assert_null(LOAD(NULL, MINIMUM, "TELEGRAM_WEBHOOK_URL=https://x.org/telegram/webhook"));
	SAYS(SETTINGS_ERROR, "TELEGRAM_WEBHOOK_SECRET: is not set");
	assert_null(LOAD(NULL, MINIMUM, "TELEGRAM_WEBHOOK_URL=https://x.org/telegram/webhook",
	    "TELEGRAM_WEBHOOK_SECRET=" SECRET "="));
	SAYS(SETTINGS_ERROR, "TELEGRAM_WEBHOOK_SECRET: is not 16 to 256 of A-Z a-z 0-9 _ -");
	assert_int_equal(report.errors, 1);
	s = LOAD(NULL, MINIMUM, "TELEGRAM_WEBHOOK_URL=https://x.org/telegram/webhook",
	    "TELEGRAM_WEBHOOK_SECRET=" SECRET, "TELEGRAM_API_BASE=http://127.0.0.1:9//");
	assert_non_null(s);
	assert_int_equal(s->telegram_mode, TELEGRAM_WEBHOOK);
	assert_int_equal(s->poll_repository_seconds, 300); /* beside webhooks */
	assert_string_equal(s->telegram_api_base, "http://127.0.0.1:9");
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, "TELEGRAM_WEBHOOK_URL=https://x.org/t", "TELEGRAM_MODE=polling");
	assert_int_equal(s->telegram_mode, TELEGRAM_POLLING);
	SAYS(SETTINGS_WARNING, "TELEGRAM_WEBHOOK_URL: is not used");
	settings_unref(s);
	assert_null(
	    LOAD(NULL, MINIMUM, "TELEGRAM_MODE=webhook", "TELEGRAM_WEBHOOK_SECRET=" SECRET));
	SAYS(SETTINGS_ERROR, "TELEGRAM_WEBHOOK_URL: is not set");
}

static void
two_environments_do_not_share_a_folder_of_a_host(void **state)
{
	static const char *const good[][3] = {
		{ "STAGING_HOST=a", "PRODUCTION_HOST=a", "STAGING_COMPOSE_DIR=/srv/staging" },
		{ "STAGING_HOST=a,b:2222", "PRODUCTION_HOST=c,b", "DEPLOY_TRANSPORT=ssh" },
		{ "STAGING_HOST=a", "PRODUCTION_HOST=aa", "DEPLOY_TRANSPORT=ssh" },
		{ "STAGING_HOST=a", "PRODUCTION_HOST=a", "DEPLOY_TRANSPORT=local" },
	};
	static const char *const bad[][3] = {
		{ "STAGING_HOST=a,b:2222", "PRODUCTION_HOST=c,b:2222" },
		{ "STAGING_HOST=a,b:22", "PRODUCTION_HOST=c,b" },
		{ "STAGING_HOST=[::1]", "PRODUCTION_HOST=[::1]:22,x" },
		{ "STAGING_HOST=h.example.org", "PRODUCTION_HOST=H.Example.org" },
		{ "STAGING_HOST=a", "PRODUCTION_HOST=a", "PRODUCTION_COMPOSE_DIR=/srv/app/" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct settings *s = LOAD(NULL, MINIMUM, REGISTRY, bad[i][0], bad[i][1], bad[i][2]);

		assert_non_null(s);
		SAYS(SETTINGS_FLAW,
		    "ENVIRONMENTS: production shares a host, and its folder (<ENV>_COMPOSE_DIR) with staging: a release to one would replace the other's; production is not deployed until it has its own");
		assert_int_equal(report.flaws, 1);
		assert_null(settings_refusal(s, "staging"));
		assert_string_equal(settings_refusal(s, "production"),
		    "production shares a host, and its folder (<ENV>_COMPOSE_DIR) with staging: a release to one would replace the other's");
		settings_unref(s);
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		struct settings *s = LOAD(NULL, MINIMUM, good[i][0], good[i][1], good[i][2]);

		assert_non_null(s);
		assert_null(settings_refusal(s, "production"));
		settings_unref(s);
	}
}

/* Staging's release pointed production's nginx at staging's container; both runs ended well. */
static void
two_environments_on_one_host_do_not_share_nginx(void **state)
{
	static const char *const bluegreen[] = { "DEPLOY_STRATEGY=bluegreen",
		"NGINX_UPSTREAM_FILE=/etc/nginx/deploybot/app.conf", REGISTRY };
	struct settings *s;

	(void)state;
	s = LOAD(NULL, MINIMUM, bluegreen[0], bluegreen[1], bluegreen[2], "STAGING_HOST=a,b",
	    "PRODUCTION_HOST=b,c", "STAGING_COMPOSE_DIR=/srv/staging");
	assert_non_null(s);
	SAYS(SETTINGS_FLAW,
	    "production shares a host, and its folder, ports or nginx's file there (<ENV>_COMPOSE_DIR, <ENV>_APP_PORTS, <ENV>_NGINX_UPSTREAM_FILE)");
	assert_null(settings_refusal(s, "staging"));
	assert_non_null(settings_refusal(s, "production"));
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, bluegreen[0], bluegreen[1], bluegreen[2], "STAGING_HOST=a",
	    "PRODUCTION_HOST=b");
	assert_int_equal(report.count, 0);
	settings_unref(s);
}

static void
a_deployment_of_a_cluster_is_one_environments(void **state)
{
	struct settings *s;

	(void)state;
	s = LOAD(NULL, MINIMUM, REGISTRY, "USE_KUBERNETES=true", "KUBE_DEPLOYMENT=shop",
	    "KUBECONFIG=/etc/kube");
	assert_non_null(s);
	SAYS(SETTINGS_FLAW,
	    "production shares a Deployment (<ENV>_KUBE_NAMESPACE, <ENV>_KUBECONFIG)");
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, REGISTRY, "USE_KUBERNETES=true", "KUBE_DEPLOYMENT=shop",
	    "KUBECONFIG=/etc/kube", "PRODUCTION_KUBE_NAMESPACE=production");
	assert_int_equal(report.count, 0);
	settings_unref(s);
}

/* Each of these was "ok", and the first deployment said what was missing. */
static void
what_no_release_can_reach_is_said(void **state)
{
	static const struct {
		const char *lines[3];
		const char *says;
	} cases[] = {
		{ { REGISTRY, "PRODUCTION_HOST=b" },
		    "STAGING_HOST: is not set, and DEPLOY_TRANSPORT is ssh: no release can reach" },
		{ { "STAGING_HOST=a", "PRODUCTION_HOST=b" },
		    "REGISTRY_URL: is not set, and DEPLOY_TRANSPORT is ssh" },
		{ { "DEPLOY_TRANSPORT=local", "STAGING_PORT=8001" },
		    "PRODUCTION_PORT: is not set, and DEPLOY_TRANSPORT is local" },
		{ { "USE_KUBERNETES=true", "KUBE_DEPLOYMENT=shop", REGISTRY },
		    "KUBECONFIG: is not set, and DEPLOY_TRANSPORT is kubernetes" },
		{ { REGISTRY, "STAGING_HOST=a",
		      "STAGING_HEALTH_URL=http://Localhost:8080/healthz" },
		    "STAGING_HEALTH_URL: http://Localhost:8080/healthz is where deploybot itself serves (API_SERVER_PORT=8080)" },
		{ { REGISTRY, "API_SERVER_PORT=9000",
		      "STAGING_HEALTH_URL=http://a/,http://[::1]:9000" },
		    "STAGING_HEALTH_URL: http://[::1]:9000 is where deploybot itself serves" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct settings *s =
		    LOAD(NULL, MINIMUM, cases[i].lines[0], cases[i].lines[1], cases[i].lines[2]);

		assert_non_null(s); /* the server starts */
		SAYS(SETTINGS_FLAW, cases[i].says);
		settings_unref(s);
	}
}

/* Telegram would have refused the first, and nobody would have answered the second. */
static void
a_webhook_that_telegram_cannot_reach_is_said(void **state)
{
	static const struct {
		const char *url;
		enum settings_severity severity;
		const char *says; /* NULL: nothing */
	} cases[] = {
		{ "TELEGRAM_WEBHOOK_URL=http://d.example.org/telegram/webhook", SETTINGS_FLAW,
		    "TELEGRAM_WEBHOOK_URL: is http, and Telegram calls https only" },
		{ "TELEGRAM_WEBHOOK_URL=https://d.example.org", SETTINGS_FLAW,
		    "TELEGRAM_WEBHOOK_URL: has no path, and deploybot answers at /telegram/" },
		{ "TELEGRAM_WEBHOOK_URL=https://d.example.org:8443/", SETTINGS_FLAW,
		    "TELEGRAM_WEBHOOK_URL: has no path" },
		{ "TELEGRAM_WEBHOOK_URL=https://d.example.org/bot", SETTINGS_WARNING,
		    "TELEGRAM_WEBHOOK_URL: its path is /bot, and deploybot answers at /telegram" },
		{ "TELEGRAM_WEBHOOK_URL=https://d.example.org/a/telegram/webhook", SETTINGS_NOTE,
		    NULL },
	};
	struct settings *s;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		s = LOAD(NULL, COMPLETE, cases[i].url, "TELEGRAM_WEBHOOK_SECRET=" SECRET);
		assert_non_null(s); /* the server starts */
		assert_int_equal(report.count, cases[i].says != NULL);
		if (cases[i].says != NULL)
			SAYS(cases[i].severity, cases[i].says);
		settings_unref(s);
	}
	s = LOAD(NULL, COMPLETE, cases[0].url, "TELEGRAM_WEBHOOK_SECRET=" SECRET,
	    "TELEGRAM_API_BASE=http://127.0.0.1:8081"); /* a server of one's own may */
	assert_int_equal(report.count, 0);
	settings_unref(s);
}

static void
two_environments_do_not_listen_on_one_port_of_this_machine(void **state)
{
	static const char *const good[][2] = {
		{ "DEPLOY_TRANSPORT=local", "PRODUCTION_PORT=8002" },
		{ "DEPLOY_TRANSPORT=ssh", "PRODUCTION_PORT=8001" },
		{ "USE_KUBERNETES=true", "KUBE_DEPLOYMENT=shop" },
	};
	struct settings *s;

	(void)state;
	s = LOAD(
	    NULL, MINIMUM, "DEPLOY_TRANSPORT=local", "STAGING_PORT=8001", "PRODUCTION_PORT=8001");
	assert_non_null(s);
	SAYS(SETTINGS_FLAW, "production shares a port of this machine (<ENV>_PORT) with staging");
	assert_int_equal(report.flaws, 1);
	assert_non_null(settings_refusal(s, "production"));
	settings_unref(s);
	for (size_t i = 0; i < COUNT(good); i++) {
		s = LOAD(NULL, MINIMUM, "STAGING_PORT=8001", good[i][0], good[i][1]);

		assert_non_null(s);
		assert_false(says(SETTINGS_FLAW, "a port of this machine"));
		settings_unref(s);
	}
}

#define NOT_SWITCHED \
	": is used by DEPLOY_STRATEGY=bluegreen of the transport ssh alone, and does nothing here"

#define ONLY(transport) ": is used by the transport " transport " alone, and does nothing here"

/* The strategy said for all is another environment's too, and no mistake of this one's. */
static void
what_does_nothing_is_warned_of_where_it_was_said(void **state)
{
	static const char *const rows[][4] = {
		/* settings, what is said; NULL: nothing is */
		{ "DRAIN_SECONDS=30", NULL, NULL, "DRAIN_SECONDS" NOT_SWITCHED },
		{ "STAGING_DRAIN_SECONDS=30", NULL, NULL, "STAGING_DRAIN_SECONDS" NOT_SWITCHED },
		{ "APP_PORTS=1,2", NULL, NULL, "APP_PORTS" NOT_SWITCHED },
		{ "NGINX_UPSTREAM_FILE=/u", NULL, NULL, "NGINX_UPSTREAM_FILE" NOT_SWITCHED },
		{ "NGINX_RELOAD_COMMAND=reload", NULL, NULL, "NGINX_RELOAD_COMMAND" NOT_SWITCHED },
		{ "DEPLOY_STRATEGY=bluegreen", "NGINX_UPSTREAM_FILE=/u", "DRAIN_SECONDS=3", NULL },
		{ "PRODUCTION_DEPLOY_STRATEGY=bluegreen", "NGINX_UPSTREAM_FILE=/u",
		    "DRAIN_SECONDS=3", NULL },
		{ "DEPLOY_TRANSPORT=local", "DEPLOY_STRATEGY=bluegreen", "NGINX_UPSTREAM_FILE=/u",
		    "DEPLOY_STRATEGY: is bluegreen, which only the transport ssh does" },
		{ "DEPLOY_TRANSPORT=own", "DRAIN_SECONDS=3", NULL, NULL },
		{ "DEPLOY_SCRIPT=/opt/own", "DRAIN_SECONDS=3", NULL, NULL },
		{ "SYSTEMD_UNITS=a.service", NULL, NULL, "SYSTEMD_UNITS" ONLY("systemd") },
		{ "STAGING_SYSTEMD_DIR=/srv/a", NULL, NULL, "STAGING_SYSTEMD_DIR" ONLY("systemd") },
		{ "KUBE_NAMESPACE=shop", NULL, NULL, "KUBE_NAMESPACE" ONLY("kubernetes") },
		{ "KUBECONFIG=/k", NULL, NULL, "KUBECONFIG" ONLY("kubernetes") },
		{ "KUBE_CONTAINER=web", NULL, NULL, "KUBE_CONTAINER" ONLY("kubernetes") },
		{ "SMOKE_URL=http://127.0.0.1/h", NULL, NULL, NULL },
		{ "SMOKE_URL=http://127.0.0.1/h", "DEPLOY_TRANSPORT=systemd",
		    "SYSTEMD_UNITS=a.service", NULL },
		{ "SMOKE_URL=http://127.0.0.1/h", "DEPLOY_TRANSPORT=local", NULL,
		    "SMOKE_URL: is asked on hosts by the transports ssh and systemd alone, and does nothing here" },
		{ "STAGING_SMOKE_URL=http://127.0.0.1/h", "DEPLOY_TRANSPORT=kubernetes",
		    "KUBE_WORKLOADS=deployment/web",
		    "STAGING_SMOKE_URL: is asked on hosts by the transports ssh and systemd alone" },
		{ "KUBECONFIG=/k", "DEPLOY_TRANSPORT=kubernetes", "KUBE_WORKLOADS=deployment/web",
		    NULL },
		{ "STAGING_PORT=8001", NULL, NULL, "STAGING_PORT" ONLY("local") },
		{ "MIGRATE_SERVICE=app", NULL, NULL,
		    "MIGRATE_SERVICE: does nothing here: MIGRATE_COMMAND is not set" },
		{ "MIGRATE_SERVICE=app", "MIGRATE_COMMAND=bin/migrate", NULL, NULL },
		{ "DEPLOY_TRANSPORT=systemd", "SYSTEMD_UNITS=a.service", "COMPOSE_SERVICE=web",
		    "COMPOSE_SERVICE" ONLY("ssh") },
		{ "DEPLOY_TRANSPORT=systemd", "SYSTEMD_UNITS=a.service", "COMPOSE_SERVICES=web",
		    "COMPOSE_SERVICES" ONLY("ssh") },
		{ "DEPLOY_TRANSPORT=systemd", "SYSTEMD_UNITS=a.service", "MIGRATE_SERVICE=web",
		    "MIGRATE_SERVICE" ONLY("ssh") },
		{ "DEPLOY_TRANSPORT=systemd", "SYSTEMD_UNITS=a.service",
		    "STAGING_COMPOSE_DIR=/srv/a", "STAGING_COMPOSE_DIR" ONLY("ssh") },
		{ "DEPLOY_TRANSPORT=systemd", "SYSTEMD_UNITS=a.service", "STAGING_SYSTEMD_DIR=/a",
		    NULL },
		{ "DEPLOY_TRANSPORT=systemd", "SYSTEMD_UNITS=a.service",
		    "STAGING_COMPOSE_DIR=/srv/app", NULL },
		{ "PRODUCTION_DEPLOY_TRANSPORT=systemd", "SYSTEMD_UNITS=a.service",
		    "COMPOSE_SERVICE=web", NULL },
		{ "DEPLOY_TRANSPORT=own", "SYSTEMD_UNITS=a.service", "STAGING_PORT=8001", NULL },
		{ "DEPLOY_TIMEOUT_SECONDS=60", NULL, NULL,
		    "START_SECONDS: 120 is not below DEPLOY_TIMEOUT_SECONDS (60): the deployment would be ended while a service still starts" },
		{ "DEPLOY_TIMEOUT_SECONDS=121", NULL, NULL, NULL },
		{ "DEPLOY_TIMEOUT_SECONDS=60", "DEPLOY_TRANSPORT=local", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s = LOAD(NULL, MINIMUM, rows[i][0],
		    rows[i][1] != NULL ? rows[i][1] : "TIMEZONE=UTC",
		    rows[i][2] != NULL ? rows[i][2] : "LOG_LEVEL=INFO");

		assert_non_null(s);
		if (rows[i][3] != NULL)
			SAYS(SETTINGS_WARNING, rows[i][3]);
		else if (says(SETTINGS_WARNING, "does nothing") ||
		    says(SETTINGS_WARNING, "START_S"))
			fail_msg("row %zu is warned of", i);
		settings_unref(s);
	}
}

static void
an_image_at_githubs_registry_without_an_owner_is_warned_of(void **state)
{
	static const char says_so[] =
	    "REGISTRY_IMAGE: is web, and an image at ghcr.io has its owner in its name: write OWNER/NAME, in small letters";
	static const char *const good[][2] = {
		{ "REGISTRY_URL=ghcr.io", "REGISTRY_IMAGE=acme/web" },
		{ "REGISTRY_URL=ghcr.io/acme", "REGISTRY_IMAGE=web" },
		{ "REGISTRY_URL=registry.example.org", "REGISTRY_IMAGE=web" },
		{ "DEPLOY_SCRIPT=/opt/own", "REGISTRY_URL=ghcr.io" },
	};
	struct settings *s;

	(void)state;
	s = LOAD(NULL, MINIMUM, "REGISTRY_URL=GHCR.io", "REGISTRY_IMAGE=web");
	SAYS(SETTINGS_WARNING, says_so);
	settings_unref(s);
	for (size_t i = 0; i < COUNT(good); i++) {
		s = LOAD(NULL, MINIMUM, good[i][0], good[i][1]);
		assert_false(says(SETTINGS_WARNING, "ghcr.io"));
		settings_unref(s);
	}
}

static void
the_workloads_of_kubernetes_are_judged_before_a_deployment(void **state)
{
	static const char *const rows[][3] = {
		{ "KUBE_WORKLOADS=cronjob/sitemap,deployment/web", "LOG_LEVEL=INFO",
		    "KUBE_WORKLOADS: the first one is the main one, which always runs, and cronjob/sitemap does not: write a deployment/, statefulset/ or daemonset/ before it" },
		{ "KUBE_WORKLOADS=deployment/web,cronjob/a,deployment/web", "LOG_LEVEL=INFO",
		    "KUBE_WORKLOADS: names deployment/web twice" },
		{ "KUBE_WORKLOADS=deployment/web", "KUBE_DEPLOYMENT=shop",
		    "KUBE_WORKLOADS: the first one is the main one, deployment/web, and KUBE_DEPLOYMENT is shop: take KUBE_DEPLOYMENT out, or write deployment/shop first" },
		{ "KUBE_WORKLOADS=statefulset/shop", "KUBE_DEPLOYMENT=shop",
		    "and KUBE_DEPLOYMENT" },
		{ "KUBE_WORKLOADS=deployment/shop,deployment/web", "KUBE_DEPLOYMENT=shop", NULL },
		{ "KUBE_WORKLOADS=deployment/web,statefulset/web", "LOG_LEVEL=INFO", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s = LOAD(NULL, MINIMUM, "USE_KUBERNETES=yes", "KUBECONFIG=/k",
		    "STAGING_KUBE_NAMESPACE=s", REGISTRY, rows[i][0], rows[i][1]);

		assert_non_null(s);
		if (rows[i][2] != NULL)
			SAYS(SETTINGS_FLAW, rows[i][2]);
		else
			assert_int_equal(report.count, 0);
		settings_unref(s);
	}
}

/* Our scripts would say so as well, but not before somebody deploys. */
static void
what_a_target_needs_is_asked_for_at_once(void **state)
{
	struct settings *s;

	(void)state;
	assert_null(LOAD(NULL, MINIMUM, "REGISTRY_USER=ci", "DEPLOY_STRATEGY=bluegreen"));
	SAYS(SETTINGS_ERROR, "REGISTRY_PASSWORD: is not set, and REGISTRY_USER needs it");
	SAYS(SETTINGS_ERROR, "NGINX_UPSTREAM_FILE: is not set, and DEPLOY_STRATEGY is bluegreen");
	assert_int_equal(report.errors, 2);
	s = LOAD(NULL, MINIMUM, "REGISTRY_USER=ci", "REGISTRY_PASSWORD=hunter2hunter2");
	SAYS(SETTINGS_WARNING,
	    "REGISTRY_PULL_USER: is not set: each host gets REGISTRY_USER's login");
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, "REGISTRY_USER=ci", "REGISTRY_PASSWORD=hunter2hunter2",
	    "REMOTE_LOGIN=false");
	assert_false(says(SETTINGS_WARNING, "REGISTRY_PULL_USER"));
	settings_unref(s);
	assert_null(LOAD(NULL, MINIMUM, "REGISTRY_PULL_USER=ci"));
	SAYS(SETTINGS_ERROR, "REGISTRY_PULL_PASSWORD: is not set, and REGISTRY_PULL_USER needs it");
	assert_null(LOAD(NULL, MINIMUM, "SMOKE_URL=http://h:{port}/"));
	SAYS(SETTINGS_ERROR, "SMOKE_URL: has {port}, which only DEPLOY_STRATEGY=bluegreen knows");
	assert_null(LOAD(NULL, MINIMUM, "DEPLOY_STRATEGY=bluegreen", "NGINX_UPSTREAM_FILE=/etc/u",
	    "SMOKE_URL=http://127.0.0.1/health"));
	SAYS(SETTINGS_ERROR,
	    "SMOKE_URL: has no {port}, and DEPLOY_STRATEGY is bluegreen: the release that serves would answer for the new one");
	assert_int_equal(report.errors, 1);
	s = LOAD(NULL, MINIMUM, "DEPLOY_STRATEGY=bluegreen", "NGINX_UPSTREAM_FILE=/etc/u",
	    "SMOKE_URL=http://127.0.0.1:{port}/health");
	assert_non_null(s);
	settings_unref(s);
	assert_null(LOAD(NULL, MINIMUM, "USE_KUBERNETES=yes"));
	SAYS(SETTINGS_ERROR, "KUBE_DEPLOYMENT: is not set");
	s = LOAD(NULL, MINIMUM, "USE_KUBERNETES=yes", "KUBE_WORKLOADS=deployment/web",
	    "KUBECONFIG=/k", REGISTRY);
	assert_non_null(s);
	settings_unref(s);
	assert_null(LOAD(NULL, MINIMUM, "KUBE_WORKLOADS=deployment/web,pod/x"));
	SAYS(SETTINGS_ERROR, "is not KIND/NAME of deployment, statefulset, daemonset or cronjob");
	assert_null(LOAD(NULL, MINIMUM, "DEPLOY_TRANSPORT=kubernetes"));
	SAYS(SETTINGS_ERROR, "KUBE_DEPLOYMENT: is not set");
	assert_null(LOAD(NULL, MINIMUM, "DEPLOY_TRANSPORT=systemd", "STAGING_HOST=h"));
	SAYS(SETTINGS_ERROR, "SYSTEMD_UNITS: is not set, and DEPLOY_TRANSPORT is systemd");
	SAYS(SETTINGS_FLAW, "PRODUCTION_HOST: is not set, and DEPLOY_TRANSPORT is systemd");
	assert_null(LOAD(NULL, MINIMUM, "IMAGE_SOURCE=registry", "IMAGE_WAIT_SECONDS=600"));
	SAYS(SETTINGS_ERROR, "IMAGE_WAIT_SECONDS: 600 is not below DEPLOY_TIMEOUT_SECONDS (600)");
	s = LOAD(NULL, MINIMUM, "REGISTRY_USER=AWS"); /* whose passwords aws makes */
	assert_non_null(s);
	assert_int_equal(report.errors, 0);
	settings_unref(s);
	s = LOAD(
	    NULL, MINIMUM, "USE_KUBERNETES=yes", "DEPLOY_SCRIPT=/opt/own"); /* it may not need it */
	assert_non_null(s);
	assert_int_equal(report.count, 0);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "REGISTRY_PASSWORD=short", "DEPLOY_STRATEGY=bluegreen",
	    "NGINX_UPSTREAM_FILE=/etc/nginx/app.conf", "STAGING_COMPOSE_DIR=/srv/shop",
	    "IMAGE_WAIT_SECONDS=700");
	assert_non_null(s);
	assert_int_equal(report.count, 2); /* nor is IMAGE_WAIT_SECONDS, which harms nobody */
	SAYS(SETTINGS_WARNING,
	    "REGISTRY_PASSWORD: a secret shorter than 6 characters is not kept out of logs and messages");
	SAYS(SETTINGS_WARNING, "REGISTRY_PASSWORD: is not used: REGISTRY_USER is not set");
	assert_null(
	    settings_text(s, SETTING_REGISTRY_PASSWORD)); /* the runner's, kept to be redacted */
	assert_true(settings_is_runners(s, "REGISTRY_PASSWORD_FILE"));
	assert_true(settings_is_runners(s, "STAGING_COMPOSE_DIR"));
	settings_unref(s);
}

static void
environments_are_a_list_with_settings_of_their_own(void **state)
{
	struct settings *s = LOAD(NULL, MINIMUM, "ENVIRONMENTS=staging, eu-west", "EU_WEST_HOST=h1",
	    "EU_WEST_PORT=81", "GITHUB_BRANCH_EU_WEST=release/eu", "STAGING_CONFIRM=true",
	    "EU_WEST_HEALTH_URL=https://a/h, http://b:1/");
	const struct environment_settings *e;

	(void)state;
	assert_non_null(s);
	e = settings_environment(s, "eu-west");
	assert_string_equal(e->branch, "release/eu");
	assert_int_equal(e->health_url_count, 2);
	assert_string_equal(e->health_urls[0], "https://a/h");
	assert_string_equal(e->health_urls[1], "http://b:1/");
	assert_true(settings_environment(s, "staging")->confirm);
	assert_true(settings_is_runners(s, "EU_WEST_HOST"));
	assert_false(settings_is_runners(s, "EU_WEST_CONFIRM"));
	settings_unref(s);
}

static void
names_of_environments_that_clash_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_null(LOAD(NULL, MINIMUM,
		    i == 0 ? "ENVIRONMENTS=staging,job" : "ENVIRONMENTS=staging,job-b"));
		SAYS(SETTINGS_ERROR, "its settings would be mixed up with JOB_<NAME>, the jobs");
	}
	assert_null(LOAD(NULL, MINIMUM, "ENVIRONMENTS=qa,qa"));
	SAYS(SETTINGS_ERROR, "qa is there twice");
	assert_null(LOAD(NULL, MINIMUM, "ENVIRONMENTS=Staging"));
	SAYS(SETTINGS_ERROR, "ENVIRONMENTS: \"Staging\" is not the name");
	assert_null(LOAD(NULL, MINIMUM, "ENVIRONMENTS=a23456789012345678901"));
	assert_null(LOAD(NULL, MINIMUM, "ENVIRONMENTS=-x"));
	assert_null(LOAD(NULL, MINIMUM, "ENVIRONMENTS= ,"));
}

static void
a_secret_may_stand_in_a_file(void **state)
{
	char path[] = "/tmp/test_settings.XXXXXX", setting[100], runners[100];
	int fd = mkstemp(path);
	struct settings *s;

	(void)state;
	assert_true(file_write_all(fd, SECRET "\n", strlen(SECRET) + 1, NULL));
	(void)close(fd);
	(void)snprintf(setting, sizeof(setting), "GITHUB_WEBHOOK_SECRET_FILE=%s", path);
	s = LOAD(NULL, MINIMUM, setting);
	assert_non_null(s);
	assert_string_equal(s->github_webhook_secret, SECRET);
	assert_string_equal(settings_secret_file(s, SETTING_GITHUB_WEBHOOK_SECRET), path);
	assert_null(settings_secret_file(s, SETTING_TELEGRAM_BOT_TOKEN));
	settings_unref(s);
	(void)snprintf(runners, sizeof(runners), "REPOSITORY_TOKEN_FILE=%s", path);
	s = LOAD(NULL, MINIMUM, runners);
	assert_non_null(s);
	assert_null(settings_text(s, SETTING_REPOSITORY_TOKEN)); /* the runner's: only its place */
	assert_string_equal(settings_secret_file(s, SETTING_REPOSITORY_TOKEN), path);
	settings_unref(s);
	assert_null(LOAD(NULL, MINIMUM, setting, "GITHUB_WEBHOOK_SECRET=" SECRET));
	SAYS(SETTINGS_ERROR, "GITHUB_WEBHOOK_SECRET_FILE: set together with");
	(void)unlink(path);
	assert_null(LOAD(NULL, MINIMUM, setting));
	SAYS(SETTINGS_ERROR, "GITHUB_WEBHOOK_SECRET_FILE: cannot open");
}

/* A container without its secret says so in its last line, and not that the secret "is not set". */
static void
what_is_wrong_with_a_secrets_file_is_all_that_is_said_of_it(void **state)
{
	char path[] = "/tmp/deploybot-secret-XXXXXX", setting[100], words[120];
	int fd = mkstemp(path);

	(void)state;
	(void)close(fd);
	(void)snprintf(setting, sizeof(setting), "TELEGRAM_BOT_TOKEN_FILE=%s", path);
	assert_null(LOAD(NULL, ADMINS, REPO, setting));
	assert_int_equal(report.errors, 1);
	SAYS(SETTINGS_ERROR, "is empty: write the secret into it");
	(void)unlink(path);
	assert_null(LOAD(NULL, ADMINS, REPO, setting));
	assert_int_equal(report.errors, 1);
	(void)snprintf(words, sizeof(words),
	    "No such file or directory: put it there, for user %u to read", (unsigned)geteuid());
	SAYS(SETTINGS_ERROR, words);
}

static void
what_changed_is_named_without_its_value(void **state)
{
	struct settings *a = LOAD(NULL, MINIMUM, "GITHUB_WEBHOOK_SECRET=" SECRET);
	struct settings *b = LOAD(NULL, MINIMUM, "GITHUB_WEBHOOK_SECRET=x" SECRET,
	    "API_SERVER_PORT=9", "ENVIRONMENTS=staging", "STAGING_PORT=5");
	struct settings_change change, none;

	(void)state;
	settings_change_init(&change);
	settings_change_init(&none);
	assert_true(settings_diff(a, b, &change));
	assert_string_equal(buf_text(&change.names),
	    "GITHUB_WEBHOOK_SECRET, API_SERVER_PORT, ENVIRONMENTS, "
	    "STAGING_PORT, PRODUCTION_CONFIRM, PRODUCTION_NOTIFY_AFTER_SECONDS, PRODUCTION_FREEZE_PUSHES, PRODUCTION_APPROVALS, PRODUCTION_ROLLBACK_APPROVALS, GITHUB_BRANCH_PRODUCTION, "
	    "PRODUCTION_COMPOSE_DIR");
	assert_string_equal(buf_text(&change.restart_names), "API_SERVER_PORT");
	assert_false(settings_diff(a, a, &none));
	settings_change_done(&change);
	settings_change_done(&none);
	settings_unref(a);
	settings_unref(b);
}

/* Reloads these beside running; what waits for a restart is in waiting. */
static struct settings *
reload(const struct settings *running, const char *const environment[], char waiting[256])
{
	struct settings *fresh = NULL;
	struct settings_change change;

	settings_change_init(&change);
	assert_true(settings_reload(
	    running, NULL, (char *const *)(uintptr_t)environment, NULL, &fresh, &report, &change));
	(void)snprintf(waiting, 256, "%s", buf_text(&change.restart_names));
	settings_change_done(&change);
	return fresh;
}

#define RELOAD(running, waiting, ...) \
	reload(running, (const char *const[]){ __VA_ARGS__, NULL }, waiting)

static void
what_needs_a_restart_stays_as_it_runs(void **state)
{
	struct settings *running = LOAD(NULL, MINIMUM, "STATE_DIRECTORY=/one", "LOG_LEVEL=INFO",
	    "API_SERVER_PORT=8081", "ENVIRONMENTS=staging");
	struct settings *first, *second;
	char waiting[256];

	(void)state;
	first = RELOAD(running, waiting, MINIMUM, "STATE_DIRECTORY=/two", "LOG_LEVEL=DEBUG",
	    "ENABLE_TELEMETRY=false", "ENVIRONMENTS=staging,qa", "QA_HEALTH_URL=http://h/x");
	assert_string_equal(waiting, "API_SERVER_PORT, STATE_DIRECTORY");
	assert_string_equal(first->state_directory, "/one");
	assert_string_equal(settings_text(first, SETTING_STATE_DIRECTORY), "/one");
	assert_int_equal(first->api_server_port, 8081);
	assert_int_equal(first->log_level, LOG_LEVEL_DEBUG);
	assert_false(first->enable_telemetry);
	assert_int_equal(first->environment_count, 2);
	assert_string_equal(settings_environment(first, "qa")->health_urls[0], "http://h/x");
	assert_int_equal(first->admins.count, 2);
	/* It is the running one that is kept, not the one that waits, and it waits on. */
	second = RELOAD(first, waiting, MINIMUM, "STATE_DIRECTORY=/two", "API_SERVER_PORT=8081");
	assert_string_equal(waiting, "STATE_DIRECTORY");
	assert_string_equal(second->state_directory, "/one");
	settings_unref(running);
	settings_unref(first);
	settings_unref(second);
}

static void
a_running_webhook_keeps_its_secret_when_polling_is_to_come(void **state)
{
	struct settings *running = LOAD(NULL, MINIMUM,
	    "TELEGRAM_WEBHOOK_URL=https://b.example.org/x", "TELEGRAM_WEBHOOK_SECRET=" SECRET);
	struct settings *polling, *rotated;
	char waiting[256];

	(void)state;
	polling = RELOAD(running, waiting, MINIMUM);
	assert_string_equal(waiting, "TELEGRAM_WEBHOOK_URL, TELEGRAM_WEBHOOK_SECRET");
	assert_int_equal(polling->telegram_mode, TELEGRAM_WEBHOOK);
	assert_string_equal(polling->telegram_webhook_secret, SECRET);
	assert_int_equal(polling->poll_repository_seconds, 300); /* 60 goes with polling */
	rotated = RELOAD(polling, waiting, MINIMUM, "TELEGRAM_WEBHOOK_URL=https://b.example.org/x",
	    "TELEGRAM_WEBHOOK_SECRET=x" SECRET);
	assert_string_equal(waiting, "");
	assert_string_equal(rotated->telegram_webhook_secret, "x" SECRET);
	settings_unref(running);
	settings_unref(polling);
	settings_unref(rotated);
}

/* The server's user cannot open it, and is not to: what is wrong with it the runner says. */
static void
a_secret_of_a_runner_that_is_a_service_is_not_read(void **state)
{
	static const char there[] = "REPOSITORY_TOKEN_FILE=/no/such/file";
	struct settings *s;

	(void)state;
	assert_null(LOAD(NULL, MINIMUM, there));
	assert_true(says(SETTINGS_ERROR, "REPOSITORY_TOKEN_FILE"));
	s = LOAD(NULL, MINIMUM, there, "RUNNER_SOCKET=/run/runner.sock");
	assert_non_null(s);
	assert_string_equal(s->runner_socket, "/run/runner.sock");
	assert_true(settings_is_given(s, SETTING_REPOSITORY_TOKEN));	/* other settings ask */
	assert_null(settings_secret_file(s, SETTING_REPOSITORY_TOKEN)); /* not ours to look at */
	settings_unref(s);
	/* Our own are read as ever. */
	assert_null(LOAD(NULL, ADMINS, REPO, "TELEGRAM_BOT_TOKEN_FILE=/no/such/file",
	    "RUNNER_SOCKET=/run/runner.sock"));
	assert_true(says(SETTINGS_ERROR, "TELEGRAM_BOT_TOKEN_FILE"));
	s = LOAD(NULL, MINIMUM);
	assert_non_null(s);
	assert_null(s->runner_socket);
	settings_unref(s);
}

static void
the_runner_sees_only_what_is_its_own(void **state)
{
	struct settings *s = LOAD(NULL, MINIMUM, "REPOSITORY_TOKEN=" SECRET);
	struct redact *r = redact_new(NULL);
	struct buf out;

	(void)state;
	assert_non_null(s);
	assert_null(settings_text(s, SETTING_REPOSITORY_TOKEN));
	assert_true(settings_is_given(s, SETTING_REPOSITORY_TOKEN));
	assert_true(settings_is_runners(NULL, "REPOSITORY_TOKEN"));
	assert_true(settings_is_runners(NULL, "REPOSITORY_TOKEN_FILE"));
	assert_true(settings_is_runners(s, "STATE_DIRECTORY"));
	assert_false(settings_is_runners(s, "TELEGRAM_BOT_TOKEN"));
	assert_false(settings_is_runners(s, "TELEGRAM_BOT_TOKEN_FILE"));
	assert_false(settings_is_runners(s, "PATH"));
	assert_true(settings_redact(s, r, NULL));
	buf_init(&out, 1000);
	redact_text(r, "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", 35, &out);
	redact_text(r, "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", 42, &out);
	assert_string_equal(buf_text(&out), "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789***");
	buf_done(&out);
	redact_free(r);
	assert_ptr_equal(settings_ref(s), s);
	settings_unref(s);
	assert_int_equal(s->admins.id[0], 11);
	settings_unref(s);
	settings_unref(NULL);
}

static void
settings_that_need_each_other_are_checked(void **state)
{
	struct settings *s;

	(void)state;
	assert_null(LOAD(NULL, MINIMUM, "REPOSITORY_KEY_PATH=/k", "REPOSITORY_TOKEN=" SECRET));
	SAYS(SETTINGS_ERROR, "REPOSITORY_KNOWN_HOSTS: is not set");
	SAYS(SETTINGS_ERROR, "REPOSITORY_TOKEN: set together");
	assert_null(LOAD(NULL, MINIMUM, "REPOSITORY_URL=ext::sh -c x"));
	assert_null(LOAD(NULL, MINIMUM, "REPOSITORY_URL=https://u:p@h/x"));
	assert_null(LOAD(NULL, MINIMUM, "GITHUB_BRANCH_STAGING=-x"));
	s = LOAD(NULL, MINIMUM, "TELEGRAM_API_ID=5", "REPOSITORY_URL=git@h:a/b.git");
	assert_non_null(s);
	SAYS(SETTINGS_NOTE, "TELEGRAM_API_ID: is not needed");
	settings_unref(s);
}

static void
the_committed_example_is_the_tables(void **state)
{
	char *committed = file_read(".env.example", 1u << 20, NULL, NULL);
	struct buf example;
	struct settings *s;

	(void)state;
	buf_init(&example, 1u << 20);
	settings_example(&example);
	assert_non_null(committed); /* tests run at the root of the tree */
	if (strcmp(committed, buf_text(&example)) != 0)
		fail_msg(".env.example is another: deploybot config-example >.env.example");
	free(committed);
	s = LOAD(buf_text(&example), COMPLETE); /* every default in it is valid */
	assert_non_null(s);
	assert_int_equal(report.count, 0);
	settings_unref(s);
	buf_done(&example);
}

static void
every_row_has_what_it_needs(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTING_COUNT + FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *row = i < SETTING_COUNT ?
		    &settings_table[i] :
		    &settings_table_families[i - SETTING_COUNT];

		assert_true(strlen(row->name) > 2 && strlen(row->help) > 10);
		assert_true(!row->is_secret || row->fallback == NULL);
		assert_true((i < SETTING_COUNT) == (strchr(row->name, '<') == NULL));
		assert_true(strlen(row->name) + SETTINGS_MEMBER_NAME < SETTING_NAME_MAX);
		if (row->fallback != NULL)
			assert_true(setting_check(row->type, row->fallback, row->is_secret, NULL));
		if (row->type == SETTING_TYPE_BOOL) /* which nobody spells anew for scripts */
			assert_true(row->fallback == NULL || strcmp(row->fallback, "true") == 0 ||
			    strcmp(row->fallback, "false") == 0);
	}
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		assert_non_null(strchr(settings_families[i].stem, '<'));
}

static void
a_registry_that_is_named_has_an_address(void **state)
{
	struct settings *s = LOAD(NULL, MINIMUM, "REGISTRIES=base", "STAGING_REGISTRIES=base,hub",
	    "REGISTRY_BASE_URL=base.example.org", "REGISTRY_BASE_USER=u",
	    "REGISTRY_BASE_PASSWORD=hunter2hunter2");

	(void)state;
	assert_non_null(s);
	SAYS(SETTINGS_FLAW,
	    "REGISTRY_HUB_URL: is not set, and REGISTRIES names hub: no image can be built for staging");
	assert_false(says(SETTINGS_FLAW, "built for production"));
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, "REGISTRIES=base,ecr", "REGISTRY_BASE_URL=base.example.org",
	    "REGISTRY_BASE_USER=u", "REGISTRY_ECR_URL=ecr.example.org", "REGISTRY_ECR_USER=AWS");
	assert_non_null(s);
	SAYS(SETTINGS_FLAW,
	    "REGISTRY_BASE_PASSWORD: is not set, and REGISTRIES names base: no image can be built for staging");
	assert_false(says(SETTINGS_FLAW, "REGISTRY_ECR"));
	settings_unref(s);
	assert_null(LOAD(NULL, MINIMUM, "REGISTRIES=base,image"));
	SAYS(SETTINGS_ERROR, "REGISTRIES: \"image\" is not the name of a registry");
}

/* docker keeps the last login at a host alone: a deployment refuses two. */
static void
two_registries_at_one_host_are_refused_before_a_deployment(void **state)
{
	static const char *const rows[][4] = {
		/* settings, what is said; NULL: nothing is */
		{ "REGISTRY_URL=ghcr.io", "REGISTRY_BASE_URL=ghcr.io", NULL,
		    "REGISTRY_BASE_URL: is at ghcr.io, as REGISTRY_URL is, and docker keeps one login for each host: take base out of REGISTRIES, and let REGISTRY_USER read its images too; no image can be built for staging" },
		{ "REGISTRY_URL=https://ghcr.io", "REGISTRY_BASE_URL=ghcr.io/other", NULL,
		    "REGISTRY_BASE_URL: is at ghcr.io, as REGISTRY_URL is" },
		{ "REGISTRY_BASE_URL=https://h.example.org/a", "REGISTRY_HUB_URL=h.example.org/b",
		    NULL,
		    "REGISTRY_HUB_URL: is at h.example.org, as REGISTRY_BASE_URL is, and docker keeps one login for each host: take hub out of REGISTRIES, and let REGISTRY_BASE_USER read" },
		{ "STAGING_REGISTRY_URL=base.example.org", "REGISTRY_URL=r.example.org", NULL,
		    "let REGISTRY_USER read its images too; no image can be built for staging" },
		{ "REGISTRY_URL=ghcr.io", "REGISTRY_BASE_URL=ghcr.io:5000",
		    "REGISTRY_HUB_URL=ghcr.example.org", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s = LOAD(NULL, MINIMUM, "REGISTRIES=base,hub",
		    i == 3 ? "REGISTRY_BASE_URL=base.example.org" : "TIMEZONE=UTC", rows[i][0],
		    rows[i][1], rows[i][2] != NULL ? rows[i][2] : "LOG_LEVEL=INFO");

		assert_non_null(s);
		if (rows[i][3] != NULL)
			SAYS(SETTINGS_FLAW, rows[i][3]);
		else
			assert_false(says(SETTINGS_FLAW, "one login for each host"));
		if (i == 3)
			assert_false(says(SETTINGS_FLAW,
			    "read its images too; no image can be built for production"));
		settings_unref(s);
	}
}

/* Whoever sets it believes that nothing else is deployed. */
static void
a_verification_that_nobody_would_ask_for_is_refused(void **state)
{
	static const char said[] =
	    "VERIFY_COMMAND: is asked of images that CI has pushed, by deploybot's own scripts: set IMAGE_SOURCE=registry, or take it out";
	static const char *const wrong[][2] = { { "IMAGE_SOURCE=build", "REGISTRY_IMAGE=shop" },
		{ "IMAGE_SOURCE=registry", "DEPLOY_TRANSPORT=local" },
		{ "IMAGE_SOURCE=registry", "DEPLOY_SCRIPT=/opt/ours.sh" } };
	struct settings *s =
	    LOAD(NULL, MINIMUM, "IMAGE_SOURCE=registry", "VERIFY_COMMAND=/etc/verify");

	(void)state;
	assert_non_null(s);
	settings_unref(s);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(LOAD(NULL, MINIMUM, "VERIFY_COMMAND=/etc/verify", (char *)wrong[i][0],
		    (char *)wrong[i][1]));
		SAYS(SETTINGS_ERROR, said);
	}
	assert_null(LOAD(NULL, MINIMUM, "IMAGE_SOURCE=registry", "VERIFY_COMMAND=cosign verify"));
}

static void
the_repositorys_compose_file_is_trusted_in_words(void **state)
{
	static const char said[] =
	    "PRODUCTION_COMPOSE_SOURCE: is repo, and COMPOSE_REPO_TRUSTED is not true: who can push to the repository would decide what runs on the hosts";
	struct settings *s = LOAD(NULL, MINIMUM, "STAGING_COMPOSE_SOURCE=repo",
	    "STAGING_COMPOSE_REPO_TRUSTED=true", "PRODUCTION_COMPOSE_SOURCE=repo");

	(void)state;
	assert_non_null(s);
	SAYS(SETTINGS_FLAW, said);
	assert_false(says(SETTINGS_FLAW, "STAGING_COMPOSE_SOURCE"));
	settings_unref(s);
	for (size_t i = 0; i < 4; i++)
		assert_null(LOAD(NULL, MINIMUM,
		    (char *[]){ "COMPOSE_ALLOW=bind:/srv/../etc", "COMPOSE_ALLOW=bind:srv",
			"COMPOSE_REPO_FILE=../x", "COMPOSE_ALLOW=privileged,devices" }[i]));
	s = LOAD(NULL, MINIMUM, "COMPOSE_ALLOW=privileged  bind:/srv/media bind:/");
	assert_non_null(s);
	settings_unref(s);
}

static void
users_of_the_machine_are_found_when_settings_are_read(void **state)
{
	struct settings *s = LOAD(NULL, COMPLETE, "LOCAL_WWW_DATA_IS=42",
	    "LOCAL_GAMES_IS=role admin", "LOCAL_NOBODY_HERE_IS=43", "LOCAL_MAN_IS=");
	const char *name = NULL;

	(void)state;
	assert_non_null(s);
	assert_int_equal(settings_user(s, 33, &name), 42); /* www-data: - is _ in a name */
	assert_string_equal(name, "www-data");
	assert_int_equal(settings_user(s, 5, &name), -6);
	assert_string_equal(settings_user_name(s, -6), "games");
	assert_null(settings_user_name(s, -7));
	assert_int_equal(settings_user(s, 6, &name), 0);
	assert_int_equal(settings_user(s, 0, &name), 0);
	SAYS(SETTINGS_WARNING, "LOCAL_NOBODY_HERE_IS: there is no such user on this machine");
	SAYS(SETTINGS_WARNING, "LOCAL_WWW_DATA_IS: 42 has no role: nothing is granted to them");
	settings_unref(s);
}

static void
users_that_are_never_let_in_are_refused_in_settings(void **state)
{
	static const struct {
		const char *line;
		const char *text;
	} cases[] = {
		{ "LOCAL_ROOT_IS=42", "LOCAL_ROOT_IS: root has no such setting" },
		{ "LOCAL_NOBODY_IS=42", "LOCAL_NOBODY_IS: is never let in" },
		{ "LOCAL_GAMES_IS=role king", "LOCAL_GAMES_IS: there is no role king" },
		{ "LOCAL_GAMES_IS=ada", "LOCAL_GAMES_IS" },
		{ "LOCAL_GAMES_IS=-5", "LOCAL_GAMES_IS" },
		{ "LOCAL_SOCKET=local.sock", "LOCAL_SOCKET" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_null(LOAD(NULL, COMPLETE, cases[i].line));
		SAYS(SETTINGS_ERROR, cases[i].text);
	}
}

/* In an application's file it is a warning: that one's mistake keeps nobody else from starting. */
static void
approvers_who_are_no_role_or_may_not_approve_are_refused(void **state)
{
	struct settings *s;

	(void)state;
	assert_null(LOAD(NULL, COMPLETE, "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVERS=king"));
	SAYS(SETTINGS_ERROR, "PRODUCTION_APPROVERS: king: there is no such role");
	assert_null(LOAD(NULL, COMPLETE, "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVERS=lead",
	    "ROLE_LEAD_IDS=44", "ROLE_LEAD_MAY=approve:staging,deploy:production"));
	SAYS(SETTINGS_ERROR, "PRODUCTION_APPROVERS: lead: it has no grant approve there");
	/* One on a client is none on the environment. */
	assert_null(LOAD(NULL, COMPLETE, "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVERS=lead",
	    "ROLE_LEAD_IDS=44", "ROLE_LEAD_MAY=approve:client/*"));
	SAYS(SETTINGS_ERROR, "PRODUCTION_APPROVERS: lead: it has no grant approve there");
	s = LOAD(NULL, COMPLETE, "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVERS=admin,lead",
	    "ROLE_LEAD_IDS=44", "ROLE_LEAD_MAY=approve:production");
	assert_non_null(s);
	assert_int_equal(report.count, 0);
	settings_unref(s);
}

static void
a_window_that_is_wrong_is_named_among_several(void **state)
{
	(void)state;
	assert_null(LOAD(NULL, COMPLETE,
	    "STAGING_FREEZE=Fri 16:00-Mon 08:00, Mon 25:00-Tue 06:00 Europe/Berlin, Wed 1:00-Wed 2:00"));
	SAYS(SETTINGS_ERROR,
	    "STAGING_FREEZE: \"Mon 25:00-Tue 06:00 Europe/Berlin\": 25:00 is no time of a day (0:00 to "
	    "23:59), as in Fri 16:00-Mon 08:00");
	assert_null(LOAD(NULL, COMPLETE, "STAGING_FREEZE=2026-12-20..2026-01-06"));
	SAYS(
	    SETTINGS_ERROR, "STAGING_FREEZE: \"2026-12-20..2026-01-06\": it ends before it begins");
	assert_null(LOAD(NULL, COMPLETE, "STAGING_FREEZE=Fri 16:00-Mon 08:00 Berlin"));
	SAYS(SETTINGS_ERROR,
	    "STAGING_FREEZE: \"Fri 16:00-Mon 08:00 Berlin\": Berlin is no time zone of this machine");
}

static void
a_window_that_is_past_is_warned_of_and_one_to_come_is_not(void **state)
{
	struct settings *s =
	    LOAD(NULL, COMPLETE, "STAGING_FREEZE=2999-01-01..2999-01-02, 2025-12-20..2026-01-06,");

	(void)state;
	assert_non_null(s);
	assert_int_equal(report.count, 1);
	SAYS(SETTINGS_WARNING,
	    "STAGING_FREEZE: \"2025-12-20..2026-01-06\" is past and freezes nothing: take it out");
	settings_unref(s);
}

/* LOCAL_SOCKET is no setting of an environment that has this name. */
static void
an_environment_may_be_called_local(void **state)
{
	struct settings *s =
	    LOAD(NULL, TOKEN, ADMINS, REPO, "ENVIRONMENTS=local", "GITHUB_BRANCH_LOCAL=main",
		"DEPLOY_TRANSPORT=local", "LOCAL_PORT=8001", "LOCAL_SOCKET=/run/x.sock");

	(void)state;
	assert_non_null(s);
	assert_string_equal(settings_environment(s, "local")->branch, "main");
	assert_string_equal(settings_local_socket(s), "/run/x.sock");
	settings_unref(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_has_what_it_needs),
		cmocka_unit_test(the_minimum_gets_every_default),
		cmocka_unit_test(health_urls_that_no_deployment_could_hold_are_refused),
		cmocka_unit_test(the_health_gates_deadline_grows_with_slow_checks),
		cmocka_unit_test(a_health_gate_that_ends_too_early_is_said),
		cmocka_unit_test(all_errors_are_said_at_once_with_their_lines),
		cmocka_unit_test(the_environment_wins_over_the_file_and_empty_is_not_set),
		cmocka_unit_test(an_unknown_name_gets_the_nearest_known_one),
		cmocka_unit_test(what_is_of_an_environment_that_is_not_there_is_never_anothers),
		cmocka_unit_test(a_client_that_is_not_listed_is_named_once),
		cmocka_unit_test(weak_secrets_are_refused_or_warned_of_and_never_printed),
		cmocka_unit_test(what_the_guide_leaves_to_be_replaced_is_named),
		cmocka_unit_test(a_bots_token_that_is_a_placeholder_is_called_one),
		cmocka_unit_test(webhook_mode_needs_its_secret_in_telegrams_alphabet),
		cmocka_unit_test(two_environments_do_not_share_a_folder_of_a_host),
		cmocka_unit_test(two_environments_on_one_host_do_not_share_nginx),
		cmocka_unit_test(a_deployment_of_a_cluster_is_one_environments),
		cmocka_unit_test(what_no_release_can_reach_is_said),
		cmocka_unit_test(a_webhook_that_telegram_cannot_reach_is_said),
		cmocka_unit_test(two_environments_do_not_listen_on_one_port_of_this_machine),
		cmocka_unit_test(an_image_at_githubs_registry_without_an_owner_is_warned_of),
		cmocka_unit_test(what_does_nothing_is_warned_of_where_it_was_said),
		cmocka_unit_test(the_workloads_of_kubernetes_are_judged_before_a_deployment),
		cmocka_unit_test(what_a_target_needs_is_asked_for_at_once),
		cmocka_unit_test(environments_are_a_list_with_settings_of_their_own),
		cmocka_unit_test(names_of_environments_that_clash_are_refused),
		cmocka_unit_test(a_secret_may_stand_in_a_file),
		cmocka_unit_test(what_is_wrong_with_a_secrets_file_is_all_that_is_said_of_it),
		cmocka_unit_test(what_changed_is_named_without_its_value),
		cmocka_unit_test(what_needs_a_restart_stays_as_it_runs),
		cmocka_unit_test(a_running_webhook_keeps_its_secret_when_polling_is_to_come),
		cmocka_unit_test(a_secret_of_a_runner_that_is_a_service_is_not_read),
		cmocka_unit_test(the_runner_sees_only_what_is_its_own),
		cmocka_unit_test(settings_that_need_each_other_are_checked),
		cmocka_unit_test(the_committed_example_is_the_tables),
		cmocka_unit_test(a_registry_that_is_named_has_an_address),
		cmocka_unit_test(two_registries_at_one_host_are_refused_before_a_deployment),
		cmocka_unit_test(a_verification_that_nobody_would_ask_for_is_refused),
		cmocka_unit_test(the_repositorys_compose_file_is_trusted_in_words),
		cmocka_unit_test(users_of_the_machine_are_found_when_settings_are_read),
		cmocka_unit_test(users_that_are_never_let_in_are_refused_in_settings),
		cmocka_unit_test(approvers_who_are_no_role_or_may_not_approve_are_refused),
		cmocka_unit_test(a_window_that_is_wrong_is_named_among_several),
		cmocka_unit_test(a_window_that_is_past_is_warned_of_and_one_to_come_is_not),
		cmocka_unit_test(an_environment_may_be_called_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
