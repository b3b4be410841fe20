/* decide_access.c - access that ends is announced, and reported each month.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_access.h"

#include <inttypes.h>
#include <stdlib.h>

#include "chat/chat_text.h"
#include "decide/decide_due.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_principal.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "policy/policy_report.h"
#include "store/row_dedupe.h"
#include "store/row_grant_use.h"

#define DAY_MS	(24 * 3600 * INT64_C(1000))
#define WEEK_MS (7 * DAY_MS)
#define PEOPLE	10 /* in the report of a month */
#define NAMED	5  /* in a message about what ends */

/* What was said once is noted like what came from outside once. */
#define SOURCE "access"

static bool
has_own_roles(const struct roles *roles)
{
	for (size_t i = 0; i < roles->count; i++)
		if (!roles->role[i].is_built_in && roles->role[i].of == PRINCIPAL_SYSTEM)
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

/* Members of one role whose access ends at one moment. */
struct ending {
	const struct role *role;
	bool is_last_day;
	char when[64]; /* "in 6 days, with 2027-01-31 (UTC)" */
	const struct role_member *const *member;
	size_t count;
};

/* False: it was said. */
static bool
note(struct tx *tx, const struct role_member *member, int days)
{
	const struct role *role = &tx->settings->roles->role[member->role];
	char key[128];

	text_setf(key, "%" PRId64 "/%s:%s/%" PRId64 "/%d", member->person, role->application,
	    role->name, member->until, days);
	return row_dedupe_add(tx, SOURCE, key, NULL);
}

static bool
is_last_day(const struct tx *tx, const struct role_member *member)
{
	return member->until - tx->at <= DAY_MS;
}

/* Where the week's notice was missed, the day's stands for both. */
static bool
is_due(struct tx *tx, const struct role_member *member)
{
	bool is_new;

	if (member->until == 0 || tx->at >= member->until || member->until - tx->at > WEEK_MS)
		return false;
	is_new = note(tx, member, 7);
	if (is_last_day(tx, member))
		is_new = note(tx, member, 1);
	return is_new;
}

static void
tell_people(struct tx *tx, const struct ending *ending)
{
	CLEANUP(buf_done) struct buf grants = buf_make(4096);

	policy_report_grants(tx->settings->roles, ending->role, &grants);
	for (size_t i = 0; i < ending->count; i++) {
		struct chat_text text = CHAT_TEXT_EMPTY;

		if (ending->member[i]->person < 0) /* a user of the machine has no chat */
			continue;
		chat_text_add(&text,
		    "⏳ Your role " MARK_BOLD "%s" MARK_BOLD
		    " ends %s.\nUntil then you may: %s. An admin can prolong it.",
		    ending->role->name, ending->when, buf_text(&grants));
		send_to(tx, ending->member[i]->person, !ending->is_last_day, &text);
	}
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

/* One message for all of them: "Access ends: telegram:50, telegram:60, … and 55 more, role …" */
static void
tell_admins(struct tx *tx, const struct ending *ending)
{
	const struct settings_ids *admins = &tx->settings->admins;
	char user[PRINCIPAL_TEXT];

	for (size_t i = 0; i < admins->count; i++) {
		struct chat_text text = CHAT_TEXT_EMPTY;

		chat_text_add(&text, "⏳ Access ends:");
		for (size_t m = 0; m < ending->count && m < NAMED; m++)
			chat_text_add(&text, "%s" MARK_CODE "%s" MARK_CODE, m == 0 ? " " : ", ",
			    decide_user(tx, ending->member[m]->person, user));
		if (ending->count > NAMED)
			chat_text_add(&text, " and %zu more", ending->count - NAMED);
		chat_text_add(&text,
		    ", role " MARK_BOLD "%s" MARK_BOLD ", %s.\nTo prolong it change ",
		    ending->role->name, ending->when);
		add_where_it_ends(&text, ending->role);
		send_to(tx, admins->id[i], !ending->is_last_day, &text);
	}
}

static void
tell(struct tx *tx, struct ending *ending)
{
	const struct role_member *first = ending->member[0];
	int64_t days = (first->until - tx->at + DAY_MS - 1) / DAY_MS;
	const char *zone = settings_text(tx->settings, SETTING_TIMEZONE);
	char date[ZONE_DATE];

	ending->role = &tx->settings->roles->role[first->role];
	ending->is_last_day = is_last_day(tx, first);
	(void)zone_date_text(tx->settings->zone, first->until - 1, date);
	if (ending->is_last_day)
		text_setf(ending->when, "within a day, with %s (%.30s)", date, zone);
	else
		text_setf(ending->when, "in %d days, with %s (%.30s)", (int)days, date, zone);
	tell_people(tx, ending);
	tell_admins(tx, ending);
}

static int
by_role(const void *a, const void *b)
{
	const struct role_member *one = *(const struct role_member *const *)a;
	const struct role_member *other = *(const struct role_member *const *)b;

	if (one->role != other->role)
		return one->role < other->role ? -1 : 1;
	if (one->until != other->until)
		return one->until < other->until ? -1 : 1;
	return one->person < other->person ? -1 : one->person > other->person;
}

static void
look(struct tx *tx, const struct roles *roles)
{
	CLEANUP(freep)
	const struct role_member **due = mem_new(roles->member_count + 1, sizeof(*due));
	size_t n = 0;

	for (size_t i = 0; i < roles->member_count; i++)
		if (is_due(tx, &roles->member[i]))
			due[n++] = &roles->member[i];
	qsort(due, n, sizeof(*due), by_role);
	for (size_t i = 0; i < n;) {
		struct ending ending = { .member = due + i };

		for (; i < n && due[i]->role == ending.member[0]->role &&
		     due[i]->until == ending.member[0]->until;
		     i++)
			ending.count++;
		tell(tx, &ending);
	}
}

/* --- each month --- */

static void
report(struct tx *tx)
{
	size_t count = 0, found;
	CLEANUP(freep) struct grant_use *uses = row_grant_use_list(tx, &count);
	CLEANUP(buf_done) struct buf out = buf_make((size_t)64 * 1024);

	if (uses == NULL)
		return;
	found = policy_report_brief(tx->settings, uses, count, tx->at, PEOPLE, &out);
	for (size_t i = 0; i < tx->settings->admins.count; i++) {
		struct chat_text text = CHAT_TEXT_EMPTY;

		chat_text_add(&text, "🔐 " MARK_BOLD "Access" MARK_BOLD ": ");
		if (found > 0)
			chat_text_add(&text, "%zu to look at", found);
		else
			chat_text_add(&text, "nothing to do");
		chat_text_add(&text,
		    ", month's report\n%sAll, on the server: " MARK_CODE
		    "deploybot policy report" MARK_CODE,
		    buf_text(&out));
		send_to(tx, tx->settings->admins.id[i], true, &text);
	}
}

/* Is it the first look in this month?  The first of all is no reason to report. */
static bool
has_month_begun(struct tx *tx)
{
	struct zone_time now = zone_local(tx->settings->zone, tx->at);
	int month = now.year * 12 + now.month - 1;
	char key[32];

	text_setf(key, "report/%04d-%02d", month / 12, month % 12 + 1);
	if (!row_dedupe_add(tx, SOURCE, key, NULL))
		return false;
	month--;
	text_setf(key, "report/%04d-%02d", month / 12, month % 12 + 1);
	return !row_dedupe_add(tx, SOURCE, key, NULL);
}

/* The next end of all, of who has a role or of the role itself; INT64_MAX: nothing ends. */
static int64_t
next_end(const struct tx *tx, const struct roles *roles)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < roles->member_count; i++)
		if (roles->member[i].until > tx->at && roles->member[i].until < next)
			next = roles->member[i].until;
	for (size_t i = 0; i < roles->count; i++)
		if (roles->role[i].until > tx->at && roles->role[i].until < next)
			next = roles->role[i].until;
	return next;
}

void
decide_access(struct tx *tx)
{
	const struct roles *roles = tx->settings->roles;
	int64_t next = next_end(tx, roles);

	decide_principal_note_ends(tx);
	if (!has_own_roles(roles) && next == INT64_MAX)
		return;
	look(tx, roles);
	if (has_month_begun(tx))
		report(tx);
	decide_due(tx, TIMER_ACCESS, next);
}
