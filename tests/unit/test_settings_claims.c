/* Goal: whatever two spellings of one target are called, they are one resource; two targets are two.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_claims.h"

#include "settings/sources/settings_load.h"
#include "unit.h"

#define MINIMUM \
	"TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", "ADMIN_TELEGRAM_IDS=11", \
	    "GITHUB_REPOSITORY=acme/shop", "REGISTRY_URL=registry.example.org"

/* What staging claims with these settings, a blank between; valid until the next call. */
static const char *
claims(const char *const more[])
{
	static char line[8192];
	struct settings_claims *all;
	struct settings_report report = { 0 };
	const char *const minimum[] = { MINIMUM };
	char *list[16] = { 0 };
	struct settings *s = NULL;
	size_t n = 0, used = 0;

	for (size_t i = 0; i < COUNT(minimum); i++)
		list[n++] = strdup(minimum[i]);
	for (size_t i = 0; more[i] != NULL; i++)
		list[n++] = strdup(more[i]);
	if (!settings_load(NULL, list, &s, &report))
		fail_msg("settings: %s", report.lines[0].text);
	while (n > 0)
		free(list[--n]);
	all = settings_claims(s, "staging");
	assert_non_null(all);
	settings_unref(s);
	line[0] = '\0';
	for (size_t i = 0; i < all->n; i++)
		used += (size_t)snprintf(
		    line + used, sizeof(line) - used, "%s%s", i > 0 ? " " : "", all->at[i]);
	assert_true(used < sizeof(line));
	free(all);
	return line;
}

#define CLAIMS(...) claims((const char *const[]){ __VA_ARGS__, NULL })

TEST(each_spelling_of_a_host_and_a_folder_is_one_resource)
{
	static const char *const spellings[][2] = {
		{ "STAGING_HOST=app.example.org", "STAGING_COMPOSE_DIR=/srv/shop" },
		{ "STAGING_HOST=App.Example.ORG:22", "STAGING_COMPOSE_DIR=/srv/shop/" },
		{ "STAGING_HOST=app.example.org:22", "STAGING_COMPOSE_DIR=//srv/./shop//" },
		{ "STAGING_HOST=app.example.org,APP.example.org:22",
		    "STAGING_COMPOSE_DIR=/srv/shop" },
	};

	for (size_t i = 0; i < COUNT(spellings); i++)
		assert_string_equal(CLAIMS(spellings[i][0], spellings[i][1]),
		    "env:staging host:app.example.org:22/srv/shop");
	assert_string_equal(
	    CLAIMS("STAGING_HOST=[0:0:0:0:0:0:0:1]"), "env:staging host:[::1]:22/srv/app");
	assert_string_equal(CLAIMS("STAGING_HOST=[::1]:22"), "env:staging host:[::1]:22/srv/app");
}

TEST(another_host_port_or_folder_is_another_resource)
{
	assert_string_equal(
	    CLAIMS("STAGING_HOST=a,b:2222"), "env:staging host:a:22/srv/app host:b:2222/srv/app");
	assert_string_equal(CLAIMS("STAGING_HOST=a", "STAGING_COMPOSE_DIR=/srv/app.b"),
	    "env:staging host:a:22/srv/app.b");
}

TEST(blue_green_has_one_file_of_the_proxy_on_each_host)
{
	assert_string_equal(CLAIMS("STAGING_HOST=a", "DEPLOY_STRATEGY=bluegreen",
				"NGINX_UPSTREAM_FILE=/etc/nginx/conf.d//up.conf"),
	    "env:staging host:a:22/srv/app host:a:22/etc/nginx/conf.d/up.conf host:a:22/:8001 host:a:22/:8002");
}

TEST(the_longest_list_of_hosts_has_room)
{
	char hosts[1024] = "STAGING_HOST=h0";
	const char *line;
	size_t n = 0;

	for (int i = 1; i < SETTING_HOSTS_MAX; i++)
		(void)snprintf(hosts + strlen(hosts), sizeof(hosts) - strlen(hosts), ",h%d", i);
	line = CLAIMS(hosts, "DEPLOY_STRATEGY=bluegreen", "NGINX_UPSTREAM_FILE=/up.conf");
	assert_non_null(strstr(line, " host:h63:22/:8002"));
	for (const char *at = line; (at = strchr(at, ' ')) != NULL; at++)
		n++;
	assert_int_equal(n, 4 * SETTING_HOSTS_MAX);
}

TEST(other_transports_claim_what_they_touch)
{
	assert_string_equal(
	    CLAIMS("DEPLOY_TRANSPORT=local", "STAGING_PORT=8080"), "env:staging port:8080");
	assert_string_equal(CLAIMS("DEPLOY_TRANSPORT=systemd", "STAGING_HOST=a,b:2222",
				"SYSTEMD_UNITS=shop.service", "STAGING_SYSTEMD_DIR=/srv//shop/"),
	    "env:staging host:a:22/srv/shop host:b:2222/srv/shop");
	assert_string_equal(
	    CLAIMS("USE_KUBERNETES=true", "KUBECONFIG=/etc//kube/config", "KUBE_DEPLOYMENT=web"),
	    "env:staging kube:/etc/kube/config/default/web");
	assert_string_equal(CLAIMS("DEPLOY_TRANSPORT=kubernetes", "KUBECONFIG=/etc/kube/config",
				"KUBE_DEPLOYMENT=web", "STAGING_KUBE_NAMESPACE=blue"),
	    "env:staging kube:/etc/kube/config/blue/web");
	assert_string_equal(CLAIMS("DEPLOY_TRANSPORT=kubernetes", "KUBECONFIG=/k",
				"KUBE_WORKLOADS=deployment/web, cronjob/web,daemonset/x"),
	    "env:staging kube:/k/default/web kube:/k/default/cronjob/web kube:/k/default/daemonset/x");
	assert_string_equal(
	    CLAIMS("DEPLOY_TRANSPORT=agent", "STAGING_HOST=acme", "STAGING_COMPOSE_DIR=/srv//shop"),
	    "env:staging host:acme:22/srv/shop");
	assert_string_equal(CLAIMS("DEPLOY_TRANSPORT=carrier", "STAGING_HOST=a"), "env:staging");
	assert_string_equal(CLAIMS("DEPLOY_SCRIPT=/opt/ours.sh", "STAGING_HOST=a"), "env:staging");
}

/* Where people are to look for it: a name that nothing there has would send them astray. */
TEST(where_a_migration_may_be_at_work_is_what_the_transport_makes_of_it)
{
	static const struct {
		const char *transport, *more, *at; /* NULL: it ends with its run */
	} rows[] = {
		{ "DEPLOY_TRANSPORT=ssh", "STAGING_HOST=h1:2222,h2",
		    "deploybot-migrate-staging on h1:2222" },
		{ "DEPLOY_TRANSPORT=agent", "STAGING_HOST=h1", "deploybot-migrate-staging on h1" },
		{ "DEPLOY_TRANSPORT=systemd", "STAGING_HOST=h1,h2", "/srv/app on h1" },
		{ "DEPLOY_TRANSPORT=kubernetes", "STAGING_HOST=h1",
		    "the Job deploybot-migrate-staging" },
		{ "DEPLOY_TRANSPORT=carrier", "STAGING_HOST=h1", "" },
		{ "DEPLOY_SCRIPT=/opt/ours.sh", "STAGING_HOST=h1", "" },
		{ "DEPLOY_TRANSPORT=local", "STAGING_HOST=h1", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *list[] = { MINIMUM, "KUBECONFIG=/k", "KUBE_DEPLOYMENT=web",
			"SYSTEMD_UNITS=shop.service", (char *)rows[i].transport,
			(char *)rows[i].more, NULL };
		struct settings_report report = { 0 };
		char at[SETTINGS_MIGRATION];
		struct settings *s = NULL;

		if (!settings_load(NULL, list, &s, &report))
			fail_msg("settings: %s", report.lines[0].text);
		assert_int_equal(settings_migration_place(s, "staging", at), rows[i].at != NULL);
		assert_string_equal(at, rows[i].at != NULL ? rows[i].at : "");
		settings_unref(s);
	}
}

TEST(an_environment_that_has_left_the_settings_claims_itself)
{
	struct settings_claims *all;
	struct settings_report report = { 0 };
	char *list[] = { MINIMUM, NULL };
	struct settings *s = NULL;

	assert_true(settings_load(NULL, list, &s, &report));
	all = settings_claims(s, "shop/gone");
	assert_non_null(all);
	assert_int_equal(all->n, 1);
	assert_int_equal(all->n, 1);
	assert_string_equal(all->at[0], "env:shop/gone");
	free(all);
	settings_unref(s);
}

/* The first thing that is wrong with a client on that host; "": nothing is. */
static const char *
fault_of(const char *host, const char *more, const char *another)
{
	static char line[512];
	struct settings_report report = { 0 };
	char client[64];
	char *list[] = { MINIMUM, "CLIENTS=acme", "CLIENT_ACME_ACTIONS=disk-free", client,
		(char[128]){ 0 }, (char[128]){ 0 }, NULL };
	struct settings *s = NULL;

	(void)snprintf(client, sizeof(client), "CLIENT_ACME_HOST=%s", host);
	(void)snprintf(list[7], 128, "%s", more);
	(void)snprintf(list[8], 128, "%s", another);
	line[0] = '\0';
	if (!settings_load(NULL, list, &s, &report))
		assert_null(s);
	for (size_t i = 0; i < report.count && line[0] == '\0'; i++)
		if (strstr(report.lines[i].text, "CLIENT_ACME_HOST") != NULL)
			(void)snprintf(line, sizeof(line), "%s%s",
			    report.lines[i].severity == SETTINGS_ERROR ? "" : "(warning) ",
			    report.lines[i].text);
	settings_unref(s);
	return line;
}

#define LINK "LINK_ADDRESS=link.example.org:9443"
#define TAKES_TURNS \
	"CLIENT_ACME_HOST: staging is deployed to that host: CLIENT_<ID>_ENVIRONMENT=staging has " \
	"both take turns"

TEST(a_client_where_an_environment_lives_is_that_environment)
{
	static const char *const spellings[] = { "app.example.org", "web@app.example.org",
		"APP.example.org:22", "root@app.example.org:2222" };

	for (size_t i = 0; i < COUNT(spellings); i++) {
		assert_string_equal(
		    fault_of(spellings[i], "STAGING_HOST=b,app.example.org", ""), TAKES_TURNS);
		assert_string_equal(fault_of(spellings[i], "STAGING_HOST=App.example.org:2201",
					"DEPLOY_SCRIPT=/opt/ours.sh"),
		    TAKES_TURNS);
		assert_string_equal(fault_of(spellings[i], "STAGING_HOST=app.example.org",
					"CLIENT_ACME_ENVIRONMENT=staging"),
		    "");
	}
	assert_string_equal(
	    fault_of("[::1]:22", "STAGING_HOST=[0:0:0:0:0:0:0:1]", ""), TAKES_TURNS);
	assert_string_equal(fault_of("app2.example.org", "STAGING_HOST=app.example.org", ""), "");
}

/* An agent's name is a host's. */
TEST(an_agent_where_an_environment_lives_is_that_environment)
{
	assert_string_equal(
	    fault_of("agent:app.example.org", "STAGING_HOST=app.example.org:2222", LINK),
	    TAKES_TURNS);
	assert_string_equal(
	    fault_of("agent:app2.example.org", "STAGING_HOST=app.example.org", LINK), "");
	assert_string_equal(fault_of("agent:acme", "STAGING_HOST=a", ""),
	    "CLIENT_ACME_HOST: no agent can connect: LINK_ADDRESS is not set (docs/agents.md)");
}

TEST(an_agent_claims_what_its_host_claims_over_ssh)
{
	char by_agent[SETTINGS_CLAIM_HOST], by_ssh[SETTINGS_CLAIM_HOST];

	assert_string_equal(settings_claims_host("agent:acme.example", by_agent),
	    settings_claims_host("web@acme.example", by_ssh));
	assert_string_equal(by_agent, "acme.example:22");
}

TEST(here_is_no_place_in_our_image)
{
	assert_int_equal(setenv("container", "podman", 1), 0);
	assert_string_equal(fault_of("local", "STAGING_HOST=a", ""),
	    "CLIENT_ACME_HOST: local is this container, and not the machine that it runs on: "
	    "name the host");
	assert_int_equal(unsetenv("container"), 0);
	/* Whatever these tests run in. */
	assert_true(fault_of("local", "STAGING_HOST=a", "")[0] == '\0' ||
	    strstr(fault_of("local", "STAGING_HOST=a", ""), "(warning) ") != NULL);
}
