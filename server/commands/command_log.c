/* command_log.c - sends the log of a run.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"

void
command_log(struct tx *tx, const struct update *update, const struct request *request)
{
	int64_t run = request_number(request, "run");
	struct deployment deployment = row_deployment_of_run(tx, run);
	struct effect *effect;

	if (!decide_may(tx, update, POLICY_LOG, deployment.environment))
		return;
	effect = effect_new(EFFECT_DOCUMENT);
	if (effect == NULL) {
		tx_fail(tx, ERR_NOMEM, "no memory for a document");
		return;
	}
	effect->subject = deployment.id;
	effect->u.document.address = update->address;
	effect->u.document.run = run;
	(void)snprintf(effect->u.document.file_name, sizeof(effect->u.document.file_name),
	    "%s-%.7s-%" PRId64 ".log", deployment.environment, deployment.commit, run);
	(void)snprintf(effect->u.document.caption, sizeof(effect->u.document.caption),
	    "Log of %s %.7s", deployment.environment, deployment.commit);
	(void)row_effect_add(tx, effect);
	decide_toastf(tx, update, false, "Sending the log.");
}
