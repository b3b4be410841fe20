/* http_budget.h - a number of bytes that claims share; a claim that does not fit waits.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/queue.h>

#include "lib/base.h"

struct http_budget {
	size_t max;
	size_t used;
	TAILQ_HEAD(, http_budget_claim) waiting;	/* the oldest first */
};

enum http_budget_state {
	HTTP_BUDGET_IDLE,
	HTTP_BUDGET_WAITING,
	HTTP_BUDGET_HELD,
};

/* Embedded in whoever claims; zeroed it is idle. */
struct http_budget_claim {
	TAILQ_ENTRY(http_budget_claim) in_line;	/* while it waits */
	size_t size;
	enum http_budget_state state;
};

void http_budget_init(struct http_budget *budget, size_t max);

/* True: held.  False: waits, behind those that wait already.  A small claim may pass a large
 * one that does not fit: else whoever declares much and sends nothing would stop everybody. */
bool http_budget_ask(struct http_budget *budget, struct http_budget_claim *claim, size_t size)
    MUST_USE;

/* Gives back what is held, or stops waiting.  Harmless on an idle claim. */
void http_budget_release(struct http_budget *budget, struct http_budget_claim *claim);

/* The next waiting claim that fits by now, held from here on; NULL when there is none. */
struct http_budget_claim *http_budget_next(struct http_budget *budget);
