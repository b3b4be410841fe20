/* decide_factor_state_inside.h - for decide_factor_try.c, decide_lacks.c and decide_pad.c.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide/factor/decide_factor_state.h"
#include "types/limits.h"

struct tx_factor {
	bool is_wanted;
	char what[LIMIT_LINE];	/* decide_factor_for() */
	int64_t work;		/* decide_factor_work() */
	bool may_take_code;	/* with a code it would be done (decide_factor_try.h) */
	bool only_asks;		/* its answer is what needs one */
	char typed[64]; /* decide_factor_typed(); cut, it is none */
	bool is_counted;
	bool is_trial;
};

/* The decision's own, made with the first call. */
struct tx_factor *decide_factor_state(struct tx *tx) MUST_USE;
