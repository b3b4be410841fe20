/* main.c - deploybot-runner: argv, its place, then orders.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/leader.h"
#include "runner/runner.h"

#define EXIT_USAGE  64
#define EXIT_CONFIG 78

static const char usage[] =
    "usage: deploybot-runner --fd N --state DIR [--env-file FILE] [--scripts DIR]\n"
    "\n"
    "Executes what the server at the other end of descriptor N orders: deploy, rollback and\n"
    "questions to git, each under a keeper.  `deploybot serve` starts it.\n"
    "\n"
    "  --state DIR      where runs/ and git/ are kept\n"
    "  --env-file FILE  settings beside the environment's, read anew for each order\n"
    "  --scripts DIR    deploy.sh, rollback.sh, commits.sh; default: the folder deploy beside\n"
    "                   this program, or beside one of the three folders above it\n";

/* The folder `deploy` beside the program or above it: build/deploybot-runner finds deploy/. */
static bool
find_scripts(char ret[PATH_MAX])
{
	char folder[PATH_MAX], probe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", folder, sizeof(folder) - 1);

	if (n <= 0)
		return false;
	folder[n] = '\0';
	for (int up = 0; up < 4; up++) {
		char *slash = strrchr(folder, '/');

		if (slash == NULL)
			return false;
		*slash = '\0';
		if (snprintf(ret, PATH_MAX, "%s/deploy", folder) >= PATH_MAX ||
		    snprintf(probe, sizeof(probe), "%s/deploy.sh", ret) >= PATH_MAX)
			return false;
		if (access(probe, R_OK) == 0)
			return true;
	}
	return false;
}

/* A descriptor's number; -1: it is none. */
static int
to_fd(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	return *text == '\0' || *end != '\0' || fd < 3 || fd > 1023 ? -1 : (int)fd;
}

static bool
to_place(const char *state, const char *env_file, const char *scripts, struct program_place *ret)
{
	static char state_path[PATH_MAX], env_path[PATH_MAX], scripts_path[PATH_MAX];

	if (realpath(state, state_path) == NULL) {
		(void)fprintf(
		    stderr, "deploybot-runner: --state %s: %s\n", state, strerrordesc_np(errno));
		return false;
	}
	if (env_file != NULL && realpath(env_file, env_path) == NULL) {
		(void)fprintf(stderr, "deploybot-runner: --env-file %s: %s\n", env_file,
		    strerrordesc_np(errno));
		return false;
	}
	if (scripts != NULL ? realpath(scripts, scripts_path) == NULL :
			      !find_scripts(scripts_path)) {
		(void)fprintf(
		    stderr, "deploybot-runner: no folder with deploy.sh; say --scripts\n");
		return false;
	}
	*ret =
	    (struct program_place){ state_path, env_file == NULL ? NULL : env_path, scripts_path };
	return true;
}

int
main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "fd", required_argument, NULL, 'f' },
		{ "state", required_argument, NULL, 's' },
		{ "env-file", required_argument, NULL, 'e' },
		{ "scripts", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	const char *state = NULL, *env_file = NULL, *scripts = NULL;
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	struct program_place place;
	int c, fd = -1;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'f')
			fd = to_fd(optarg);
		else if (c == 's')
			state = optarg;
		else if (c == 'e')
			env_file = optarg;
		else if (c == 'd')
			scripts = optarg;
		else
			fd = -2;
	}
	if (fd < 0 || state == NULL || optind != argc) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	/* It ends when its server's socket closes, and by nothing that a terminal sends. */
	for (size_t i = 0; i < COUNT(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	leader_no_core();
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
		(void)fprintf(
		    stderr, "deploybot-runner: descriptor %d: %s\n", fd, strerrordesc_np(errno));
		return EXIT_USAGE;
	}
	if (!to_place(state, env_file, scripts, &place))
		return EXIT_CONFIG;
	return runner_serve(fd, &place);
}
