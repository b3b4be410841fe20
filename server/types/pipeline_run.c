/* pipeline_run.c - what a forge says of a workflow's run, each field checked.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/pipeline_run.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/clean.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/json_take.h"
#include "lib/text.h"
#include "types/settings.h"

#define MORE 32 /* bytes for how many more jobs have failed */

#define MANUAL "manual"

static const char folder[] = ".github/workflows/";

static struct json_take
take_of(struct err *err)
{
	return (struct json_take){ .whose = "a run whose", .code = ERR_INVALID, .err = err };
}

/* A list of runs has the ref behind some: ".github/workflows/ci.yml@main".  "": a file that no
 * setting can name. */
static void
take_file(struct json_take *take, const struct json *said, struct pipeline_run *run)
{
	const char *path = json_get_str(said, "path"), *branch = run->branch;
	size_t size;

	if (path != NULL && text_starts(path, folder) && path[strlen(folder)] != '.') {
		path += strlen(folder);
		size = strlen(path);
		if (size > strlen(branch) && path[size - strlen(branch) - 1] == '@' &&
		    text_ends(path, branch))
			size -= strlen(branch) + 1;
		if (size < PIPELINE_FILE)
			(void)snprintf(run->file, PIPELINE_FILE, "%.*s", (int)size, path);
	}
	if (path == NULL || !text_is_plain(run->file))
		(void)json_take_none(take, "path");
}

/* A state that is new to us is one of a run that is not over. */
static void
take_state(struct json_take *take, const struct json *said, struct pipeline_run *run)
{
	if (json_get_str(said, "status") == NULL)
		(void)json_take_none(take, "status");
	run->rank = json_has(said, "status", "completed") ? PIPELINE_IS_OVER :
	    json_has(said, "status", "in_progress")	  ? PIPELINE_RUNS :
							    PIPELINE_REQUESTED;
	if (run->rank == PIPELINE_IS_OVER)
		json_take_plain(take, said, "conclusion", run->conclusion, sizeof(run->conclusion));
}

static void
take_repository(struct json_take *take, enum delivery_forge forge, const char *name, int64_t id,
    struct pipeline_run *run)
{
	if (name != run->repository && /* else it stands there */
	    (name == NULL || !text_is_plain(name) ||
		!text_copy(run->repository, sizeof(run->repository), name)))
		(void)json_take_none(take, "repository");
	if (id <= 0)
		(void)json_take_none(take, "number of a repository");
	text_setf(run->repository_id, "%s%" PRId64, job_forges[forge].mark, id);
}

/* What they are called decides nothing: what does not fit is cut, what is missing is "". */
static void
take_words(const char *title, const char *actor, struct pipeline_run *run)
{
	if (title != NULL)
		(void)clean_line(run->title, sizeof(run->title), title, strlen(title));
	if (actor != NULL)
		(void)clean_line(run->actor, sizeof(run->actor), actor, strlen(actor));
}

bool
pipeline_run_read(const struct json *said, struct pipeline_run *ret, struct err *err)
{
	const char *event = json_get_str(said, "event");
	const char *actor = json_get_str(json_get(said, "actor"), "login");
	const struct json *repository = json_get(said, "repository");
	int64_t id = json_get_i64_or(repository, "id", 0);
	struct json_take take = take_of(err);

	*ret = (struct pipeline_run){ .run = 0 };
	take_repository(&take, DELIVERY_GITHUB, json_get_str(repository, "full_name"), id, ret);
	if (json_get_str(said, "head_branch") != NULL) /* null: a commit's alone */
		json_take_plain(&take, said, "head_branch", ret->branch, sizeof(ret->branch));
	take_file(&take, said, ret);
	json_take_commit(&take, said, "head_sha", ret->commit, 64);
	json_take_number(&take, said, "id", &ret->run);
	json_take_number(&take, said, "run_number", &ret->number);
	take_state(&take, said, ret);
	ret->attempt = json_get_i64_or(said, "run_attempt", 1); /* a list may leave it out */
	if (ret->attempt <= 0)
		(void)json_take_none(&take, "run_attempt");
	if (event == NULL)
		return json_take_none(&take, "event");
	take_words(json_get_str(said, "display_title"), actor, ret);
	ret->is_own = ret->file[0] != '\0' && ret->branch[0] != '\0' &&
	    !text_starts(event, "pull_request") &&
	    json_get_i64_or(json_get(said, "head_repository"), "id", 0) == id;
	ret->counts =
	    ret->is_own && (strcmp(event, "push") == 0 || strcmp(event, "workflow_dispatch") == 0);
	return !take.failed;
}

/* --- GitLab --- */

/* In GitHub's words.  Any other state (created, pending, …) is that of one that waits. */
static void
take_gitlab_state(struct json_take *take, const struct json *said, struct pipeline_run *run)
{
	static const struct {
		const char *status;
		enum pipeline_rank rank;
		const char *conclusion;
	} rows[] = { { "running", PIPELINE_RUNS, "" }, { "canceling", PIPELINE_RUNS, "" },
		{ "manual", PIPELINE_RUNS, MANUAL }, /* its jobs have run to there */
		{ "success", PIPELINE_IS_OVER, "success" },
		{ "failed", PIPELINE_IS_OVER, "failure" },
		{ "canceled", PIPELINE_IS_OVER, "cancelled" },
		{ "skipped", PIPELINE_IS_OVER, "skipped" } };

	if (json_get_str(said, "status") == NULL)
		(void)json_take_none(take, "status");
	run->rank = PIPELINE_REQUESTED;
	run->conclusion[0] = '\0';
	for (size_t i = 0; i < COUNT(rows); i++)
		if (json_has(said, "status", rows[i].status)) {
			run->rank = rows[i].rank;
			text_set(run->conclusion, rows[i].conclusion);
		}
}

/* A line for it, while there is room for that, and for how many more there are. */
static void
add_failed(const struct json *build, struct pipeline_run *run, size_t *n_more)
{
	const char *name = json_get_str(build, "name"), *stage = json_get_str(build, "stage");
	const char *reason = json_text(build, "failure_reason");
	char line[LIMIT_SUBJECT * 2], clean[LIMIT_LINE / 3];
	size_t used = strlen(run->failed);

	if (strcmp(reason, "script_failure") == 0) /* which says nothing */
		reason = "";
	text_setf(line, "%s%s%s%s%s", stage != NULL ? stage : "", stage != NULL ? " › " : "",
	    name != NULL ? name : "?", reason[0] != '\0' ? ": " : "", reason); /* cut is fine */
	(void)clean_line(clean, sizeof(clean), line, strlen(line));
	if (*n_more > 0 || used + strlen(clean) + MORE > sizeof(run->failed))
		(*n_more)++;
	else
		(void)snprintf(run->failed + used, sizeof(run->failed) - used, "%s%s",
		    used > 0 ? "\n" : "", clean);
}

/* Its jobs, of each the newest: which have failed, and the highest number. */
static void
take_builds(const struct json *builds, struct pipeline_run *run)
{
	size_t n_more = 0, used;

	run->attempt = 1;
	run->failed[0] = '\0';
	for (size_t i = 0; i < json_count(builds); i++) {
		const struct json *build = json_at(builds, i);
		int64_t id = json_get_i64_or(build, "id", 0);

		run->attempt = id > run->attempt ? id : run->attempt;
		if (json_has(build, "status", "failed") &&
		    !json_get_bool(build, "allow_failure", false))
			add_failed(build, run, &n_more);
	}
	used = strlen(run->failed);
	if (n_more > 0)
		(void)snprintf(run->failed + used, sizeof(run->failed) - used, "\nand %zu more",
		    n_more); /* it fits */
}

/* What the webhook and the list say alike.  Own are a push's: a merge request may be a fork's, what
 * a schedule or a trigger runs are other jobs of the file; a tag may have a branch's name. */
static void
take_pipeline(
    struct json_take *take, const struct json *said, bool is_tags, struct pipeline_run *run)
{
	if (json_get_str(said, "source") == NULL)
		(void)json_take_none(take, "source");
	text_set(run->file, PIPELINE_OF_GITLAB);
	run->is_own = run->counts = json_has(said, "source", "push") && !is_tags;
	if (!run->is_own && !json_has(said, "source", "api")) /* as those that we begin */
		return;
	json_take_plain(take, said, "ref", run->branch, sizeof(run->branch));
	json_take_commit(take, said, "sha", run->commit, 64);
	json_take_number(take, said, "id", &run->run);
	json_take_number(take, said, "iid", &run->number);
	take_gitlab_state(take, said, run);
}

bool
pipeline_run_read_gitlab(const struct json *body, struct pipeline_run *ret, struct err *err)
{
	const struct json *said = json_get(body, "object_attributes");
	const struct json *project = json_get(body, "project");
	struct json_take take = take_of(err);

	*ret = (struct pipeline_run){ .run = 0 };
	take_pipeline(&take, said, json_get_bool(said, "tag", true), ret);
	if (take.failed || ret->run == 0)
		return !take.failed;
	take_words(json_get_str(json_get(body, "commit"), "title"),
	    json_get_str(json_get(body, "user"), "username"), ret);
	take_builds(json_get(body, "builds"), ret);
	take_repository(&take, DELIVERY_GITLAB, json_get_str(project, "path_with_namespace"),
	    json_get_i64_or(project, "id", 0), ret);
	return !take.failed;
}

bool
pipeline_run_read_listed(
    const struct json *said, const char *repository, struct pipeline_run *ret, struct err *err)
{
	struct json_take take = take_of(err);

	*ret = (struct pipeline_run){ .attempt = 1 };
	take_pipeline(&take, said, json_get_bool(said, "tag", false), ret);
	take_repository(
	    &take, DELIVERY_GITLAB, repository, json_get_i64_or(said, "project_id", 0), ret);
	return !take.failed;
}

bool
pipeline_run_read_jobs(const struct json *jobs, struct pipeline_run *run, struct err *err)
{
	const struct json *newest = json_at(jobs, 0), *oldest = json_at(jobs, json_count(jobs) - 1);
	const struct json *pipeline = json_get(newest, "pipeline");
	int64_t id = json_get_i64_or(pipeline, "id", 0);
	struct json_take take = take_of(err);

	if (id <= 0 || (run->run != 0 && run->run != id))
		return json_take_none(&take, "pipeline");
	run->run = id;
	run->is_own = run->counts = run->counts && !json_get_bool(newest, "tag", true);
	take_words(json_get_str(json_get(newest, "commit"), "title"),
	    json_get_str(json_get(oldest, "user"), "username"), run);
	take_builds(jobs, run);
	take_repository(&take, DELIVERY_GITLAB, run->repository,
	    json_get_i64_or(pipeline, "project_id", 0), run);
	take_gitlab_state(&take, pipeline, run);
	return !take.failed;
}

/* --- of both --- */

bool
pipeline_run_is_red(const struct pipeline_run *run)
{
	return run->rank == PIPELINE_IS_OVER &&
	    (strcmp(run->conclusion, "failure") == 0 || strcmp(run->conclusion, "timed_out") == 0 ||
		strcmp(run->conclusion, "startup_failure") == 0);
}

const char *
pipeline_run_word(const struct pipeline_run *run)
{
	return run->rank == PIPELINE_IS_OVER	 ? run->conclusion :
	    strcmp(run->conclusion, MANUAL) == 0 ? "waits for a manual job" :
	    run->rank == PIPELINE_RUNS		 ? "running" :
						   "queued";
}

bool
pipeline_run_is_green(const struct pipeline_run *run)
{
	return run->rank == PIPELINE_IS_OVER && strcmp(run->conclusion, "success") == 0;
}

const char *
pipeline_run_url(const char *api, const char *repository, int64_t run, char ret[PIPELINE_URL])
{
	static const char public[] = "https://api.github.com", own[] = "/api/v3";
	size_t size = strlen(api);

	if (strcmp(api, public) == 0)
		size = strlen(api = "https://github.com");
	else if (text_ends(api, own))
		size -= strlen(own);
	(void)snprintf(ret, PIPELINE_URL, "%.*s/%.110s/actions/runs/%" PRId64, (int)size, api,
	    repository, run);
	return ret;
}

const char *
pipeline_run_page(const struct settings *of, const struct pipeline_run *run, char ret[PIPELINE_URL])
{
	if (job_forge_of(run->repository_id) == DELIVERY_GITHUB)
		return pipeline_run_url(of->github.url, run->repository, run->run, ret);
	/* An address that is cut is somebody else's page. */
	if (snprintf(ret, PIPELINE_URL, "%s/%s/-/pipelines/%" PRId64,
		settings_text(of, SETTING_GITLAB_URL), run->repository, run->run) >= PIPELINE_URL)
		ret[0] = '\0';
	return ret;
}
