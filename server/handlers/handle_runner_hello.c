/* handle_runner_hello.c - a runner is connected: the messages of its runs say so.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_runner.h"
#include "handlers/handlers.h"

void
handle_runner_hello(struct tx *tx, const struct event *event)
{
	decide_runner_hello(tx, event->u.runner.name, event->u.runner.highest_run);
}
