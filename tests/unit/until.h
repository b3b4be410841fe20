/* until.h - turns a loop until something is so.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdbool.h>

#include "lib/loop.h"
#include "unit.h"

/* f: `loop`, and the timer `patience` that sets `is_over`. */
#define UNTIL(f, condition) \
	do { \
		loop_timer_start((f)->loop, &(f)->patience, PATIENCE_MS, 0); \
		while (!(condition)) { \
			loop_run_once((f)->loop); \
			if ((f)->is_over) \
				fail_msg("not within time: %s", #condition); \
		} \
		loop_timer_stop(&(f)->patience); \
	} while (0)
