/* fuzz_name.c - the allow-lists: environment, commit, release, ref.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "lib/environment_id.h"
#include "runner/protocol.h"
#include "tests/fuzz/fuzz.h"

/* The same lists as patterns, in the locale C. */
static const struct {
	bool (*is)(const char *text);
	const char *pattern;
} names[] = {
	{ environment_name_is_valid, "^[a-z][a-z0-9-]{0,19}$" },
	{ protocol_is_commit, "^[0-9a-f]{7,64}$" },
	{ protocol_is_release, "^[0-9a-f]{7,64}(@sha256:[0-9a-f]{64})?$" },
};

static bool
fits(const char *pattern, const char *text)
{
	static regex_t compiled[COUNT(names)];
	static bool is_compiled[COUNT(names)];
	size_t i = 0;

	while (names[i].pattern != pattern)
		i++;
	if (!is_compiled[i]) {
		int failed = regcomp(&compiled[i], pattern, REG_EXTENDED | REG_NOSUB);

		assert(failed == 0);
		is_compiled[i] = true;
	}
	return regexec(&compiled[i], text, 0, NULL, 0) == 0;
}

static bool
is_one_line(const char *text)
{
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return size > 0 && size < 256;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	for (size_t i = 0; i < COUNT(names); i++)
		assert(names[i].is(text) == fits(names[i].pattern, text));
	assert(protocol_is_ref(text) == is_one_line(text));
	free(text);
	return 0;
}
