/* watches.h - the supervisors that the runner watches, each by a descriptor of its process.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/protocol.h"

struct watch {
	uint64_t id;   /* of its run */
	pid_t pid;
	int pidfd;
	bool child;    /* to be waited for */
	bool ours;     /* our child: what it leaves is ours too.  Else an earlier runner's */
	bool is_drain; /* nobody waits for it; of an earlier runner's it is not known */
};

/* Zero: none. */
struct watches {
	size_t count;
	struct watch all[PROTOCOL_RUNS_MAX];
};

bool watches_has(const struct watches *watches, uint64_t id);

/* Opens its pidfd; a run that is watched already stays so.  False: no room, or no descriptor. */
bool watches_add(struct watches *watches, const struct watch *watch);

/* Runs that somebody waits for. */
size_t watches_awaited(const struct watches *watches);

/* Of each watch, whether its supervisor has ended; how many have. */
size_t watches_ended(const struct watches *watches, bool ended[PROTOCOL_RUNS_MAX]);

/* Its supervisor has ended: waited for and no longer watched, and the last one has its place. */
struct watch watches_take(struct watches *watches, size_t i);

/* This child was waited for. */
void watches_reaped(struct watches *watches, pid_t pid);

/* The supervisors go on. */
void watches_close(struct watches *watches);
