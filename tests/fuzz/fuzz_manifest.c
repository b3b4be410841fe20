/* fuzz_manifest.c - an agent's list of capabilities, as it reaches the store.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fingerprint.h"
#include "tests/fuzz/fuzz.h"
#include "types/peers.h"

#define ONE "[a-z0-9-]{1,30}=[0-9a-f]{64}"

/* The same as a pattern, in the locale C; in what order they stand it does not say. */
static bool
fits(const char *text)
{
	static regex_t compiled;
	static bool is_compiled;

	if (!is_compiled) {
		int failed =
		    regcomp(&compiled, "^(" ONE "( " ONE ")*)?$", REG_EXTENDED | REG_NOSUB);

		assert(failed == 0);
		is_compiled = true;
	}
	return regexec(&compiled, text, 0, NULL, 0) == 0;
}

/* Each is found by its name, in order and once. */
static void
check_list(const char *list)
{
	char before[32] = "", name[32], names[LIMIT_LINE];

	assert(fits(list) && strlen(list) < LIMIT_MANIFEST);
	assert(fingerprint_differing(list, list, names, sizeof(names))[0] == '\0');
	while (list[0] != '\0') {
		size_t size = strcspn(list, "=");

		memcpy(name, list, size);
		name[size] = '\0';
		assert(strcmp(before, name) < 0);
		assert(peer_capability(list, name) == list + size + 1);
		memcpy(before, name, sizeof(before));
		list += size + LIMIT_DIGEST;
		list += list[0] == ' ';
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	if (peer_is_manifest(text))
		check_list(text);
	if (peer_of_host(text) != NULL)
		assert(peer_is_name(peer_of_host(text)) && strlen(text) < LIMIT_RUNNER);
	free(text);
	return 0;
}
