/* doctor_shared.c - what a server and a runner of another user have in common.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "types/settings.h"

void
doctor_shared(struct doctor *doctor)
{
	const char *state = doctor->settings->state_directory;
	char runs[PATH_MAX];
	struct stat st;

	(void)snprintf(runs, sizeof(runs), "%s/runs", state);
	if (stat(runs, &st) != 0) {
		TELL(doctor, RUNNER, ERROR,
		    "runner: %s: %s: deploybot-runner makes it when it starts, with the same STATE_DIRECTORY",
		    runs, strerrordesc_np(errno));
		return;
	}
	if (eaccess(runs, R_OK | X_OK) != 0)
		TELL(doctor, RUNNER, ERROR,
		    "runner: %s cannot be read, so no log can be shown: our user must be in its group, and its mode be 2750",
		    runs);
	else if (geteuid() != 0 && geteuid() != st.st_uid && eaccess(runs, W_OK) == 0)
		TELL(doctor, RUNNER, WARNING,
		    "runner: %s can be written to by the server's user: chmod 2750 it", runs);
	else
		TELL(doctor, RUNNER, OK, "runner: %s can be read", runs);
}
