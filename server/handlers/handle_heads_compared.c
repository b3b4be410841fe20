/* handle_heads_compared.c - the audit's end was cut off: an entry, and the admins are told, once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "chat/chat_text.h"
#include "decide/audit/decide_audit_line.h"
#include "decide/decide_reply.h"
#include "handlers/handlers.h"
#include "lib/text.h"
#include "store/row_dedupe.h"

#define SOURCE "audit"

/* Each start finds them again, for as long as the rows that name them are kept. */
static bool
is_news(struct tx *tx, const struct heads_compared *compared)
{
	bool is_news = false;

	for (size_t i = 0; i < compared->n; i++)
		is_news |= row_dedupe_add(tx, SOURCE, compared->key[i], NULL);
	return is_news;
}

/* The row names the entry that records it: cut off as well, that is seen. */
static void
tell(struct tx *tx, int64_t admin, const struct heads_compared *compared)
{
	struct message as = { .address = { .chat = admin } };
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_text_add(&text,
	    "🔥 Audit log cut off: entries at its end are missing, in the database and in the file. deploybot runs on.");
	chat_text_outside(&text, "\n", compared->newest);
	chat_text_add(&text,
	    ".\nOn the server " MARK_CODE "deploybot audit verify" MARK_CODE " names all %" PRId64
	    ". Find out who could write there, and compare the log with its witness or a backup before you trust it again.",
	    compared->missing);
	decide_audit_line_note(tx, decide_send_as(tx, &as, &text));
}

void
handle_heads_compared(struct tx *tx, const struct event *event)
{
	const struct heads_compared *compared = &event->u.heads_compared;
	char missing[24];
	const char *const facts[] = { "missing", missing, "newest", compared->newest, NULL };

	if (!is_news(tx, compared))
		return;
	text_setf(missing, "%" PRId64, compared->missing);
	decide_audit(tx, AUDIT_CODE_ENTRIES_MISSING, "system", NULL, "failed", facts);
	for (size_t i = 0; i < tx->settings->admins.count; i++)
		tell(tx, tx->settings->admins.id[i], compared);
}
