/* doctor_git.c - starts a runner, or asks the one that is a service, as `serve` does; it asks git.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/doctor.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "runs/runs.h"
#include "settings/settings_load.h"
#include "types/git_answer.h"
#include "types/settings.h"

#define RUNNER_PATIENCE_MS DOCTOR_PATIENCE_MS
#define GIT_PATIENCE_MS	   20000 /* a large repository's first fetch takes longer than a call */

struct doctor_git {
	struct doctor *doctor;
	struct runs *runs;
	struct runs_git_query *query;
	struct settings *elsewhere; /* with a state directory of our own; NULL: the real one */
	char folder[64];	    /* that one; "": none was made */
	struct loop_timer deadline;
	bool is_ready; /* the runner said hello */
	bool is_over;  /* all is said */
};

static void
finish(struct doctor_git *git)
{
	if (git->is_over)
		return;
	git->is_over = true;
	loop_timer_stop(&git->deadline);
	doctor_answered(git->doctor);
}

static bool
has_head(const struct git_answer *answer, const char *branch)
{
	for (size_t i = 0; i < answer->n_heads; i++)
		if (strcmp(answer->head[i].branch, branch) == 0)
			return true;
	return false;
}

static void
examine_heads(struct doctor *doctor, const struct git_answer *answer)
{
	const struct settings *s = doctor->settings;

	TELL(doctor, GIT, OK, "git: %s answers", s->repository_url);
	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];

		if (e->branch != NULL && !has_head(answer, e->branch))
			TELL(doctor, GIT, WARNING,
			    "git: %s has no branch %s: push it, or set GITHUB_BRANCH_<ENV>",
			    e->name, e->branch);
	}
}

static void
on_answer(void *ctx, int exit_status, bool unreachable, const char *text, UNUSED size_t size)
{
	struct doctor_git *git = ctx;
	struct git_answer *answer = calloc(1, sizeof(*answer));
	struct err err = { .text = "no memory" };
	const char *why = err.text,
		   *advice = ": check REPOSITORY_URL, its key or token, and the network";

	git->query = NULL;
	if (unreachable)
		TELL(git->doctor, RUNNER, ERROR, "runner: it crashed: %s", text);
	else if (answer != NULL && git_answer_decode(text, exit_status, answer, &err) &&
	    exit_status == 0)
		examine_heads(git->doctor, answer);
	else {
		if (answer != NULL && answer->error[0] != '\0')
			why = answer->error;
		if (text_ends(why, "?")) /* commits.sh has said what to look at */
			advice = "";
		TELL(git->doctor, GIT, ERROR, "git: %s%s", why, advice);
	}
	free(answer);
	finish(git);
}

static void
ask_heads(struct doctor_git *git)
{
	const struct settings *s = git->doctor->settings;
	struct effect_git_query wanted = { .kind = GIT_QUERY_HEADS };
	struct err err;

	for (size_t i = 0; i < s->environment_count; i++) {
		const char *branch = s->environments[i].branch;

		if (branch != NULL && wanted.n_branches < LIMIT_ENVIRONMENTS)
			(void)text_copy(wanted.branches[wanted.n_branches++], LIMIT_REF, branch);
	}
	git->query = runs_git_query_start(git->runs, &wanted, on_answer, NULL, git, &err);
	if (git->query == NULL) {
		TELL(git->doctor, GIT, ERROR, "git: %s", err.text);
		finish(git);
	}
}

static void
on_ready(void *ctx)
{
	struct doctor_git *git = ctx;

	if (git->is_ready || git->is_over)
		return;
	git->is_ready = true;
	if (git->doctor->settings->runner_socket != NULL)
		TELL(git->doctor, RUNNER, OK, "runner: it answers at %s and speaks our version",
		    git->doctor->settings->runner_socket);
	else
		TELL(git->doctor, RUNNER, OK, "runner: it starts and speaks our version");
	if (git->doctor->settings->repository_url == NULL &&
	    git->doctor->settings->application_count > 0) {
		TELL(git->doctor, GIT, WARNING,
		    "git: not asked: repositories are those of applications, which the server polls");
		finish(git);
		return;
	}
	if (git->doctor->settings->repository_url == NULL) {
		TELL(git->doctor, GIT, ERROR,
		    "git: no repository: set GITHUB_REPOSITORY or REPOSITORY_URL");
		finish(git);
		return;
	}
	loop_timer_start(git->doctor->loop, &git->deadline, GIT_PATIENCE_MS, 0);
	ask_heads(git);
}

/* Of a service alone: a child that crashes before it says hello is restarted. */
static void
on_away(void *ctx, const char *why)
{
	struct doctor_git *git = ctx;
	const char *socket = git->doctor->settings->runner_socket;

	if (git->is_over || socket == NULL)
		return;
	TELL(git->doctor, RUNNER, ERROR, "runner: at %s: %s", socket, why);
	finish(git);
}

static void
on_fatal(void *ctx, const char *text)
{
	struct doctor_git *git = ctx;

	if (!git->is_over)
		TELL(git->doctor, RUNNER, ERROR, "runner: %s", text);
	finish(git);
}

static void
on_deadline(UNUSED struct loop_timer *timer, void *ctx)
{
	struct doctor_git *git = ctx;

	if (git->is_ready)
		TELL(git->doctor, GIT, ERROR,
		    "git: no answer within %d s: is the repository reachable? (the first fetch of a large one may take longer: try again)",
		    GIT_PATIENCE_MS / 1000);
	else
		TELL(git->doctor, RUNNER, ERROR, "runner: it did not say hello within %d s%s",
		    RUNNER_PATIENCE_MS / 1000,
		    git->doctor->settings->runner_socket == NULL ?
			"" :
			": it is hung, or four are connected to it already");
	runs_git_query_cancel(git->runs, git->query);
	git->query = NULL;
	finish(git);
}

/* --- where the runner works --- */

/* The settings once more, with folder as STATE_DIRECTORY; NULL: they have changed just now. */
static struct settings *
load_elsewhere(const struct doctor *doctor, const char *folder)
{
	struct settings_report report;
	char state[96];

	(void)snprintf(state, sizeof(state), "STATE_DIRECTORY=%s", folder);
	return cli_settings_with(doctor->cli->env_file, state, &report);
}

static void
say_whose(struct doctor *doctor, uid_t owner)
{
	struct passwd entry, *found = NULL;
	char name[LIMIT_PERSON], room[4096];

	if (getpwuid_r(owner, &entry, room, sizeof(room), &found) == 0 && found != NULL)
		(void)text_copy(name, sizeof(name), entry.pw_name);
	else
		(void)snprintf(name, sizeof(name), "#%u", (unsigned)owner);
	TELL(doctor, RUNNER, WARNING,
	    "runner: STATE_DIRECTORY belongs to another user, so a runner is tried in a folder of its own and not there: run doctor as the service's user (sudo -u %s)",
	    name);
}

/* False: the reason is said.  Nothing is made in a folder of somebody else: what root made there
 * could not be used by the service. */
static bool
choose_folder(struct doctor_git *git)
{
	struct doctor *doctor = git->doctor;
	const char *state = doctor->settings->state_directory;
	struct stat found;

	if (doctor->settings->runner_socket != NULL)
		return true; /* it has chosen */
	if (stat(state, &found) != 0) {
		TELL(doctor, RUNNER, WARNING,
		    "runner, git: not tried, for %s is not there yet: start deploybot once", state);
		return false;
	}
	if (found.st_uid == geteuid())
		return true;
	say_whose(doctor, found.st_uid);
	(void)text_copy(git->folder, sizeof(git->folder), "/tmp/deploybot-doctor.XXXXXX");
	if (mkdtemp(git->folder) == NULL) {
		TELL(
		    doctor, RUNNER, ERROR, "runner: no folder in /tmp: %s", strerrordesc_np(errno));
		git->folder[0] = '\0';
		return false;
	}
	git->elsewhere = load_elsewhere(doctor, git->folder);
	if (git->elsewhere == NULL)
		TELL(doctor, RUNNER, ERROR, "runner: the settings cannot be read again");
	return git->elsewhere != NULL;
}

/* The runner makes one folder and, asked for heads, nothing in it. */
static void
remove_folder(struct doctor_git *git)
{
	char inner[sizeof(git->folder) + 8];

	if (git->folder[0] == '\0')
		return;
	(void)snprintf(inner, sizeof(inner), "%s/runs", git->folder);
	(void)rmdir(inner); /* it may have died before */
	(void)rmdir(git->folder);
}

/* --- the runner --- */

static void
start_runner(struct doctor_git *git)
{
	struct doctor *doctor = git->doctor;
	const struct runs_config config = {
		.env_file = doctor->cli->env_file,
		.settings = git->elsewhere != NULL ? git->elsewhere : doctor->settings,
		.on_ready = on_ready,
		.on_away = on_away,
		.on_fatal = on_fatal,
		.ctx = git,
	};
	struct err err = { 0 };

	loop_timer_init(&git->deadline, on_deadline, git);
	git->runs = runs_start(doctor->loop, &config, &err);
	if (git->runs == NULL) {
		TELL(doctor, RUNNER, ERROR, "runner: %s", err.text);
		return;
	}
	doctor_asked(doctor);
	loop_timer_start(doctor->loop, &git->deadline, RUNNER_PATIENCE_MS, 0);
}

struct doctor_git *
doctor_git_start(struct doctor *doctor)
{
	struct doctor_git *git = calloc(1, sizeof(*git));

	if (git == NULL) {
		TELL(doctor, RUNNER, ERROR, "runner: no memory");
		return NULL;
	}
	git->doctor = doctor;
	if (choose_folder(git))
		start_runner(git);
	return git;
}

void
doctor_git_free(struct doctor_git *git)
{
	if (git == NULL)
		return;
	if (git->runs != NULL)
		runs_free(git->runs);
	remove_folder(git);
	settings_unref(git->elsewhere);
	free(git);
}
