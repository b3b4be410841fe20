/* version.h - which version this is, as lib/version.sh says it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

/* 0.2.0 of a release, 0.2.0-14-g0123456789 of what is 14 commits later. */
extern const char version_text[];
