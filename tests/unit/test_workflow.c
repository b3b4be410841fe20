/* Goal: a job is of the workflow that the settings name, and a fork's or an outsider's of none.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "types/workflow.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"
#include "settings_aid.h"
#include "lib/clean.h"
#include "lib/text.h"
#include "types/job.h"
#include "types/roles.h"

#define IS	     "github 456789 deploy.yml@refs/heads/main"
#define RUN_REF(ref) "workflow_ref\":\"" ref "\","
#define RUN_OF(ref)  "\"" RUN_REF(ref)
#define V1	     "ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org"
/* Of a push, as GitHub's page of its tokens has them. */
#define REPOSITORY "\"repository_id\":\"456789\",\"repository\":\"octo/shop\","
#define FILE_OF	   "\"workflow_ref\":\"octo/shop/.github/workflows/deploy.yml@refs/heads/main\","
#define PUSH	   "\"event_name\":\"push\","
#define REST	   "\"sub\":\"repo:octo/shop:ref:refs/heads/main\",\"actor\":\"mona\"}"

static bool
matches(const char *is, const char *claims)
{
	struct json *json = json_decode(claims, strlen(claims), NULL);
	struct workflow_line line;
	bool ok;

	assert_non_null(json);
	assert_true(workflow_line_read(is, &line, NULL));
	ok = workflow_line_matches(&line, json);
	json_free(json);
	return ok;
}

TEST(a_job_is_known_by_the_number_of_its_repository_its_file_and_its_ref)
{
	static const char *const others[] = {
		/* A fork, and a repository that took the name when the old one was renamed. */
		"{\"repository_id\":\"456790\",\"repository\":\"octo/shop\"," FILE_OF PUSH REST,
		"{\"repository_id\":456789," FILE_OF PUSH REST,
		"{" FILE_OF PUSH REST,
		"{" REPOSITORY PUSH REST,
		"{" REPOSITORY RUN_OF("octo/shop/.github/workflows/deploy.yml@refs/heads/feature")
		    PUSH REST,
		"{" REPOSITORY RUN_OF("octo/shop/.github/workflows/other.yml@refs/heads/main")
		    PUSH REST,
		"{" REPOSITORY RUN_OF("octo/shop/x/.github/workflows/deploy.yml@refs/heads/main")
		    PUSH REST,
		"{" REPOSITORY RUN_OF("deploy.yml@refs/heads/main") PUSH REST,
		/* Which reusable workflow it calls says nothing of who calls. */
		"{" REPOSITORY "\"job_" RUN_REF(
		    "octo/shop/.github/workflows/deploy.yml@refs/heads/main") PUSH REST,
		/* Begun by somebody from outside, or with what they wrote. */
		"{" REPOSITORY FILE_OF "\"event_name\":\"pull_request\"," REST,
		"{" REPOSITORY FILE_OF "\"event_name\":\"pull_request_target\"," REST,
		"{" REPOSITORY FILE_OF "\"event_name\":\"issue_comment\"," REST,
		"{" REPOSITORY FILE_OF "\"event_name\":\"workflow_run\"," REST,
		"{" REPOSITORY FILE_OF REST,
	};

	assert_true(matches(IS, "{" REPOSITORY FILE_OF PUSH REST));
	/* The repository was renamed, and what it says of itself was changed. */
	assert_true(matches(IS,
	    "{\"repository_id\":\"456789\",\"repository\":\"new/name\","
	    "\"workflow_ref\":\"new/name/.github/workflows/deploy.yml@refs/heads/main\"," PUSH
	    "\"sub\":\"whatever\"}"));
	for (size_t i = 0; i < COUNT(others); i++)
		if (matches(IS, others[i]))
			fail_msg("%s is let in", others[i]);
}

TEST(words_behind_it_narrow_or_let_in)
{
	static const char in_production[] =
	    "{" REPOSITORY FILE_OF PUSH "\"environment\":\"production\"," REST;
	static const char reusable[] =
	    "{" REPOSITORY FILE_OF PUSH
	    "\"job_workflow_ref\":\"octo/ci/.github/workflows/d.yml@v1\"," REST;

	assert_true(matches(IS " environment=production", in_production));
	assert_false(matches(IS " environment=staging", in_production));
	assert_false(matches(IS " environment=production", "{" REPOSITORY FILE_OF PUSH REST));
	assert_true(matches(IS, in_production));
	assert_true(matches(IS " reusable=octo/ci/.github/workflows/d.yml@v1", reusable));
	assert_false(matches(IS " reusable=octo/ci/.github/workflows/d.yml@v2", reusable));
	assert_true(matches(IS " events=issue_comment,workflow_run",
	    "{" REPOSITORY FILE_OF "\"event_name\":\"workflow_run\"," REST));
	assert_false(matches(IS " events=issue_comment,workflow_run",
	    "{" REPOSITORY FILE_OF "\"event_name\":\"pull_request\"," REST));
	assert_false(matches(IS " events=workflow_runs",
	    "{" REPOSITORY FILE_OF "\"event_name\":\"workflow_run\"," REST));
}

/* Events of GitHub, of today and of tomorrow. */
TEST(an_event_that_outsiders_can_cause_is_let_in_where_its_line_names_it_alone)
{
	static const char *const usual[] = { "push", "workflow_dispatch", "repository_dispatch",
		"schedule", "release", "deployment" };
	static const char *const others[] = { "pull_request", "pull_request_target",
		"pull_request_review", "pull_request_review_comment", "pull_request_comment",
		"issue_comment", "issues", "discussion", "discussion_comment", "fork", "watch",
		"gollum", "workflow_run", "merge_group", "check_run", "check_suite", "status",
		"deployment_status", "label", "create", "delete", "public", "dynamic", "Push",
		"push ", "", "an_event_of_tomorrow" };
	char claims[400], line[120];

	for (size_t i = 0; i < COUNT(usual); i++) {
		(void)snprintf(claims, sizeof(claims),
		    "{" REPOSITORY FILE_OF "\"event_name\":\"%s\"," REST, usual[i]);
		if (!matches(IS, claims))
			fail_msg("%s is not let in", usual[i]);
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		(void)snprintf(claims, sizeof(claims),
		    "{" REPOSITORY FILE_OF "\"event_name\":\"%s\"," REST, others[i]);
		if (matches(IS, claims))
			fail_msg("%s is let in", others[i]);
		(void)snprintf(line, sizeof(line), IS " events=x,%s", others[i]);
		if (others[i][0] != '\0' && strchr(others[i], ' ') == NULL &&
		    !matches(line, claims))
			fail_msg("%s is not let in where it is named", others[i]);
	}
}

#define JOB(event) \
	"{\"jti\":\"a-1\",\"repository\":\"octo/shop\",\"repository_id\":\"456789\"," \
	"\"ref\":\"refs/heads/main\",\"sha\":\"45f7076e1d0c5c8f3a1b6d1f0e9c8b7a6d5e4f30\"," event \
	"\"actor\":\"mona\",\"actor_id\":\"7\",\"run_id\":\"4711\",\"run_attempt\":\"1\",\"exp\":1}"

TEST(a_token_says_which_event_has_begun_its_run)
{
	static const char *const none[] = { JOB(""), JOB("\"event_name\":\"\","),
		JOB("\"event_name\":7,"), JOB("\"event_name\":[\"push\"],"),
		JOB("\"event_name\":\"push\\u000a\","),
		JOB("\"event_name\":\"an_event_whose_name_is_longer_than_any_of_0\",") };
	struct json *json = json_decode(JOB(PUSH), strlen(JOB(PUSH)), NULL);
	struct err err = { 0 };
	struct job job;

	assert_true(job_read(DELIVERY_GITHUB, json, &job, &err));
	assert_string_equal(job.event, "push");
	json_free(json);
	for (size_t i = 0; i < COUNT(none); i++) {
		json = json_decode(none[i], strlen(none[i]), NULL);
		assert_non_null(json);
		if (job_read(DELIVERY_GITHUB, json, &job, &err) ||
		    strstr(err.text, "event_name") == NULL)
			fail_msg("%s: %s", none[i], err.text);
		json_free(json);
	}
}

TEST(a_line_that_says_a_thing_twice_is_refused)
{
	struct workflow_line line;
	char is[600];
	struct err err;

	assert_false(workflow_line_read(IS " environment=a environment=b", &line, &err));
	assert_non_null(strstr(err.text, "twice"));
	assert_false(workflow_line_read(IS " branch=a", &line, &err));
	(void)snprintf(is, sizeof(is), IS " reusable=%0*d", WORKFLOW_WORD, 1);
	assert_false(workflow_line_read(is, &line, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

TEST(a_workflow_has_grants_of_its_own)
{
	struct settings *s = LOAD(NULL, COMPLETE, V1, "WORKFLOW_SHOP_DEPLOY_IS=" IS,
	    "WORKFLOW_SHOP_DEPLOY_MAY=deploy:staging, status:*");
	struct workflow workflow;
	const struct role *role;
	size_t at = 0, found;

	assert_non_null(s);
	assert_int_equal(settings_said.errors, 0);
	assert_true(workflow_next(s, &at, &workflow));
	assert_string_equal(workflow.id, "shop-deploy");
	assert_false(workflow_next(s, &at, &workflow));
	found = roles_find_own(s->roles, PRINCIPAL_WORKFLOW, "", "shop-deploy");
	assert_int_not_equal(found, 0);
	role = &s->roles->role[found - 1];
	assert_int_equal(role->grant_count, 2);
	assert_string_equal(role->setting, "WORKFLOW_SHOP_DEPLOY_MAY");
	/* Neither people nor a hook of that name have them. */
	assert_int_equal(roles_find(s->roles, "", "shop-deploy"), 0);
	assert_int_equal(roles_find_own(s->roles, PRINCIPAL_HOOK, "", "shop-deploy"), 0);
	settings_unref(s);
}

TEST(what_is_wrong_with_a_workflow_is_said)
{
	static const struct {
		const char *is, *may, *said;
	} rows[] = {
		{ "WORKFLOW_A_IS=" IS, "WORKFLOW_A_MAY=", "WORKFLOW_A_MAY: is not set" },
		{ "WORKFLOW_A_IS=", "WORKFLOW_A_MAY=deploy:staging", "WORKFLOW_A_IS: is not set" },
		{ "WORKFLOW_A_IS=octo/shop deploy.yml", "WORKFLOW_A_MAY=deploy:staging",
		    "is not github (or gitlab) NUMBER" },
		{ "WORKFLOW_A_IS=" IS " environment=a environment=b",
		    "WORKFLOW_A_MAY=deploy:staging", "twice" },
		{ "WORKFLOW_A_IS=" IS, "WORKFLOW_A_MAY=deploy:stagin", "did you mean staging" },
		{ "WORKFLOW_A_IS=" IS, "WORKFLOW_A_MAY=deplo:staging", "did you mean deploy" },
		{ "WORKFLOW_A_IS=" IS, "WORKFLOW_A_MAY=deploy", "names no target" },
		{ "WORKFLOW_A_IS=" IS, "WORKFLOW_A_MAY=deploy:staging, approve:staging",
		    "approves nothing" },
		{ "WORKFLOW_A_IS=" IS, "WORKFLOW_A_MAY=token:*/*", "approves nothing" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		settings_unref(LOAD(NULL, COMPLETE, V1, rows[i].is, rows[i].may));
		SAYS(SETTINGS_ERROR, rows[i].said);
	}
	settings_unref(LOAD(NULL, COMPLETE, "WORKFLOW_A_IS=" IS, "WORKFLOW_A_MAY=deploy:staging"));
	SAYS(SETTINGS_ERROR, "ENABLE_API_SERVER=true");
}

/* Its token would be one for another server, and that is seen in the first red run. */
TEST(the_audience_of_tokens_is_one_that_jobs_can_name)
{
	static const struct {
		const char *url;
		bool is_fit;
	} rows[] = { { "PUBLIC_URL=https://bot.example.org", true },
		{ "PUBLIC_URL=https://bot.example.org:8443", true },
		{ "PUBLIC_URL=http://127.0.0.1:8080", true },
		{ "PUBLIC_URL=http://bot.example.org", false },
		{ "PUBLIC_URL=https://bot.example.org/", false },
		{ "PUBLIC_URL=https://bot.example.org/deploybot", false },
		{ "PUBLIC_URL=https://Bot.Example.org", false } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		settings_unref(LOAD(NULL, COMPLETE, "ENABLE_API_SERVER=true", rows[i].url,
		    "WORKFLOW_A_IS=" IS, "WORKFLOW_A_MAY=deploy:staging"));
		assert_int_equal(settings_said.errors, rows[i].is_fit ? 0 : 1);
		settings_unref(LOAD(NULL, COMPLETE, rows[i].url)); /* nobody asks for a token */
		assert_int_equal(settings_said.count, 0);
	}
}

#define KEY   "WORKFLOW_A_KEY=whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u"
#define LENT  "SECRET_DB_PATH=kv2 secret db", "SECRET_DB_FOR=staging", VAULT
#define VAULT "VAULT_ADDR=https://vault.example.org", "VAULT_TOKEN=hvs.0123456789abcdef0123"

TEST(a_workflow_with_a_key_has_secrets_alone)
{
	static const char *const more[] = { "deploy:staging", "status:*",
		"secret.db:staging, gate:staging", "*:staging", "do.lend-secret:staging",
		"do:staging" };
	struct settings *s = LOAD(NULL, COMPLETE, "ENABLE_API_SERVER=true", LENT, KEY,
	    "WORKFLOW_A_MAY=secret.db:staging");
	struct workflow workflow;
	size_t at = 0;
	char may[64];

	assert_non_null(s); /* without a PUBLIC_URL: no token names it */
	assert_int_equal(settings_said.count, 0);
	assert_true(workflow_next(s, &at, &workflow));
	assert_null(workflow.is);
	assert_string_equal(workflow.key.name, "WORKFLOW_A_KEY");
	assert_false(workflow_is_any(s, DELIVERY_GITHUB));
	assert_int_not_equal(roles_find_own(s->roles, PRINCIPAL_WORKFLOW, "", "a"), 0);
	settings_unref(s);
	for (size_t i = 0; i < COUNT(more); i++) {
		(void)snprintf(may, sizeof(may), "WORKFLOW_A_MAY=%s", more[i]);
		settings_unref(LOAD(NULL, COMPLETE, "ENABLE_API_SERVER=true", LENT, KEY, may));
		SAYS(SETTINGS_ERROR, "a key is good for secrets alone");
	}
}

TEST(what_is_wrong_with_a_key_is_said_without_it)
{
	static const struct {
		const char *key, *more, *said;
	} rows[] = {
		{ KEY, "WORKFLOW_A_IS=" IS,
		    "WORKFLOW_A_KEY: a workflow is known by _IS or by _KEY" },
		{ "WORKFLOW_A_KEY=", "ENABLE_API_SERVER=true", "or a WORKFLOW_<NAME>_KEY" },
		{ "WORKFLOW_A_KEY=canary", "ENABLE_API_SERVER=true",
		    "WORKFLOW_A_KEY: is not whsec_ and base64" },
		{ KEY, "ENABLE_API_SERVER=false", "/v1 is not served" },
		{ "WORKFLOW_A_KEY_PREVIOUS=whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u",
		    "ENABLE_API_SERVER=true",
		    "WORKFLOW_A_KEY_PREVIOUS: is set, and WORKFLOW_A_KEY is not" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		settings_unref(LOAD(NULL, COMPLETE, "PUBLIC_URL=https://bot.example.org", LENT,
		    rows[i].key, rows[i].more, "WORKFLOW_A_MAY=secret.db:staging"));
		SAYS(SETTINGS_ERROR, rows[i].said);
		for (size_t n = 0; n < settings_said.count; n++)
			assert_null(strstr(settings_said.lines[n].text, "canary"));
	}
}

/* Which of both a job would be is nobody's guess. */
TEST(two_that_one_job_may_be_of_are_refused)
{
	settings_unref(
	    LOAD(NULL, COMPLETE, V1, "WORKFLOW_A_IS=" IS, "WORKFLOW_A_MAY=deploy:staging",
		"WORKFLOW_B_IS=" IS " environment=production", "WORKFLOW_B_MAY=deploy:production"));
	SAYS(SETTINGS_ERROR, "a job may be of both");
	settings_unref(LOAD(NULL, COMPLETE, V1, "WORKFLOW_A_IS=" IS " environment=staging",
	    "WORKFLOW_A_MAY=deploy:staging", "WORKFLOW_B_IS=" IS " environment=production",
	    "WORKFLOW_B_MAY=deploy:production"));
	assert_int_equal(settings_said.errors, 0);
}

TEST(what_a_job_is_of_is_said_as_its_line_would_have_it)
{
	static const char claims[] =
	    "{\"repository_id\":\"456789\",\"event_name\":\"pull_request\",\"workflow_ref\":"
	    "\"octo/shop/.github/workflows/deploy.yml@refs/heads/main\"}";
	struct json *of = json_decode(claims, strlen(claims), NULL);
	char said[LIMIT_LINE];

	assert_string_equal(workflow_of(DELIVERY_GITHUB, of, said),
	    "github 456789 deploy.yml@refs/heads/main, by pull_request");
	json_free(of);
	of = json_decode("{\"repository_id\":7}", 19, NULL);
	assert_string_equal(workflow_of(DELIVERY_GITHUB, of, said), "github ? ?, by ?");
	json_free(of);
	of = json_decode("{\"event_name\":\"a\\nb\"}", 21, NULL);
	assert_string_equal(workflow_of(DELIVERY_GITHUB, of, said), "github ? ?, by a b");
	json_free(of);
}

/* --- GitLab --- */

#define IS_GITLAB "gitlab 22 .gitlab-ci.yml@refs/heads/main"

/* Claims of a job of GitLab, of which one is another ("": it is missing), as JSON. */
static const struct {
	const char *name, *value;
} gitlab_claims[] = {
	{ "jti", "\"a-1\"" },
	{ "project_id", "\"22\"" },
	{ "job_project_id", "\"22\"" },
	{ "project_path", "\"group/sub/shop\"" },
	{ "ci_config_ref_uri", "\"gitlab.com/group/sub/shop//.gitlab-ci.yml@refs/heads/main\"" },
	{ "ref", "\"main\"" },
	{ "ref_path", "\"refs/heads/main\"" },
	{ "ref_protected", "\"true\"" },
	{ "pipeline_source", "\"push\"" },
	{ "pipeline_id", "\"574\"" },
	{ "job_id", "\"302\"" },
	{ "sha", "\"45f7076e1d0c5c8f3a1b6d1f0e9c8b7a6d5e4f30\"" },
	{ "user_id", "\"7\"" },
	{ "user_login", "\"mona\"" },
	{ "exp", "4000" },
};

static struct json *
gitlab_with(const char *name, const char *value)
{
	CLEANUP(buf_done) struct buf text = buf_make(2048);
	bool is_known = name[0] == '\0';
	struct json *json;

	buf_addc(&text, '{');
	for (size_t i = 0; i < COUNT(gitlab_claims); i++) {
		bool is_it = strcmp(gitlab_claims[i].name, name) == 0;
		const char *its = is_it ? value : gitlab_claims[i].value;

		is_known |= is_it;
		if (its[0] != '\0')
			buf_addf(&text, "\"%s\":%s,", gitlab_claims[i].name, its);
	}
	if (!is_known)
		buf_addf(&text, "\"%s\":%s,", name, value);
	buf_adds(&text, "\"runner_id\":1}");
	json = json_decode(buf_text(&text), text.size, NULL);
	assert_non_null(json);
	return json;
}

static bool
matches_gitlab(const char *is, const char *name, const char *value)
{
	struct json *claims = gitlab_with(name, value);
	struct workflow_line line;
	bool ok;

	assert_true(workflow_line_read(is, &line, NULL));
	ok = workflow_line_matches(&line, claims);
	json_free(claims);
	return ok;
}

#define URI(path) "\"" path "//.gitlab-ci.yml@refs/heads/main\""

TEST(a_job_of_gitlab_is_of_its_project_its_file_and_a_protected_ref)
{
	static const struct {
		const char *name, *value;
	} others[] = {
		{ "project_id", "\"23\"" }, /* a fork's, in whatever project it runs */
		{ "project_id", "22" },
		{ "project_id", "" },
		{ "job_project_id", "\"23\"" }, /* ours, in another one */
		{ "job_project_id", "22" },
		{ "project_path", "\"mallory/shop\"" },
		{ "project_path", "" },
		{ "ci_config_ref_uri", URI("gitlab.com/mallory/shop") },
		{ "ci_config_ref_uri", URI("gitlab.com/x/group/sub/shop") },
		{ "ci_config_ref_uri", URI("group/sub/shop") },
		{ "ci_config_ref_uri", "\"gitlab.com/group/sub/shop//ci.yml@refs/heads/main\"" },
		{ "ci_config_ref_uri",
		    "\"gitlab.com/group/sub/shop/.gitlab-ci.yml@refs/heads/main\"" },
		{ "ci_config_ref_uri", "" },
		{ "ref_path", "\"refs/heads/feature\"" },
		{ "ref_path", "\"refs/tags/main\"" },
		{ "ref_path", "" },
		{ "ref_protected", "\"false\"" },
		{ "ref_protected", "true" },
		{ "ref_protected", "" },
		{ "pipeline_source", "\"merge_request_event\"" },
		{ "pipeline_source", "" },
	};

	assert_true(matches_gitlab(IS_GITLAB, "", ""));
	assert_true(matches_gitlab(IS_GITLAB, "job_project_id", "")); /* an older GitLab */
	for (size_t i = 0; i < COUNT(others); i++)
		if (matches_gitlab(IS_GITLAB, others[i].name, others[i].value))
			fail_msg("%s: %s is let in", others[i].name, others[i].value);
	assert_false(matches_gitlab("github 22 .gitlab-ci.yml@refs/heads/main", "", ""));
	assert_true(matches_gitlab(IS_GITLAB " environment=live", "environment", "\"live\""));
	assert_false(matches_gitlab(IS_GITLAB " environment=live", "", ""));
}

TEST(no_line_lets_a_merge_request_in)
{
	static const char *const usual[] = { "push", "web", "api", "schedule" };
	static const char *const named[] = { "trigger", "pipeline", "parent_pipeline", "chat",
		"external", "workflow_dispatch", "a_source_of_tomorrow" };
	static const char *const never[] = { "merge_request_event", "external_pull_request_event" };
	struct workflow_line line;
	char is[160], value[80];
	struct json *claims;
	struct err err;

	for (size_t i = 0; i < COUNT(usual); i++) {
		(void)snprintf(value, sizeof(value), "\"%s\"", usual[i]);
		assert_true(matches_gitlab(IS_GITLAB, "pipeline_source", value));
	}
	for (size_t i = 0; i < COUNT(named); i++) {
		(void)snprintf(value, sizeof(value), "\"%s\"", named[i]);
		(void)snprintf(is, sizeof(is), IS_GITLAB " events=x,%s", named[i]);
		if (matches_gitlab(IS_GITLAB, "pipeline_source", value) ||
		    !matches_gitlab(is, "pipeline_source", value))
			fail_msg("%s", named[i]);
	}
	for (size_t i = 0; i < COUNT(never); i++) {
		(void)snprintf(value, sizeof(value), "\"%s\"", never[i]);
		assert_false(matches_gitlab(IS_GITLAB, "pipeline_source", value));
		(void)snprintf(is, sizeof(is), IS_GITLAB " events=web,%s,api", never[i]);
		assert_false(workflow_line_read(is, &line, &err));
		assert_non_null(strstr(err.text, "no merge request is let in"));
		/* Nor by one that was never read. */
		assert_true(workflow_line_read(IS_GITLAB " events=x", &line, NULL));
		(void)snprintf(line.events, sizeof(line.events), "%s", never[i]);
		claims = gitlab_with("pipeline_source", value);
		assert_false(workflow_line_matches(&line, claims));
		json_free(claims);
	}
	/* Of GitHub that is no event. */
	assert_true(workflow_line_read(IS " events=merge_request_event", &line, NULL));
}

TEST(a_token_of_gitlab_says_whose_job_it_is)
{
	static const char *const needed[] = { "jti", "project_id", "project_path", "ref_path",
		"sha", "pipeline_source", "pipeline_id", "job_id", "user_id", "user_login", "exp" };
	struct json *claims = gitlab_with("", "");
	struct err err;
	struct job job;

	assert_true(job_read(DELIVERY_GITLAB, claims, &job, &err));
	assert_string_equal(job.repository, "group/sub/shop");
	assert_string_equal(job.repository_id, "gitlab:22");
	assert_string_equal(job.ref, "refs/heads/main");
	assert_string_equal(job.actor, "gitlab:mona");
	assert_string_equal(job.run, "574");
	assert_string_equal(job.check_run, "302");
	assert_int_equal(job.attempt, 1);
	assert_int_equal(job.expires_at, 4000000);
	assert_int_equal(job_forge_of(job.repository_id), DELIVERY_GITLAB);
	/* Whoever plays or retries a job is its user: nobody knows who has pushed. */
	assert_int_equal(job_actor_is(&job), JOB_ACTOR_ASKED);
	assert_false(job_read(DELIVERY_GITHUB, claims, &job, &err));
	json_free(claims);
	for (size_t i = 0; i < COUNT(needed); i++) {
		claims = gitlab_with(needed[i], "");
		if (job_read(DELIVERY_GITLAB, claims, &job, &err) ||
		    strstr(err.text, needed[i]) == NULL)
			fail_msg("without %s: %s", needed[i], err.text);
		json_free(claims);
	}
}

TEST(what_a_job_of_gitlab_is_of_is_said_as_its_line_would_have_it)
{
	struct json *claims = gitlab_with("", "");
	char said[LIMIT_LINE];

	assert_string_equal(workflow_of(DELIVERY_GITLAB, claims, said), IS_GITLAB ", by push");
	json_free(claims);
	claims = gitlab_with("ref_protected", "\"false\"");
	assert_string_equal(workflow_of(DELIVERY_GITLAB, claims, said),
	    IS_GITLAB ", by push, of a ref that is not protected");
	json_free(claims);
}

#define LETTERS_10 "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"
#define LETTERS	   LETTERS_10 LETTERS_10 LETTERS_10 LETTERS_10
#define FILE_OF_IT "\"gitlab.com/group/sub/shop//x"

/* Regression: an answer had half of a letter at its end. */
TEST(what_is_cut_of_a_claim_is_cut_between_letters)
{
	struct json *claims =
	    gitlab_with("ci_config_ref_uri", FILE_OF_IT LETTERS LETTERS LETTERS "\"");
	char said[LIMIT_LINE];
	struct job job;

	(void)workflow_of(DELIVERY_GITLAB, claims, said);
	assert_true(clean_is_utf8(said, strlen(said)));
	assert_non_null(strstr(said, "gitlab 22 x\u00e9\u00e9"));
	json_free(claims);
	claims = gitlab_with("user_login", "\"x" LETTERS "\"");
	assert_true(job_read(DELIVERY_GITLAB, claims, &job, NULL));
	assert_true(clean_is_utf8(job.actor, strlen(job.actor)));
	assert_true(text_starts(job.actor, "gitlab:x\u00e9\u00e9"));
	json_free(claims);
}

TEST(workflows_of_two_forges_are_no_two_of_one_job)
{
	struct settings *s =
	    LOAD(NULL, COMPLETE, V1, "WORKFLOW_A_IS=" IS_GITLAB, "WORKFLOW_A_MAY=deploy:staging",
		"WORKFLOW_B_IS=github 22 gitlab-ci.yml@refs/heads/main",
		"WORKFLOW_B_MAY=deploy:staging",
		"WORKFLOW_C_IS=gitlab 22 gitlab-ci.yml@refs/heads/main",
		"WORKFLOW_C_MAY=deploy:staging");
	struct json *claims = gitlab_with("", "");
	struct workflow found;

	assert_non_null(s);
	assert_int_equal(settings_said.errors, 0);
	assert_true(workflow_is_any(s, DELIVERY_GITLAB));
	assert_string_equal(workflow_issuer(s, DELIVERY_GITLAB), "https://gitlab.com");
	assert_int_equal(workflow_find(s, DELIVERY_GITLAB, claims, &found), 1);
	assert_string_equal(found.id, "a");
	assert_int_equal(workflow_find(s, DELIVERY_GITHUB, claims, &found), 0);
	json_free(claims);
	settings_unref(s);
	settings_unref(LOAD(NULL, COMPLETE, V1, "WORKFLOW_A_IS=" IS_GITLAB " reusable=a/b@c",
	    "WORKFLOW_A_MAY=deploy:staging"));
	SAYS(SETTINGS_ERROR, "is not github (or gitlab) NUMBER");
	settings_unref(
	    LOAD(NULL, COMPLETE, V1, "WORKFLOW_A_IS=" IS_GITLAB " events=merge_request_event",
		"WORKFLOW_A_MAY=deploy:staging"));
	SAYS(SETTINGS_ERROR, "no merge request is let in");
	s = LOAD(NULL, COMPLETE, V1, "WORKFLOW_A_IS=" IS, "WORKFLOW_A_MAY=deploy:staging");
	assert_false(workflow_is_any(s, DELIVERY_GITLAB));
	settings_unref(s);
}

/* Whoever could give keys of their own could be any job. */
TEST(an_issuer_whose_keys_anybody_between_may_give_is_refused)
{
	static const struct {
		const char *url, *said; /* NULL: it is let pass */
	} rows[] = { { "GITLAB_URL=http://gitlab.example.org",
			 "GITLAB_URL: tokens of jobs are proved" },
		{ "GITLAB_URL=http://127.example.org", "GITLAB_URL: tokens of jobs are proved" },
		{ "GITLAB_URL=https://gitlab.example.org/", NULL },
		{ "GITLAB_URL=https://gitlab.example.org", NULL },
		{ "GITLAB_URL=http://127.0.0.1:8080", NULL },
		{ "GITHUB_TOKEN_ISSUER=http://github.example.org/_services/token/", NULL } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		settings_unref(LOAD(NULL, COMPLETE, V1, rows[i].url, "WORKFLOW_A_IS=" IS_GITLAB,
		    "WORKFLOW_A_MAY=deploy:staging"));
		if (rows[i].said != NULL)
			SAYS(SETTINGS_ERROR, rows[i].said);
		else
			assert_int_equal(settings_said.errors, 0);
	}
	settings_unref(LOAD(
	    NULL, COMPLETE, V1, rows[5].url, "WORKFLOW_A_IS=" IS, "WORKFLOW_A_MAY=deploy:staging"));
	SAYS(SETTINGS_ERROR, "GITHUB_TOKEN_ISSUER: tokens of jobs are proved");
	SAYS(SETTINGS_ERROR, "GITHUB_TOKEN_ISSUER: no token names it with a /");
}
