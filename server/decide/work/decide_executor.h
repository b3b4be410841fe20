/* decide_executor.h - who carries out an action, where that is not the runner.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * An executor is a row that its file registers before main() (a constructor), so that whoever
 * starts work names none.  Agents, forges and others that a call goes to become rows here.
 */
#pragma once

#include "decide/work/decide_action.h"
#include "store/tx.h"
#include "types/action.h"

struct buf;

struct decide_executor {
	/* That work's row says RUNNING from now on.  It is begun, or ended at once: whoever holds
	 * its struct reads the row again. */
	void (*begin)(struct tx *tx, int64_t work);

	/* Is something open that ends that work?  Asked where no run of it is. */
	bool (*will_end)(struct tx *tx, int64_t work);

	/* Somebody wants it ended: that work's row says STOPPING.  As begin(); NULL: the runner is
	 * asked to. */
	void (*stop)(struct tx *tx, int64_t work);

	/* What decide_action_exists() and decide_action_touches() say of it; NULL: they know it, as
	 * a client's or a job. */
	bool (*exists)(struct tx *tx, const struct deployment *work);
	void (*touches)(struct tx *tx, const struct deployment *work, char out[DECIDE_TOUCHES]);

	/* Appends what an approval of it is bound to beside its settings; NULL: nothing. */
	void (*bind)(struct tx *tx, const struct deployment *work, struct buf *all);
};

/* One for each executor; *row is borrowed for as long as the program runs. */
void decide_executor_add(enum action_executor executor, const struct decide_executor *row);

/* The executor of that action.  NULL: the runner's, or no action at all. */
const struct decide_executor *decide_executor_of(const char *action);
