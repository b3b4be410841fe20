/* redact_ledger.h - who was lent how much of what redaction knows for a time.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Each is charged in full, whoever else knows the same: what one is lent takes up nobody else's
 * share, and nobody has something for nothing.  Takes no lock: redact.c does.
 */
#pragma once

#include "lib/redact_lent.h"
#include "lib/redact_value.h"

struct redact_entry {
	const struct redact_needle *value; /* known for as long as this */
	struct share_by by;
	int64_t until;
	size_t bytes, needles; /* its place is one */
};

struct redact_ledger {
	struct redact_entry entries[REDACT_LENT_MAX];
	size_t count;
};

/* Their own of that value, which may be put anew and needs no more room; NULL: there is none. */
MUST_USE struct redact_entry *redact_ledger_find(struct redact_ledger *ledger,
    const struct redact_needle *value, const struct share_by *by);

/* Has it room for one more?  False: ERR_BUSY. */
MUST_USE bool redact_ledger_check(
    const struct redact_ledger *ledger, const struct redact_entry *more, struct err *err);

/* What has room, or is there: then the longer time counts. */
void redact_ledger_put(struct redact_ledger *ledger, const struct redact_entry *entry);

/* Takes out those whose time is over by now.  Returns when the next one's is; 0: there is none. */
int64_t redact_ledger_forget(struct redact_ledger *ledger, int64_t now);
