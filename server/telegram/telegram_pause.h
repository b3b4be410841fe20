/* telegram_pause.h - how long to wait after so many failures in a row.  Knows no clock.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* first_ms after one failure (or none), twice that after each further one, but no more than
 * most_ms; and never less than Telegram asks for, in seconds (0: it does not). */
int64_t telegram_pause_ms(
    unsigned failures, int64_t first_ms, int64_t most_ms, int64_t retry_after_s);
