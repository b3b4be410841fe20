/* sim_two_inside.h - between sim_two.c and sim_two_late.c.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "tests/sim/sim_two.h"

/* --- sim_two.c --- */

int sim_two_other(void);
void sim_two_force(void);		       /* the next cut is a take-over */
struct db *sim_two_db(void);		       /* for the lease; NULL: there is none */
void sim_two_lead(struct sim *sim, int whose); /* takes the lease, whoever has it */

/* --- sim_two_late.c --- */

bool sim_two_has_left(void); /* something that was not handed over */
/* Who led lives on, or (false) what it had taken is lost. */
void sim_two_late_begins(struct sim *sim, bool lives);
/* In so many ms the next one starts. */
void sim_two_late_goes_on(struct sim *sim, int64_t start_ms);
/* The other leads, and has not recovered yet. */
void sim_two_late_tries_early(struct sim *sim);
/* That one starts: if it is who led before, or nobody (SIM_ALONE), that is dead now. */
void sim_two_late_lets_start(int whose);
