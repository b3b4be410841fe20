/* preflight.c - looks at an environment's target for a person: target.sh with our settings.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/preflight.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_CONFIG 78

/* It reads secrets' files in our memory: it does not outlive us. */
static _Noreturn void
become(const struct program_plan *plan)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)execve(plan->path, plan->argv, plan->envp);
	(void)fprintf(stderr, "%s: %s\n", plan->path, strerrordesc_np(errno));
	_exit(EXIT_CONFIG);
}

static int
run(const struct program_plan *plan)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		become(plan);
	while (pid != -1 && waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return EXIT_CONFIG;
	if (pid == -1) {
		(void)fprintf(stderr, "deploybot-runner: fork: %s\n", strerrordesc_np(errno));
		return EXIT_CONFIG;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
preflight(const char *environment, const struct program_dirs *dirs)
{
	struct err err = { .code = ERR_NONE };
	struct environment_id id;
	CLEANUP(program_plan_done) struct program_plan plan = { 0 };
	int status = EXIT_CONFIG;

	if (!environment_id_parse(environment, &id)) {
		(void)fprintf(stderr,
		    "deploybot-runner: an environment is named by a-z, 0-9 and -, as in ENVIRONMENTS; of an application: APPLICATION/ENVIRONMENT\n");
		return status;
	}
	if (!program_plan_preflight(&plan, &id, dirs, &err))
		(void)fprintf(stderr, "deploybot-runner: %s\n", err.text);
	else
		status = run(&plan);
	return status;
}
