/* run_warnings.h - what a run has warned people of, in its script's words.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

struct run_warnings {
	int64_t said;		    /* of which the first are here */
	char lines[LIMIT_WARNINGS]; /* cleaned, without secrets, a newline between; "": none */
};
