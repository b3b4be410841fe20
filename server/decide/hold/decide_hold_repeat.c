/* decide_hold_repeat.c - locks and freezes that one person repeats: audit and copies.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/hold/decide_hold_repeat.h"

#include <inttypes.h>

#include "decide/decide_reply.h"
#include "lib/text.h"
#include "lib/when.h"
#include "store/row_chat.h"
#include "store/row_hold_repeat.h"

/* late: those that were counted; NULL: it is now.  The name is said by who begins it alone: whoever
 * ends it may have come another way. */
static void
write_entry(struct tx *tx, const struct hold *hold, enum audit_code code, int64_t person,
    const char *outcome, const struct hold_repeat *late)
{
	static const char *const outcomes[] = { "ended", "begun" };
	bool begins = code == AUDIT_CODE_LOCK_BEGUN || code == AUDIT_CODE_FREEZE_BEGUN;
	char until[WHEN_STAMP] = "", user[PRINCIPAL_TEXT], count[24] = "";
	char first[TEXT_TIME_SIZE] = "", last[TEXT_TIME_SIZE] = "";

	if (hold->until != 0)
		(void)when_stamp(
		    settings_clock(tx->settings, hold->target)->zone, hold->until, until);
	if (late != NULL) {
		text_setf(count, "%" PRId64, late->n);
		(void)text_time_ms(first, late->first_at);
		(void)text_time_ms(last, late->last_at);
	}
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = code,
		.user = person != 0 ? decide_user(tx, person, user) : "system",
		.environment = hold->target,
		.outcome = outcome != NULL ? outcome : outcomes[begins],
		.at_least = decide_severity(person),
		.principal = late != NULL && late->principal[0] != '\0' ? late->principal : NULL,
	    },
	    (const char *const[]){ "until", until, "reason", hold->reason,
		late != NULL			     ? "first_at" :
		    begins && person == hold->person ? "name" :
						       NULL,
		late != NULL ? first : hold->by, late != NULL ? "last_at" : NULL, last,
		late != NULL && late->n > 1 ? "count" : NULL, count, NULL });
}

void
decide_hold_audit(
    struct tx *tx, const struct hold *hold, bool begins, int64_t person, const char *outcome)
{
	struct hold_repeat repeat = { .person = person, .hold = *hold };
	enum audit_code code = hold->kind == HOLD_LOCK ?
	    (begins ? AUDIT_CODE_LOCK_BEGUN : AUDIT_CODE_LOCK_ENDED) :
	    (begins ? AUDIT_CODE_FREEZE_BEGUN : AUDIT_CODE_FREEZE_ENDED);

	text_set(repeat.action, audit_code_rows[code].code);
	row_audit_principal(tx, decide_user_here(tx, person), repeat.principal);
	if (person == 0 || !row_hold_repeat_count(tx, &repeat))
		write_entry(tx, hold, code, person, outcome, NULL);
}

void
decide_hold_unsent(struct tx *tx, int64_t chat, int64_t person, const char *name)
{
	struct hold_repeat repeat = { .person = person, .chat = chat };

	text_set(repeat.hold.by, name);
	(void)row_hold_repeat_count(tx, &repeat);
}

static void
send_unsent(struct tx *tx, const struct hold_repeat *repeat)
{
	const struct chat_address team = { .chat = row_chat_now(tx, repeat->chat) };
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_text_outside(&text, "🔒 ", repeat->hold.by);
	chat_text_add(&text,
	    ": %" PRId64 " more lock%s or freeze%s begun or ended, not said one by one. " MARK_CODE
	    "/status" MARK_CODE " shows what holds now.",
	    repeat->n, repeat->n == 1 ? "" : "s", repeat->n == 1 ? "" : "s");
	(void)decide_send(tx, &team, &text);
}

void
decide_hold_repeats_say(struct tx *tx)
{
	struct hold_repeat repeat;
	enum audit_code code;

	while (row_hold_repeat_take(tx, &repeat)) {
		if (repeat.n == 0)
			continue;
		if (repeat.chat != 0) {
			send_unsent(tx, &repeat);
			continue;
		}
		code = audit_code_of(repeat.action);
		assert(code != AUDIT_CODE_COUNT); /* decide_hold_audit() put it there */
		write_entry(tx, &repeat.hold, code, repeat.person, NULL, &repeat);
		(void)row_hold_repeat_count(tx, &repeat); /* none of the next minute is the first */
	}
}
