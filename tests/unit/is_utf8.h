/* is_utf8.h - whether text is valid UTF-8, all of it. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/text.h"

static inline bool
is_utf8(const char *text, size_t size)
{
	uint32_t code;
	size_t used;

	for (size_t i = 0; i < size; i += used) {
		used = text_decode(text + i, size - i, &code);
		if (used == 0)
			return false;
	}
	return true;
}
