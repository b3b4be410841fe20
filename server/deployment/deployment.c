/* deployment.c - names of what set a deployment off.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/deployment.h"

const char *
trigger_word(enum trigger trigger)
{
	static const char *const words[] = {
#define T(name, word) word,
		TRIGGERS(T)
#undef T
	};

	assert((size_t)trigger < COUNT(words));
	return words[trigger];
}
