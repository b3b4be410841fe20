/* redact_ledger.c - 64 entries at most, over which all sums are made anew.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/redact_ledger.h"

#include "lib/err.h"

struct redact_entry *
redact_ledger_find(
    struct redact_ledger *ledger, const struct redact_needle *value, const struct share_by *by)
{
	for (size_t i = 0; i < ledger->count; i++) {
		struct redact_entry *entry = &ledger->entries[i];

		if (entry->value == value && share_counts(SHARE_OF_ONE, &entry->by, by))
			return entry;
	}
	return NULL;
}

static bool
fits(const struct redact_ledger *ledger, const struct redact_entry *more, enum share share)
{
	size_t places = 1, bytes = more->bytes, needles = more->needles;

	for (size_t i = 0; i < ledger->count; i++) {
		const struct redact_entry *entry = &ledger->entries[i];

		if (!share_counts(share, &entry->by, &more->by))
			continue;
		places++;
		bytes += entry->bytes;
		needles += entry->needles;
	}
	return places <= REDACT_LENT_MAX / share && bytes <= REDACT_LENT_BYTES / share &&
	    needles <= REDACT_LENT_NEEDLES / share;
}

bool
redact_ledger_check(
    const struct redact_ledger *ledger, const struct redact_entry *more, struct err *err)
{
	if (!fits(ledger, more, SHARE_OF_ALL))
		return err_set(err, ERR_BUSY, "too much that was lent is kept out of logs");
	if (!fits(ledger, more, SHARE_OF_ONE))
		return err_set(
		    err, ERR_BUSY, "too much that was lent to the same one is kept out of logs");
	return fits(ledger, more, SHARE_OF_GROUP) ||
	    err_set(err, ERR_BUSY,
		"too much that was lent to the same application is kept out of logs");
}

void
redact_ledger_put(struct redact_ledger *ledger, const struct redact_entry *entry)
{
	struct redact_entry *own = redact_ledger_find(ledger, entry->value, &entry->by);

	if (own == NULL) {
		assert(ledger->count < REDACT_LENT_MAX); /* it has room */
		ledger->entries[ledger->count++] = *entry;
	} else if (own->until < entry->until) {
		own->until = entry->until;
	}
}

int64_t
redact_ledger_forget(struct redact_ledger *ledger, int64_t now)
{
	int64_t next = 0;
	size_t kept = 0;

	for (size_t i = 0; i < ledger->count; i++) {
		const struct redact_entry entry = ledger->entries[i];

		if (entry.until <= now)
			continue;
		next = next == 0 || entry.until < next ? entry.until : next;
		ledger->entries[kept++] = entry;
	}
	ledger->count = kept;
	return next;
}
