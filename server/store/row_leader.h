/* row_leader.h - which of several servers leads, for whoever is told.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

struct row_leader {
	char name[LIMIT_RUNNER];
	int64_t since;		    /* wall ms by the database's clock */
	char standby[LIMIT_RUNNER]; /* could take over now; "": none could */
};

/* False: there is one server, with SQLite. */
bool row_leader_get(struct tx *tx, struct row_leader *ret);
