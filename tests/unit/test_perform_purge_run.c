/* Goal: folders of old runs go one after the other, by the runner's hand, a little at a time.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "runs/run_files.h"
#include "runs_aid.h"

#define RUNS 3

static struct perform perform;
static int64_t reported[RUNS];
static size_t n_reported;

static void
take(UNUSED void *ctx, struct event *event)
{
	assert_int_equal(event->kind, EVENT_RUN_PURGED);
	assert_true(n_reported < RUNS);
	reported[n_reported++] = event->effect;
	event_free(event);
}

static void
begin(struct scene *scene)
{
	runs_aid_need(scene);
	n_reported = 0;
	perform = (struct perform){ .loop = scene->loop, .runs = scene->runs, .submit = take };
	WAIT_FOR(scene, scene->ready > 0);
}

/* A folder with a record and a log of that size, all of it a hole. */
static void
make_run(const struct scene *scene, int64_t run, off_t size)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/runs/%d", scene->folder, (int)run);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/runs/%d/log", scene->folder, (int)run);
	assert_true(file_write(path, "x\n", 2, 0600, NULL));
	assert_int_equal(truncate(path, size), 0);
	(void)snprintf(path, sizeof(path), "%s/runs/%d/exit", scene->folder, (int)run);
	assert_true(file_write(path, "exit\ngate 1\n", 12, 0600, NULL));
}

static void
forget(int64_t run)
{
	struct effect *effect = effect_new(EFFECT_PURGE_RUN);

	assert_non_null(effect);
	effect->id = 10 + run;
	effect->u.purge_run.run = run;
	perform_effect(&perform, effect);
}

/* 256 at once, each with a log of 2 GB, held whoever removed them for as long as the disk took;
 * that a log goes in pieces is test_run_purge's. */
RUNS_TEST(folders_go_one_after_the_other)
{
	struct err err;

	begin(scene);
	make_run(scene, 1, 500 * 1024 * 1024);
	make_run(scene, 2, 100);
	make_run(scene, 3, 100);
	for (int64_t run = 1; run <= RUNS; run++)
		forget(run);
	assert_int_equal(n_reported, 0); /* not inside the call */
	WAIT_FOR(scene, n_reported == RUNS);
	for (int64_t run = 1; run <= RUNS; run++) {
		assert_int_equal(reported[run - 1], 10 + run);
		assert_int_equal(run_files_open(scene->folder, run, &err), -1);
	}
	perform_done(&perform);
}

RUNS_TEST(a_folder_that_is_gone_or_stays_is_reported_all_the_same)
{
	char path[128];

	begin(scene);
	make_run(scene, 2, 100);
	(void)snprintf(path, sizeof(path), "%s/runs/2/folder", scene->folder);
	assert_int_equal(mkdir(path, 0700), 0); /* it has none of ours: it stays */
	forget(1);
	forget(2);
	WAIT_FOR(scene, n_reported == 2);
	assert_int_equal(access(path, F_OK), 0);
	perform_done(&perform);
}

/* What it was told is told to the next one. */
RUNS_TEST(a_runner_that_dies_meanwhile_loses_none)
{
	static struct story story; /* what the runner is followed by outlives this */
	struct err err;

	runs_aid_script(scene, "exit 0");
	begin(scene);
	runs_aid_tell(&story, scene, 4, false, false); /* waits at its gate, and so has a parent */
	WAIT_FOR(scene, story.hellos == 1);
	make_run(scene, 1, 500 * 1024 * 1024);
	forget(1);
	loop_run_once(scene->loop);
	runs_aid_kill(runs_aid_parent(runs_aid_parent((pid_t)story.hello.pid)));
	WAIT_FOR(scene, n_reported == 1 && scene->ready == 2);
	assert_int_equal(run_files_open(scene->folder, 1, &err), -1);
	perform_done(&perform);
}

/* Under the sanitizers: what waits is freed, its rows stay. */
RUNS_TEST(the_program_may_end_between_two_pieces)
{
	begin(scene);
	make_run(scene, 1, 500 * 1024 * 1024);
	make_run(scene, 2, 100);
	forget(1);
	forget(2);
	loop_run_once(scene->loop);
	assert_int_equal(n_reported, 0);
	perform_done(&perform);
}
