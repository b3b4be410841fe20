/* runner_link_inside.h - what the files runner_link*.c share.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#ifndef RUNNER_LINK_INSIDE_H
#define RUNNER_LINK_INSIDE_H

#include <sys/types.h>

#include "runs/runner_link.h"

/* How a socket to a runner is had, and what becomes of one that is of no use: the only difference
 * between a runner of ours and one that is a service of its own. */
struct runner_link_way {
	int64_t again_most_ms; /* between two tries */
	bool is_final;	       /* one of another version stays so */
	/* Fills link->fd. */
	bool (*get)(struct runner_link *link, struct err *err);
	/* It closed, or said what cannot be understood: link->fd is closed.  Sooner or later
	 * runner_link_lost(). */
	void (*on_useless)(struct runner_link *link, const char *why);
	/* It gives no sign of life. */
	void (*on_silent)(struct runner_link *link, const char *why);
	/* Another try is due; true: not yet, the last one is not over. */
	bool (*is_busy)(struct runner_link *link);
	void (*done)(struct runner_link *link);
};

extern const struct runner_link_way runner_link_spawn;	 /* a child of ours */
extern const struct runner_link_way runner_link_connect; /* a service */

struct runner_link {
	unsigned magic;
	struct loop *loop;
	struct runner_link_config config;
	const struct runner_link_way *way;
	char *socket; /* of a service; NULL: a child */
	int fd;	      /* -1: there is none */
	bool is_ready;
	bool said_hello; /* this one, ever */
	bool is_fatal;
	bool has_unsent; /* PACKET_LATER was given */
	int64_t started_ms;
	int64_t again_ms;
	int64_t away_since_ms; /* 0: it is there */
	char why_away[200];    /* as it was logged; "": nothing was */
	struct loop_io io;
	struct loop_timer again;
	struct loop_timer beat;
	unsigned beats; /* asked for since it said anything */
	/* of a child */
	char *path;
	char *state_directory;
	char *env_file;
	char **environment; /* what it gets of ours */
	pid_t pid;
	int pidfd;
	struct loop_io end; /* of the process */
};

#define RUNNER_LINK_MAGIC 0x52756e4cu

/* --- runner_link.c --- */

/* What stands in the socket still. */
void runner_link_hear(struct runner_link *link);
void runner_link_close(struct runner_link *link);
/* Said once: it will never work. */
void runner_link_fatal(struct runner_link *link, const char *text);
/* There is none any more: whoever waits is told, and another is had after a while. */
void runner_link_lost(struct runner_link *link, const char *why);

/* --- runner_link_spawn.c --- */

bool runner_link_spawn_init(
    struct runner_link *link, const struct runner_link_config *config, struct err *err) MUST_USE;

#endif
