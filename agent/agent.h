/* agent.h - orders of the server over one socket, one run at a time.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "agent/agent_settings.h"

struct agent_dirs {
	const char *state; /* records, and the highest epoch */
	const char *run;   /* runner.sock */
};

/* Until SIGTERM: then it begins nothing new, and the run there is comes to its end.  False: *err
 * says why it could not go on. */
bool agent_serve(const struct agent_settings *settings, const struct agent_dirs *dirs,
    struct err *err) MUST_USE;
