/* state_watch.h - twice a minute: the room on STATE_DIRECTORY's disk, the newest backup and check.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct loop;
struct state_watch;

#define STATE_WATCH_PERIOD_MS 30000

/* In STATE_DIRECTORY: their times of change are those of deploybot-check.service. */
#define STATE_CHECK_BEGUN  "check.begun"
#define STATE_CHECK_PASSED "check.passed"

struct state_facts {
	int64_t size, free;	 /* bytes of the disk; free: for us.  0: it cannot be asked */
	double free_share;	 /* of bytes or of inodes, whichever is less; as size */
	int64_t backup_at;	 /* seconds since 1970 of the newest backup; 0: there is none */
	/* Seconds since 1970 of the newest look at what a deployment needs; 0: there is none. */
	int64_t check_begun_at;
	int64_t check_passed_at; /* the same of the newest that found all of it there */
};

typedef void state_watch_fn(void *ctx, const struct state_facts *facts);

/* Looks at once, and then each period. */
struct state_watch *state_watch_start(
    struct loop *loop, const char *directory, state_watch_fn *on_seen, void *ctx) MUST_USE;
void state_watch_free(struct state_watch *watch); /* takes NULL */

/* What is free of bytes, in blocks, or of inodes, whichever is less: 0 to 1.  Of 0 inodes: the file
 * system makes them as it needs them. */
double state_watch_free_share(
    uint64_t blocks, uint64_t free_blocks, uint64_t inodes, uint64_t free_inodes);

/* What is the case there now. */
struct state_facts state_watch_look(const char *directory);
