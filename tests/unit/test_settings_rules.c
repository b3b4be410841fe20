/* Goal: what one setting asks of another is said before a deployment finds it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings_aid.h"

#include "settings/settings_table.h"

/* They were taken, and the deployment that was to be verified by them could not start. */
TEST(health_urls_that_no_deployment_could_hold_are_refused)
{
	char line[2100] = "STAGING_HEALTH_URL=http://a/";

	for (size_t i = strlen(line); i < sizeof(line) - 2; i++)
		line[i] = i % 500 == 0 ? ',' : 'x';
	for (size_t i = 500; i < sizeof(line) - 20; i += 500)
		memcpy(line + i + 1, "http://b/", 9);
	line[sizeof(line) - 2] = '\n';
	assert_null(LOAD(line, "ENABLE_TELEMETRY=true"));
	SAYS(SETTINGS_ERROR, "STAGING_HEALTH_URL: is 2079 bytes long, and may be 2047");
}

TEST(the_health_gates_deadline_grows_with_slow_checks)
{
	struct settings *s = LOAD(NULL, MINIMUM, "HEALTH_CHECK_TIMEOUT=30");

	assert_int_equal(s->times.health_check_deadline_seconds, 800);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "HEALTH_CHECK_TIMEOUT=30", "HEALTH_CHECK_DEADLINE=120");
	assert_int_equal(s->times.health_check_deadline_seconds, 120);
	assert_int_equal(settings_said.count, 0);
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, "HEALTH_CHECK_RETRIES=1000", "HEALTH_CHECK_INTERVAL=86400",
	    "HEALTH_CHECK_TIMEOUT=86400");
	assert_int_equal(s->times.health_check_deadline_seconds, 345600000);
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, "HEALTH_CHECK_SUCCESSES=100"); /* 990 s of passes */
	assert_int_equal(s->times.health_check_deadline_seconds, 3000);
	settings_unref(s);
}

TEST(a_health_gate_that_ends_too_early_is_said)
{
	struct settings *s;

	assert_null(LOAD(NULL, MINIMUM, "HEALTH_CHECK_DEADLINE=10"));
	SAYS(SETTINGS_ERROR, "HEALTH_CHECK_DEADLINE: in 10 s no release can pass: ");
	s = LOAD(NULL, MINIMUM, "HEALTH_CHECK_DEADLINE=11");
	assert_non_null(s);
	SAYS(SETTINGS_WARNING,
	    "HEALTH_CHECK_DEADLINE: after 11 s a release is unhealthy, before HEALTH_CHECK_RETRIES (10) checks have failed (90 s)");
	settings_unref(s);
}

TEST(two_environments_do_not_share_a_folder_of_a_host)
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

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct settings *s = LOAD(NULL, MINIMUM, REGISTRY, bad[i][0], bad[i][1], bad[i][2]);

		assert_non_null(s);
		SAYS(SETTINGS_FLAW,
		    "ENVIRONMENTS: production shares a host, and its folder (<ENV>_COMPOSE_DIR) with staging: a release to one would replace the other's; production is not deployed until it has its own");
		assert_int_equal(settings_said.flaws, 1);
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
TEST(two_environments_on_one_host_do_not_share_nginx)
{
	static const char *const bluegreen[] = { "DEPLOY_STRATEGY=bluegreen",
		"NGINX_UPSTREAM_FILE=/etc/nginx/deploybot/app.conf", REGISTRY };
	struct settings *s;

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
	assert_int_equal(settings_said.count, 0);
	settings_unref(s);
}

TEST(a_deployment_of_a_cluster_is_one_environments)
{
	struct settings *s;

	s = LOAD(NULL, MINIMUM, REGISTRY, "USE_KUBERNETES=true", "KUBE_DEPLOYMENT=shop",
	    "KUBECONFIG=/etc/kube");
	assert_non_null(s);
	SAYS(SETTINGS_FLAW,
	    "production shares a Deployment (<ENV>_KUBE_NAMESPACE, <ENV>_KUBECONFIG)");
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, REGISTRY, "USE_KUBERNETES=true", "KUBE_DEPLOYMENT=shop",
	    "KUBECONFIG=/etc/kube", "PRODUCTION_KUBE_NAMESPACE=production");
	assert_int_equal(settings_said.count, 0);
	settings_unref(s);
}

/* Each of these was "ok", and the first deployment said what was missing. */
TEST(what_no_release_can_reach_is_said)
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

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct settings *s =
		    LOAD(NULL, MINIMUM, cases[i].lines[0], cases[i].lines[1], cases[i].lines[2]);

		assert_non_null(s); /* the server starts */
		SAYS(SETTINGS_FLAW, cases[i].says);
		settings_unref(s);
	}
}

/* Telegram would have refused the first, and nobody would have answered the second. */
TEST(a_webhook_that_telegram_cannot_reach_is_said)
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

	for (size_t i = 0; i < COUNT(cases); i++) {
		s = LOAD(NULL, COMPLETE, cases[i].url, "TELEGRAM_WEBHOOK_SECRET=" SECRET);
		assert_non_null(s); /* the server starts */
		assert_int_equal(settings_said.count, cases[i].says != NULL);
		if (cases[i].says != NULL)
			SAYS(cases[i].severity, cases[i].says);
		settings_unref(s);
	}
	s = LOAD(NULL, COMPLETE, cases[0].url, "TELEGRAM_WEBHOOK_SECRET=" SECRET,
	    "TELEGRAM_API_BASE=http://127.0.0.1:8081"); /* a server of one's own may */
	assert_int_equal(settings_said.count, 0);
	settings_unref(s);
}

TEST(two_environments_do_not_listen_on_one_port_of_this_machine)
{
	static const char *const good[][2] = {
		{ "DEPLOY_TRANSPORT=local", "PRODUCTION_PORT=8002" },
		{ "DEPLOY_TRANSPORT=ssh", "PRODUCTION_PORT=8001" },
		{ "USE_KUBERNETES=true", "KUBE_DEPLOYMENT=shop" },
	};
	struct settings *s;

	s = LOAD(
	    NULL, MINIMUM, "DEPLOY_TRANSPORT=local", "STAGING_PORT=8001", "PRODUCTION_PORT=8001");
	assert_non_null(s);
	SAYS(SETTINGS_FLAW, "production shares a port of this machine (<ENV>_PORT) with staging");
	assert_int_equal(settings_said.flaws, 1);
	assert_non_null(settings_refusal(s, "production"));
	settings_unref(s);
	for (size_t i = 0; i < COUNT(good); i++) {
		s = LOAD(NULL, MINIMUM, "STAGING_PORT=8001", good[i][0], good[i][1]);

		assert_non_null(s);
		assert_false(settings_aid_says(SETTINGS_FLAW, "a port of this machine"));
		settings_unref(s);
	}
}

#define NOT_SWITCHED \
	": is used by DEPLOY_STRATEGY=bluegreen of the transport ssh alone, and does nothing here"

#define ONLY(transport) ": is used by the transport " transport " alone, and does nothing here"

/* The strategy said for all is another environment's too, and no mistake of this one's. */
TEST(what_does_nothing_is_warned_of_where_it_was_said)
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

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s = LOAD(NULL, MINIMUM, rows[i][0],
		    rows[i][1] != NULL ? rows[i][1] : "TIMEZONE=UTC",
		    rows[i][2] != NULL ? rows[i][2] : "LOG_LEVEL=INFO");

		assert_non_null(s);
		if (rows[i][3] != NULL)
			SAYS(SETTINGS_WARNING, rows[i][3]);
		else if (settings_aid_says(SETTINGS_WARNING, "does nothing") ||
		    settings_aid_says(SETTINGS_WARNING, "START_S"))
			fail_msg("row %zu is warned of", i);
		settings_unref(s);
	}
}

TEST(what_no_agent_is_given_is_refused)
{
	static const char *const rows[][2] = {
		{ "COMPOSE_SOURCE=repo", "COMPOSE_SOURCE: is repo, and DEPLOY_TRANSPORT is agent" },
		{ "REGISTRY_PULL_PASSWORD=secret",
		    "REGISTRY_PULL_PASSWORD: is set, and DEPLOY_TRANSPORT is agent" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_null(LOAD(NULL, MINIMUM, "DEPLOY_TRANSPORT=agent", rows[i][0]));
		SAYS(SETTINGS_ERROR, rows[i][1]);
		settings_unref(LOAD(NULL, MINIMUM, "DEPLOY_TRANSPORT=ssh", rows[i][0]));
		if (settings_aid_says(SETTINGS_ERROR, "agent"))
			fail_msg("row %zu is said of ssh too", i);
	}
	settings_unref(LOAD(NULL, MINIMUM, "DEPLOY_TRANSPORT=agent"));
	SAYS(SETTINGS_FLAW, "LINK_ADDRESS: is not set, and DEPLOY_TRANSPORT is agent");
}

TEST(an_image_at_githubs_registry_without_an_owner_is_warned_of)
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

	s = LOAD(NULL, MINIMUM, "REGISTRY_URL=GHCR.io", "REGISTRY_IMAGE=web");
	SAYS(SETTINGS_WARNING, says_so);
	settings_unref(s);
	for (size_t i = 0; i < COUNT(good); i++) {
		s = LOAD(NULL, MINIMUM, good[i][0], good[i][1]);
		assert_false(settings_aid_says(SETTINGS_WARNING, "ghcr.io"));
		settings_unref(s);
	}
}

TEST(the_workloads_of_kubernetes_are_judged_before_a_deployment)
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

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s = LOAD(NULL, MINIMUM, "USE_KUBERNETES=yes", "KUBECONFIG=/k",
		    "STAGING_KUBE_NAMESPACE=s", REGISTRY, rows[i][0], rows[i][1]);

		assert_non_null(s);
		if (rows[i][2] != NULL)
			SAYS(SETTINGS_FLAW, rows[i][2]);
		else
			assert_int_equal(settings_said.count, 0);
		settings_unref(s);
	}
}

/* Our scripts would say so as well, but not before somebody deploys. */
TEST(what_a_target_needs_is_asked_for_at_once)
{
	struct settings *s;

	assert_null(LOAD(NULL, MINIMUM, "REGISTRY_USER=ci", "DEPLOY_STRATEGY=bluegreen"));
	SAYS(SETTINGS_ERROR, "REGISTRY_PASSWORD: is not set, and REGISTRY_USER needs it");
	SAYS(SETTINGS_ERROR, "NGINX_UPSTREAM_FILE: is not set, and DEPLOY_STRATEGY is bluegreen");
	assert_int_equal(settings_said.errors, 2);
	s = LOAD(NULL, MINIMUM, "REGISTRY_USER=ci", "REGISTRY_PASSWORD=hunter2hunter2");
	SAYS(SETTINGS_WARNING,
	    "REGISTRY_PULL_USER: is not set: each host gets REGISTRY_USER's login");
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, "REGISTRY_USER=ci", "REGISTRY_PASSWORD=hunter2hunter2",
	    "REMOTE_LOGIN=false");
	assert_false(settings_aid_says(SETTINGS_WARNING, "REGISTRY_PULL_USER"));
	settings_unref(s);
	assert_null(LOAD(NULL, MINIMUM, "REGISTRY_PULL_USER=ci"));
	SAYS(SETTINGS_ERROR, "REGISTRY_PULL_PASSWORD: is not set, and REGISTRY_PULL_USER needs it");
	assert_null(LOAD(NULL, MINIMUM, "SMOKE_URL=http://h:{port}/"));
	SAYS(SETTINGS_ERROR, "SMOKE_URL: has {port}, which only DEPLOY_STRATEGY=bluegreen knows");
	assert_null(LOAD(NULL, MINIMUM, "DEPLOY_STRATEGY=bluegreen", "NGINX_UPSTREAM_FILE=/etc/u",
	    "SMOKE_URL=http://127.0.0.1/health"));
	SAYS(SETTINGS_ERROR,
	    "SMOKE_URL: has no {port}, and DEPLOY_STRATEGY is bluegreen: the release that serves would answer for the new one");
	assert_int_equal(settings_said.errors, 1);
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
	assert_int_equal(settings_said.errors, 0);
	settings_unref(s);
	s = LOAD(
	    NULL, MINIMUM, "USE_KUBERNETES=yes", "DEPLOY_SCRIPT=/opt/own"); /* it may not need it */
	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "REGISTRY_PASSWORD=short", "DEPLOY_STRATEGY=bluegreen",
	    "NGINX_UPSTREAM_FILE=/etc/nginx/app.conf", "STAGING_COMPOSE_DIR=/srv/shop",
	    "IMAGE_WAIT_SECONDS=700");
	assert_non_null(s);
	assert_int_equal(
	    settings_said.count, 2); /* nor is IMAGE_WAIT_SECONDS, which harms nobody */
	SAYS(SETTINGS_WARNING,
	    "REGISTRY_PASSWORD: a secret shorter than 6 characters is not kept out of logs and messages");
	SAYS(SETTINGS_WARNING, "REGISTRY_PASSWORD: is not used: REGISTRY_USER is not set");
	assert_null(
	    settings_text(s, SETTING_REGISTRY_PASSWORD)); /* the runner's, kept to be redacted */
	assert_non_null(settings_runners_spec(s, NULL, "REGISTRY_PASSWORD_FILE"));
	assert_non_null(settings_runners_spec(s, NULL, "STAGING_COMPOSE_DIR"));
	settings_unref(s);
}

TEST(settings_that_need_each_other_are_checked)
{
	struct settings *s;

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

/* Who may push chooses what is fetched, with all that a login of several applications reads. */
TEST(submodules_of_a_login_that_others_have_are_warned_of)
{
	static const char says[] = "REPOSITORY_SUBMODULES_FROM: is not set";
	static const struct {
		const char *url, *login, *from;
		bool is_said;
	} cases[] = {
		{ "https://h/a/b", "LOG_LEVEL=INFO", "LOG_LEVEL=INFO", true },
		{ "https://h/a/b", "REPOSITORY_TOKEN=" SECRET, "LOG_LEVEL=INFO", false },
		{ "https://h/a/b", "LOG_LEVEL=INFO", "REPOSITORY_SUBMODULES_FROM=/a/c", false },
		{ "git@h:a/b", "REPOSITORY_TOKEN=" SECRET, "LOG_LEVEL=INFO", true },
		{ "/srv/git/b", "REPOSITORY_TOKEN=" SECRET, "LOG_LEVEL=INFO", true },
		{ "/srv/git/b", "LOG_LEVEL=INFO", "REPOSITORY_SUBMODULES_FROM=/srv/git/", false },
	};
	static const struct {
		const char *submodules, *one, *two;
		bool is_said;
	} others[] = {
		{ "REPOSITORY_SUBMODULES=warn", "LOG_LEVEL=INFO", "IMAGE_SOURCE=build", false },
		{ "REPOSITORY_SUBMODULES=fetch", "LOG_LEVEL=INFO", "IMAGE_SOURCE=registry", false },
		{ "REPOSITORY_SUBMODULES=fetch", "DEPLOY_TRANSPORT=local", "IMAGE_SOURCE=registry",
		    true },
		{ "REPOSITORY_SUBMODULES=fetch", "DEPLOY_SCRIPT=/bin/true", "IMAGE_SOURCE=build",
		    false },
	};
	struct settings *s;
	char url[64];

	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)snprintf(url, sizeof(url), "REPOSITORY_URL=%s", cases[i].url);
		s = LOAD(NULL, MINIMUM, url, cases[i].login, cases[i].from,
		    "REPOSITORY_SUBMODULES=fetch");
		assert_non_null(s);
		assert_int_equal(settings_aid_says(SETTINGS_WARNING, says), cases[i].is_said);
		settings_unref(s);
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		s = LOAD(NULL, MINIMUM, "REPOSITORY_URL=/srv/git/b", others[i].submodules,
		    others[i].one, others[i].two);
		assert_non_null(s);
		assert_int_equal(settings_aid_says(SETTINGS_WARNING, says), others[i].is_said);
		settings_unref(s);
	}
}

TEST(a_registry_that_is_named_has_an_address)
{
	struct settings *s = LOAD(NULL, MINIMUM, "REGISTRIES=base", "STAGING_REGISTRIES=base,hub",
	    "REGISTRY_BASE_URL=base.example.org", "REGISTRY_BASE_USER=u",
	    "REGISTRY_BASE_PASSWORD=hunter2hunter2");

	assert_non_null(s);
	SAYS(SETTINGS_FLAW,
	    "REGISTRY_HUB_URL: is not set, and REGISTRIES names hub: no image can be built for staging");
	assert_false(settings_aid_says(SETTINGS_FLAW, "built for production"));
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, "REGISTRIES=base,ecr", "REGISTRY_BASE_URL=base.example.org",
	    "REGISTRY_BASE_USER=u", "REGISTRY_ECR_URL=ecr.example.org", "REGISTRY_ECR_USER=AWS");
	assert_non_null(s);
	SAYS(SETTINGS_FLAW,
	    "REGISTRY_BASE_PASSWORD: is not set, and REGISTRIES names base: no image can be built for staging");
	assert_false(settings_aid_says(SETTINGS_FLAW, "REGISTRY_ECR"));
	settings_unref(s);
	assert_null(LOAD(NULL, MINIMUM, "REGISTRIES=base,image"));
	SAYS(SETTINGS_ERROR, "REGISTRIES: \"image\" is not the name of a registry");
}

/* docker keeps the last login at a host alone: a deployment refuses two. */
TEST(two_registries_at_one_host_are_refused_before_a_deployment)
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

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s = LOAD(NULL, MINIMUM, "REGISTRIES=base,hub",
		    i == 3 ? "REGISTRY_BASE_URL=base.example.org" : "TIMEZONE=UTC", rows[i][0],
		    rows[i][1], rows[i][2] != NULL ? rows[i][2] : "LOG_LEVEL=INFO");

		assert_non_null(s);
		if (rows[i][3] != NULL)
			SAYS(SETTINGS_FLAW, rows[i][3]);
		else
			assert_false(settings_aid_says(SETTINGS_FLAW, "one login for each host"));
		if (i == 3)
			assert_false(settings_aid_says(SETTINGS_FLAW,
			    "read its images too; no image can be built for production"));
		settings_unref(s);
	}
}

/* Regression: what no deployment asks was an error, and its advice took another's login away. */
TEST(registries_are_judged_where_images_are_built)
{
	static const struct {
		const char *setting, *beside;
		bool is_built;
	} rows[] = {
		{ "IMAGE_SOURCE=registry", "LOG_LEVEL=INFO", false },
		{ "DEPLOY_SCRIPT=/opt/ours.sh", "ROLLBACK_SCRIPT=/opt/ours.sh", false },
		{ "DEPLOY_TRANSPORT=local", "LOG_LEVEL=INFO", false },
		{ "DEPLOY_TRANSPORT=systemd", "SYSTEMD_UNITS=a.service", false },
		{ "IMAGE_SOURCE=build", "LOG_LEVEL=INFO", true },
		{ "DEPLOY_TRANSPORT=kubernetes", "KUBE_DEPLOYMENT=a", true },
		{ "DEPLOY_TRANSPORT=ours", "LOG_LEVEL=INFO", true },
	};
	struct settings *s;

	for (size_t i = 0; i < COUNT(rows); i++) {
		s = LOAD(NULL, MINIMUM, "REGISTRIES=base,hub", "REGISTRY_URL=ghcr.io/ours",
		    "REGISTRY_BASE_URL=ghcr.io", rows[i].setting, rows[i].beside);
		if (s == NULL)
			fail_msg("%s is refused", rows[i].setting);
		assert_int_equal(
		    settings_aid_says(SETTINGS_FLAW, "one login for each host"), rows[i].is_built);
		assert_int_equal(
		    settings_aid_says(SETTINGS_FLAW, "REGISTRIES names hub"), rows[i].is_built);
		settings_unref(s);
	}
	s = LOAD(NULL, MINIMUM, "REGISTRIES=base", "REGISTRY_URL=r.example.org",
	    "REGISTRY_BASE_URL=ghcr.io", "PRODUCTION_IMAGE_SOURCE=registry",
	    "PRODUCTION_REGISTRY_URL=ghcr.io/ours");
	assert_non_null(s);
	assert_false(settings_aid_says(SETTINGS_FLAW, "REGISTRY_BASE"));
	settings_unref(s);
}

/* Whoever sets it believes that nothing else is deployed. */
TEST(a_verification_that_nobody_would_ask_for_is_refused)
{
	static const char said[] =
	    "VERIFY_COMMAND: is asked of images that CI has pushed, by deploybot's own scripts: set IMAGE_SOURCE=registry, or take it out";
	static const char *const wrong[][2] = { { "IMAGE_SOURCE=build", "REGISTRY_IMAGE=shop" },
		{ "IMAGE_SOURCE=registry", "DEPLOY_TRANSPORT=local" },
		{ "IMAGE_SOURCE=registry", "DEPLOY_SCRIPT=/opt/ours.sh" } };
	struct settings *s =
	    LOAD(NULL, MINIMUM, "IMAGE_SOURCE=registry", "VERIFY_COMMAND=/etc/verify");

	assert_non_null(s);
	settings_unref(s);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(LOAD(NULL, MINIMUM, "VERIFY_COMMAND=/etc/verify", (char *)wrong[i][0],
		    (char *)wrong[i][1]));
		SAYS(SETTINGS_ERROR, said);
	}
	assert_null(LOAD(NULL, MINIMUM, "IMAGE_SOURCE=registry", "VERIFY_COMMAND=cosign verify"));
}

TEST(where_archives_are_taken_they_are_built_here)
{
	static const struct {
		char *settings[3];
		const char *said;
	} wrong[] = {
		{ { "IMAGE_SOURCE=registry" },
		    "IMAGE_SOURCE: is registry, and <ENV>_UPLOADS takes archives: CI makes no image of one; set it to build, or take <ENV>_UPLOADS out" },
		{ { "DEPLOY_SCRIPT=/opt/ours.sh" },
		    "DEPLOY_SCRIPT: is set, and <ENV>_UPLOADS takes archives: deploybot's own scripts alone build one; take one of the two out" },
		{ { "COMPOSE_SOURCE=repo", "COMPOSE_REPO_TRUSTED=true" },
		    "COMPOSE_SOURCE: is repo, and <ENV>_UPLOADS takes archives: none is in the repository; take one of the two out" },
	};
	struct settings *s;

	for (size_t i = 0; i < COUNT(wrong); i++)
		for (size_t u = 0; u < 3; u++) {
			char *uploads = (char *[]){ "STAGING_UPLOADS=true",
				"STAGING_UPLOADS=unproven", "STAGING_UPLOADS=false" }[u];
			char *more = wrong[i].settings[1] != NULL ? wrong[i].settings[1] : uploads;
			char all[LIMIT_LINE];

			(void)snprintf(all, sizeof(all), "STAGING_%s", wrong[i].said);
			s = LOAD(NULL, MINIMUM, uploads, wrong[i].settings[0], more);
			if ((s == NULL) != (u < 2))
				fail_msg("%s %s", uploads, wrong[i].said);
			if (s == NULL)
				SAYS(SETTINGS_ERROR, all);
			settings_unref(s);
		}
	s = LOAD(NULL, MINIMUM, "STAGING_UPLOADS=true", "IMAGE_SOURCE=registry",
	    "DEPLOY_TRANSPORT=systemd", "SYSTEMD_UNITS=shop.service");
	assert_non_null(s); /* those build here, whatever CI does */
	SAYS(SETTINGS_WARNING,
	    "STAGING_DEPLOY_TRANSPORT: is local or systemd, and <ENV>_UPLOADS takes archives, which run programs as the runner's user: give the grant upload only to whom you would give a login here");
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, "STAGING_UPLOADS=true", "DEPLOY_TRANSPORT=ssh");
	assert_non_null(s);
	assert_false(settings_aid_says(SETTINGS_WARNING, "whom you would give a login"));
	settings_unref(s);
}

TEST(the_repositorys_compose_file_is_trusted_in_words)
{
	static const char said[] =
	    "PRODUCTION_COMPOSE_SOURCE: is repo, and COMPOSE_REPO_TRUSTED is not true: who can push to the repository would decide what runs on the hosts";
	struct settings *s = LOAD(NULL, MINIMUM, "STAGING_COMPOSE_SOURCE=repo",
	    "STAGING_COMPOSE_REPO_TRUSTED=true", "PRODUCTION_COMPOSE_SOURCE=repo");

	assert_non_null(s);
	SAYS(SETTINGS_FLAW, said);
	assert_false(settings_aid_says(SETTINGS_FLAW, "STAGING_COMPOSE_SOURCE"));
	settings_unref(s);
	for (size_t i = 0; i < 4; i++)
		assert_null(LOAD(NULL, MINIMUM,
		    (char *[]){ "COMPOSE_ALLOW=bind:/srv/../etc", "COMPOSE_ALLOW=bind:srv",
			"COMPOSE_REPO_FILE=../x", "COMPOSE_ALLOW=privileged,devices" }[i]));
	s = LOAD(NULL, MINIMUM, "COMPOSE_ALLOW=privileged  bind:/srv/media bind:/");
	assert_non_null(s);
	settings_unref(s);
}

TEST(a_page_that_logs_in_over_the_network_in_the_clear_is_refused)
{
	struct settings *s;

	assert_null(LOAD(NULL, COMPLETE, "CONSOLE=true", "ENABLE_API_SERVER=true",
	    "AUTH_TOKEN_SECRET=0123456789abcdef0123456789abcdef",
	    "PUBLIC_URL=http://bot.example.org"));
	SAYS(SETTINGS_ERROR, "PUBLIC_URL: is http://, and CONSOLE would carry logins");
	s = LOAD(NULL, COMPLETE, "CONSOLE=true", "ENABLE_API_SERVER=true",
	    "AUTH_TOKEN_SECRET=0123456789abcdef0123456789abcdef",
	    "PUBLIC_URL=http://127.0.0.1:8080");
	assert_non_null(s);
	settings_unref(s);
}
