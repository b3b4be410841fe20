/* decide_who.c - who somebody is to the policy: with what a token has, or a login lends them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_who.h"

#include "policy/policy.h"
#include "store/row_token.h"

struct principal
decide_who(struct tx *tx, int64_t person)
{
	struct principal who = principal_of_person(person);

	who.lent = row_token_lent(tx, person);
	return who;
}

bool
decide_has_own_role(const struct tx *tx, int64_t person)
{
	return policy_is_known(tx->settings, principal_of_person(person), tx->at);
}
