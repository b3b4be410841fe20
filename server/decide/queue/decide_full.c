/* decide_full.c - is there a place in a queue?  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_full.h"

#include <stdio.h>

#include "decide/decide_reply.h"
#include "decide/hold/decide_hold.h"
#include "decide/who/decide_principal.h"
#include "policy/policy.h"
#include "store/row_queue.h"
#include "types/settings.h"

void
decide_full_why(struct tx *tx, const char *environment, int64_t person, bool is_first, bool is_held,
    char ret[LIMIT_LINE])
{
	/* Who acts on a client may not see what its environment is called. */
	bool is_named =
	    policy_sees(tx->settings, decide_principal(tx, person), environment, tx->at);
	int64_t most = ROW_QUEUE_MOST;
	struct holds holds;

	ret[0] = '\0';
	decide_holds(tx, environment, &holds);
	if (!is_first && !is_held && holds.n > 0)
		most += ROW_QUEUE_MOST;
	if (row_queue_count(tx, environment, 0, is_first) >= most)
		(void)snprintf(ret, LIMIT_LINE,
		    "%d are queued there already: try again when one has ended%s%s", (int)most,
		    is_named ? ", or after /cancel " : "", is_named ? environment : "");
	else if ((!principal_is_program(person) || principal_is_hook(person)) && /* one for many */
	    row_queue_count(tx, environment, person, is_first) >= ROW_QUEUE_PERSONS)
		(void)snprintf(ret, LIMIT_LINE,
		    "you have %d places in its queue already: leave one first%s%s",
		    ROW_QUEUE_PERSONS, is_named ? ", in /queue " : "", is_named ? environment : "");
}

bool
decide_is_full(struct tx *tx, const struct update *update, const char *environment,
    const char *target, bool is_first)
{
	char refusal[LIMIT_LINE];

	decide_full_why(tx, environment, update->person, is_first, false, refusal);
	if (refusal[0] != '\0')
		(void)decide_send_firstf(
		    tx, &update->address, FIRST_NOT_QUEUED, target, "%s", refusal);
	return refusal[0] != '\0';
}
