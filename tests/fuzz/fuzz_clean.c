/* fuzz_clean.c - text from outside made safe to show, in rooms of any size.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/clean.h"
#include "tests/fuzz/fuzz.h"

static void
check(const uint8_t *data, size_t size, size_t room, bool has_lines)
{
	char out[4096], again[4096];
	size_t length;

	if (has_lines)
		(void)clean_text(out, room, (const char *)data, size);
	else
		(void)clean_line(out, room, (const char *)data, size);
	length = strlen(out);
	assert(length < room && fuzz_is_clean(out, has_lines));
	assert(strstr(out, "  ") == NULL);
	assert(length == 0 || (out[0] != ' ' && out[length - 1] != ' ' && out[length - 1] != '\n'));
	if (has_lines)
		(void)clean_text(again, room, out, length);
	else
		(void)clean_line(again, room, out, length);
	assert(strcmp(out, again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t rooms[] = { 5, 8, 72, 200, 4096 };

	for (size_t i = 0; i < COUNT(rooms); i++) {
		check(data, size, rooms[i], false);
		check(data, size, rooms[i], true);
	}
	return 0;
}
