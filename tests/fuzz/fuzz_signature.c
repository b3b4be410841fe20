/* fuzz_signature.c - GitHub's headers: signature, delivery id, name of the event.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "forges/github_delivery.h"
#include "forges/github_signature.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"

#define DIGITS (2 * (size_t)GITHUB_SIGNATURE_SIZE)

/* Said once more, in other words. */
static bool
looks_like_one(const char *value)
{
	if (strlen(value) != 7 + DIGITS || memcmp(value, "sha256=", 7) != 0)
		return false;
	for (value += 7; *value != '\0'; value++)
		if (!(*value >= '0' && *value <= '9') && !(*value >= 'a' && *value <= 'f'))
			return false;
	return true;
}

static void
check_signature(const char *value)
{
	uint8_t mac[GITHUB_SIGNATURE_SIZE], untouched[GITHUB_SIGNATURE_SIZE];
	char again[DIGITS + 1];
	bool is_good;

	memset(mac, 0xa5, sizeof(mac));
	memset(untouched, 0xa5, sizeof(untouched));
	is_good = github_signature_parse(value, mac);
	assert(is_good == looks_like_one(value));
	text_hex(again, mac, sizeof(mac));
	if (is_good)
		assert(strcmp(again, value + 7) == 0);
	else
		assert(memcmp(mac, untouched, sizeof(mac)) == 0);
}

static void
check_id(const char *id)
{
	if (!github_delivery_id_is_good(id))
		return;
	assert(id[0] != '\0' && strlen(id) < LIMIT_DELIVERY);
	for (; *id != '\0'; id++)
		assert(strchr("/.\\%$ \"'\n", *id) == NULL && (unsigned char)*id < 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = fuzz_string(data, size);
	enum delivery_kind kind = github_delivery_kind(value);

	check_signature(value);
	check_id(value);
	assert((kind == DELIVERY_PUSH) == (strcmp(value, "push") == 0));
	assert((kind == DELIVERY_PING) == (strcmp(value, "ping") == 0));
	free(value);
	return 0;
}
