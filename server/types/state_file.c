/* state_file.c - what stands in environments/ of one environment, for runners elsewhere.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/state_file.h"

#include "lib/mem.h"
#include "lib/text.h"

struct state_file *
state_file_new(const char *environment, int64_t number, const char *body, size_t size)
{
	struct state_file *state = mem_new(1, sizeof(*state) + size);

	text_set(state->environment, environment); /* fits */
	state->number = number;
	state->size = size;
	memcpy(state->body, body, size);
	return state;
}
