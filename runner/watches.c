/* watches.c - the supervisors that the runner watches, each by a descriptor of its process.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/watches.h"

#include <poll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

bool
watches_has(const struct watches *watches, uint64_t id)
{
	for (size_t i = 0; i < watches->count; i++) {
		if (watches->all[i].id == id)
			return true;
	}
	return false;
}

bool
watches_add(struct watches *watches, const struct watch *watch)
{
	int pidfd;

	if (watches_has(watches, watch->id))
		return true;
	if (watches->count == PROTOCOL_RUNS_MAX)
		return false;
	pidfd = pidfd_open(watch->pid, 0);
	if (pidfd == -1)
		return false;
	watches->all[watches->count] = *watch;
	watches->all[watches->count++].pidfd = pidfd;
	return true;
}

size_t
watches_awaited(const struct watches *watches)
{
	size_t n = 0;

	for (size_t i = 0; i < watches->count; i++)
		n += !watches->all[i].is_drain;
	return n;
}

static bool
has_ended(const struct watch *watch)
{
	struct pollfd fd = { watch->pidfd, POLLIN, 0 };

	return poll(&fd, 1, 0) == 1;
}

size_t
watches_ended(const struct watches *watches, bool ended[PROTOCOL_RUNS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < watches->count; i++) {
		ended[i] = has_ended(&watches->all[i]);
		count += ended[i];
	}
	return count;
}

struct watch
watches_take(struct watches *watches, size_t i)
{
	struct watch watch = watches->all[i];

	(void)close(watch.pidfd);
	watches->all[i] = watches->all[--watches->count];
	if (watch.child)
		(void)waitpid(watch.pid, NULL, 0);
	return watch;
}

void
watches_reaped(struct watches *watches, pid_t pid)
{
	for (size_t i = 0; i < watches->count; i++) {
		if (watches->all[i].pid == pid)
			watches->all[i].child = false;
	}
}

void
watches_close(struct watches *watches)
{
	for (size_t i = 0; i < watches->count; i++)
		(void)close(watches->all[i].pidfd);
}
