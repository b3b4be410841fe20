/* orphans.c - orphans that became the runner's children, and which of them are new.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/orphans.h"

#include <sys/prctl.h>
#include <unistd.h>

#include "lib/array.h"

bool
orphans_init(struct orphans *orphans)
{
	int count = process_children(getpid(), &orphans->known);

	orphans->count = count == -1 ? 0 : (size_t)count;
	return count != -1 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
}

void
orphans_keep(struct orphans *orphans, const struct process *child)
{
	struct process *added = array_add(&orphans->known, &orphans->count, sizeof(*added));

	*added = *child;
}

static bool
is_same(const struct process *a, const struct process *b)
{
	return a->pid == b->pid && a->start == b->start;
}

void
orphans_add(struct orphans *orphans, pid_t child)
{
	struct process process;

	if (!process_read(child, &process))
		return; /* it has ended */
	for (size_t i = 0; i < orphans->count; i++)
		if (is_same(&orphans->known[i], &process))
			return;
	orphans_keep(orphans, &process);
}

static bool
is_known(const struct orphans *orphans, const struct process *child)
{
	for (size_t i = 0; i < orphans->count; i++) {
		const struct process *known = &orphans->known[i];

		if (is_same(known, child) || known->session == child->session)
			return true;
	}
	return false;
}

/* Those that have ended are forgotten: their numbers will be others'. */
static void
forget_ended(struct orphans *orphans, const struct process now[], int count)
{
	size_t kept = 0;

	for (size_t i = 0; i < orphans->count; i++) {
		int k = 0;

		while (k < count && !is_same(&now[k], &orphans->known[i]))
			k++;
		if (k < count)
			orphans->known[kept++] = now[k];
	}
	orphans->count = kept;
}

int
orphans_look(struct orphans *orphans, struct process **ret)
{
	int count = process_children(getpid(), ret), found = 0;
	struct process *now;

	if (count == -1)
		return -1;
	forget_ended(orphans, *ret, count);
	now = *ret;
	for (int i = 0; i < count; i++) {
		if (!is_known(orphans, &now[i]))
			now[found++] = now[i];
	}
	return found;
}
