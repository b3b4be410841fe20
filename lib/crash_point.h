/* crash_point.h - places where a test build can be made to die; in a normal build they are nothing.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * With DEPLOYBOT_CRASH_POINTS (`make CRASH_POINTS=1`) the environment chooses:
 *
 *	DEPLOYBOT_CRASH=name[:first[-last]][:power][:late]
 *	DEPLOYBOT_CRASH_PAGE=file	passages of all processes are counted there
 *
 * Who comes by dies, from the first to the last passage (1-1).  A passage is one of any process
 * that shares the page; without a page, of this process.  `power` ends every process that shares
 * it, as a power cut would: scripts, which know no page, live on.  `late`: not before others
 * have done what they will do without it.
 */
#pragma once

#ifdef DEPLOYBOT_CRASH_POINTS

enum crash_point {
#define CRASH(name, who, faults, flow, words) CRASH_POINT_##name,
#include "lib/crash_point.def"
	CRASH_POINT_COUNT
};

#define CRASH_POINT(name) crash_point_pass(CRASH_POINT_##name)
void crash_point_pass(enum crash_point point);

#else
#define CRASH_POINT(name) ((void)#name) /* by name: two are no clones */
#endif
