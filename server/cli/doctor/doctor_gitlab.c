/* doctor_gitlab.c - is GitLab's API open to the token, and is its webhook on?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/doctor/doctor_gitlab.h"

#include "cli/doctor/doctor.h"
#include "clients/forge_api.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/pipeline.h"
#include "types/settings.h"

struct project {
	struct doctor *doctor;
	struct forge_api *api;
	struct settings *settings;
	char path[LIMIT_REF];
	enum { OF_ITSELF, OF_PIPELINES, OF_HOOKS } asks;
};

static void ask(struct project *project);

static void
end(void *ctx)
{
	free(ctx);
}

/* docs.gitlab.com/user/project/integrations/webhooks, auto-disabled: four failures in a row switch
 * it off for a while, forty for good (gitlab!166329).  Which are ours its address says. */
static void
tell_hooks(const struct project *project, const struct json *hooks)
{
	size_t n = 0, on = 0;

	for (size_t i = 0; i < json_count(hooks); i++) {
		const char *url = json_get_str(json_at(hooks, i), "url");
		const char *is = json_get_str(json_at(hooks, i), "alert_status");
		const char *until = json_get_str(json_at(hooks, i), "disabled_until");

		if (url == NULL || strstr(url, "/forge/webhook/gitlab") == NULL)
			continue;
		n++;
		if (is == NULL || strcmp(is, "executable") == 0)
			on++;
		else
			TELL(project->doctor, GITHUB, ERROR,
			    "GitLab: %s: its webhook is %.40s%s%.40s: see its Recent events for what was answered, then Test it there, which switches it on",
			    project->path, is, until != NULL ? " until " : "",
			    until != NULL ? until : "");
	}
	if (n == 0)
		TELL(project->doctor, GITHUB, WARNING,
		    "GitLab: %s: no webhook there sends to /forge/webhook/gitlab: no red pipeline is reported, and pushes are found by polling alone",
		    project->path);
	else if (on == n)
		TELL(project->doctor, GITHUB, OK,
		    "GitLab: %s: its pipelines can be read, and its webhook is on", project->path);
}

/* docs.gitlab.com/api/personal_access_tokens: a project's and a group's say that too. */
static void
tell_scopes(const struct project *project, const struct json *token)
{
	const struct settings *s = project->settings;
	const struct json *scopes = json_get(token, "scopes");
	const char *line = settings_member_line(s, "", FAMILY_PIPELINE, NULL);
	bool runs = line != NULL && line[0] == '.';
	bool reports = s->github.reports && s->github_repository == NULL;
	const char *scope;

	for (size_t i = 0; i < json_count(scopes); i++)
		if ((scope = json_str(json_at(scopes, i))) != NULL && strcmp(scope, "api") == 0)
			return;
	if (runs || reports)
		doctor_say(project->doctor, DOCTOR_GITHUB, runs ? DOCTOR_ERROR : DOCTOR_WARNING,
		    "GitLab: %s: GITLAB_API_TOKEN lacks the scope \"api\", for %s: make one with it there%s",
		    project->path, runs ? "PIPELINE_<NAME>" : "REPORT_DEPLOYMENTS",
		    runs ? "" : ", or set that to false");
}

static void
tell_trouble(const struct project *project, const struct forge_api_answer *answer)
{
	const char *what = "ask again later";
	enum doctor_level level = DOCTOR_ERROR;

	if (answer->verdict == FORGE_API_UNAUTHORIZED)
		what = "make another GITLAB_API_TOKEN there, with read_api";
	else if (answer->verdict == FORGE_API_FORBIDDEN || answer->verdict == FORGE_API_NOT_FOUND)
		what =
		    "compare GITLAB_URL and REPOSITORY_PATH with its page, and make the token there, with read_api";
	else
		level = DOCTOR_WARNING;
	doctor_say(project->doctor, DOCTOR_GITHUB, level,
	    "GitLab: %s: its pipelines cannot be read (%s): %s", project->path, answer->detail,
	    what);
}

static void
on_answer(void *ctx, const struct forge_api_answer *answer, const struct json *body)
{
	struct project *project = ctx;
	struct doctor *doctor = project->doctor;
	bool is_done = answer->verdict == FORGE_API_DONE;

	if (project->asks == OF_ITSELF && is_done)
		tell_scopes(project, body);
	else if (project->asks == OF_PIPELINES && !is_done)
		tell_trouble(project, answer);
	else if (project->asks == OF_HOOKS && is_done)
		tell_hooks(project, body);
	else if (project->asks == OF_HOOKS)
		TELL(doctor, GITHUB, OK,
		    "GitLab: %s: its pipelines can be read; whether its webhook is on is not known (%s): only a token of the role Maintainer may ask",
		    project->path, answer->detail);
	/* An older GitLab says nothing of tokens; what cannot be read has no webhook to look at. */
	if (project->asks == OF_ITSELF || (project->asks == OF_PIPELINES && is_done)) {
		project->asks++;
		ask(project);
	}
	doctor_answered(doctor);
}

static void
ask(struct project *project)
{
	static const char *const paths[] = { "/personal_access_tokens/self",
		"/pipelines?per_page=1", "/hooks?per_page=100" };
	struct err err;
	struct forge_api_request request = { .settings = project->settings,
		.repository = project->asks == OF_ITSELF ? NULL : project->path,
		.as = FORGE_AS_GITLAB,
		.path = paths[project->asks],
		.timeout_ms = DOCTOR_PATIENCE_MS,
		.on_done = on_answer,
		.ctx = project };

	if (forge_api_start(project->api, &request, &err) != NULL)
		doctor_asked(project->doctor);
	else
		TELL(project->doctor, GITHUB, ERROR, "GitLab: %s: %s", project->path, err.text);
}

/* Applications of one project are one. */
static bool
is_known(const struct project *projects, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (text_same_ci(projects[i].path, path))
			return true;
	return false;
}

void
doctor_gitlab(struct doctor *doctor, struct forge_api *api)
{
	struct settings *s = doctor->settings;
	struct project *projects = mem_new(s->application_count + 1, sizeof(*projects));
	size_t n = 0;

	doctor_at_end(doctor, end, projects);
	for (size_t i = 0; i <= s->application_count; i++) {
		struct settings *of = i == 0 ? s : s->applications[i - 1];
		char path[LIMIT_REF];

		if (settings_own_count(of) == 0 || !pipeline_project(of, path) ||
		    is_known(projects, n, path))
			continue;
		projects[n] = (struct project){ .doctor = doctor, .api = api, .settings = of };
		(void)text_copy(projects[n++].path, LIMIT_REF, path);
	}
	for (size_t i = 0; i < n; i++)
		ask(&projects[i]);
}
