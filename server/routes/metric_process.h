/* metric_process.h - the standard process_* metrics, from /proc.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

struct buf;

/* Seconds since 1970 of the machine's start; 0: unknown.  It is read once, as that takes long. */
double metric_process_boot_time(void);

/* Appends their text. */
void metric_process_write(struct buf *out, double boot_time);
