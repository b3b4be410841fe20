/* state_file.h - what stands in environments/ of one environment, for runners elsewhere.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

struct state_file {
	char environment[LIMIT_ENVIRONMENT]; /* "": of each that there is it was said by now */
	int64_t number;			     /* of the audit's newest entry */
	size_t size;			     /* 0: there is no file (any more) */
	char body[];
};

/* To be freed by free(3). */
struct state_file *state_file_new(
    const char *environment, int64_t number, const char *body, size_t size) MUST_USE;
