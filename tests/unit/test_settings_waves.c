/* Goal: waves are for hosts that deploybot's own scripts release to, and fit these.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings_aid.h"

#define OF_HOSTS MINIMUM, REGISTRY, "PRODUCTION_HOST=b", "STAGING_HOST=h1,h2,h3"
#define WAVES	 "STAGING_WAVES=1, 100%"

static const struct environment_settings *
staging(const struct settings *s)
{
	return settings_environment(s, "staging");
}

TEST(by_default_there_is_one_wave_and_no_host_may_fail)
{
	struct settings *s = LOAD(NULL, COMPLETE);

	assert_string_equal(staging(s)->waves, "100%");
	assert_string_equal(staging(s)->in_waves.failures_max, "0");
	settings_unref(s);
}

TEST(waves_that_fit_are_taken)
{
	struct settings *s = LOAD(NULL, OF_HOSTS, WAVES, "STAGING_FAILURES_MAX=34%");

	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_string_equal(staging(s)->waves, "1, 100%");
	assert_string_equal(staging(s)->in_waves.failures_max, "34%");
	settings_unref(s);
}

TEST(what_does_not_fit_is_an_error)
{
	assert_null(LOAD(NULL, OF_HOSTS, "STAGING_WAVES=4, 100%"));
	SAYS(SETTINGS_ERROR, "STAGING_WAVES: wave 4 is more than its 3 hosts");
	/* What is wrong with its hosts is said, and nothing of waves of none. */
	assert_null(LOAD(NULL, MINIMUM, REGISTRY, "PRODUCTION_HOST=b", WAVES,
	    "STAGING_HOSTS_FILE=/nowhere/hosts"));
	for (size_t i = 0; i < settings_said.count; i++)
		assert_null(strstr(settings_said.lines[i].text, "its 0 hosts"));
	assert_null(LOAD(NULL, OF_HOSTS, "STAGING_WAVES=50%, 1, 100%"));
	SAYS(SETTINGS_ERROR, "STAGING_WAVES: wave 1 is less than 50% before it, of 3 hosts");
	assert_null(LOAD(NULL, OF_HOSTS, "STAGING_WAVES=1, 50%"));
	SAYS(SETTINGS_ERROR, "STAGING_WAVES: its last wave is 50%: write 100% behind it");
	assert_null(LOAD(NULL, OF_HOSTS, "STAGING_WAVES=0, 100%"));
	SAYS(SETTINGS_ERROR, "STAGING_WAVES");
	assert_null(LOAD(NULL, OF_HOSTS, WAVES, "DEPLOY_SCRIPT=/bin/true"));
	SAYS(SETTINGS_ERROR, "STAGING_WAVES: needs deploybot's own scripts");
	assert_null(LOAD(NULL, MINIMUM, "PRODUCTION_HOST=b", WAVES, "STAGING_PORT=8080",
	    "DEPLOY_TRANSPORT=local"));
	SAYS(SETTINGS_ERROR, "STAGING_WAVES: is for hosts: DEPLOY_TRANSPORT of staging is local");
}

TEST(failures_without_waves_have_no_effect)
{
	settings_unref(LOAD(NULL, OF_HOSTS, "STAGING_FAILURES_MAX=2%"));
	SAYS(SETTINGS_WARNING, "STAGING_FAILURES_MAX: has no effect without <ENV>_WAVES");
}

#define OF_EACH "STAGING_HEALTH_URL=http://{host}:8080/healthz"

TEST(a_health_url_of_each_host_is_for_waves)
{
	struct settings *s = LOAD(NULL, OF_HOSTS, WAVES, OF_EACH ",http://10.0.0.1/");

	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_string_equal(staging(s)->health_template, "http://{host}:8080/healthz");
	assert_int_equal(staging(s)->health_url_count, 1);
	assert_string_equal(staging(s)->health_urls[0], "http://10.0.0.1/");
	settings_unref(s);
	assert_null(LOAD(NULL, OF_HOSTS, OF_EACH));
	SAYS(SETTINGS_ERROR,
	    "STAGING_HEALTH_URL: {host} is each host of a wave, and staging has no <ENV>_WAVES");
	assert_null(LOAD(NULL, OF_HOSTS, WAVES, OF_EACH ",http://{host}:9/"));
	SAYS(SETTINGS_ERROR, "STAGING_HEALTH_URL: has {host} twice");
	assert_null(LOAD(NULL, MINIMUM, "PRODUCTION_HOST=b", OF_EACH, "STAGING_PORT=8080",
	    "DEPLOY_TRANSPORT=local"));
	SAYS(SETTINGS_ERROR, "STAGING_HEALTH_URL: {host} is each host of a wave");
	assert_null(LOAD(NULL, OF_HOSTS, WAVES, "STAGING_HEALTH_URL=http://{host}.example.com/"));
	SAYS(SETTINGS_ERROR, "STAGING_HEALTH_URL");
	assert_null(LOAD(NULL, OF_HOSTS, WAVES, "STAGING_HEALTH_URL=http://10.0.0.1/{host}"));
	SAYS(SETTINGS_ERROR, "STAGING_HEALTH_URL");
}

TEST(a_canary_is_one_of_the_hosts)
{
	struct settings *s =
	    LOAD(NULL, OF_HOSTS, WAVES, "STAGING_CANARY=h3", "STAGING_WAVE_PAUSE=ask");

	assert_non_null(s);
	assert_true(staging(s)->in_waves.asks_between);
	settings_unref(s);
	assert_null(LOAD(NULL, OF_HOSTS, WAVES, "STAGING_CANARY=x"));
	SAYS(SETTINGS_ERROR, "STAGING_CANARY: x is none of the hosts of staging: name one of them");
	settings_unref(LOAD(NULL, OF_HOSTS, "STAGING_CANARY=h3"));
	SAYS(SETTINGS_WARNING, "STAGING_CANARY: has no effect without <ENV>_WAVES");
}
