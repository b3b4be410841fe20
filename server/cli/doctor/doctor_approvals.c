/* doctor_approvals.c - approvals that nobody could give, and approvers to whom the bot may not write.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "cli/doctor/doctor.h"
#include "lib/clock.h"
#include "lib/text.h"
#include "policy/needs.h"
#include "store/row_chat.h"
#include "types/loan.h"

/* The worst case: one of those who may approve asks for it. */
static void
examine_number(struct doctor *doctor, const struct needs_work *work, const char *what, int needed)
{
	size_t n = needs_count_approvers(doctor->settings, work, clock_wall_ms());

	if (!doctor->settings->approve_self && n > 0)
		n--;
	if (needed > 0 && n < (size_t)needed)
		TELL(doctor, FILES, WARNING,
		    "%s: %s needs %d approval%s, and only %zu %s may give one when another of them asks: see the grant approve%s",
		    work->target, what, needed, needed == 1 ? "" : "s", n,
		    n == 1 ? "person" : "people",
		    work->is_action ? ":client/ID" : " and <ENV>_APPROVERS");
}

/* By the largest of what may apply. */
static int
most_approvals(const struct environment_settings *e)
{
	int most = e->approvals;

	for (size_t i = 0; e->approvals_if != NULL && i < e->approvals_if->n; i++)
		if (e->approvals_if->at[i].number > most)
			most = e->approvals_if->at[i].number;
	return most;
}

static void
examine_environment(struct doctor *doctor, const struct environment_settings *e)
{
	struct needs_work work = { .environment = e->name };

	(void)text_copy(work.target, sizeof(work.target), e->name);
	examine_number(doctor, &work, "a deployment", most_approvals(e));
	examine_number(doctor, &work, "a rollback", e->rollback_approvals);
}

static void
examine_client(struct doctor *doctor, const struct client_settings *client)
{
	struct needs_work work = { .environment = client->target, .is_action = true };

	(void)text_copy(work.target, sizeof(work.target), client->as.name);
	examine_number(doctor, &work, "an action", client->approvals);
}

static bool
is_for_a_job(const struct settings *s, const struct loan *loan)
{
	for (size_t i = 0; i < s->roles->count; i++)
		if (s->roles->role[i].of == PRINCIPAL_WORKFLOW &&
		    policy_decide_secret(s,
			(struct principal){ .kind = PRINCIPAL_WORKFLOW, .lent = i + 1 }, loan->name,
			loan->target, clock_wall_ms())
			    .verdict == POLICY_ALLOW)
			return true;
	return false;
}

/* Does a line of the settings grant it, beside the "*" of admins? */
static bool
is_granted(const struct roles *roles, const struct loan *loan)
{
	for (size_t i = 0; i < roles->count; i++) {
		const struct role *role = &roles->role[i];

		for (size_t n = 0; n < role->grant_count && !role->is_built_in; n++) {
			const struct grant *grant = &roles->grant[role->first_grant + n];
			bool is_named =
			    grant->only[0] == '\0' || strcmp(grant->only, loan->name) == 0;

			if (is_named && !grant->is_client &&
			    (grant->actions & POLICY_ACTION_BIT(POLICY_SECRET)) != 0)
				return true;
		}
	}
	return false;
}

static void
examine_loan(struct doctor *doctor, const struct loan *loan)
{
	struct needs_work work = { .environment = loan->target, .secret = loan->name };
	char what[LIMIT_LINE];

	(void)text_copy(work.target, sizeof(work.target), loan->target);
	(void)snprintf(what, sizeof(what), "the secret %.80s", loan->id);
	examine_number(doctor, &work, what, loan->approvals);
	if (!is_granted(doctor->settings->roles, loan))
		TELL(doctor, FILES, NOTE,
		    "%s: nobody but admins may ask for the secret %s: add secret.%s:%s to the WORKFLOW_<NAME>_MAY or ROLE_<NAME>_MAY of whom it is for",
		    loan->target, loan->id, loan->name, loan->target);
	if (loan->approvals == 0 && is_for_a_job(doctor->settings, loan) &&
	    policy_needs_factor(doctor->settings, POLICY_SECRET, loan->name, loan->target))
		TELL(doctor, FILES, ERROR,
		    "%s: no job is lent %s: REQUIRE_OTP asks a code for it, and nobody approves who could give one: set its SECRET_<NAME>_APPROVALS",
		    loan->target, loan->id);
}

void
doctor_approvals(struct doctor *doctor)
{
	struct loan loan;
	const struct settings *s = doctor->settings;

	for (size_t i = 0; i < s->environment_count; i++)
		examine_environment(doctor, &s->environments[i]);
	for (size_t i = 0; i < s->client_count; i++)
		examine_client(doctor, &s->clients[i]);
	for (size_t at = 0; loan_next(s, &at, &loan);)
		examine_loan(doctor, &loan);
}

/* Each once, wherever they may approve. */
static bool
is_asked(const struct doctor *doctor, int64_t person)
{
	for (size_t i = 0; i < doctor->settings->environment_count; i++) {
		const struct environment_settings *e = &doctor->settings->environments[i];
		struct needs_work work = { .environment = e->name };

		(void)text_copy(work.target, sizeof(work.target), e->name);
		if (e->approvals + e->rollback_approvals > 0 && e->approval_chat == 0 &&
		    needs_may_approve(doctor->settings, &work, principal_of_person(person),
			clock_wall_ms(), NULL) == NEEDS_MAY)
			return true;
	}
	return false;
}

/* Where there is no group, each who could act there is notified of pushes and failures. */
static bool
is_told(const struct doctor *doctor, int64_t person)
{
	for (size_t i = 0; i < doctor->settings->environment_count; i++) {
		const struct environment_settings *e = &doctor->settings->environments[i];

		if (settings_text(e->of, SETTING_TELEGRAM_CHAT_ID) == NULL &&
		    policy_could_act(
			doctor->settings, principal_of_person(person), e->name, clock_wall_ms()))
			return true;
	}
	return false;
}

typedef bool concerns_fn(const struct doctor *doctor, int64_t person);

/* Those of them to whom the bot may not write; false: there is none. */
static bool
name_unreached(const struct doctor *doctor, concerns_fn *concerns, char names[LIMIT_LINE])
{
	const struct roles *roles = doctor->settings->roles;
	size_t used = 0;
	int64_t before = 0;

	names[0] = '\0';
	for (size_t i = 0; i < roles->member_count && used < LIMIT_LINE; i++) {
		int64_t person = roles->member[i].person;

		if (person > 0 && person != before && concerns(doctor, person) &&
		    !row_chat_can_write(doctor->db, person))
			used += (size_t)snprintf(names + used, LIMIT_LINE - used, "%s%" PRId64,
			    used == 0 ? "" : ", ", person);
		before = person;
	}
	return used > 0;
}

void
doctor_approvers(struct doctor *doctor)
{
	char names[LIMIT_LINE];

	if (name_unreached(doctor, is_asked, names))
		TELL(doctor, TELEGRAM, WARNING,
		    "approvers who never wrote to the bot, or have blocked it, so that it cannot ask them in private (/start does it): %s",
		    names);
	if (name_unreached(doctor, is_told, names))
		TELL(doctor, TELEGRAM, WARNING,
		    "TELEGRAM_CHAT_ID is not set, so pushes and failures go to each who could act, in private; they do not reach who never wrote to the bot, or has blocked it (/start does it): %s",
		    names);
}

void
doctor_emergency(struct doctor *doctor)
{
	TELL(doctor, STORE, NOTE, "second factors: no factor: emergency is %s",
	    doctor->settings->emergency_without_factor ?
		"open (EMERGENCY_WITHOUT_OTP): its grant alone passes every approval" :
		"closed until somebody has one: deploybot 2fa add");
}
