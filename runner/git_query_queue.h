/* git_query_queue.h - git queries of any server, side by side: the mirror's lock orders them.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/connections.h"
#include "runner/program.h"

struct git_query_waiting {
	uint64_t connection; /* who asks */
	struct protocol_message *query;
};

/* One that is being asked. */
struct git_query_slot {
	uint64_t connection; /* who asks */
	uint64_t id;   /* its number there; 0: a free slot */
	bool is_unpack; /* one at a time: each may take 256 MB */
	pid_t pid;     /* 0: reaped already */
	int fd;	       /* where its answer comes from; -1: none */
};

/* As many as a server may have asked: one whose fetch is slow holds up no other. */
#define GIT_QUERY_SLOTS PROTOCOL_GIT_QUERIES_MAX

struct git_query_queue {
	struct git_query_waiting waiting[PROTOCOL_GIT_QUERIES_MAX]; /* oldest first */
	size_t count;
	struct git_query_slot slots[GIT_QUERY_SLOTS];
};

/* None is asked and none waits. */
void git_query_queue_init(struct git_query_queue *queue);

/* It is queued, or there are too many and that is its answer. */
void git_query_queue_add(struct git_query_queue *queue, struct connections *connections,
    uint64_t connection, const struct protocol_message *query);

/* None is being asked, and none waits. */
bool git_query_queue_is_idle(const struct git_query_queue *queue);

/* A slot is free, and one waits; then the next may begin. */
bool git_query_queue_has_next(const struct git_query_queue *queue);
void git_query_queue_next(struct git_query_queue *queue, struct connections *connections,
    const struct program_dirs *dirs);

/* When slot->fd can be read: hands progress or the answer to who asked, if he is still there. */
void git_query_queue_read(struct git_query_slot *slot, struct connections *connections);

/* Nobody waits for what this one asked: what is being asked ends, and with it all that it has
 * started. */
void git_query_queue_forget(struct git_query_queue *queue, uint64_t connection);

/* This child was waited for by somebody else. */
void git_query_queue_reaped(struct git_query_queue *queue, pid_t pid);

/* Answers a question that was not asked: status, and a sentence. */
void git_query_queue_refuse(struct connections *connections, uint64_t connection, uint64_t id,
    int status, const char *text);
