/* promotion.c - what a deployment brings that builds nothing.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/promotion.h"

#include <string.h>

bool
promotion_is_own(const struct promotion *promotion, const char *environment)
{
	return strcmp(promotion->from, environment) == 0;
}
