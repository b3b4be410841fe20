/* pipeline_run.c - what GitHub says of a workflow's run, each field checked.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/pipeline_run.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/clean.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"

static const char folder[] = ".github/workflows/";

static bool
missing(const char *name, struct err *err)
{
	return err_set(err, ERR_INVALID, "a run whose %s is missing, or is none", name);
}

static bool
take_number(const struct json *said, const char *name, int64_t *ret, struct err *err)
{
	return (json_get_i64(said, name, ret) && *ret > 0) || missing(name, err);
}

/* A list of runs has the ref behind some: ".github/workflows/ci.yml@main".  "": a file that no
 * setting can name. */
static bool
take_file(const struct json *said, const char *branch, char out[PIPELINE_FILE], struct err *err)
{
	const char *path = json_get_str(said, "path");
	size_t size;

	out[0] = '\0';
	if (path == NULL)
		return missing("path", err);
	if (!text_starts(path, folder))
		return true;
	path += strlen(folder);
	size = strlen(path);
	if (size > strlen(branch) && path[size - strlen(branch) - 1] == '@' &&
	    text_ends(path, branch))
		size -= strlen(branch) + 1;
	if (size < PIPELINE_FILE)
		(void)snprintf(out, PIPELINE_FILE, "%.*s", (int)size, path);
	return text_is_plain(out) || missing("path", err);
}

static bool
take_branch(const struct json *said, char out[LIMIT_REF], struct err *err)
{
	const char *branch = json_get_str(said, "head_branch");

	return (branch != NULL && branch[0] != '\0' && text_is_plain(branch) &&
		   text_copy(out, LIMIT_REF, branch)) ||
	    missing("head_branch", err);
}

static bool
take_commit(const struct json *said, char out[LIMIT_COMMIT], struct err *err)
{
	const char *commit = json_get_str(said, "head_sha");

	return (commit != NULL && text_is_hex(commit, 40, 40) &&
		   text_copy(out, LIMIT_COMMIT, commit)) ||
	    missing("head_sha", err);
}

/* A state that is new to us is one of a run that is not over. */
static bool
take_state(const struct json *said, struct pipeline_run *run, struct err *err)
{
	const char *status = json_get_str(said, "status");
	const char *conclusion = json_get_str(said, "conclusion");

	if (status == NULL)
		return missing("status", err);
	run->rank = strcmp(status, "completed") == 0 ? PIPELINE_IS_OVER :
	    strcmp(status, "in_progress") == 0	     ? PIPELINE_RUNS :
						       PIPELINE_REQUESTED;
	return run->rank != PIPELINE_IS_OVER ||
	    (conclusion != NULL && conclusion[0] != '\0' && text_is_plain(conclusion) &&
		text_copy(run->conclusion, sizeof(run->conclusion), conclusion)) ||
	    missing("conclusion", err);
}

static bool
take_repository(const struct json *said, struct pipeline_run *run, int64_t *ret_id, struct err *err)
{
	const struct json *of = json_get(said, "repository");
	const char *name = json_get_str(of, "full_name");

	if (name == NULL || !text_is_plain(name) ||
	    !text_copy(run->repository, sizeof(run->repository), name) ||
	    !json_get_i64(of, "id", ret_id) || *ret_id <= 0)
		return missing("repository", err);
	(void)snprintf(run->repository_id, sizeof(run->repository_id), "%" PRId64, *ret_id);
	return true;
}

/* What they are called decides nothing: what does not fit is cut, what is missing is "". */
static void
take_words(const struct json *said, struct pipeline_run *run)
{
	const char *title = json_get_str(said, "display_title");
	const char *actor = json_get_str(json_get(said, "triggering_actor"), "login");

	if (actor == NULL)
		actor = json_get_str(json_get(said, "actor"), "login");
	if (title != NULL)
		(void)clean_line(run->title, sizeof(run->title), title, strlen(title));
	if (actor != NULL)
		(void)clean_line(run->actor, sizeof(run->actor), actor, strlen(actor));
}

bool
pipeline_run_read(const struct json *said, struct pipeline_run *ret, struct err *err)
{
	const char *event = json_get_str(said, "event");
	int64_t id = 0;

	*ret = (struct pipeline_run){ .run = 0 };
	if (!take_repository(said, ret, &id, err) || !take_branch(said, ret->branch, err) ||
	    !take_file(said, ret->branch, ret->file, err) || !take_commit(said, ret->commit, err) ||
	    !take_number(said, "id", &ret->run, err) ||
	    !take_number(said, "run_number", &ret->number, err) || !take_state(said, ret, err))
		return false;
	ret->attempt = json_get_i64_or(said, "run_attempt", 1); /* a list may leave it out */
	if (ret->attempt <= 0)
		return missing("run_attempt", err);
	if (event == NULL)
		return missing("event", err);
	take_words(said, ret);
	ret->is_own = ret->file[0] != '\0' && !text_starts(event, "pull_request") &&
	    json_get_i64_or(json_get(said, "head_repository"), "id", 0) == id;
	ret->counts =
	    ret->is_own && (strcmp(event, "push") == 0 || strcmp(event, "workflow_dispatch") == 0);
	return true;
}

bool
pipeline_run_is_red(const struct pipeline_run *run)
{
	return run->rank == PIPELINE_IS_OVER &&
	    (strcmp(run->conclusion, "failure") == 0 || strcmp(run->conclusion, "timed_out") == 0 ||
		strcmp(run->conclusion, "startup_failure") == 0);
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
