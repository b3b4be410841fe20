/* run_source.h - a run's log, wherever it is.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * One of here is read at once.  One of a remote runner's is asked for piece by piece; where it is
 * disconnected, or says nothing for RUN_SOURCE_WAIT_MS, that is said in the place of the log.
 */
#pragma once

#include "lib/base.h"

struct agents;
struct buf;
struct loop;
struct redact;
struct run_log_job;
struct run_source;

#define RUN_SOURCE_WAIT_MS 5000

/* agents: NULL, all runs are of here.  Copies the text, borrows the rest. */
struct run_source *run_source_new(struct loop *loop, struct agents *agents,
    const char *state_directory, struct redact *redact) MUST_USE;

/* Whoever waits is called back: the server stops.  Takes NULL. */
void run_source_free(struct run_source *source);

struct run_source_order {
	const char *runner; /* who has it, as its row says; "": the local one */
	int64_t run;
	int64_t offset; /* of a piece */
	bool is_ended;	/* of a piece */
	const char *head; /* of a document: run_log.h; lives until it is called back */
	void *ctx;
};

/* Is the log of that runner's runs read here, without asking anybody? */
bool run_source_is_here(const struct run_source *source, const char *runner) MUST_USE;

/* Calls back once, perhaps at once: what run_piece_read() shows of it, which is borrowed, and where
 * the next piece begins; or failure says why there is nothing. */
typedef void run_source_piece_fn(
    void *ctx, const struct buf *text, int64_t next, const char *failure);
void run_source_piece(struct run_source *source, const struct run_source_order *order,
    run_source_piece_fn *on_piece);

/* The same of a document of it, which is the caller's: NULL and why, or (NULL) the server stops.
 * What of a log elsewhere a document shows is copied before, into a file without a name. */
typedef void run_source_document_fn(void *ctx, struct run_log_job *job, const char *failure);
void run_source_document(struct run_source *source, const struct run_source_order *order,
    run_source_document_fn *on_document);
