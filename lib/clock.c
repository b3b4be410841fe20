/* clock.c - the time of day as a number.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/clock.h"

#include <time.h>

int64_t
clock_wall_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
