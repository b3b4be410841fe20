/* fuzz_settings.c - one value, as every type of setting.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"
#include "lib/clean.h"

static bool
is_one_line(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 && *text != '\t')
			return false;
	return true;
}

static void
check_list(const char *text)
{
	char part[32];
	size_t count = 0, size = strlen(text);

	while (setting_next(&text, part, sizeof(part))) {
		assert(strchr(part, ',') == NULL && part[0] != ' ');
		assert(++count <= size);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	for (enum setting_type type = 0; type < SETTING_TYPES; type++) {
		struct err err = { .text = "" };

		if (setting_check(type, text, false, &err)) {
			assert(is_one_line(text) && clean_is_utf8(text, strlen(text)));
			continue;
		}
		assert(err.text[0] != '\0' && is_one_line(err.text));
		if (setting_rows[type].is_hidden && strlen(text) >= 16)
			assert(strstr(err.text, text) == NULL);
	}
	check_list(text);
	free(text);
	return 0;
}
