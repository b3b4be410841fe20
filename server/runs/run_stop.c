/* run_stop.c - who has requested the end of a run, and waits until that was sent.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_stop.h"

void
run_stop_add(struct runs_stop_request **list, struct runs_stop_request *request)
{
	request->next = *list;
	*list = request;
}

void
run_stop_answer(struct runs_stop_request **list, bool is_dropped)
{
	struct runs_stop_request *request;

	while ((request = *list) != NULL) {
		*list = request->next;
		request->next = NULL;
		if (!is_dropped)
			request->on_sent(request);
		else if (request->on_dropped != NULL)
			request->on_dropped(request);
	}
}
