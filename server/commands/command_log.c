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
	struct effect effect = { .kind = EFFECT_DOCUMENT, .subject = deployment.id };
	struct effect_document *document = &effect.u.document;

	if (!decide_may(tx, update, POLICY_LOG, deployment.environment))
		return;
	document->address = update->address;
	document->run = run;
	(void)snprintf(document->file_name, sizeof(document->file_name), "%s-%.7s-%" PRId64 ".log",
	    deployment.environment, deployment.commit, run);
	(void)snprintf(document->caption, sizeof(document->caption), "Log of %s %.7s",
	    deployment.environment, deployment.commit);
	(void)row_effect_order(tx, &effect);
	decide_toastf(tx, update, false, "Sending the log.");
}
