/* pump.c - what a program prints into a log through the runner's pump, with so many secrets to keep out. */
/* SPDX-License-Identifier: ISC */
/*
 *   pump SECRETS FOLDER PROGRAM ARGUMENT      FOLDER/log is made; prints when all of it was there
 *                                             (CLOCK_MONOTONIC, in nanoseconds)
 *
 * As a supervisor does it, without a server: a run is handed a dozen secrets at most, and what the
 * server shows of a log is kept free of all that the settings have.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "runner/log_pump.h"

static void
on_step(UNUSED void *ctx, UNUSED enum step_scan_kind kind, UNUSED const char *text)
{
}

/* As long as tokens are, of letters and digits, none of which any text has. */
static struct redact *
secrets_new(long n)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUV";
	struct redact *ret = redact_new();
	uint64_t state = 42;
	char value[33];

	while (n-- > 0) {
		for (size_t i = 0; i + 1 < sizeof(value); i++) {
			state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
			value[i] = digits[(state >> 33) % (sizeof(digits) - 1)];
		}
		value[sizeof(value) - 1] = '\0';
		if (!redact_add(ret, value, NULL))
			exit(1);
	}
	return ret;
}

int
main(int argc, char **argv)
{
	struct redact *secrets = secrets_new(argc == 5 ? strtol(argv[1], NULL, 10) : 0);
	int folder = argc == 5 ? open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, output;
	enum log_pump_state state;
	static struct log_pump pump;
	struct timespec at;

	if (folder == -1 || !log_pump_open(&pump, folder, UINT64_MAX, secrets, &output, NULL))
		return 1;
	if (fork() == 0) {
		if (dup2(output, STDOUT_FILENO) != -1)
			(void)execl(argv[3], argv[3], argv[4], NULL);
		_exit(1);
	}
	(void)close(output);
	while ((state = log_pump_turn(&pump, on_step, NULL)) != LOG_PUMP_END)
		if (state == LOG_PUMP_EMPTY)
			(void)poll(&(struct pollfd){ .fd = pump.pipe, .events = POLLIN }, 1, -1);
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	(void)wait(NULL);
	printf("%lld\n", (long long)at.tv_sec * 1000000000 + at.tv_nsec);
	return 0;
}
