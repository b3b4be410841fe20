/* decide_executor.c - the executors that have registered.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_executor.h"

static const struct decide_executor *executors[ACTION_EXECUTORS];

void
decide_executor_add(enum action_executor executor, const struct decide_executor *row)
{
	assert(executor < ACTION_EXECUTORS && executors[executor] == NULL);
	executors[executor] = row;
}

const struct decide_executor *
decide_executor_of(const char *action)
{
	const struct action *found = action_row_of(action);

	return found == NULL ? NULL : executors[found->executor];
}
