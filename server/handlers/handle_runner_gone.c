/* handle_runner_gone.c - a runner is disconnected: the messages of its runs say so.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_runner.h"
#include "handlers/handlers.h"

void
handle_runner_gone(struct tx *tx, const struct event *event)
{
	decide_runner_gone(tx, event->u.runner.name);
}
