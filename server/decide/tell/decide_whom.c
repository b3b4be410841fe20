/* decide_whom.c - whom somebody can ask by name, whom a target without a group notifies.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_whom.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/who/decide_allowed.h"
#include "decide/decide_chat.h"
#include "decide/hold/decide_refusal.h"
#include "decide/who/decide_sees.h"
#include "decide/who/decide_principal.h"
#include "lib/clean.h"
#include "lib/environment_id.h"
#include "store/row_chat.h"

#define PEOPLE 20 /* who asked for something lately, and may have a name */

size_t
decide_whom(struct tx *tx, enum policy_action action, const char *name, const char *environment,
    const struct row_person *first, struct row_person ret[DECIDE_WHOM])
{
	struct row_person people[PEOPLE + 1] = { *first };
	size_t known = 1 + row_deployment_list_people(tx, people + 1, PEOPLE), n = 0;

	for (size_t i = 0; i < known && n < DECIDE_WHOM; i++)
		if (people[i].person > 0 &&
		    (i == 0 || (people[i].person != first->person && people[i].name[0] == '@')) &&
		    (action == POLICY_DO ?
			    decide_is_allowed_do(tx, people[i].person, name, environment) :
			    decide_is_allowed(tx, people[i].person, action, environment)))
			ret[n++] = people[i];
	return n;
}

const char *
decide_whose(struct tx *tx, int64_t person, char out[static DECIDE_WHOSE])
{
	struct row_person people[PEOPLE];
	size_t n = row_deployment_list_people(tx, people, PEOPLE), i = 0;
	char name[LIMIT_PERSON] = "";

	while (i < n && people[i].person != person)
		i++;
	if (i < n)
		(void)clean_line(name, sizeof(name), people[i].name, strlen(people[i].name));
	(void)snprintf(out, DECIDE_WHOSE, "%s%s" MARK_CODE "telegram:%" PRId64 MARK_CODE "%s", name,
	    name[0] != '\0' ? " (" : "", person, name[0] != '\0' ? ")" : "");
	return out;
}

const char *
decide_whom_between(size_t i, size_t n, const char *last)
{
	return i == 0 ? "" : i + 1 == n ? last : ", ";
}

/* --- who is told --- */

/* Of one that is to be renamed also who could under its new name. */
static bool
could_act(struct tx *tx, int64_t person, const char *target)
{
	const struct principal who = decide_principal(tx, person);
	const char *name = environment_client(target) == NULL ? decide_new_name(tx, target) : NULL;

	return policy_could_act(tx->settings, who, target, tx->at) ||
	    (name != NULL && policy_could_act(tx->settings, who, name, tx->at));
}

int64_t
decide_whom_next(struct tx *tx, const char *target, int64_t after)
{
	const struct roles *roles = tx->settings->roles;
	int64_t before = after > 0 ? after : 0;

	for (size_t i = 0; roles != NULL && i < roles->member_count && !tx->failed; i++) {
		int64_t person = roles->member[i].person; /* they stand sorted */

		if (person <= before)
			continue;
		before = person;
		if (principal_of_person(person).kind == PRINCIPAL_PERSON &&
		    !row_chat_is_refused(tx, person) && could_act(tx, person, target))
			return person;
	}
	return 0;
}

size_t
decide_whom_news(struct tx *tx, const char *target, int64_t ret[DECIDE_WHOM_ALL])
{
	int64_t person = 0;
	size_t n = 0;

	ret[0] = decide_team_of(tx, target);
	if (ret[0] != 0)
		return 1;
	while (n < DECIDE_WHOM_ALL && (person = decide_whom_next(tx, target, person)) != 0)
		ret[n++] = person;
	if (n == 0)
		ret[n++] = decide_chat_of(tx, target);
	return n;
}

int64_t
decide_whom_pushed(struct tx *tx, const char *requester, const char *environment)
{
	int64_t person = decide_principal_pusher(tx->settings, requester);

	return person > 0 && !row_chat_is_refused(tx, person) &&
		decide_sees(tx, person, environment) ?
	    person :
	    0;
}

int64_t
decide_whom_home(struct tx *tx, const char *requester, const char *environment)
{
	int64_t team = decide_team_of(tx, environment);
	int64_t person = team == 0 ? decide_whom_pushed(tx, requester, environment) : 0;

	if (person != 0 && row_chat_has_private(tx, person))
		return person;
	return team != 0 ? team : decide_chat_of(tx, environment);
}
