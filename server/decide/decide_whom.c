/* decide_whom.c - whom somebody can ask for what they may not do themselves, by name.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_whom.h"

#include "decide/decide_allowed.h"

#define PEOPLE 20 /* who asked for something lately, and may have a name */

size_t
decide_whom(struct tx *tx, enum policy_action action, const char *name, const char *environment,
    const struct row_person *first, struct row_person ret[DECIDE_WHOM])
{
	struct row_person people[PEOPLE + 1] = { *first };
	size_t known = 1 + row_deployment_list_people(tx, people + 1, PEOPLE), n = 0;

	for (size_t i = 0; i < known && n < DECIDE_WHOM; i++)
		if (people[i].person > 0 && (i == 0 || people[i].person != first->person) &&
		    (action == POLICY_DO ?
			    decide_is_allowed_do(tx, people[i].person, name, environment) :
			    decide_is_allowed(tx, people[i].person, action, environment)))
			ret[n++] = people[i];
	return n;
}

const char *
decide_whom_between(size_t i, size_t n, const char *last)
{
	return i == 0 ? "" : i + 1 == n ? last : ", ";
}
