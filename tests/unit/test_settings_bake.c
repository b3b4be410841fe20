/* Goal: what is asked while a release bakes can be asked, and says whether there is data.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings_aid.h"

#include "types/bake.h"

#define URL	"PROMETHEUS_URL=http://127.0.0.1:9090/"
#define BAKES	"STAGING_BAKE=15m"
#define ERRORS	"STAGING_BAKE_QUERY=errors: sum(rate(e{app={application}}[5m])) > 1%"
#define PRESENT "STAGING_BAKE_PRESENT=up{job={environment}} == 1"

static const struct environment_settings *
staging(const struct settings *s)
{
	return settings_environment(s, "staging");
}

TEST(nothing_bakes_where_nothing_is_said)
{
	struct settings *s = LOAD(NULL, COMPLETE);

	assert_int_equal(staging(s)->bake_ms, 0);
	assert_null(staging(s)->bake_queries[0]);
	assert_null(s->prometheus.url);
	settings_unref(s);
}

TEST(a_release_bakes_for_a_time_and_by_queries)
{
	struct settings *s = LOAD(NULL, COMPLETE, URL, "PROMETHEUS_TOKEN=" SECRET, BAKES, ERRORS,
	    "STAGING_BAKE_QUERY_2=p99: x < 2", PRESENT);

	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_string_equal(s->prometheus.url, "http://127.0.0.1:9090");
	assert_string_equal(s->prometheus.token, SECRET);
	assert_null(s->prometheus.user);
	assert_int_equal(staging(s)->bake_ms, 15 * 60000);
	assert_string_equal(staging(s)->bake_queries[1], "p99: x < 2");
	assert_string_equal(staging(s)->bake_present, "up{job={environment}} == 1");
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "STAGING_BAKE=24h"); /* plain time */
	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_int_equal(staging(s)->bake_ms, 24 * 3600000);
	settings_unref(s);
}

TEST(what_cannot_be_asked_is_an_error)
{
	assert_null(LOAD(NULL, COMPLETE, BAKES, ERRORS, PRESENT));
	SAYS(SETTINGS_ERROR,
	    "STAGING_BAKE_QUERY: is set, and PROMETHEUS_URL is not: which Prometheus is to be asked?");
	assert_null(LOAD(NULL, COMPLETE, URL, BAKES, ERRORS));
	SAYS(SETTINGS_ERROR, "STAGING_BAKE_PRESENT: is not set, and <ENV>_BAKE_QUERY needs it");
	assert_null(LOAD(NULL, COMPLETE, URL, BAKES, "STAGING_BAKE_QUERY=errors: sum(x)", PRESENT));
	SAYS(SETTINGS_ERROR, "it does not end in a comparison with a number");
	assert_null(LOAD(NULL, COMPLETE, URL, BAKES, ERRORS, "STAGING_BAKE_PRESENT=up{job={app}}"));
	SAYS(SETTINGS_ERROR, "STAGING_BAKE_PRESENT: {app} is not known: expected {application}");
	assert_null(LOAD(
	    NULL, COMPLETE, URL, BAKES, ERRORS, "STAGING_BAKE_QUERY_3=errors: x > 1", PRESENT));
	SAYS(SETTINGS_ERROR, "STAGING_BAKE_QUERY_3: the name errors is another one's");
	assert_null(LOAD(NULL, MINIMUM, REGISTRY, "PRODUCTION_HOST=b", "DEPLOY_TRANSPORT=local",
	    URL, BAKES, ERRORS, "STAGING_BAKE_PRESENT=up{i=~{hosts}}"));
	SAYS(SETTINGS_ERROR,
	    "STAGING_BAKE_PRESENT: has {hosts}, and <ENV>_HOST of staging is not set");
	assert_null(LOAD(NULL, COMPLETE, "STAGING_BAKE=25h"));
	SAYS(SETTINGS_ERROR, "is not 0, or a time of a minute to a day: 15m, 2h, 1d");
}

TEST(queries_without_a_bake_are_idle)
{
	struct settings *s = LOAD(NULL, COMPLETE, URL, ERRORS, PRESENT);

	assert_non_null(s);
	SAYS(SETTINGS_WARNING, "STAGING_BAKE: is 0, so nothing is asked of Prometheus");
	settings_unref(s);
}

TEST(prometheus_is_never_on_the_link_and_gets_no_token_in_the_clear)
{
	static const char *const good[] = { "PROMETHEUS_URL=http://prometheus:9090",
		"PROMETHEUS_URL=http://10.0.0.7:9090/prom",
		"PROMETHEUS_URL=https://p.example.org" };
	static const char *const link[] = { "PROMETHEUS_URL=http://169.254.169.254",
		"PROMETHEUS_URL=https://169.254.169.254:9090/x",
		"PROMETHEUS_URL=http://[fe80::1]:9090", "PROMETHEUS_URL=HTTPS://[fd00:ec2::254]" };
	struct settings *s;

	for (size_t i = 0; i < COUNT(good); i++) {
		s = LOAD(NULL, COMPLETE, good[i]);
		if (s == NULL || settings_said.count != 0)
			fail_msg("%s: %s", good[i], settings_said.lines[0].text);
		settings_unref(s);
	}
	for (size_t i = 0; i < COUNT(link); i++) {
		if (LOAD(NULL, COMPLETE, link[i]) != NULL)
			fail_msg("%s", link[i]);
		SAYS(SETTINGS_ERROR, "PROMETHEUS_URL: is an address of the link");
	}
	assert_null(LOAD(NULL, COMPLETE, good[0], "PROMETHEUS_TOKEN=" SECRET));
	SAYS(SETTINGS_ERROR,
	    "PROMETHEUS_URL: http:// would carry PROMETHEUS_TOKEN over the network");
	assert_null(LOAD(NULL, COMPLETE, "PROMETHEUS_URL=http://127.0.0.1:9090/?x=1"));
	SAYS(SETTINGS_ERROR, "PROMETHEUS_URL: has a ? or #");
	assert_null(LOAD(NULL, COMPLETE, URL, "PROMETHEUS_USER=bot"));
	SAYS(SETTINGS_ERROR, "PROMETHEUS_TOKEN: is not set, and PROMETHEUS_USER needs it");
	assert_null(LOAD(NULL, COMPLETE, "PROMETHEUS_TOKEN=" SECRET));
	SAYS(SETTINGS_ERROR, "PROMETHEUS_TOKEN: is set, and PROMETHEUS_URL is not: which");
	assert_null(LOAD(NULL, COMPLETE, URL, "PROMETHEUS_CA_FILE=/etc/hostname"));
	SAYS(SETTINGS_ERROR, "PROMETHEUS_CA_FILE: /etc/hostname has no certificate in PEM");
}

TEST(the_facts_of_a_query_are_the_environment_s)
{
	struct settings *s =
	    LOAD(NULL, MINIMUM, REGISTRY, "PRODUCTION_HOST=b", "STAGING_HOST=web1:22,web2");
	struct promql_facts facts = bake_facts(staging(s), "45f7076");

	assert_string_equal(facts.application, "");
	assert_string_equal(facts.environment, "staging");
	assert_string_equal(facts.hosts, "web1:22,web2");
	assert_string_equal(facts.release, "45f7076");
	settings_unref(s);
}
