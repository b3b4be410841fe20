/* fuzz_approve_line.c - what is read as an APPROVE line prints back to the same bytes.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "chat/approve_line.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct approve_line before = { .ts = -1 };
	struct approve_line line = before;
	struct approve_fault fault = { 0 };
	char out[APPROVE_WHY_SIZE];

	if (approve_line_parse((const char *)data, size, &line, &fault)) {
		assert(strlen(approve_line_print(&line, out)) == size);
		assert(memcmp(out, data, size) == 0);
		assert(approve_line_is_meant((const char *)data, size));
		return 0;
	}
	assert(memcmp(&line, &before, sizeof(line)) == 0);
	assert(fault.at <= size);
	approve_line_why(&fault, out);
	assert(strlen(out) < sizeof(out) - 1);
	(void)approve_line_is_meant((const char *)data, size);
	return 0;
}
