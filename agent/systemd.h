/* systemd.h - what the agent asks of systemd over D-Bus: look at a unit, start it, stop it.  Side: agent. */
/* SPDX-License-Identifier: ISC */
/*
 * org.freedesktop.systemd1 (man org.freedesktop.systemd1).  One job at a time.  The properties of a
 * unit that has ended may be gone with it, so its result is taken from PropertiesChanged, which
 * systemd sends before the JobRemoved of that job.
 */
#pragma once

#include <limits.h>

#include "lib/err.h"

#define SYSTEMD_INVOCATION 33 /* hex digits and NUL */
#define SYSTEMD_PATHS_MAX  33 /* the unit's file, and its drop-ins */

struct systemd;

/* Connects to the system bus and subscribes to the ends of jobs. */
struct systemd *systemd_open(struct err *err) MUST_USE;
void systemd_free(struct systemd *systemd);
DEFINE_FREEP(struct systemd, systemd_free)

struct systemd_unit {
	bool is_loaded;		    /* else there is none of that name, or it is broken */
	bool needs_reload;	    /* its files are not those that systemd has read */
	bool remains;		    /* RemainAfterExit= */
	bool is_idle;		    /* inactive or failed: it can be started */
	char type[16];		    /* Type= */
	char restart[16];	    /* Restart= */
	char kill_mode[16];	    /* KillMode= */
	uint64_t start_timeout_us;  /* UINT64_MAX: infinity */
	char invocation[SYSTEMD_INVOCATION]; /* of its last start; "": none is known */
	size_t path_count;
	char *paths[SYSTEMD_PATHS_MAX]; /* FragmentPath first, then DropInPaths */
};

/* Fills ret, which systemd_unit_done() frees, whatever is returned. */
bool systemd_look(struct systemd *systemd, const char *name, struct systemd_unit *ret,
    struct err *err) MUST_USE;
void systemd_unit_done(struct systemd_unit *unit);

/* How a start ended, or what is known of it so far. */
struct systemd_end {
	bool is_over;		/* no job of ours is left */
	char job[32];		/* JobRemoved's result: done, failed, canceled, timeout … */
	char invocation[SYSTEMD_INVOCATION]; /* of this start; "": systemd has run nothing */
	char result[32];	/* Result= of that invocation */
	int code;		/* ExecMainCode, as CLD_EXITED */
	int status;		/* ExecMainStatus */
};

/* Orders the start; *ret_errno says why systemd refuses it, 0: it is not known.  `look` is what the
 * unit was before. */
bool systemd_start(struct systemd *systemd, const char *name, const struct systemd_unit *look,
    int *ret_errno, struct err *err) MUST_USE;
/* Orders its whole control group to end, in the place of a start that goes on. */
bool systemd_stop(struct systemd *systemd, const char *name, struct err *err) MUST_USE;

const struct systemd_end *systemd_end(const struct systemd *systemd);

/* For poll(2), then what has come.  False: the bus is gone. */
int systemd_fd(const struct systemd *systemd, short *ret_events, int *ret_timeout_ms);
bool systemd_process(struct systemd *systemd, struct err *err) MUST_USE;
