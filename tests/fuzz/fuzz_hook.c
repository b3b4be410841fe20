/* fuzz_hook.c - a call of a hook: lines of the settings, and bodies.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/setting.h"
#include "tests/fuzz/fuzz.h"
#include "types/hook.h"

static void
check_request(const char *text, const uint8_t *body, size_t size)
{
	struct hook_line line;
	struct request request;
	char value[LIMIT_REF];
	struct err err = { 0 };

	hook_line_read(text, "shop", &line);
	if (!hook_line_request(&line, (const char *)body, size, &request, &err)) {
		assert(line.value[0] == '$' && err.text[0] != '\0');
		return;
	}
	assert(strcmp(request.action, "deploy") == 0 || strcmp(request.action, "do") == 0);
	/* What came from outside is one word of one argument. */
	(void)request_get(&request, request.action[1] == 'e' ? "ref" : REQUEST_TEXT, value);
	if (request.action[1] == 'e')
		assert(strpbrk(value, " \n\t") == NULL && strlen(value) <= HOOK_VALUE_MAX);
	assert(fuzz_is_clean(value, false));
	assert(strcmp(request_get(&request, "exception", value), "") == 0);
	assert(strcmp(request_get(&request, "emergency", value), "") == 0);
}

/* A line that the settings let pass. */
static void
check_line(const char *text, const uint8_t *body, size_t size)
{
	struct err err;

	if (setting_check(SETTING_TYPE_STARTS, text, false, &err))
		check_request(text, body, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const lines[] = { "deploy:shop/staging ref=$.ref", "deploy:staging",
		"deploy:staging ref=$.a.b", "do.run-job:shop/staging argument=$.ref",
		"do.restart-web:client/acme" };
	char *text = fuzz_string(data, size);

	for (size_t i = 0; i < COUNT(lines); i++)
		check_request(lines[i], data, size);
	check_line(text, (const uint8_t *)"{\"ref\":\"x\",\"a\":{\"b\":\"y\"}}", 26);
	free(text);
	return 0;
}
