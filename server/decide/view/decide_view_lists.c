/* decide_view_lists.c - what /v1 lists besides work: approvals, actions and the audit, as JSON.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/view/decide_view_lists.h"

#include <inttypes.h>

#include "decide/approval/decide_pending.h"
#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/view/decide_view.h"
#include "decide/who/decide_allowed.h"
#include "decide/work/decide_action.h"
#include "decide/work/decide_do.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "store/row_approval.h"
#include "store/row_audit.h"
#include "store/row_rate_limit.h"
#include "types/api.h"

#define REVIEWS 32
/* Each look at the audit may walk 20,000 rows. */
#define ASKED	       10 /* at once, of a person */
#define ASKED_EVERY_MS INT64_C(1000)
#define PAGE	       200 /* of the audit, at once */

/* What was asked about; "": all that they see. */
static const char *
target_of(const struct tx *tx)
{
	return tx->event->u.api->request.target;
}

/* --- approvals --- */

static void
put_pending(struct tx *tx, int64_t person, int64_t id, struct json_out *json)
{
	char touches[DECIDE_TOUCHES];
	struct deployment work;

	row_deployment_get(tx, id, &work);
	json_out_object(json);
	decide_view_facts(tx, person, &work, json);
	json_put_str(
	    json, "touches", decide_action_touches(tx, &work, touches)[0] != '\0' ? touches : NULL);
	json_put_str(json, "why_not", decide_pending_why_not(tx, &work, person));
	json_put_bool(json, "has_approved", row_approval_is_of(tx, id, person));
	json_out_end(json);
}

void
decide_view_pending(struct tx *tx, const struct decide_scope *scope, struct json_out *json)
{
	CLEANUP(freep) struct deployment *reviews = mem_new(REVIEWS, sizeof(*reviews));
	int64_t ids[DECIDE_PENDING_MAX];
	size_t n = decide_pending_list(tx, scope, target_of(tx)[0] == '\0', ids);

	json_put_time(json, "now", tx->at);
	json_put_open(json, "approvals", '[');
	for (size_t i = 0; i < n; i++)
		put_pending(tx, scope->person, ids[i], json);
	json_out_end(json);
	n = decide_pending_reviews(tx, scope, reviews, REVIEWS);
	json_put_open(json, "reviews", '[');
	for (size_t i = 0; i < n; i++) {
		json_out_object(json);
		decide_view_facts(tx, scope->person, &reviews[i], json);
		json_out_end(json);
	}
	json_out_end(json);
}

/* --- actions --- */

static void
put_action(struct json_out *json, const char *target, const struct action *action)
{
	static const char *const takes[] = { [ACTION_TAKES_WORD] = "job",
		[ACTION_TAKES_PLAYBOOK] = "playbook",
		[ACTION_TAKES_PIPELINE] = "pipeline",
		[ACTION_TAKES_SECRET] = "secret",
		[ACTION_TAKES_MINUTES] = "minutes",
		[ACTION_TAKES_LEVEL] = "level" };

	json_out_object(json);
	json_put_str(json, "target", target);
	json_put_str(json, "action", action->name);
	json_put_str(json, "takes", takes[action->argument]);
	json_put_bool(json, "is_asked_about", action->asks == ACTION_ASKS_ALWAYS);
	json_put_str(json, "help", action->help);
	json_out_end(json);
}

void
decide_view_actions(struct tx *tx, const struct decide_scope *scope, struct json_out *json)
{
	int64_t person = tx->event->u.api->from.person;
	const struct settings *s = tx->settings;
	const char *target = target_of(tx);

	json_put_time(json, "now", tx->at);
	json_put_open(json, "actions", '[');
	for (size_t i = 0; i < s->client_count; i++)
		for (size_t a = 0; a < ACTION_COUNT; a++)
			if ((target[0] == '\0' || strcmp(target, s->clients[i].as.name) == 0) &&
			    decide_do_allows(tx, person, &action_table[a], &s->clients[i]))
				put_action(json, s->clients[i].as.name, &action_table[a]);
	for (size_t i = 0; i < scope->n; i++)
		for (size_t a = 0; a < ACTION_COUNT; a++)
			if (decide_do_allows_there(
				tx, person, &action_table[a], scope->at[i]->name))
				put_action(json, scope->at[i]->name, &action_table[a]);
	json_out_end(json);
}

/* --- the audit --- */

bool
decide_view_audit_sees(struct tx *tx, int64_t person, const char *environment)
{
	if (environment[0] == '\0')
		return decide_is_allowed(tx, person, POLICY_ADMIN, POLICY_ALL);
	return decide_is_allowed(tx, person, POLICY_AUDIT, environment);
}

bool
decide_view_days(struct tx *tx, const struct request *request, int64_t *from, int64_t *until)
{
	struct zone_time first, last;

	if (!zone_date_parse(request_text(request, "from"), &first) ||
	    !zone_date_parse(request_text(request, "to"), &last)) {
		decide_refusef(tx, 400, "Expected two days, as 2026-07-01/2026-07-31.");
		return false;
	}
	*from = zone_moment(tx->settings->zone, &first);
	*until = zone_date_end(tx->settings->zone, &last);
	return true;
}

/* What is asked for: [from, to) in wall ms, and which code ("": each). */
struct span {
	int64_t person;
	int64_t from;
	int64_t to;
	char code[sizeof(((struct audit_shown *)NULL)->code)];
};

static bool
read_span(struct tx *tx, const struct api_request *api, struct span *ret)
{
	char code[LIMIT_REF];

	if (!decide_view_days(tx, &api->request, &ret->from, &ret->to))
		return false;
	ret->person = api->from.person;
	return text_copy(ret->code, sizeof(ret->code), request_get(&api->request, "code", code));
}

/* The last entry before that moment, by halves: numbers rise with the time. */
static int64_t
before(struct tx *tx, int64_t at)
{
	int64_t low = 0, high = row_audit_newest(tx, NULL);

	while (low < high) {
		int64_t half = low + (high - low + 1) / 2;

		if (row_audit_at(tx, half) < at)
			low = half;
		else
			high = half - 1;
	}
	return low;
}

static void
put_entry(struct json_out *json, const struct audit_shown *entry)
{
	json_out_object(json);
	json_put_i64(json, "entry", entry->seq);
	json_put_time(json, "at", entry->at);
	json_put_str(json, "code", entry->code);
	json_put_str(json, "user", entry->user);
	json_put_str(json, "name", entry->name[0] != '\0' ? entry->name : NULL);
	json_put_str(
	    json, "environment", entry->environment[0] != '\0' ? entry->environment : NULL);
	json_put_str(json, "outcome", entry->outcome);
	json_out_end(json);
}

/* Returns the number of the last that was looked at; 0: nothing of the span follows. */
static int64_t
put_entries(struct tx *tx, const struct span *span, int64_t after, struct json_out *json)
{
	CLEANUP(freep) struct audit_shown *page = mem_new(PAGE, sizeof(*page));
	size_t n, shown = 0;

	for (size_t looked = 0; looked < DECIDE_VIEW_LOOKS; looked += n) {
		n = row_audit_list_after(tx, after, page, PAGE);
		for (size_t i = 0; i < n && shown < DECIDE_VIEW_ENTRIES; i++) {
			const struct audit_shown *entry = &page[i];

			if (entry->at >= span->to)
				return 0;
			after = entry->seq;
			if (entry->at < span->from ||
			    (span->code[0] != '\0' && strcmp(entry->code, span->code) != 0) ||
			    !decide_view_audit_sees(tx, span->person, entry->environment))
				continue;
			put_entry(json, entry);
			shown++;
		}
		if (shown == DECIDE_VIEW_ENTRIES)
			return after;
		if (n < PAGE)
			return 0;
	}
	return after;
}

void
decide_view_audit(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	struct span span;
	int64_t next, first;

	if (!read_span(tx, api, &span) ||
	    (!decide_is_allowed_somewhere(tx, api->from.person, POLICY_AUDIT) &&
		(decide_is_too_fast(tx, &api->from, policy_action_word(POLICY_AUDIT), false) ||
		    !decide_may_somewhere(tx, &api->from, POLICY_AUDIT, ""))))
		return;
	if (!row_rate_limit_take(tx, ASKED, ASKED_EVERY_MS, "audit:%" PRId64, api->from.person)) {
		decide_refusef(tx, 429, "Too many looks at the audit: again in a second.");
		return;
	}
	first = before(tx, span.from);
	json_put_time(json, "now", tx->at);
	json_put_open(json, "entries", '[');
	next = put_entries(tx, &span, api->offset > first ? api->offset : first, json);
	json_out_end(json);
	if (next == 0)
		json_put_str(json, "next", NULL);
	else
		json_put_i64(json, "next", next);
}
