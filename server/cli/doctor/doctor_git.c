/* doctor_git.c - starts a runner, or asks the one that is a service, as `serve` does; it asks git.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/doctor/doctor.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/owner.h"
#include "lib/text.h"
#include "runs/runs.h"
#include "settings/sources/settings_load.h"
#include "types/git_answer.h"
#include "types/repository.h"
#include "types/settings.h"

#define RUNNER_PATIENCE_MS DOCTOR_PATIENCE_MS
#define GIT_PATIENCE_MS	   20000 /* without any answer: a large one's first fetch takes its time */
#define GIT_AT_ONCE	   8
#define GIT_NAMED	   8 /* with more repositories only those with trouble have a line each */

/* A repository, by the first of the applications that share it. */
struct repository {
	struct asking *git;
	const struct settings *of;
	const char *environment; /* with whose settings it is asked */
	struct runs_git_query *query;
};

struct asking {
	struct doctor *doctor;
	struct runs *runs;
	struct repository *repositories;
	size_t count, next, open, good; /* of them: next to be asked, being asked, answered well */
	struct settings *elsewhere;	/* with a state directory of our own; NULL: the real one */
	char folder[64];		/* that one; "": none was made */
	char why_away[200];		/* how the newest child of ours ended; "": none has */
	struct loop_timer deadline;
	bool is_ready; /* the runner said hello */
	bool is_over;  /* all is said */
};

static void
finish(struct asking *git)
{
	if (git->is_over)
		return;
	git->is_over = true;
	loop_timer_stop(&git->deadline);
	doctor_answered(git->doctor);
}

/* --- one repository --- */

/* "git: ", or "git: shop: " where there are applications; before whatever is said of it. */
static const char *
prefix(const struct repository *repository, char out[ENVIRONMENT_NAME_MAX + 16])
{
	const char *application = repository->of->application;

	(void)snprintf(out, ENVIRONMENT_NAME_MAX + 16, "git: %s%s", application,
	    application[0] == '\0' ? "" : ": ");
	return out;
}

/* Its branches, as many as a query has. */
static void
collect(const struct repository *repository, struct effect_git_query *ret)
{
	const struct settings *s = repository->git->doctor->settings;

	*ret = (struct effect_git_query){ .kind = GIT_QUERY_HEADS };
	(void)text_copy(ret->environment, sizeof(ret->environment), repository->environment);
	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];

		if (e->branch != NULL && ret->n_branches < COUNT(ret->branches) &&
		    repository_is_shared(e->of, repository->of) &&
		    !effect_asks_branch(ret, e->branch))
			(void)text_copy(ret->branches[ret->n_branches++], LIMIT_REF, e->branch);
	}
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
examine_heads(struct repository *repository, const struct git_answer *answer)
{
	struct asking *git = repository->git;
	const struct settings *s = git->doctor->settings;
	struct effect_git_query asked;
	char before[ENVIRONMENT_NAME_MAX + 16];

	git->good++;
	if (git->count <= GIT_NAMED)
		TELL(git->doctor, GIT, OK, "%s%s answers", prefix(repository, before),
		    repository->of->repository_url);
	collect(repository, &asked);
	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];

		if (e->branch != NULL && repository_is_shared(e->of, repository->of) &&
		    effect_asks_branch(&asked, e->branch) && !has_head(answer, e->branch))
			TELL(git->doctor, GIT, WARNING,
			    "git: %s has no branch %s: push it, or set GITHUB_BRANCH_<ENV>",
			    e->name, e->branch);
	}
}

static void ask_more(struct asking *git);

static void
on_answer(void *ctx, const struct runs_answer *said)
{
	struct repository *repository = ctx;
	struct asking *git = repository->git;
	CLEANUP(freep) struct git_answer *answer = mem_new(1, sizeof(*answer));
	char before[ENVIRONMENT_NAME_MAX + 16];
	struct err err = { 0 };
	const char *why = err.text,
		   *advice = ": check REPOSITORY_URL, its key or token, and the network";

	repository->query = NULL;
	git->open--;
	if (git->is_over) /* the runner crashed: that was said of the first */
		;
	else if (said->unreachable)
		TELL(git->doctor, RUNNER, ERROR, "runner: it crashed: %s", said->text);
	else if (git_answer_decode(said->text, said->exit_status, answer, &err) &&
	    said->exit_status == 0)
		examine_heads(repository, answer);
	else {
		if (answer->error[0] != '\0')
			why = answer->error;
		if (answer->advised)
			advice = "";
		TELL(git->doctor, GIT, ERROR, "%s%s%s", prefix(repository, before), why, advice);
	}
	if (said->unreachable)
		finish(git);
	else
		ask_more(git);
}

/* --- all of them --- */

static void
ask(struct repository *repository)
{
	struct asking *git = repository->git;
	struct effect_git_query wanted;
	char before[ENVIRONMENT_NAME_MAX + 16];
	struct err err;

	collect(repository, &wanted);
	repository->query = runs_git_query_start(git->runs,
	    &(struct runs_git_query_config){
		.order = &wanted, .on_answer = on_answer, .ctx = repository },
	    &err);
	if (repository->query == NULL)
		TELL(git->doctor, GIT, ERROR, "%s%s", prefix(repository, before), err.text);
	else
		git->open++;
}

/* Each answer is progress: then the others may take as long again. */
static void
ask_more(struct asking *git)
{
	if (git->is_over)
		return;
	while (git->open < GIT_AT_ONCE && git->next < git->count)
		ask(&git->repositories[git->next++]);
	if (git->open > 0) {
		loop_timer_start(git->doctor->loop, &git->deadline, GIT_PATIENCE_MS, 0);
		return;
	}
	if (git->count > GIT_NAMED)
		TELL(git->doctor, GIT, OK, "git: %zu of %zu repositories answer", git->good,
		    git->count);
	finish(git);
}

static bool
is_listed(const struct asking *git, const struct settings *of)
{
	for (size_t i = 0; i < git->count; i++)
		if (repository_is_shared(git->repositories[i].of, of))
			return true;
	return false;
}

/* Each once, however many applications share it. */
static void
list_repositories(struct asking *git)
{
	const struct settings *s = git->doctor->settings;

	git->repositories = mem_new(s->environment_count + 1, sizeof(*git->repositories));
	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];

		if (e->of->repository_url != NULL && !is_listed(git, e->of))
			git->repositories[git->count++] =
			    (struct repository){ git, e->of, e->name, NULL };
	}
}

static void
on_ready(void *ctx)
{
	struct asking *git = ctx;

	if (git->is_ready || git->is_over)
		return;
	git->is_ready = true;
	if (git->doctor->settings->runner_socket != NULL)
		TELL(git->doctor, RUNNER, OK, "runner: it answers at %s and speaks our version",
		    git->doctor->settings->runner_socket);
	else
		TELL(git->doctor, RUNNER, OK, "runner: it starts and speaks our version");
	list_repositories(git);
	if (git->count == 0) {
		TELL(git->doctor, GIT, ERROR,
		    "git: no repository: set GITHUB_REPOSITORY or REPOSITORY_URL");
		finish(git);
	} else {
		ask_more(git);
	}
}

/* A service alone is given up: a child that crashes before it says hello is started again. */
static void
on_away(void *ctx, const char *why)
{
	struct asking *git = ctx;
	const char *socket = git->doctor->settings->runner_socket;

	(void)text_copy(git->why_away, sizeof(git->why_away), why);
	if (git->is_over || socket == NULL)
		return;
	TELL(git->doctor, RUNNER, ERROR, "runner: at %s: %s", socket, why);
	finish(git);
}

static void
on_fatal(void *ctx, const struct err *why)
{
	struct asking *git = ctx;

	if (!git->is_over)
		TELL(git->doctor, RUNNER, ERROR, "runner: %s", why->text);
	finish(git);
}

/* Those that are asked, and those that were not. */
static void
say_unanswered(struct asking *git)
{
	char before[ENVIRONMENT_NAME_MAX + 16];

	for (size_t i = 0; i < git->count; i++)
		if (git->repositories[i].query != NULL)
			TELL(git->doctor, GIT, ERROR,
			    "%sno answer within %d s: is the repository reachable? (the first fetch of a large one may take longer: try again)",
			    prefix(&git->repositories[i], before), GIT_PATIENCE_MS / 1000);
	if (git->next < git->count)
		TELL(git->doctor, GIT, ERROR, "git: %zu more repositories were not asked",
		    git->count - git->next);
}

static void
on_deadline(UNUSED struct loop_timer *timer, void *ctx)
{
	struct asking *git = ctx;

	if (git->is_ready)
		say_unanswered(git);
	else
		TELL(git->doctor, RUNNER, ERROR, "runner: it did not say hello within %d s%s%s",
		    RUNNER_PATIENCE_MS / 1000, git->why_away[0] != '\0' ? ": " : "",
		    git->doctor->settings->runner_socket == NULL ?
			git->why_away :
			": it is hung, or four are connected to it already");
	for (size_t i = 0; i < git->count; i++) {
		runs_git_query_cancel(git->runs, git->repositories[i].query);
		git->repositories[i].query = NULL;
	}
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
	char name[OWNER_NAME];

	TELL(doctor, RUNNER, WARNING,
	    "runner: STATE_DIRECTORY belongs to another user, so a runner is tried in a folder of its own and not there: run doctor as the service's user (sudo -u %s)",
	    owner_user(owner, "#", name));
}

/* False: the reason is said.  Nothing is made in a folder of somebody else: what root made there
 * could not be used by the service. */
static bool
choose_folder(struct asking *git)
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
remove_folder(struct asking *git)
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
start_runner(struct asking *git)
{
	struct doctor *doctor = git->doctor;
	const struct runs_config config = {
		.env_file = doctor->cli->env_file,
		.settings = git->elsewhere != NULL ? git->elsewhere : doctor->settings,
		.on_ready = on_ready,
		.on_away = on_away,
		.on_fatal = on_fatal,
		.is_quiet = true, /* it is a finding */
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

static void
end(void *ctx)
{
	struct asking *git = ctx;

	if (git->runs != NULL)
		runs_free(git->runs);
	remove_folder(git);
	free(git->repositories);
	settings_unref(git->elsewhere);
	free(git);
}

void
doctor_git(struct doctor *doctor)
{
	struct asking *git = mem_new(1, sizeof(*git));

	git->doctor = doctor;
	doctor_at_end(doctor, end, git);
	if (choose_folder(git))
		start_runner(git);
}
