/* notify_word.h - which word of types/notify.def is told when work enters a state.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deploy_flow.h"
#include "types/notify.h"

struct notify_step {
	enum program program;
	enum deploy_state from, to;
	bool has_down;	  /* the rule's acts have DOWN */
	bool is_troubled; /* its environment was down or rolled back, and nothing went live since */
};

/* NOTIFY_WORD_COUNT: nothing is told. */
enum notify_word notify_word_of(const struct notify_step *step);
