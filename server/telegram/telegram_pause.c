/* telegram_pause.c - how long to wait after so many failures in a row.  Knows no clock.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_pause.h"

int64_t
telegram_pause_ms(unsigned failures, int64_t first_ms, int64_t most_ms, int64_t retry_after_s)
{
	int64_t ms = first_ms;

	for (unsigned i = 1; i < failures && ms < most_ms; i++)
		ms *= 2;
	if (ms > most_ms)
		ms = most_ms;
	return ms < retry_after_s * 1000 ? retry_after_s * 1000 : ms;
}
