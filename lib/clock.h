/* clock.h - the time as a number.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* Milliseconds since 1970, by the wall: it may be set back.  Deadlines are the loop's. */
int64_t clock_wall_ms(void);

/* Milliseconds since some moment, never set back: for deadlines where there is no loop. */
int64_t clock_monotonic_ms(void);

/* The same, and it goes on while the machine sleeps.
 * https://man7.org/linux/man-pages/man2/clock_gettime.2.html */
int64_t clock_boottime_ms(void);
