/* route_watch.h - requests to /v1 that wait until there is something new.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * A request with `Prefer: wait=7` that finds nothing new is parked: it keeps its connection and
 * takes nothing else.  It is woken once: when its log has grown, when its work has changed, when
 * there is news that it wants, when its time is over, when others need its place, or when the
 * server stops.  What wakes it sooner than ROUTE_WATCH_PACE_MS is kept until then: a watcher gets
 * one answer a second at most.
 */
#pragma once

#include <sys/queue.h>

#include "routes/news_ring.h"
#include "types/limits.h"

struct loop;
struct run_source;
struct route_watch;

#define ROUTE_WATCH_WAIT_MS  7000 /* since it was asked: the HTTP server gives up at 8 s */
#define ROUTE_WATCH_PACE_MS  1000
#define ROUTE_WATCH_LOOK_MS  200  /* how often a log of here is looked at; elsewhere each second */
#define ROUTE_WATCH_OF_TOKEN 4
#define ROUTE_WATCH_OF_USER  2 /* of 4 connections to LOCAL_SOCKET: a cancel finds a place */

enum route_watch_why {
	ROUTE_WATCH_NEW,  /* there is something, or its work has changed */
	ROUTE_WATCH_TIME, /* nothing was new for all that time */
	ROUTE_WATCH_ROOM  /* its place is needed */
};

/* Owned by who waits, until it is woken. */
struct route_parked {
	LIST_ENTRY(route_parked) next;
	uint64_t who;
	bool is_network;  /* who is a token or a job; else a user of this machine */
	int64_t asked_at; /* monotonic ms */
	bool is_due;	  /* there is something new already */
	int64_t work;	  /* what happens to it wakes; 0: none */
	int64_t run;	  /* whose log is looked at; 0: none */
	int64_t offset;	  /* of that log */
	char runner[LIMIT_RUNNER];				  /* who has it */
	bool (*wants)(void *ctx, const struct news_entry *entry); /* NULL: none but of work */
	/* It is no longer parked, and may be freed there. */
	void (*on_wake)(void *ctx, enum route_watch_why why);
	void *ctx;
	int64_t looked_at;
};

/* source: of logs, borrowed; it is freed before this is. */
struct route_watch *route_watch_new(struct loop *loop, struct run_source *source) MUST_USE;
void route_watch_free(struct route_watch *watch); /* takes NULL; when nobody is parked */

/* False: it is to be answered at once, as if it did not want to wait. */
bool route_watch_park(struct route_watch *watch, struct route_parked *parked) MUST_USE;

/* Something was committed. */
void route_watch_news(struct route_watch *watch, const struct news *news);
const struct news_ring *route_watch_ring(const struct route_watch *watch);

/* Answers all that are parked, and parks nobody for a second; false: there was nobody. */
bool route_watch_make_room(struct route_watch *watch);

/* The same for good: the server stops.  Takes NULL. */
void route_watch_stop(struct route_watch *watch);
