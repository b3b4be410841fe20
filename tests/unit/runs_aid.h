/* runs_aid.h - runs told of by the real runner, in a folder of the test's own.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include "lib/loop.h"
#include "runs/runs.h"
#include "unit.h"

/* What a run said, in its order. */
struct story {
	struct scene *scene;
	int hellos;
	int lost;
	int incompatible;
	int ends;
	int dropped;
	int put_off;
	size_t n_steps;
	bool goes; /* opens the gate at once */
	struct run_started hello;
	struct run_step steps[LIMIT_STEPS + 2];
	char hosts[4096]; /* what was said of them, a line each: host, word, why */
	int hosts_gone;
	struct run_ended ended;
};

struct scene {
	char folder[64];
	char env_file[128];
	char script[128];
	char proof[128]; /* what the script touches when it runs */
	struct settings *settings;
	struct loop *loop;
	struct runs *runs;
	struct loop_timer alarm;
	bool is_late;
	unsigned answer_s;
	uint64_t epoch; /* in which its server leads */
	int ready;
	char fatal[240];
	int answers;
	int answer_status;
	bool answer_unreachable;
	char answer[512];
};

#define WAIT_FOR(scene, condition) \
	do { \
		(scene)->is_late = false; \
		loop_timer_start((scene)->loop, &(scene)->alarm, PATIENCE_MS, 0); \
		while (!(condition) && !(scene)->is_late) \
			loop_run_once((scene)->loop); \
		loop_timer_stop(&(scene)->alarm); \
		assert_true(condition); \
	} while (0)

int runs_aid_begin(void **state);
int runs_aid_finish(void **state);
#define RUNS_TEST(name) TEST_OF(name, struct scene *scene, runs_aid_begin, runs_aid_finish)
/* DEPLOYBOT_RUNNER, or the one beside the tests' folder. */
const char *runs_aid_runner(void);

/* With that program as the runner; NULL: it says why. */
struct runs *runs_aid_start(struct scene *scene, const char *path);
/* With the real one; skips the test where there is none. */
void runs_aid_need(struct scene *scene);

void runs_aid_write(const char *path, const char *text, mode_t mode);
/* The script of this story; $PROOF is a file to say that it ran. */
void runs_aid_script(struct scene *scene, const char *body);

/* A run to be ordered, and what is told of it goes into the story. */
struct effect_run runs_aid_order(int64_t run);
struct runs_watch runs_aid_watch(struct story *story);
/* Orders it, or resumes it after a restart. */
void
runs_aid_tell(struct story *story, struct scene *scene, int64_t run, bool goes, bool is_resumed);

/* Its parent; 0: it does not live (a zombie that nobody has reaped is dead). */
pid_t runs_aid_parent(pid_t pid);
/* SIGKILL; 0, whom runs_aid_parent() did not find, would be all of us, who runs the tests too. */
void runs_aid_kill(pid_t pid);

/* Asks git; the answer is kept.  For a wish, ctx counts (an int). */
struct runs_git_query *runs_aid_ask(struct scene *scene, const struct effect_git_query *order);
void runs_aid_on_stop_request(struct runs_stop_request *request);
