/* update.c - names of refusals.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/update.h"

const char *
update_refusal_words(enum update_refusal refusal)
{
	static const char *const words[] = {
#define R(name, text) text,
		UPDATE_REFUSALS(R)
#undef R
	};

	assert((size_t)refusal < COUNT(words));
	return words[refusal];
}
