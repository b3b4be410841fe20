/* Goal: a database of several servers has a URL that is whole, and each of them a name of its own.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "lib/buf.h"
#include "lib/db_url.h"
#include "lib/err.h"
#include "lib/redact.h"
#include "link_aid.h"
#include "settings/checks/settings_runners.h"
#include "settings/settings_table.h"
#include "settings_aid.h"
#include "types/factor_secret.h"

#define URL  "DATABASE_URL=postgres://bot:hunter%4022@a,b/deploybot?sslmode=verify-full"
#define NAME "SERVER_NAME=server-a"

/* No line of the report has it. */
static void
shows_nothing_of(const char *secret)
{
	for (size_t i = 0; i < settings_said.count; i++)
		if (strstr(settings_said.lines[i].text, secret) != NULL)
			fail_msg("%s", settings_said.lines[i].text);
}

TEST(a_url_is_the_database_and_without_one_a_file_is)
{
	struct settings *s = LOAD(NULL, COMPLETE, URL, NAME, "INSTALLATION_NAME=Shop-1");
	const struct factor_secret secret = { .totp = { 1 } };
	char uri[TOTP_URI];

	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	factor_secret_uri(s, 7, &secret, uri);
	assert_non_null(strstr(uri, "issuer=deploybot%20Shop-1"));
	assert_string_equal(s->database, &URL[strlen("DATABASE_URL=")]);
	assert_string_equal(settings_server_name(s), "server-a");
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "STATE_DIRECTORY=/srv/d", NAME);
	assert_non_null(s);
	SAYS(SETTINGS_WARNING, "SERVER_NAME: is not used: DATABASE_URL is not set");
	assert_string_equal(s->database, "/srv/d/deploybot.db");
	assert_null(settings_server_name(s));
	settings_unref(s);
}

TEST(a_url_that_is_none_or_half_a_one_is_refused_unseen)
{
	static const char *const bad[] = { "http://bot:hunter22@h/d", "mysql://bot:hunter22@h/d",
		"/srv/hunter22", "postgres://", "postgres://bot:hunter22@h",
		"postgres://bot:hunter22@h/", "postgres://bot:hunter22@/d",
		"postgres://bot:hunter22@x@h/d", "postgres://bot:hunter22/x@h/d",
		"postgres://bot:1/hunter22@h/d", "postgres://bot:hunter22%zz@h/d",
		"postgres://bot:hunter22@[::1/d", "postgres://bot:hunter22@h/d?nothing=x",
		"postgresql:///deploybot", "postgres://bot:hunter22 @h/d" };

	for (size_t i = 0; i < COUNT(bad); i++) {
		char line[128];

		(void)snprintf(line, sizeof(line), "DATABASE_URL=%s", bad[i]);
		if (LOAD(NULL, COMPLETE, NAME, line) != NULL)
			fail_msg("%s", line);
		SAYS(SETTINGS_ERROR, "DATABASE_URL: ");
		SAYS(SETTINGS_ERROR, "postgres://USER:PASSWORD@HOST/DATABASE");
		shows_nothing_of("hunter22");
	}
}

TEST(who_stands_between_is_kept_out)
{
	static const struct {
		const char *url;
		bool is_private;
	} rows[] = {
		{ "postgres://h/d", false },
		{ "postgres://h/d?sslmode=require", false },
		{ "postgres://h/d?sslmode=verify-full", true },
		{ "postgres://127.0.0.1,h/d", false },
		{ "postgres://127.0.0.1,[::1]:5433/d", true },
		{ "postgresql:///d?host=/run/postgresql", true },
		{ "postgres://localhost/d?hostaddr=10.0.0.7", false },
	};
	char line[128];

	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(line, sizeof(line), "DATABASE_URL=%s", rows[i].url);
		settings_unref(LOAD(NULL, COMPLETE, NAME, line));
		if (rows[i].is_private != (settings_said.count == 0))
			fail_msg("%s", line);
	}
	assert_null(
	    LOAD(NULL, COMPLETE, NAME, "DATABASE_URL=postgres://h/d", "ENVIRONMENT=production"));
	SAYS(SETTINGS_ERROR, "DATABASE_URL: without sslmode=verify-full");
}

TEST(what_names_a_host_and_a_database_is_whole)
{
	static const char *const good[] = { "postgres://h/d", "postgresql://bot@h:5432/d",
		"postgres://bot:a%2Fb%3Ac@[::1]:5432,b:5433/d?target_session_attrs=read-write",
		"postgresql:///d?host=/run/postgresql&user=bot",
		"postgres:///d?hostaddr=10.0.0.7" };
	struct err err;

	for (size_t i = 0; i < COUNT(good); i++)
		if (!db_url_check(good[i], &err))
			fail_msg("%s: %s", good[i], err.text);
	assert_true(db_is_url("postgres://h/d") && db_is_url("postgresql://h/d"));
	assert_false(db_is_url("/var/lib/deploybot/deploybot.db") || db_is_url("http://h/d"));
}

TEST(its_password_is_blotted_out_wherever_it_stands)
{
	struct settings *s = LOAD(NULL, COMPLETE, URL, NAME);
	CLEANUP(redact_freep) struct redact *redact = redact_new();
	CLEANUP(buf_done) struct buf out = buf_make(1000);
	static const char text[] =
	    "a hunter@22 b hunter%4022 c postgres://bot:hunter%4022@a,b/deploybot";
	struct err err;

	assert_non_null(s);
	assert_true(settings_redact(s, redact, &err));
	redact_text(redact, text, strlen(text), &out);
	assert_null(strstr(buf_text(&out), "hunter"));
	assert_non_null(strstr(buf_text(&out), "a *** b *** c "));
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "DATABASE_URL=postgres://bot@h/d", NAME);
	assert_true(settings_redact(s, redact, &err)); /* it has none */
	settings_unref(s);
}

static int
make(void **state)
{
	link_aid_make(*state = calloc(1, sizeof(struct link_aid)), 0);
	return 0;
}

static int
drop(void **state)
{
	link_aid_remove(*state);
	free(*state);
	return 0;
}

TEST_WITH(each_server_has_a_name_that_nobody_else_has, make, drop)
{
	const struct link_aid *aid = *state;
	static const struct {
		const char *line, *said;
	} names[] = {
		{ "SERVER_NAME=", "SERVER_NAME: is not set, and DATABASE_URL needs it" },
		{ "SERVER_NAME=Server_A",
		    "SERVER_NAME: \"Server_A\" is not a name of a-z 0-9 . -" },
		{ "SERVER_NAME=local", "SERVER_NAME: local is what each server calls its own" },
		{ "SERVER_NAME=build-1", "SERVER_NAME: build-1 is one of RUNNERS too" },
		{ "SERVER_NAME=acme", "SERVER_NAME: acme is an agent (CLIENT_<ID>_HOST) too" },
		{ "SERVER_NAME=web", "SERVER_NAME: web is an agent (DEPLOY_TRANSPORT=agent) too" },
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		if (LOAD(NULL, MINIMUM, REGISTRY, "PRODUCTION_HOST=b", LINK_AID_LINES(aid), URL,
			names[i].line, "RUNNERS=build-2, build-1", "CLIENTS=x",
			"CLIENT_X_HOST=agent:acme", "CLIENT_X_ACTIONS=restart-web",
			"CLIENT_X_WEB_UNIT=a.service", "STAGING_DEPLOY_TRANSPORT=agent",
			"STAGING_HOST=db,web") != NULL)
			fail_msg("%s", names[i].line);
		SAYS(SETTINGS_ERROR, names[i].said);
		assert_int_equal(settings_said.count, 1);
	}
}

/* The local runner is another machine's behind a take-over; a remote one stays. */
TEST_WITH(what_only_one_machine_would_have_is_refused, make, drop)
{
	const struct link_aid *aid = *state;
	static const struct {
		const char *line, *said;
	} lines[] = {
		{ "STAGING_DEPLOY_TRANSPORT=local",
		    "STAGING_RUNNER: is local, as the transport is, and with DATABASE_URL" },
		{ "STAGING_REGISTRY_URL=",
		    "STAGING_REGISTRY_URL: is not set, and with DATABASE_URL an image that one" },
		{ "CLIENT_ACME_HOST=local", "CLIENT_ACME_HOST: is local, and with DATABASE_URL" },
	};
	static const char *const good[] = { "STAGING_IMAGE_SOURCE=registry",
		"STAGING_RUNNER=build-1", "STAGING_DEPLOY_SCRIPT=/srv/own",
		"STAGING_DEPLOY_TRANSPORT=systemd" };
	struct settings *s;

	for (size_t i = 0; i < COUNT(lines); i++)
		for (int with = 0; with < 2; with++) {
			bool needs_all = i != 1; /* REGISTRY_URL is for all */

			s = LOAD(NULL, MINIMUM, "STAGING_HOST=a", "PRODUCTION_HOST=b", NAME,
			    "STAGING_PORT=8001", "STAGING_SYSTEMD_UNITS=a.service",
			    LINK_AID_LINES(aid), "RUNNERS=build-1",
			    needs_all ? REGISTRY : "PRODUCTION_REGISTRY_URL=r.example.org",
			    with ? URL : "ROTATE_DAYS=0", lines[i].line,
			    i == 2 ? "CLIENTS=acme" : "ROTATE_DAYS=1",
			    i == 2 ? "CLIENT_ACME_WEB_UNIT=a.service" : "ROTATE_DAYS=1",
			    i == 2 ? "CLIENT_ACME_ACTIONS=restart-web" : "ROTATE_DAYS=1");
			if ((s == NULL) != (with != 0))
				fail_msg("%s, %d: %s", lines[i].line, with,
				    settings_said.count > 0 ? settings_said.lines[0].text : "");
			assert_true(
			    settings_aid_says(SETTINGS_ERROR, lines[i].said) == (with != 0));
			settings_unref(s);
		}
	for (size_t i = 0; i < COUNT(good); i++) {
		s = LOAD(NULL, MINIMUM, "STAGING_HOST=a", "PRODUCTION_HOST=b", NAME, URL,
		    "STAGING_SYSTEMD_UNITS=a.service", LINK_AID_LINES(aid), "RUNNERS=build-1",
		    "PRODUCTION_REGISTRY_URL=r.example.org", good[i]);
		if (s == NULL)
			fail_msg("%s: %s", good[i],
			    settings_said.count > 0 ? settings_said.lines[0].text : "");
		settings_unref(s);
	}
}
