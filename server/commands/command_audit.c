/* command_audit.c - /audit [environment] [n]: the newest entries of the audit log.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "chat/chat_text.h"
#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/view/decide_view_lists.h"
#include "lib/text.h"
#include "store/row_audit.h"

#define USUAL 10
#define MOST  30
#define PAGE  50
#define PAGES 10 /* of all environments no more are looked at: 500 entries */

/* "deploy_not_done" as people read it. */
static void
add_words(struct chat_text *text, const char *code)
{
	for (; *code != '\0'; code++)
		chat_text_add(text, "%c", *code == '_' ? ' ' : *code);
}

static void
add_entry(struct tx *tx, struct chat_text *text, const struct audit_shown *entry, bool is_of_all)
{
	struct chat_clock clock = decide_clock(tx, entry->environment);

	chat_text_add(text, "\n");
	if (is_of_all)
		chat_text_add(text, MARK_BOLD "%s" MARK_BOLD " · ",
		    entry->environment[0] != '\0' ? entry->environment : "deploybot");
	add_words(text, entry->code);
	chat_text_outside(text, ": ", entry->outcome);
	chat_text_some(text, " · ", entry->name);
	chat_text_outside(text, entry->name[0] != '\0' ? ", " : " · ", entry->user);
	chat_text_since(text, " · ", &clock, entry->at, tx->at);
	chat_text_add(text, " · entry %" PRId64, entry->seq);
}

/* One of those that were asked for; all: none was named. */
static bool
is_meant(const struct decide_scope *scope, bool is_named, const char *environment)
{
	for (size_t i = 0; is_named && i < scope->n; i++)
		if (strcmp(scope->at[i]->name, environment) == 0)
			return true;
	return !is_named;
}

/* Of all that they may see; returns how many, and *ret_newest is the first of them. */
static size_t
add_all(struct tx *tx, struct chat_text *text, const struct decide_scope *scope, bool is_named,
    size_t most, int64_t *ret_newest)
{
	struct audit_shown page[PAGE];
	int64_t before = 0;
	size_t shown = 0;

	for (int i = 0; i < PAGES && shown < most; i++) {
		size_t n = row_audit_list_newest(tx, "", before, page, PAGE);

		for (size_t j = 0; j < n && shown < most; j++) {
			if (!is_meant(scope, is_named, page[j].environment) ||
			    !decide_view_audit_sees(tx, scope->person, page[j].environment))
				continue;
			add_entry(tx, text, &page[j], true);
			if (shown++ == 0)
				*ret_newest = page[j].seq;
		}
		if (n < PAGE)
			break;
		before = page[n - 1].seq;
	}
	return shown;
}

static size_t
add_one(struct tx *tx, struct chat_text *text, const char *environment, size_t most,
    int64_t *ret_newest)
{
	struct audit_shown entries[MOST];
	size_t n = row_audit_list_newest(tx, environment, 0, entries, most);

	for (size_t i = 0; i < n; i++)
		add_entry(tx, text, &entries[i], false);
	if (n > 0)
		*ret_newest = entries[0].seq;
	return n;
}

/* What `deploybot audit verify` finds, and with it all before. */
static void
add_digits(struct tx *tx, struct chat_text *text, int64_t seq)
{
	char head[LIMIT_AUDIT_HEAD];

	row_audit_head_of(tx, seq, head);
	chat_text_add(text, "\n" MARK_ITALIC "entry %" PRId64 ": audit %s" MARK_ITALIC, seq, head);
}

/* /audit 5 names no environment. */
static bool
read_number(struct tx *tx, const struct update *update, struct request *request, int64_t *ret)
{
	char typed[LIMIT_REF];

	(void)request_get(request, "n", typed);
	if (typed[0] == '\0' && request->target[0] != '\0' &&
	    strspn(request->target, "0123456789") == strlen(request->target)) {
		text_set(typed, request->target);
		request->target[0] = '\0';
	}
	*ret = USUAL;
	if (typed[0] == '\0' || text_to_i64(typed, 1, MOST, ret, NULL))
		return true;
	decide_answer_no(tx, update);
	(void)decide_sendf(
	    tx, &update->address, "⛔ /audit: how many entries? A number from 1 to %d.", MOST);
	return false;
}

/* In a group others would read it, who may not. */
static bool
is_private(struct tx *tx, const struct update *update)
{
	if (update->is_private || decide_is_answered(update))
		return true;
	decide_answer_no(tx, update);
	(void)decide_sendf(tx, &update->address,
	    "⛔ /audit: the audit log is shown in private: write " MARK_CODE "/audit" MARK_CODE
	    " to me there.");
	return false;
}

void
command_audit(struct tx *tx, const struct update *update, const struct request *request)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	struct request wanted = *request;
	struct chat_text text = CHAT_TEXT_EMPTY;
	int64_t n, newest = 0;
	size_t shown;

	if (!read_number(tx, update, &wanted, &n) ||
	    !decide_scope(tx, update, POLICY_AUDIT, &wanted, &scope) || !is_private(tx, update))
		return;
	if (wanted.target[0] != '\0' && scope.n == 1) {
		chat_first(&text, FIRST_AUDIT_LOG, scope.at[0]->name);
		shown = add_one(tx, &text, scope.at[0]->name, (size_t)n, &newest);
	} else {
		chat_text_add(&text, MARK_BOLD "Audit log" MARK_BOLD ", the newest first");
		shown = add_all(tx, &text, &scope, wanted.target[0] != '\0', (size_t)n, &newest);
	}
	if (shown == 0)
		chat_text_add(&text, "\nnothing that is there for you");
	else
		add_digits(tx, &text, newest);
	(void)decide_send(tx, &update->address, &text);
}
