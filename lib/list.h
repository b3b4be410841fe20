/* list.h - a comma list as settings and rows have it: is a name in it?  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* Is `name` one of its parts, without the blanks around it?  NULL is a list of none. */
MUST_USE bool list_has(const char *list, const char *name);
