/* cli_capture.c - a child's output through a file, so that no pipe can fill.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/cli_capture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

#define SERVES 77

static int
serve(UNUSED const struct cli *cli)
{
	return SERVES;
}

static _Noreturn void
run(const char *const *args, FILE *out)
{
	char copies[CLI_CAPTURE_ARGS + 1][256];
	char *argv[CLI_CAPTURE_ARGS + 2] = { (char[]){ "deploybot" } };
	int argc = 1;

	for (; args[argc - 1] != NULL; argc++) {
		assert(argc <= CLI_CAPTURE_ARGS);
		(void)snprintf(copies[argc], sizeof(copies[argc]), "%s", args[argc - 1]);
		argv[argc] = copies[argc];
	}
	(void)dup2(fileno(out), STDOUT_FILENO);
	(void)dup2(fileno(out), STDERR_FILENO);
	exit(cli_run(argc, argv, serve));
}

int
cli_capture(const char *const *args, char *text)
{
	FILE *out = tmpfile();
	size_t size;
	int status;
	pid_t pid;

	assert(out != NULL);
	(void)fflush(NULL);
	pid = fork();
	assert(pid >= 0);
	if (pid == 0)
		run(args, out);
	assert(waitpid(pid, &status, 0) == pid);
	rewind(out);
	size = fread(text, 1, 8191, out);
	text[size] = '\0';
	(void)fclose(out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
