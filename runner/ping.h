/* ping.h - asks a runner that is a service for its health, as a container's health check does.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"

/* Says hello at its socket and waits for its hello, 5 s at most.  A hung one is unhealthy. */
bool ping_runner(const char *path, struct err *err) MUST_USE;
