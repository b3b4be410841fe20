/* Goal: a file of hosts is what <ENV>_HOST would be, and one that fits no environment is refused.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "link_aid.h"
#include "settings_aid.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/text.h"
#include "settings/checks/settings_claims.h"

static char hosts_path[64], other_path[64];

static const char *
file_with(char path[64], const char *variable, const char *text)
{
	static char set[2][128];
	static size_t turn;
	char *ret = set[turn++ % 2];
	int fd;

	(void)text_copy(path, 64, "/tmp/test_settings_hosts.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0 && file_write_all(fd, text, strlen(text), NULL));
	(void)close(fd);
	(void)snprintf(ret, 128, "%s=%s", variable, path);
	return ret;
}

static const struct environment_settings *
staging(const struct settings *s)
{
	return settings_environment(s, "staging");
}

#define FILE_OF(text)  file_with(hosts_path, "STAGING_HOSTS_FILE", text)
#define OTHER_OF(text) file_with(other_path, "PRODUCTION_HOSTS_FILE", text)
#define WITH(...)      LOAD(NULL, MINIMUM, REGISTRY, __VA_ARGS__)

static void
on_resource(void *ctx, const char *resource)
{
	buf_addf(ctx, "%s ", resource);
}

TEST(a_file_names_what_the_setting_would)
{
	struct buf all = buf_make(4096);
	struct settings *s = WITH("PRODUCTION_HOST=b", FILE_OF("# kiosks\nh1\nH2:2222\n"),
	    "STAGING_WAVES=1, 100%", "STAGING_COMPOSE_DIR=/srv/x");
	struct settings_claims *claims;

	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_string_equal(staging(s)->hosts, "h1,H2:2222");
	claims = settings_claims(s, "staging");
	assert_int_equal(claims->n, 1);
	assert_string_equal(claims->at[0], "env:staging");
	free(claims);
	assert_true(settings_claims_are_rows(s, "staging"));
	assert_false(settings_claims_are_rows(s, "production"));
	settings_claims_each(s, "staging", on_resource, &all);
	assert_string_equal(buf_text(&all), "host:h1:22/srv/x host:h2:2222/srv/x ");
	buf_done(&all);
	settings_unref(s);
	(void)unlink(hosts_path);
}

static struct link_aid aid;

static int
make(UNUSED void **state)
{
	link_aid_make(&aid, 0);
	return 0;
}

static int
drop(UNUSED void **state)
{
	link_aid_remove(&aid);
	return 0;
}

#define AGENTS(...) \
	LOAD(NULL, MINIMUM, REGISTRY, "DEPLOY_TRANSPORT=agent", LINK_AID_LINES(&aid), __VA_ARGS__)
#define AGENT_TEST(name) TEST_WITH(name, make, drop)

AGENT_TEST(a_pattern_is_of_agents)
{
	struct buf all = buf_make(4096);
	struct settings *s = AGENTS("PRODUCTION_HOST=b", "STAGING_HOST=web-*,db1");

	assert_non_null(s);
	assert_true(staging(s)->in_waves.is_pattern && staging(s)->in_waves.is_set);
	assert_true(settings_claims_are_rows(s, "staging"));
	settings_claims_each(s, "staging", on_resource, &all);
	assert_string_equal(buf_text(&all), "host:web-*:22/srv/app host:db1:22/srv/app ");
	buf_done(&all);
	settings_unref(s);
	settings_unref(AGENTS("PRODUCTION_HOST=b", "STAGING_HOST=web-*", "STAGING_CANARY=web-7",
	    "STAGING_FAILURES_MAX=1", "STAGING_WAVES=5, 60, 100%"));
	assert_int_equal(settings_said.count, 0);
	assert_null(AGENTS("PRODUCTION_HOST=b", "STAGING_HOST=web-*", "STAGING_CANARY=db1"));
	SAYS(SETTINGS_ERROR, "STAGING_CANARY: db1 is none of the hosts of staging");
}

AGENT_TEST(a_pattern_that_is_none_is_refused)
{
	static const char *const wrong[] = { "STAGING_HOST=*", "STAGING_HOST=we*b",
		"STAGING_HOST=[a", "STAGING_HOST=web-*:22" };
	char line[320];

	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_null(AGENTS("PRODUCTION_HOST=b", wrong[i]));
		SAYS(SETTINGS_ERROR, "agents also as web-*");
	}
	(void)snprintf(line, sizeof(line), "STAGING_HOST=%0300d*", 1);
	assert_null(AGENTS("PRODUCTION_HOST=b", line));
	SAYS(SETTINGS_ERROR, "as web-*");
	assert_null(WITH("PRODUCTION_HOST=b", "STAGING_HOST=web-*"));
	SAYS(SETTINGS_ERROR,
	    "STAGING_HOST: has a pattern (*), which stands for agents, and DEPLOY_TRANSPORT of staging is ssh: name its hosts");
	assert_null(AGENTS("PRODUCTION_HOST=b", "STAGING_HOST=web-*", "DEPLOY_SCRIPT=/bin/true"));
	SAYS(SETTINGS_ERROR, "and DEPLOY_SCRIPT of staging is set");
	assert_null(WITH("PRODUCTION_HOST=b", FILE_OF("web-*\n")));
	SAYS(SETTINGS_ERROR, "line 1: no HOST or HOST:PORT");
	(void)unlink(hosts_path);
}

AGENT_TEST(what_two_patterns_stand_for_is_found)
{
	static const char *const shared[][2] = { { "STAGING_HOST=web-*", "PRODUCTION_HOST=web-1" },
		{ "STAGING_HOST=web-3", "PRODUCTION_HOST=web*" },
		{ "STAGING_HOST=web-1*", "PRODUCTION_HOST=db,we*" } };
	struct settings *s;

	for (size_t i = 0; i < COUNT(shared); i++) {
		s = AGENTS(shared[i][0], shared[i][1]);
		assert_non_null(settings_environment(s, "production")->refusal);
		SAYS(SETTINGS_FLAW, "production shares a host, and its folder");
		settings_unref(s);
	}
	s = AGENTS("STAGING_HOST=web-1*", "PRODUCTION_HOST=web-2*");
	assert_int_equal(settings_said.count, 0);
	settings_unref(s);
	s = AGENTS("STAGING_HOST=web-*", "PRODUCTION_HOST=web-1", "STAGING_COMPOSE_DIR=/srv/x");
	assert_int_equal(settings_said.count, 0);
	settings_unref(s);
}

TEST(what_does_not_fit_is_said)
{
	assert_null(WITH("PRODUCTION_HOST=b", "STAGING_HOST=a", FILE_OF("h1\n")));
	SAYS(SETTINGS_ERROR,
	    "STAGING_HOSTS_FILE: is set together with STAGING_HOST: take one of them out");
	assert_null(WITH("PRODUCTION_HOST=b", FILE_OF("h1\nh1\n")));
	SAYS(SETTINGS_ERROR, "h1 is there twice, in lines 1 and 2");
	assert_null(WITH("PRODUCTION_HOST=b", "STAGING_HOSTS_FILE=/nowhere/hosts"));
	SAYS(SETTINGS_ERROR, "STAGING_HOSTS_FILE: /nowhere/hosts");
	assert_null(WITH("PRODUCTION_HOST=b", FILE_OF("h1\n"), "DEPLOY_SCRIPT=/bin/true"));
	SAYS(SETTINGS_ERROR, "STAGING_HOSTS_FILE: is not read by the DEPLOY_SCRIPT of staging");
	assert_null(WITH(
	    "PRODUCTION_PORT=81", "DEPLOY_TRANSPORT=local", "STAGING_PORT=80", FILE_OF("h1\n")));
	SAYS(SETTINGS_ERROR,
	    "STAGING_HOSTS_FILE: is for ssh, systemd and agent: DEPLOY_TRANSPORT of staging is local");
}

TEST(more_names_than_a_run_takes_are_refused_with_waves)
{
	struct buf text = buf_make(1 << 17);
	const char *set;
	struct settings *s;

	for (int i = 0; i < 700; i++)
		buf_addf(&text, "%0100d.example.org\n", i);
	set = FILE_OF(buf_text(&text));
	assert_null(WITH("PRODUCTION_HOST=b", set, "STAGING_WAVES=1, 100%"));
	SAYS(SETTINGS_ERROR, "KB of names, and a rollback to all takes 64");
	s = WITH("PRODUCTION_HOST=b", set); /* in one wave no order has them */
	assert_non_null(s);
	settings_unref(s);
	buf_done(&text);
	(void)unlink(hosts_path);
}

TEST(a_host_in_two_environments_is_found_in_their_files)
{
	struct settings *s = WITH(OTHER_OF("a\nb\nc\n"), FILE_OF("d\nB:22\n"),
	    "STAGING_COMPOSE_DIR=/srv/app", "PRODUCTION_COMPOSE_DIR=/srv/app/");

	SAYS(SETTINGS_FLAW,
	    "ENVIRONMENTS: production shares a host, and its folder (<ENV>_COMPOSE_DIR) with staging");
	settings_unref(s);
	s = WITH("PRODUCTION_HOST=x,b", FILE_OF("d\nb\n"));
	SAYS(SETTINGS_FLAW, "ENVIRONMENTS: production shares a host");
	settings_unref(s);
}
