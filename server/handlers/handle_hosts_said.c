/* handle_hosts_said.c - hosts of a run have begun, or ended well or badly.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_waves.h"
#include "handlers/handlers.h"
#include "store/row_deployment.h"
#include "store/row_host.h"

/* Late or twice they are data all the same: only a row knows which run its host is ordered to. */
void
handle_hosts_said(struct tx *tx, const struct event *event)
{
	const struct hosts_said *said = &event->u.hosts_said;
	struct deployment work;

	row_deployment_of_run(tx, said->run, &work);
	if (said->n > 0)
		row_host_said(tx, &work, said->run, said->list, said->n);
	if (said->n > 0 && deploy_flow_class(work.state) == DEPLOY_CLASS_FINAL)
		row_host_end(tx, &work); /* it was abandoned: nobody waits for its end */
	if (said->is_gone)
		row_host_gone(tx, &work, said->run);
	if (work.waves > 0)
		decide_waves_said(tx, &work);
}
