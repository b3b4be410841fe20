/* runs_aid.c - runs told of by the real runner, in a folder of the test's own.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs_aid.h"

#include <assert.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/text.h"
#include "settings/sources/settings_load.h"
#include "types/settings.h"

#define COMMIT "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"

static char runner[4096];

static void
find_runner(void)
{
	const char *given = getenv("DEPLOYBOT_RUNNER");
	char *slash;
	ssize_t n;

	if (given != NULL) {
		(void)text_copy(runner, sizeof(runner), given);
		return;
	}
	n = readlink("/proc/self/exe", runner, sizeof(runner) - 64);
	assert(n > 0);
	runner[n] = '\0';
	for (int up = 0; up < 2; up++) {
		slash = strrchr(runner, '/');
		assert(slash != NULL);
		*slash = '\0';
	}
	(void)snprintf(runner + strlen(runner), 64, "/deploybot-runner");
}

const char *
runs_aid_runner(void)
{
	if (runner[0] == '\0')
		find_runner();
	return runner;
}

/* --- the stage ---------------------------------------------------------------------------- */

static void
on_ready(void *ctx)
{
	((struct scene *)ctx)->ready++;
}

static void
on_fatal(void *ctx, const struct err *why)
{
	struct scene *scene = ctx;

	(void)text_copy(scene->fatal, sizeof(scene->fatal), why->text);
}

static void
on_alarm(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct scene *)ctx)->is_late = true;
}

struct runs *
runs_aid_start(struct scene *scene, const char *path)
{
	const char *slow = getenv("DEPLOYBOT_SLOW"); /* where a hello takes seconds */
	const struct runs_config config = { .runner = path,
		.env_file = scene->env_file,
		.settings = scene->settings,
		.grace_s = 1,
		.answer_s =
		    scene->answer_s * (slow == NULL ? 1 : (unsigned)strtoul(slow, NULL, 10)),
		.epoch = scene->epoch,
		.on_ready = on_ready,
		.on_fatal = on_fatal,
		.ctx = scene };
	struct err err = { .code = ERR_NONE };
	struct runs *runs = runs_start(scene->loop, &config, &err);

	if (runs == NULL)
		print_message("%s\n", err.text);
	return runs;
}

void
runs_aid_write(const char *path, const char *text, mode_t mode)
{
	struct err err;

	if (!file_write(path, text, strlen(text), mode, &err))
		fail_msg("%s", err.text);
}

void
runs_aid_script(struct scene *scene, const char *body)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "#!/bin/sh\nPROOF=%s\n%s\n", scene->proof, body);
	runs_aid_write(scene->script, text, 0755);
}

static int
load_settings(struct scene *scene)
{
	char state[128];
	char *environment[] = { "TELEGRAM_BOT_TOKEN=1234567:abcdefghijklmnopqrstuvwxyz0123456789",
		"ADMIN_TELEGRAM_IDS=7", "GITHUB_REPOSITORY=a/b", state, NULL };
	struct settings_report report = { 0 };

	(void)snprintf(state, sizeof(state), "STATE_DIRECTORY=%s", scene->folder);
	if (settings_load(NULL, environment, &scene->settings, &report))
		return 0;
	for (size_t i = 0; i < report.count; i++)
		print_message("%s\n", report.lines[i].text);
	return -1;
}

int
runs_aid_begin(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	char text[1024];

	if (scene == NULL)
		return -1;
	*state = scene;
	(void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/test_runs-XXXXXX");
	if (mkdtemp(scene->folder) == NULL || load_settings(scene) != 0)
		return -1;
	(void)snprintf(scene->env_file, sizeof(scene->env_file), "%s/env", scene->folder);
	(void)snprintf(scene->script, sizeof(scene->script), "%s/deploy", scene->folder);
	(void)snprintf(scene->proof, sizeof(scene->proof), "%s/proof", scene->folder);
	(void)snprintf(text, sizeof(text),
	    "DEPLOY_SCRIPT=%s\nROLLBACK_SCRIPT=%s\nREPOSITORY_URL=%s/no-such.git\n", scene->script,
	    scene->script, scene->folder);
	runs_aid_write(scene->env_file, text, 0600);
	scene->loop = loop_new(NULL);
	loop_timer_init(&scene->alarm, on_alarm, scene);
	return scene->loop == NULL;
}

static void
remove_tree(const char *folder)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)execl("/bin/rm", "rm", "-rf", folder, (char *)NULL);
		_exit(1);
	}
	(void)waitpid(pid, NULL, 0);
}

int
runs_aid_finish(void **state)
{
	struct scene *scene = *state;

	loop_timer_stop(&scene->alarm);
	runs_free(scene->runs);
	loop_free(scene->loop);
	settings_unref(scene->settings);
	remove_tree(scene->folder);
	free(scene);
	return 0;
}

void
runs_aid_need(struct scene *scene)
{
	const char *path = runs_aid_runner();

	if (access(path, X_OK) != 0) {
		print_message("skipped: there is no %s\n", path);
		skip();
	}
	scene->runs = runs_aid_start(scene, path);
	assert_non_null(scene->runs);
}

/* --- a story ------------------------------------------------------------------------------ */

static void
on_hello(void *ctx, const struct run_started *hello)
{
	struct story *story = ctx;

	story->hellos++;
	story->hello = *hello;
	if (story->goes)
		runs_go(story->scene->runs, hello->run);
}

static void
on_step(void *ctx, const struct run_step *step)
{
	struct story *story = ctx;

	assert_int_equal(step->n, story->n_steps);
	assert_int_equal(story->ends, 0);
	story->steps[story->n_steps++] = *step;
}

static void
on_lost(void *ctx, const char *stuck)
{
	struct story *story = ctx;

	assert_int_equal(story->ends, 0);
	assert_string_equal(stuck, ""); /* nothing of it that cannot be ended */
	story->lost++;
}

static void
on_incompatible(void *ctx)
{
	struct story *story = ctx;

	assert_int_equal(story->ends, 0);
	story->incompatible++;
}

static void
on_hosts(void *ctx, const struct hosts_said *said)
{
	struct story *story = ctx;
	size_t used = strlen(story->hosts);

	assert_int_equal(story->ends, 0); /* all of it comes before */
	assert_true(said->n <= HOSTS_SAID_MAX);
	for (size_t i = 0; i < said->n; i++)
		used += (size_t)snprintf(story->hosts + used, sizeof(story->hosts) - used,
		    "%s %d %s\n", said->list[i].host, (int)said->list[i].word, said->list[i].why);
	story->hosts_gone += said->is_gone;
}

static void
on_ended(void *ctx, const struct run_ended *ended)
{
	struct story *story = ctx;

	story->ends++;
	story->ended = *ended;
}

static void
on_put_off(void *ctx, const char *why)
{
	struct story *story = ctx;

	story->put_off++;
	(void)text_copy(story->ended.detail, sizeof(story->ended.detail), why);
}

static void
on_dropped(void *ctx)
{
	((struct story *)ctx)->dropped++;
}

struct effect_run
runs_aid_order(int64_t run)
{
	struct effect_run order = { .run = run,
		.program = PROGRAM_DEPLOY,
		.deployment = 42,
		.environment = "staging",
		.commit = COMMIT,
		.ref = "develop",
		.deadline_s = 60,
		.runner = "local" };

	return order;
}

struct runs_watch
runs_aid_watch(struct story *story)
{
	return (struct runs_watch){ on_hello, on_step, on_hosts, on_lost, on_incompatible, on_ended,
		on_put_off, on_dropped, story };
}

void
runs_aid_tell(struct story *story, struct scene *scene, int64_t run, bool goes, bool is_resumed)
{
	const struct runs_watch watch = runs_aid_watch(story);
	const struct effect_run order = runs_aid_order(run);
	struct err err;

	*story = (struct story){ .scene = scene, .goes = goes };
	if (is_resumed)
		assert_true(runs_resume(scene->runs, &order, &watch, &err));
	else
		assert_true(runs_order(scene->runs, &order, &watch, &err));
	assert_int_equal(story->hellos + story->ends, 0); /* never inside the call */
}

pid_t
runs_aid_parent(pid_t pid)
{
	char path[64], line[4096];
	int parent = 0;
	FILE *file;
	char *end;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	end = fgets(line, sizeof(line), file) == NULL ? NULL : strrchr(line, ')');
	(void)fclose(file);
	if (end == NULL || end[2] == 'Z')
		return 0;
	assert_int_equal(sscanf(end + 2, "%*c %d", &parent), 1);
	return parent;
}

void
runs_aid_kill(pid_t pid)
{
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
}

static void
on_answer(void *ctx, const struct runs_answer *answer)
{
	struct scene *scene = ctx;

	assert_int_equal(answer->size, strlen(answer->text));
	scene->answers++;
	scene->answer_status = answer->exit_status;
	scene->answer_unreachable = answer->unreachable;
	(void)text_copy(scene->answer, sizeof(scene->answer), answer->text);
}

struct runs_git_query *
runs_aid_ask(struct scene *scene, const struct effect_git_query *order)
{
	struct err err;
	struct runs_git_query *query = runs_git_query_start(scene->runs,
	    &(struct runs_git_query_config){ .order = order, .on_answer = on_answer, .ctx = scene },
	    &err);

	assert_non_null(query);
	return query;
}

void
runs_aid_on_stop_request(struct runs_stop_request *request)
{
	(*(int *)request->ctx)++;
}
