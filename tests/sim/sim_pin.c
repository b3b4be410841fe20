/* sim_pin.c - a chat's pinned summary is one message, and is looked at again.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/sim/sim_inside.h"

static int64_t
number(struct sim *sim, const char *sql)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim, db_one_i64(&n, sim->eyes, &err, sql), &err);
	return n;
}

void
sim_pin_check(struct sim *sim)
{
	if (number(sim,
		"SELECT COUNT(*) FROM pin p WHERE (SELECT COUNT(*) FROM effect WHERE kind = 'wait'"
		" AND body ->> 'wait' = 'pin' AND body ->> 'name' = CAST(p.chat AS TEXT)) = 0"
		" AND NOT EXISTS (SELECT 1 FROM moved_chat WHERE new = p.chat)") > 0)
		sim_fail(sim, "a_pinned_status_is_looked_at_again", "a chat's is not");
	if (number(sim,
		"SELECT COUNT(*) FROM effect WHERE kind = 'wait' AND body ->> 'wait' = 'pin'") >
	    number(sim, "SELECT COUNT(*) FROM pin") +
		number(sim, "SELECT COUNT(*) FROM moved_chat"))
		sim_fail(sim, "a_pinned_status_has_one_timer", "there are more");
	if (number(sim,
		"SELECT COUNT(*) FROM message WHERE head LIKE '%Last change: %'"
		" AND id NOT IN (SELECT message FROM pin)") > 0)
		sim_fail(sim, "a_chat_has_one_status", "another one says that it is true");
	if (number(sim, "SELECT COUNT(*) FROM pin WHERE pinned <> 0") > 0)
		sim_note(sim, SIM_PINNED);
}
