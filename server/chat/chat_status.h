/* chat_status.h - what /status says.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "deployment/deployment.h"
#include "policy/hold.h"
#include "types/host.h"
#include "types/peers.h"
#include "types/probe.h"

#define CHAT_STATUS_BLOCKS  3 /* listed; beyond it a count */
#define CHAT_STATUS_REVIEWS 3

struct chat_status {
	const struct environment *environment;
	const struct deployment *released; /* the one that brought the current release */
	const struct deployment *active;   /* NULL: none */
	const struct chat_paused *paused;  /* the active one is; else NULL */
	const struct deployment *pipeline; /* a run at a forge beside it; NULL: none */
	const struct deployment *queued;   /* NULL: none, but questions */
	const struct deployment *asked;	   /* the oldest open question; NULL: none */
	const struct deployment *tried;	   /* of its branch's head, which failed; or NULL */
	bool is_left;			   /* no settings have it any more */
	const char *becomes;		   /* is_left: its new name there; NULL: it was removed */
	const char *step;		   /* the active one's latest; "" none */
	struct runner_gone gone; /* the active one's runner, or without one its own */
	const struct block *blocks;	   /* the newest */
	size_t n_blocks;
	int64_t n_all_blocks;
	const struct last_gate *gate;	  /* of a pipeline, the newest that ended well */
	const struct holds *holds;	  /* its locks and freezes */
	const struct deployment *reviews; /* emergencies that nobody has reviewed: the oldest */
	size_t n_reviews;
	bool is_not_looked_at;		 /* health URLs are set, and none of them is being probed */
	const char *branch;		 /* of its settings; NULL: none */
	const struct deployment *unseen; /* how that ended nobody has seen; NULL: none */
	size_t n_urls;			 /* health URLs that are set */
	const struct probe_target *targets;    /* they: n_urls */
	const struct probe_finding *findings;  /* n_urls of them; NULL: being probed */
	const struct migration_behind *behind; /* begun behind the release that is live */
	const char *host;		       /* this machine's name */
	enum commit_source draining_source;
	const char *draining;	/* the commit of what drains there, which may be "" */
	int64_t draining_since; /* wall ms; 0: nothing does */
	const struct left_host *left; /* hosts that a rollback has left out */
	size_t n_left;
	struct host_mix hosts; /* said where they do not all run the same */
	struct chat_clock clock;
	int64_t at;
};

/* Adds that what runs in it is not known, why, and which machine says so.  Nothing where it is. */
void chat_unknown(
    struct chat_text *text, const struct environment *environment, const char *host, int64_t at);

/* The same as a message of its own, with what to do, and RUNBOOK_URL (NULL: none). */
void chat_unknown_alarm(struct chat_text *text, const struct environment *environment,
    const char *host, const char *runbook, int64_t at);

/* Adds a line for each host that a rollback has left out, and when.  at 0: not when. */
void chat_left_hosts(struct chat_text *text, const struct left_host *left, size_t n, int64_t at);

/* Adds why the settings do not have what is in progress. */
void chat_left(struct chat_text *text, const char *becomes);

/* Adds "rolled back by @ada, 5 min ago (to release 2, 1a2b3c4)", or of what was not rolled back
 * "its deployment failed, 5 min ago (script failed: exit 1)". */
void chat_block(struct chat_text *text, const struct block *block, int64_t at);

/* Adds what the signs in front of environments mean, a line for each. */
void chat_status_legend(struct chat_text *text);

/* Down, unknown or unhealthy: a phone shows what stands first, so this does. */
bool chat_status_is_trouble(const struct chat_status *status);

/* Adds what a message says that stands for days: nothing in it grows old by itself. */
void chat_status_short(struct chat_text *text, const struct chat_status *status);

/* Adds a paragraph about one environment; a line, where many stand in one message. */
void chat_status(struct chat_text *text, const struct chat_status *status);
void chat_status_line(struct chat_text *text, const struct chat_status *status);
