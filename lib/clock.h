/* clock.h - the time as a number.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* Milliseconds since 1970, by the wall: it may be set back.  Deadlines are the loop's. */
int64_t clock_wall_ms(void);

/* Milliseconds since some moment, never set back: for deadlines where there is no loop. */
int64_t clock_monotonic_ms(void);
