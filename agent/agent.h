/* agent.h - orders of the server over one socket, one run at a time.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/order_keys.h"

/* state: folder of the records; run: that of runner.sock.  Until SIGTERM: then it begins nothing
 * new, and the run there is comes to its end.  False: *err says why it could not go on. */
bool agent_serve(const struct order_keys *settings, const char *state, const char *run,
    struct err *err) MUST_USE;
