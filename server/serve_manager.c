/* serve_manager.c - what the service manager is told: that we are ready, alive, stopping.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <systemd/sd-daemon.h>

#include "serve_parts.h"

/* A loop that no longer turns says nothing: the manager ends us (WatchdogSec=) and starts us again.
 * A store that hangs is no reason: what it waits for would hang the next one too. */
static void
on_alive(struct loop_timer *timer, void *ctx)
{
	(void)timer;
	(void)ctx;
	(void)sd_notify(0, "WATCHDOG=1"); /* nobody may have asked */
}

void
serve_manager_ready(struct serve *serve)
{
	uint64_t every_us = 0;

	(void)sd_notify(0, "READY=1");
	loop_timer_init(&serve->alive_timer, on_alive, serve);
	if (sd_watchdog_enabled(0, &every_us) > 0) {
		int64_t half_ms = (int64_t)(every_us / 2000);

		loop_timer_start(serve->loop, &serve->alive_timer, 0, half_ms > 0 ? half_ms : 1);
	}
}

void
serve_manager_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}
