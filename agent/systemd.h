/* systemd.h - what the agent asks of systemd over D-Bus: look at a unit, start it, stop it.  Side: agent. */
/* SPDX-License-Identifier: ISC */
/*
 * org.freedesktop.systemd1 (man org.freedesktop.systemd1).  One start at a time.  The properties of
 * a unit that has ended may be gone with it, so its result is taken from PropertiesChanged, which
 * systemd sends before the JobRemoved of that job.
 */
#pragma once

#include <limits.h>

#include "lib/err.h"

#define SYSTEMD_INVOCATION 33	/* hex digits and NUL */
#define SYSTEMD_PATHS	   4096 /* bytes of all drop-ins' names, and NUL */

struct systemd;

/* Connects to the system bus and subscribes to the ends of jobs and of reloads. */
struct systemd *systemd_open(struct err *err) MUST_USE;
void systemd_free(struct systemd *systemd);
DEFINE_FREEP(struct systemd, systemd_free)

/* Of a unit, as systemd calls these. */
struct systemd_unit {
	char load_state[16];
	char active_state[16];
	char fragment_path[PATH_MAX];
	char drop_in_paths[SYSTEMD_PATHS]; /* a NUL behind each; an empty one is the last */
	char type[16];
	char restart[16];
	char kill_mode[16];
	char invocation[SYSTEMD_INVOCATION]; /* of its last start; "": none is known */
	char result[32];
	int need_daemon_reload;
	int remain_after_exit;
	int exec_main_code; /* as CLD_EXITED */
	int exec_main_status;
	uint64_t timeout_start_us; /* UINT64_MAX: infinity */
};

/* What systemd does not say is 0 or empty. */
bool systemd_look(struct systemd *systemd, const char *name, struct systemd_unit *ret,
    struct err *err) MUST_USE;

static inline bool
systemd_is_idle(const struct systemd_unit *unit)
{
	return strcmp(unit->active_state, "inactive") == 0 ||
	    strcmp(unit->active_state, "failed") == 0;
}

/* How a start ended, or what is known of it so far. */
struct systemd_end {
	bool is_over;		  /* no job of ours is left */
	char job[32];		  /* JobRemoved's result: done, failed, canceled and others */
	struct systemd_unit unit; /* result and invocation of this start; "": nothing was run */
};

/* Orders the start of what was looked at before.  Returns 0, or an errno value: nothing runs.
 * Where systemd does not answer that is not known: then this ends the process. */
int systemd_start(struct systemd *systemd, const char *name, const struct systemd_unit *before,
    struct err *err) MUST_USE;
/* Orders its whole control group to end, in the place of a start that goes on. */
bool systemd_stop(struct systemd *systemd, const char *name, struct err *err) MUST_USE;

const struct systemd_end *systemd_end(const struct systemd *systemd);

/* Does polkit answer?  Whatever is not root's is ordered by its leave. */
bool systemd_check_polkit(struct systemd *systemd, struct err *err) MUST_USE;

/* For poll(2), POLLIN; then does what has come.  False: the bus is gone.  *wait_ms becomes 0 where
 * a call has read it already, *reloaded true where systemd has read units anew. */
int systemd_fd(const struct systemd *systemd, int *wait_ms);
bool systemd_process(struct systemd *systemd, bool *reloaded, struct err *err) MUST_USE;
