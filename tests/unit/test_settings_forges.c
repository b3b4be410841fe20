/* Goal: what GitHub or GitLab is asked with is there, and of one forge, before anything waits for it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings_aid.h"

#include "clients/github_need.h"
#include "jwt_aid.h"

/* The whole of a key, its lines with a blank for each end where it is to be none. */
static const char *
key_line(const char *pem, char separator)
{
	static char line[8192];

	(void)snprintf(line, sizeof(line), "GITHUB_APP_KEY=%s", pem);
	line[strlen(line) - 1] = '\0'; /* the last end of a line */
	for (char *c = line; *c != '\0'; c++)
		*c = *c == '\n' ? separator : *c;
	return line;
}

TEST(an_app_at_github_has_a_number_and_a_key)
{
	struct settings *s;

	assert_null(LOAD(NULL, MINIMUM, "GITHUB_APP_ID=12345"));
	SAYS(SETTINGS_ERROR, "GITHUB_APP_KEY: is not set, and GITHUB_APP_ID needs it");
	assert_null(LOAD(NULL, MINIMUM, key_line(jwt_aid_key, '\n')));
	SAYS(SETTINGS_ERROR, "GITHUB_APP_ID: is not set, and GITHUB_APP_KEY needs it");
	assert_null(LOAD(NULL, MINIMUM, "GITHUB_APP_ID=12345", key_line(jwt_aid_key, ' ')));
	SAYS(SETTINGS_ERROR, "GITHUB_APP_KEY: no private RSA key of 2048 to 8192 bits in PEM");
	s = LOAD(NULL, COMPLETE, "GITHUB_APP_ID=12345", key_line(jwt_aid_key, '\n'),
	    "GITHUB_API_URL=https://github.example.org/api/v3/", "GITHUB_API_TOKEN=ghp_" SECRET);
	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_string_equal(s->github.url, "https://github.example.org/api/v3");
	assert_string_equal(s->github.app_id, "12345");
	assert_string_equal(s->github.token, "ghp_" SECRET);
	assert_memory_equal(s->github.app_key, jwt_aid_key, strlen(jwt_aid_key) - 1);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "GITHUB_APP_ID=12345", key_line(jwt_aid_key, '\n'),
	    "PRODUCTION_GITHUB_ENVIRONMENT=live");
	SAYS(SETTINGS_WARNING,
	    "production is live at GitHub, and no App's gate there is answered: GITHUB_APP_WEBHOOK_SECRET is not set");
	settings_unref(s);
	s = LOAD(NULL, COMPLETE);
	assert_string_equal(s->github.url, "https://api.github.com");
	assert_true(s->github.app_id == NULL && s->github.app_key == NULL);
	assert_null(s->github.token);
	settings_unref(s);
}

TEST(one_environment_of_github_is_one_here)
{
	struct settings *s = LOAD(NULL, COMPLETE, "STAGING_GITHUB_ENVIRONMENT=Production");

	SAYS(SETTINGS_WARNING, "both are Production at GitHub, so its gate there is answered by");
	settings_unref(s);
}

/* An application that never answers has failed in half of it, whatever was set. */
TEST(ci_first_is_asked_for_where_github_can_be_asked)
{
	struct settings *s;

	assert_null(LOAD(NULL, COMPLETE, "STAGING_REQUIRE_CI=ci.yml"));
	SAYS(SETTINGS_ERROR,
	    "STAGING_REQUIRE_CI: needs GITHUB_APP_ID or GITHUB_API_TOKEN, to ask GitHub how its "
	    "runs stand");
	s = LOAD(NULL, COMPLETE, "STAGING_REQUIRE_CI=ci.yml", "GITHUB_API_TOKEN=ghp_" SECRET);
	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_int_equal(github_needs_of(s), 0x20b);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "GITHUB_API_TOKEN=ghp_" SECRET);
	assert_int_equal(github_needs_of(s), 0x20d);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "GITHUB_API_TOKEN=ghp_" SECRET, "WATCH_PIPELINES=none");
	assert_int_equal(github_needs_of(s), 0x201);
	settings_unref(s);
}

/* One pipeline of GitLab has all jobs of a commit; which forge is asked stands in the name. */
TEST(ci_first_is_asked_for_where_gitlab_can_be_asked)
{
#define CI	     "STAGING_REQUIRE_CI=.gitlab-ci.yml"
#define TOKEN_OF_ITS "GITLAB_API_TOKEN=glpat-" SECRET
#define AT(url)	     "REPOSITORY_URL=" url
	struct settings *s;

	assert_null(LOAD(NULL, COMPLETE, CI, "GITHUB_API_TOKEN=ghp_" SECRET));
	SAYS(SETTINGS_ERROR,
	    "STAGING_REQUIRE_CI: needs GITLAB_API_TOKEN, to ask GitLab how its pipelines stand");
	assert_null(LOAD(NULL, COMPLETE, CI ", ci.yml", TOKEN_OF_ITS));
	SAYS(SETTINGS_ERROR, "STAGING_REQUIRE_CI: needs to name .gitlab-ci.yml alone");
	assert_null(LOAD(NULL, COMPLETE, "STAGING_REQUIRE_CI=.ci.yml", TOKEN_OF_ITS));
	assert_null(LOAD(NULL, COMPLETE, "STAGING_REQUIRE_CI=gitlab-ci.yml", TOKEN_OF_ITS));
	SAYS(SETTINGS_ERROR, "GitLab's pipeline is called .gitlab-ci.yml");
	assert_null(LOAD(NULL, COMPLETE, CI, TOKEN_OF_ITS, AT("/srv/git/shop.git")));
	SAYS(SETTINGS_ERROR, "needs a GITLAB_URL whose host is REPOSITORY_URL's");
	/* It would go to gitlab.com. */
	assert_null(LOAD(NULL, COMPLETE, CI, TOKEN_OF_ITS, "REPOSITORY_PATH=group/shop",
	    AT("https://gitlab.example.org/group/shop.git")));
	SAYS(SETTINGS_ERROR, "needs a GITLAB_URL whose host is REPOSITORY_URL's");
	s = LOAD(NULL, COMPLETE, CI, TOKEN_OF_ITS, "GITLAB_URL=https://gitlab.example.org/",
	    AT("https://gitlab.example.org/group/shop.git"));
	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_string_equal(settings_text(s, SETTING_GITLAB_URL), "https://gitlab.example.org");
	settings_unref(s);
}

/* By the App, a reviewer, or jobs of a workflow, which may be the main file's. */
TEST(whoever_opens_gates_may_have_to_cancel_their_runs)
{
	struct settings *s;

	s = LOAD(NULL, COMPLETE, "GITHUB_API_TOKEN=ghp_" SECRET, "WATCH_PIPELINES=none",
	    "PUBLIC_URL=https://bot.example.org", "ENABLE_API_SERVER=true");
	assert_non_null(s);
	assert_int_equal(github_needs_of(s), 0x301);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "GITHUB_API_TOKEN=ghp_" SECRET, "WATCH_PIPELINES=none",
	    "PUBLIC_URL=https://bot.example.org");
	assert_non_null(s);
	assert_int_equal(github_needs_of(s), 0x201);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "GITHUB_API_TOKEN=ghp_" SECRET, "WATCH_PIPELINES=none",
	    "STAGING_GATE_REVIEWER=true");
	assert_non_null(s);
	assert_int_equal(github_needs_of(s), 0x301);
	settings_unref(s);
}

#define PIPELINE(line) "PIPELINE_RELEASE=release.yml ref=main" line
TEST(a_pipeline_is_one_that_github_can_begin)
{
	struct settings *s;

	assert_null(LOAD(NULL, COMPLETE, PIPELINE("")));
	SAYS(SETTINGS_ERROR, "PIPELINE_RELEASE: needs GITHUB_APP_ID or GITHUB_API_TOKEN");
	assert_null(LOAD(NULL, TOKEN, ADMINS, REGISTRY, "STAGING_HOST=a", "PRODUCTION_HOST=b",
	    "REPOSITORY_URL=/srv/git", PIPELINE(""), "GITHUB_API_TOKEN=ghp_" SECRET));
	SAYS(SETTINGS_ERROR, "PIPELINE_RELEASE: needs GITHUB_REPOSITORY, which is not set");
	assert_null(LOAD(NULL, COMPLETE, "GITHUB_API_TOKEN=ghp_" SECRET, PIPELINE(" a=1 b=? A=2")));
	SAYS(SETTINGS_ERROR, "PIPELINE_RELEASE: A is there twice");
	s = LOAD(NULL, COMPLETE, "GITHUB_API_TOKEN=ghp_" SECRET, PIPELINE(" a=1 b=?"));
	assert_non_null(s);
	assert_int_equal(github_needs_of(s), 0x28d);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "GITHUB_API_TOKEN=ghp_" SECRET,
	    "PIPELINE_RELEASE=.gitlab-ci.yml ref=main", "GITLAB_API_TOKEN=glpat-" SECRET,
	    "GITLAB_URL=https://gitlab.example.org",
	    "REPOSITORY_URL=git@gitlab.example.org:group/shop.git");
	assert_non_null(s);
	assert_int_equal(github_needs_of(s), 0x20d);
	settings_unref(s);
}
