/* grant_use.h - when somebody last did what a grant lets them do.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/environment_id.h"

struct grant_use {
	int64_t person;		       /* 0: since when uses are counted */
	char program[ENVIRONMENT_ID_MAX]; /* a hook's or workflow's id, "shop/done"; else "" */
	char action[16];
	int64_t at;
};
