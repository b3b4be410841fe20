/* Goal: folders of old runs go one after the other, a little in each turn of the loop.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/file.h"
#include "lib/loop.h"
#include "runs/run_files.h"
#include "runs/runs.h"
#include "types/settings.h"

#define RUNS	  3
#define TURNS_MAX 1000

struct scene {
	char folder[64];
	struct loop *loop;
	struct settings *settings;
	struct runs *runs;
	struct perform perform;
	int64_t reported[RUNS];
	size_t n_reported;
};

static void
take(void *ctx, struct event *event)
{
	struct scene *scene = ctx;

	assert_int_equal(event->kind, EVENT_FORGOTTEN);
	assert_true(scene->n_reported < RUNS);
	scene->reported[scene->n_reported++] = event->effect;
	event_free(event);
}

static void
path_of(const struct scene *scene, char path[128], const char *name)
{
	(void)snprintf(path, 128, "%s/%s", scene->folder, name);
}

/* A folder with a log of that size, all of it a hole. */
static void
make_run(const struct scene *scene, int64_t run, off_t size)
{
	char path[128], name[64];

	(void)snprintf(name, sizeof(name), "runs/%d", (int)run);
	path_of(scene, path, name);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(name, sizeof(name), "runs/%d/log", (int)run);
	path_of(scene, path, name);
	assert_true(file_write(path, "x\n", 2, 0600, NULL));
	assert_int_equal(truncate(path, size), 0);
}

/* Its settings, and a runner that does nothing: no run is begun here. */
static int
begin(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	char path[128], directory[128];
	char *environment[] = { "TELEGRAM_BOT_TOKEN=1234567:abcdefghijklmnopqrstuvwxyz0123456789",
		"ADMIN_TELEGRAM_IDS=7", "GITHUB_REPOSITORY=a/b", directory, NULL };
	struct settings_report report = { 0 };
	struct err err;

	assert_non_null(scene);
	*state = scene;
	(void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/test_perform_forget-XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	path_of(scene, path, "runs");
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(directory, sizeof(directory), "STATE_DIRECTORY=%s", scene->folder);
	assert_true(settings_load(NULL, environment, &scene->settings, &report));
	path_of(scene, path, "runner");
	assert_true(file_write(path, "#!/bin/sh\nexec cat <&3 >/dev/null\n", 34, 0755, &err));
	scene->loop = loop_new(NULL);
	scene->runs = runs_start(scene->loop,
	    &(struct runs_config){ .runner = path, .settings = scene->settings }, &err);
	assert_non_null(scene->runs);
	scene->perform = (struct perform){
		.loop = scene->loop, .runs = scene->runs, .submit = take, .submit_ctx = scene
	};
	return 0;
}

static int
finish(void **state)
{
	struct scene *scene = *state;
	char path[128];

	perform_done(&scene->perform);
	runs_free(scene->runs);
	settings_unref(scene->settings);
	loop_free(scene->loop);
	for (int64_t run = 1; run <= RUNS; run++)
		while (run_files_remove(scene->folder, run, NULL) == RUN_FILES_MORE)
			;
	path_of(scene, path, "runs");
	(void)rmdir(path);
	path_of(scene, path, "runner");
	(void)unlink(path);
	assert_int_equal(rmdir(scene->folder), 0);
	free(scene);
	return 0;
}

static void
forget(struct scene *scene, int64_t run)
{
	struct effect *effect = effect_new(EFFECT_FORGET);

	assert_non_null(effect);
	effect->id = 10 + run;
	effect->u.forget.run = run;
	perform_effect(&scene->perform, effect);
}

/* 256 at once, each with a log of 2 GB, held the loop for as long as the disk took. */
static void
folders_go_one_after_the_other_and_large_logs_in_pieces(void **state)
{
	struct scene *scene = *state;
	size_t turns_of_the_first = 0;
	struct err err;

	make_run(scene, 1, 500 * 1024 * 1024);
	make_run(scene, 2, 100);
	make_run(scene, 3, 100);
	for (int64_t run = 1; run <= RUNS; run++)
		forget(scene, run);
	assert_int_equal(scene->n_reported, 0); /* not inside the call */
	for (size_t turn = 0; scene->n_reported < RUNS; turn++) {
		size_t before = scene->n_reported;

		assert_true(turn < TURNS_MAX);
		loop_run_once(scene->loop);
		assert_true(scene->n_reported <= before + 1);
		turns_of_the_first += scene->n_reported == 0;
	}
	assert_true(turns_of_the_first >= 500 / 64);
	for (int64_t run = 1; run <= RUNS; run++) {
		assert_int_equal(scene->reported[run - 1], 10 + run);
		assert_int_equal(run_files_open(scene->folder, run, &err), -1);
	}
}

static void
a_folder_that_is_gone_or_stays_is_reported_all_the_same(void **state)
{
	struct scene *scene = *state;
	char path[128];

	make_run(scene, 2, 100);
	path_of(scene, path, "runs/2/folder");
	assert_int_equal(mkdir(path, 0700), 0); /* it has none of ours: it stays */
	forget(scene, 1);
	forget(scene, 2);
	for (size_t turn = 0; scene->n_reported < 2; turn++) {
		assert_true(turn < TURNS_MAX);
		loop_run_once(scene->loop);
	}
	assert_int_equal(rmdir(path), 0);
}

/* Under the sanitizers: what waits is freed, its rows stay. */
static void
the_program_may_end_between_two_steps(void **state)
{
	struct scene *scene = *state;

	make_run(scene, 1, 500 * 1024 * 1024);
	make_run(scene, 2, 100);
	forget(scene, 1);
	forget(scene, 2);
	loop_run_once(scene->loop);
	assert_int_equal(scene->n_reported, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(folders_go_one_after_the_other_and_large_logs_in_pieces),
		T(a_folder_that_is_gone_or_stays_is_reported_all_the_same),
		T(the_program_may_end_between_two_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
