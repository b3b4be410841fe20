/* run_stop.h - who has requested the end of a run, and waits until that was sent.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runs/runs.h"

void run_stop_add(struct runs_stop_request **list, struct runs_stop_request *request);

/* Empties the list: it was sent, or the server stops. */
void run_stop_answer(struct runs_stop_request **list, bool is_dropped);
