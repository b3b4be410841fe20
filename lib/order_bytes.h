/* order_bytes.h - the bytes of an order to an agent or a remote runner that are signed.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * A version byte, 1, then seven fields, each as a u32 of its length (big-endian) and its bytes, in
 * the order of the struct; numbers are decimal text.  No two orders have the same bytes, and an
 * order to run is none to go.  deadline_s is not signed: who can change it can also stop a run.
 */
#pragma once

#include "lib/base.h"

#define ORDER_BYTES_MAX 512

struct order_bytes {
	const char *kind;	/* "run" or "go", as its first line; in crypto_renewal.h "renew" */
	const char *agent;	/* name of the agent or runner, as its certificate has it */
	const char *capability; /* of an agent: the action's name; of a runner: protocol_work() */
	uint64_t run;
	uint64_t epoch;
	const char *manifest;  /* 64 hex digits; of a runner the order's fingerprint, or "" */
	const char *challenge; /* 32 hex digits, which the receiver has drawn */
};

/* Returns their number; 0: they do not fit. */
MUST_USE size_t order_bytes_write(const struct order_bytes *order, uint8_t out[ORDER_BYTES_MAX]);
