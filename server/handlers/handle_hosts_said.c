/* handle_hosts_said.c - hosts of a run have begun, or ended well or badly.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "handlers/handlers.h"

void
handle_hosts_said(UNUSED struct tx *tx, UNUSED const struct event *event)
{
}
