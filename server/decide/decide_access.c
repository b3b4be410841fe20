/* decide_access.c - access that ends is announced, and reported each month.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_access.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat/chat_text.h"
#include "decide/decide_reply.h"
#include "lib/zone.h"
#include "policy/policy_report.h"
#include "store/row_dedupe.h"
#include "store/row_effect.h"
#include "store/row_grant_use.h"

#define HOUR_MS (3600 * INT64_C(1000))
#define DAY_MS	(24 * HOUR_MS)
#define WEEK_MS (7 * DAY_MS)
#define PAGE	3500 /* bytes of the report in one message */
#define PAGES	20

/* What was said once is noted like what came from outside once. */
#define SOURCE "access"

static bool
has_own_roles(const struct roles *roles)
{
	for (size_t i = 0; i < roles->count; i++)
		if (!roles->role[i].is_built_in)
			return true;
	return false;
}

/* To one person, in private. */
static void
send_to(struct tx *tx, int64_t person, bool is_silent, struct chat_text *text)
{
	(void)decide_send_as(
	    tx, &(struct message){ .address = { .chat = person }, .is_silent = is_silent }, text);
}

/* --- what ends --- */

struct ending {
	const struct role_member *member;
	const struct role *role;
	bool is_last_day;
	char when[64]; /* "in 6 days, with 2027-01-31 (UTC)" */
};

/* False: it was said. */
static bool
note(struct tx *tx, const struct ending *ending, int days)
{
	char key[128];

	(void)snprintf(key, sizeof(key), "%" PRId64 "/%s:%s/%" PRId64 "/%d", ending->member->person,
	    ending->role->application, ending->role->name, ending->member->until, days);
	return row_dedupe_add(tx, SOURCE, key, NULL);
}

static void
tell_person(struct tx *tx, const struct ending *ending)
{
	struct chat_text text;
	struct buf grants;

	buf_init(&grants, 4096);
	policy_report_grants(tx->settings->roles, ending->role, &grants);
	chat_text_init(&text);
	chat_text_add(&text,
	    "⏳ Your role " MARK_BOLD "%s" MARK_BOLD
	    " ends %s.\nUntil then you may: %s. An admin can prolong it.",
	    ending->role->name, ending->when, buf_text(&grants));
	send_to(tx, ending->member->person, !ending->is_last_day, &text);
	buf_done(&grants);
}

/* The settings that hold its last day. */
static void
add_where_it_ends(struct chat_text *text, const struct role *role)
{
	int stem = (int)(strlen(role->setting) - strlen("MAY"));

	if (role->is_built_in)
		chat_text_add(text, "the date in " MARK_CODE "%s" MARK_CODE, role->setting);
	else
		chat_text_add(text,
		    MARK_CODE "%.*sUNTIL" MARK_CODE " or the date in " MARK_CODE
			      "%.*sIDS" MARK_CODE,
		    stem, role->setting, stem, role->setting);
	chat_text_add(text, "%s%s.", role->application[0] != '\0' ? " of " : "", role->application);
}

static void
tell_admins(struct tx *tx, const struct ending *ending)
{
	const struct settings_ids *admins = &tx->settings->admins;
	struct chat_text text;

	for (size_t i = 0; i < admins->count; i++) {
		chat_text_init(&text);
		chat_text_add(&text,
		    "⏳ Access ends %s: " MARK_CODE "telegram:%" PRId64 MARK_CODE
		    " has the role " MARK_BOLD "%s" MARK_BOLD ".\nTo prolong it change ",
		    ending->when, ending->member->person, ending->role->name);
		add_where_it_ends(&text, ending->role);
		send_to(tx, admins->id[i], !ending->is_last_day, &text);
	}
}

/* Where the week's notice was missed, the day's stands for both. */
static void
look_at(struct tx *tx, const struct role_member *member)
{
	struct ending ending = { .member = member,
		.role = &tx->settings->roles->role[member->role],
		.is_last_day = member->until - tx->at <= DAY_MS };
	int64_t days = (member->until - tx->at + DAY_MS - 1) / DAY_MS;
	char date[ZONE_DATE];
	bool is_new;

	if (member->until == 0 || tx->at >= member->until || member->until - tx->at > WEEK_MS)
		return;
	is_new = note(tx, &ending, 7);
	if (ending.is_last_day)
		is_new = note(tx, &ending, 1);
	if (!is_new)
		return;
	(void)zone_date_text(tx->settings->zone, member->until - 1, date);
	if (ending.is_last_day)
		(void)snprintf(ending.when, sizeof(ending.when), "within a day, with %s (%.30s)",
		    date, settings_text(tx->settings, SETTING_TIMEZONE));
	else
		(void)snprintf(ending.when, sizeof(ending.when), "in %d days, with %s (%.30s)",
		    (int)days, date, settings_text(tx->settings, SETTING_TIMEZONE));
	tell_person(tx, &ending);
	tell_admins(tx, &ending);
}

/* --- each month --- */

/* Whole lines, as many as fit; one that is longer than a page is cut. */
static size_t
page_length(const char *lines)
{
	size_t n = strnlen(lines, PAGE);

	if (lines[n] == '\0')
		return n;
	for (size_t end = n; end > 0; end--)
		if (lines[end - 1] == '\n')
			return end;
	return n;
}

static void
send_report(struct tx *tx, int64_t admin, const char *lines)
{
	struct chat_text text;

	for (int page = 1; *lines != '\0' && page <= PAGES; page++) {
		size_t n = page_length(lines);

		chat_text_init(&text);
		chat_text_add(&text,
		    page == 1 ? "🔑 " MARK_BOLD "Who may what" MARK_BOLD ", this month's report:\n" :
				"🔑 " MARK_BOLD "Who may what" MARK_BOLD ", page %d:\n",
		    page);
		chat_text_add(&text, "%.*s", (int)n, lines);
		lines += n;
		if (page == PAGES && *lines != '\0')
			chat_text_add(
			    &text, "… all of it: " MARK_CODE "deploybot policy report" MARK_CODE);
		send_to(tx, admin, true, &text);
	}
}

static void
report(struct tx *tx)
{
	size_t count = 0;
	struct grant_use *uses = row_grant_use_list(tx, &count);
	struct buf out;

	if (uses == NULL)
		return;
	buf_init(&out, 64 * 1024);
	policy_report(tx->settings, uses, count, tx->at, &out);
	for (size_t i = 0; i < tx->settings->admins.count; i++)
		send_report(tx, tx->settings->admins.id[i], buf_text(&out));
	buf_done(&out);
	free(uses);
}

/* Is it the first look in this month?  The first of all is no reason to report. */
static bool
has_month_begun(struct tx *tx)
{
	struct zone_time now = zone_local(tx->settings->zone, tx->at);
	int month = now.year * 12 + now.month - 1;
	char key[32];

	(void)snprintf(key, sizeof(key), "report/%04d-%02d", month / 12, month % 12 + 1);
	if (!row_dedupe_add(tx, SOURCE, key, NULL))
		return false;
	month--;
	(void)snprintf(key, sizeof(key), "report/%04d-%02d", month / 12, month % 12 + 1);
	return !row_dedupe_add(tx, SOURCE, key, NULL);
}

void
decide_access(struct tx *tx)
{
	const struct roles *roles = tx->settings->roles;

	if (!has_own_roles(roles))
		return;
	for (size_t i = 0; i < roles->member_count; i++)
		look_at(tx, &roles->member[i]);
	if (has_month_begun(tx))
		report(tx);
	if (row_effect_count_timers(tx, TIMER_ACCESS) == 0)
		(void)row_effect_timer(tx, TIMER_ACCESS, "", 0, tx->at + HOUR_MS);
}
