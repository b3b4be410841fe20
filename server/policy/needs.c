/* needs.c - what some work needs before it may start: how many approvals, and whose count.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "policy/needs.h"

/* Is it one of the patterns that git has named? */
static bool
is_untouched(const struct needs_work *work, const char *pattern)
{
	size_t size = strlen(pattern);
	const char *at = work->untouched;

	while (at != NULL && *at != '\0') {
		size_t length = strcspn(at, ",");

		if (length == size && memcmp(at, pattern, size) == 0)
			return true;
		at += length + (at[length] == ',');
	}
	return false;
}

static bool
applies(const struct settings *settings, const struct needs_work *work,
    const struct condition *condition, size_t i, int64_t at)
{
	switch (condition->kind) {
	case CONDITION_FORCED:
		return work->is_force_push;
	case CONDITION_NOT_ON:
	case CONDITION_NOT_PROMOTED:
		return (work->not_on & UINT32_C(1) << i) != 0;
	case CONDITION_PATH:
		return !is_untouched(work, condition->what);
	case CONDITION_OUTSIDE:
	case CONDITION_KINDS: /* none has it */
		break;
	}
	return condition_is_outside(
	    condition, settings_clock(settings, work->environment)->zone, at);
}

/* The largest that applies. */
static void
add_conditions(const struct settings *settings, const struct environment_settings *of,
    const struct needs_work *work, int64_t at, struct needs *needs)
{
	for (size_t i = 0; of->approvals_if != NULL && i < of->approvals_if->n; i++) {
		const struct condition *condition = &of->approvals_if->at[i];

		if (condition->number <= needs->approvals ||
		    !applies(settings, work, condition, i, at))
			continue;
		needs->approvals = condition->number;
		needs->because = condition;
	}
}

struct needs
needs_of(const struct settings *settings, const struct needs_work *work, int64_t at)
{
	const struct environment_settings *of = settings_environment(settings, work->environment);
	struct needs needs = { 0 };

	if (of != NULL) {
		needs.approvers = of->approvers;
		needs.approvals = work->is_rollback ? of->rollback_approvals : of->approvals;
		if (work->is_forward && of->rollback_approvals > needs.approvals)
			needs.approvals = of->rollback_approvals;
	}
	if (work->is_action) /* of a client, which may be no environment */
		needs.approvals = work->of_action;
	if (of != NULL && !work->is_action && !work->is_rollback)
		add_conditions(settings, of, work, at, &needs);
	if (needs.approvals > 0 && work->unknown != NEEDS_KNOWN &&
	    !settings->approve_unknown_pusher)
		needs.approvals++;
	if (work->is_emergency)
		needs.approvals = 0;
	return needs;
}

bool
needs_has_asked(const struct needs_work *work, int64_t person)
{
	for (size_t i = 0; i < work->n_asked; i++)
		if (work->asked[i] == person)
			return true;
	return work->n_asked == NEEDS_ASKED_MAX; /* who else has is not known */
}

enum needs_verdict
needs_may_approve(const struct settings *settings, const struct needs_work *work,
    struct principal who, int64_t at, const struct role **ret_role)
{
	const struct environment_settings *of = settings_environment(settings, work->environment);
	const struct role *role;

	if (!policy_may(settings, who, POLICY_APPROVE, work->target, at))
		return NEEDS_NO_GRANT;
	if (principal_person(&who) == 0)
		return NEEDS_NO_PERSON;
	if (needs_has_asked(work, who.id) && (work->is_emergency || !settings->approve_self))
		return NEEDS_ASKED;
	role = policy_role(
	    settings, who, POLICY_APPROVE, work->target, of != NULL ? of->approvers : NULL, at);
	if (role != NULL && ret_role != NULL)
		*ret_role = role;
	return role != NULL ? NEEDS_MAY : NEEDS_OTHER_ROLE;
}

int64_t
needs_next_approver(
    const struct settings *settings, const struct needs_work *work, int64_t at, int64_t after)
{
	const struct roles *roles = settings->roles;

	for (size_t i = 0; i < roles->member_count; i++) {
		int64_t person = roles->member[i].person; /* they stand sorted */

		if (person > after &&
		    needs_may_approve(settings, work, principal_of_person(person), at, NULL) ==
			NEEDS_MAY)
			return person;
	}
	return 0;
}

size_t
needs_count_approvers(const struct settings *settings, const struct needs_work *work, int64_t at)
{
	size_t n = 0;

	for (int64_t person = 0; (person = needs_next_approver(settings, work, at, person)) != 0;)
		n++;
	return n;
}
