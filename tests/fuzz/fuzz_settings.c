/* fuzz_settings.c - one value, as every type of setting.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"
#include "types/settings_check.h"

static const struct {
	bool (*check)(const char *text, struct err *err);
	bool is_secret;
} checks[] = {
#define T(type) { settings_check_##type, false },
	SETTINGS_TYPES(T)
#undef T
	    { settings_check_TOKEN, true },
	{ settings_check_BOT_TOKEN, true },
	{ settings_check_WEBHOOK_SECRET, true },
};

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

	while (settings_check_next(&text, part, sizeof(part))) {
		assert(strchr(part, ',') == NULL && part[0] != ' ');
		assert(++count <= size);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	for (size_t i = 0; i < COUNT(checks); i++) {
		struct err err = { .text = "" };

		if (checks[i].check(text, &err)) {
			assert(is_one_line(text) && text_is_utf8(text, strlen(text)));
			continue;
		}
		assert(err.text[0] != '\0');
		if (checks[i].is_secret && strlen(text) >= 16)
			assert(strstr(err.text, text) == NULL);
	}
	check_list(text);
	free(text);
	return 0;
}
