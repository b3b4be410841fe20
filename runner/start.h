/* start.h - deploybot-runner and deploybot-remote-runner: argv, its place, then orders.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/runner_order.h"

/* main() of both; gate: of the remote one, whose keys are read here.  Returns the exit status. */
int start_runner(int argc, char *argv[], struct order_gate *gate);
