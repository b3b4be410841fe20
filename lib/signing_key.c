/* signing_key.c - reads a key of Standard Webhooks.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/signing_key.h"

#include <string.h>

#include "lib/base64.h"
#include "lib/text.h"

bool
signing_key_is_meant(const char *text)
{
	return text_starts(text, SIGNING_KEY_MARK);
}

bool
signing_key_read(const char *text, uint8_t ret[SIGNING_KEY_MAX], size_t *ret_size)
{
	size_t size = 0;

	if (signing_key_is_meant(text) &&
	    base64_decode(text + strlen(SIGNING_KEY_MARK), strlen(text + strlen(SIGNING_KEY_MARK)),
		ret, SIGNING_KEY_MAX, &size) &&
	    size >= SIGNING_KEY_LEAST) {
		*ret_size = size;
		return true;
	}
	explicit_bzero(ret, SIGNING_KEY_MAX);
	return false;
}
