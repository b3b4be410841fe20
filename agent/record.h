/* record.h - the last runs of the agent: what is known of each, at each moment.  Side: agent. */
/* SPDX-License-Identifier: ISC */
/*
 * One file of RECORDS_MAX slots, each a sector, which are there from the first start on: a full
 * disk refuses no record.  A slot says what is true if the agent dies now: gate=0; from the moment
 * before the start gate=1 lost=1; then how the run ended.
 */
#pragma once

#include "runner/protocol.h"

#define RECORDS_MAX 64

struct record {
	uint64_t id; /* 0: the slot is free */
	uint64_t epoch;
	char capability[PROTOCOL_CAPABILITY + 1];
	struct protocol_record end;
};

struct records {
	int fd;
	struct record all[RECORDS_MAX];
};

/* Opens STATE/records, which is made when missing.  A slot that can be read but for its end says
 * gate=1 lost=1; one of which not even the id can be read is refused. */
bool records_open(struct records *ret, const char *state, struct err *err) MUST_USE;

/* NULL: there is none of this run. */
struct record *records_find(struct records *records, uint64_t id);

uint64_t records_lowest(const struct records *records); /* of their ids; 0: there is none */
uint64_t records_epoch(const struct records *records); /* the highest */

/* A free slot, or that of the lowest id; filled and written by who takes it. */
struct record *records_slot(struct records *records);

/* Writes one of them and flushes it; *slot becomes it where the disk has it, and stays else. */
bool records_put(const struct records *records, struct record *slot, const struct record *now,
    struct err *err) MUST_USE;
