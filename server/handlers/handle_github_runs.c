/* handle_github_runs.c - GitHub has said which runs there are of a commit, or has not.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_ci_news.h"
#include "handlers/handlers.h"

void
handle_github_runs_read(struct tx *tx, const struct event *event)
{
	decide_ci_read(tx, tx->effect->subject, &event->u.github_runs_read);
}
