/* record.h - runs/ID of the agent: the record of a run, its log and its socket.  Side: agent. */
/* SPDX-License-Identifier: ISC */
/*
 * The record is one file of RECORD_BYTES, written in its place, so that a full disk cannot refuse a
 * later state of it.  From the first to the last moment it says what is true if the agent dies now:
 * gate=0; behind `go` gate=1 lost=1; then how the run ended.
 */
#pragma once

#include "runner/protocol.h"

#define RECORD_BYTES 512 /* a sector */
#define RECORDS_MAX  64

struct records {
	int root; /* runs/ */
	size_t count;
	uint64_t ids[RECORDS_MAX]; /* the lowest first */
};

/* Opens STATE/runs, which is made when missing; of more than RECORDS_MAX the lowest are removed. */
bool records_open(struct records *ret, const char *state, struct err *err) MUST_USE;

bool records_has(const struct records *records, uint64_t id);

/* Makes the folder of a run with a record that says gate=0, flushed; the oldest makes room.
 * Returns its descriptor; -1: nothing of it is left. */
int records_make(struct records *records, uint64_t id, const char *capability, struct err *err);

/* Removes what is left of a start that was refused. */
void records_drop(struct records *records, uint64_t id);

/* A descriptor of the folder, or -1. */
int records_folder(const struct records *records, uint64_t id);

/* Writes the record and flushes it. */
bool record_write(int folder, const char *capability, const struct protocol_record *record,
    struct err *err) MUST_USE;

/* What the record says; one that cannot be read says gate=1 lost=1, none says gate=0. */
void record_read(int folder, struct protocol_record *ret, char capability[PROTOCOL_CAPABILITY + 1]);

/* Appends to runs/ID/log, where there is room; open: a descriptor to append to, or -1. */
int record_log_open(int folder);
void record_log_line(int folder, const char *text);
