/* fuzz_jwks.c - whatever an issuer of tokens answers: keys that are whole, or none.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "clients/jwks_answer.h"
#include "lib/err.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"

#define ISSUER "https://token.example.org"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	struct jwks_keys *keys = jwks_read_keys((const char *)data, size, &err);
	char url[JWKS_URL] = "";

	assert((keys != NULL) == (err.code == ERR_NONE));
	assert(keys != NULL || fuzz_is_clean(err.text, false));
	for (size_t i = 0; keys != NULL && i < keys->n; i++)
		assert(
		    keys->at[i].rsa != NULL && jwks_find(keys, keys->at[i].kid) == keys->at[i].rsa);
	assert(keys == NULL || (keys->n > 0 && keys->n <= JWKS_KEYS_MAX));
	jwks_keys_free(keys);
	if (jwks_read_configuration((const char *)data, size, ISSUER, url, &err))
		assert(text_starts(url, ISSUER) && strchr("/?#", url[strlen(ISSUER)]) != NULL);
	return 0;
}
