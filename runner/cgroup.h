/* cgroup.h - a control group for what each run starts, where we may make one.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * Of a run whose supervisor was killed, a process that has left its session and cleared its
 * environment is found by nothing else.  Groups are made below our own in the unified hierarchy
 * (cgroups(7)):  by root, and by a unit of systemd with Delegate=yes.  Elsewhere nothing is done,
 * and all of this says that nothing is there.  No controller is switched on: a group is a list of
 * processes here.
 */
#pragma once

#include <sys/types.h>

#include "lib/base.h"

#define CGROUP_PATH 192 /* of a group, with its NUL: a longer one is cut */

/* Makes the group of the run with this tag; groups of earlier runs that are empty by now go.  Its
 * folder, for the main process to be born in (main_process.h); as long as it is open no other
 * supervisor, of this server or of another beside it, takes the empty group away.  -1: there can be
 * none. */
int cgroup_make(const char *tag);

/* Kills all that is in it.  True: something is still alive, one of it is *ret_one (untouched where
 * it has no number here: in a group below, or in another pid namespace), and the group's folder
 * stands in ret_path.  False: nothing is, and the group is gone; or there is none. */
bool cgroup_kill(const char *tag, pid_t *ret_one, char ret_path[CGROUP_PATH]);
