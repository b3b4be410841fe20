/* clock.h - the time of day as a number.  Side: any. */
/* SPDX-License-Identifier: ISC */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* Milliseconds since 1970, by the wall: it may be set back.  Deadlines are the loop's. */
int64_t clock_wall_ms(void);

#endif
