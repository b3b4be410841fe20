/* handle_github_runs.c - GitHub has said which runs there are of a commit, or what failed in one.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_watch.h"
#include "decide/queue/decide_ci_news.h"
#include "handlers/handlers.h"

void
handle_github_runs_read(struct tx *tx, const struct event *event)
{
	decide_ci_read(tx, tx->effect->subject, &event->u.github_runs_read);
}

void
handle_github_failure_read(struct tx *tx, const struct event *event)
{
	decide_watch_read(tx, tx->effect->subject, &event->u.github_failure_read);
}
