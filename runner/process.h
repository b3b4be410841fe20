/* process.h - processes identified for certain, found, and signalled.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * A pid alone names nobody: it is used again.  A process here is its pid and its start time, and
 * a signal goes through a pidfd whose start time was compared after it was opened.
 */
#pragma once

#include <sys/types.h>

#include "lib/base.h"

#define PROCESS_BOOT_ID	37	/* with its NUL */
#define PROCESS_TAG	54	/* a RUN_ID with its NUL */

struct process {
	pid_t pid;
	pid_t parent;
	pid_t session;
	char state;		/* as in /proc/<pid>/stat; Z and X are dead */
	uint64_t start;		/* clock ticks after boot */
};

/* A run's main process, as its supervisor wrote it down. */
struct process_main {
	pid_t pid;
	uint64_t start;
	char boot[PROCESS_BOOT_ID];
	char tag[PROCESS_TAG];	/* value of RUN_ID in the environment of what it started */
	uint64_t space;		/* process_space() where pid counts; 0: not known */
	bool in_group;		/* born in a control group of its run */
};

/* False: there is none of that number. */
bool process_read(pid_t pid, struct process *ret);

/* This boot's id; empty where /proc does not show it. */
void process_boot_id(char ret[PROCESS_BOOT_ID]);

/* The pid namespace that our numbers are of: a container's, gone with it, has used them all before.
 * 0 where /proc does not show it. */
uint64_t process_space(void);

/* Signals every living descendant of `ancestor`.  Returns how many there were (*ret_one: one of
 * them, untouched when there was none), or -1 when /proc could not be read. */
int process_signal_below(pid_t ancestor, int signal_number, pid_t *ret_one);

/* Signals this process, where it still is the same, and all that descend from it.  Returns as
 * process_signal_below. */
int process_signal_tree(const struct process *top, int signal_number, pid_t *ret_one);

/* Gives the oom_score_adj of every living descendant of `ancestor` this value, as far as it may. */
void process_oom_below(pid_t ancestor, int value);

/* The living children of `parent`, the caller's to free; how many, or -1. */
int process_children(pid_t parent, struct process **ret);

/* May anything that it started be alive?  Not after a reboot, nor in another pid namespace. */
bool process_is_of_this_boot(const struct process_main *main_process);

/* Whose is it, as its session and its RUN_ID say? */
enum process_owner { PROCESS_OF_NOBODY, PROCESS_OF_RUN, PROCESS_OF_ANOTHER };
enum process_owner process_owner(
    const struct process *one, const struct process_main *main_process);

/* Signals every process that has RUN_ID=tag in its environment or is in the main process's session,
 * and is neither us nor dead.  Returns how many there were (*ret_one: one of them), or -1. */
int process_signal_run(const struct process_main *main_process, int signal_number, pid_t *ret_one);
