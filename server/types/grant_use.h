/* grant_use.h - when somebody last did what a grant lets them do.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#include "lib/base.h"

struct grant_use {
	int64_t person; /* 0: since when uses are counted */
	char action[16];
	int64_t at;
};
