/* version.c - which version this is: the one file that is compiled again when that changes.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/version.h"

const char version_text[] = DEPLOYBOT_VERSION;
