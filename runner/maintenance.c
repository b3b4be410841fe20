/* maintenance.c - has the mirrors packed once a day, while there is nothing else to do.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/maintenance.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/text.h"
#include "runner/git_query.h"
#include "runner/runner_settings.h"

#define LOOKS_A_PERIOD 24
#define LOOK_MOST_MS   3600000
#define LOOK_LEAST_MS  1000
#define QUIET_MS       60000 /* what was ordered is seldom the last of its kind */
#define ORDER_ID       1     /* nobody else sees it */

/* When the next look is; false: it is not wanted.  A setting that cannot be read is somebody else's
 * to report. */
static bool
plan_look(struct maintenance *maintenance, const struct program_dirs *dirs)
{
	CLEANUP(runner_settings_done) struct runner_settings settings;
	const char *text = NULL;
	int64_t seconds = 0;

	if (runner_settings_read(&settings, dirs->env_file, "", NULL) &&
	    runner_settings_text(&settings, "MIRROR_MAINTENANCE_SECONDS", &text, NULL) &&
	    !text_to_i64(text, 0, LOOK_MOST_MS / 1000 * LOOKS_A_PERIOD, &seconds, NULL))
		seconds = LOOK_MOST_MS / 1000 * LOOKS_A_PERIOD;
	maintenance->look_ms = seconds == 0 ? LOOK_MOST_MS : seconds * 1000 / LOOKS_A_PERIOD;
	if (maintenance->look_ms < LOOK_LEAST_MS)
		maintenance->look_ms = LOOK_LEAST_MS;
	maintenance->due = clock_monotonic_ms() + maintenance->look_ms;
	return seconds > 0;
}

void
maintenance_init(struct maintenance *maintenance, const struct program_dirs *dirs)
{
	maintenance->fd = -1;
	maintenance->pid = 0;
	(void)plan_look(maintenance, dirs);
}

int
maintenance_wait_ms(const struct maintenance *maintenance)
{
	int64_t left = maintenance->due - clock_monotonic_ms();

	if (maintenance->fd != -1)
		return -1;
	return left > 0 ? (int)left : 0;
}

void
maintenance_turn(struct maintenance *maintenance, const struct program_dirs *dirs)
{
	const struct protocol_message order = {
		.kind = PROTOCOL_GIT_QUERY, .id = ORDER_ID, .query = PROTOCOL_GIT_QUERY_MAINTAIN
	};
	struct err err;

	if (maintenance_wait_ms(maintenance) != 0 || !plan_look(maintenance, dirs))
		return;
	maintenance->is_ended = false;
	maintenance->fd = git_query_start(&order, dirs, &maintenance->pid, &err);
	if (maintenance->fd == -1)
		(void)fprintf(
		    stderr, "deploybot-runner: maintenance of the mirror: %s\n", err.text);
}

void
maintenance_end(struct maintenance *maintenance)
{
	int64_t quiet = clock_monotonic_ms() +
	    (maintenance->look_ms < QUIET_MS ? maintenance->look_ms : QUIET_MS);

	if (maintenance->fd != -1) {
		maintenance->is_ended = true;
		(void)shutdown(maintenance->fd, SHUT_WR); /* it sees that; or its answer comes */
	}
	if (maintenance->due < quiet)
		maintenance->due = quiet;
}

static void
report(const char *packet, size_t size)
{
	static struct protocol_message answer;
	struct err err = { .text = "it was killed" };

	if (size == 0 || !protocol_decode(packet, size, &answer, &err))
		(void)fprintf(
		    stderr, "deploybot-runner: maintenance of the mirror: %s\n", err.text);
	else if (answer.record.status != 0)
		(void)fprintf(stderr,
		    "deploybot-runner: maintenance of the mirror: status %d: %s%.*s\n",
		    answer.record.status, answer.text, (int)answer.body_len,
		    answer.body != NULL ? answer.body : "");
}

void
maintenance_read(struct maintenance *maintenance)
{
	static char packet[PROTOCOL_PACKET_MAX]; /* large for a stack; there is one thread */
	ssize_t n;

	do {
		n = recv(maintenance->fd, packet, sizeof(packet), 0);
	} while (n == -1 && errno == EINTR);
	(void)close(maintenance->fd);
	if (maintenance->pid != 0)
		(void)waitpid(maintenance->pid, NULL, 0); /* it ends behind its answer */
	maintenance->fd = -1;
	if (!maintenance->is_ended)
		report(packet, n > 0 ? (size_t)n : 0);
}

void
maintenance_reaped(struct maintenance *maintenance, pid_t pid)
{
	if (maintenance->fd != -1 && maintenance->pid == pid)
		maintenance->pid = 0;
}
