/* decide_begun.c - what a program is answered that has asked for some work.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/view/decide_begun.h"

#include "decide/approval/decide_needs.h"
#include "lib/json.h"
#include "store/row_deployment.h"

static void
put_lower(const char *word, char *out, size_t room)
{
	size_t n = 0;

	for (; word[n] != '\0' && n + 1 < room; n++)
		out[n] = (char)(word[n] >= 'A' && word[n] <= 'Z' ? word[n] - 'A' + 'a' : word[n]);
	out[n] = '\0';
}

static void
state_of(struct tx *tx, const struct deployment *work, char out[LIMIT_ENVIRONMENT])
{
	struct decide_needs needs = { 0 };
	bool is_new = work->state == DEPLOY_REQUESTED;

	if (is_new && !work->is_to_be_asked)
		(void)decide_needs_look(tx, work, &needs);
	put_lower(deploy_flow_name(is_new && work->is_to_be_asked ? DEPLOY_AWAITING_CONFIRMATION :
			  needs.needs.approvals > 0		  ? DEPLOY_AWAITING_APPROVAL :
								    work->state),
	    out, LIMIT_ENVIRONMENT);
}

void
decide_put_begun(struct tx *tx, struct json_out *json)
{
	struct deployment work;
	char state[LIMIT_ENVIRONMENT];

	row_deployment_get(tx, tx->answer.work, &work);
	if (work.id != 0) {
		state_of(tx, &work, state);
		json_put_i64(json, "id", work.id);
		json_put_str(json, "state", state);
	} else {
		json_put_str(json, "id", NULL);
		json_put_str(json, "state", NULL);
	}
	json_put_str(json, "said", tx->answer.text != NULL ? tx->answer.text : "");
}
