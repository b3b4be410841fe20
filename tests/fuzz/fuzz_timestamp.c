/* fuzz_timestamp.c - an RFC 3161 answer in DER is read whole, or is none.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/crypto_ts.h"
#include "lib/err.h"
#include "tests/fuzz/fuzz.h"

static bool
read_stamp(const uint8_t *data, size_t size, struct crypto_ts *ret)
{
	struct err err = { 0 };
	bool ok = crypto_ts_read(data, size, CRYPTO_TS_NOBODY, NULL, ret, &err);

	assert(ok || (err.code != ERR_NONE && fuzz_is_clean(err.text, false)));
	return ok;
}

static void
check(const uint8_t *data, size_t size, const struct crypto_ts *stamp)
{
	uint8_t *longer = malloc(size + 1);
	struct crypto_ts again;

	assert(longer != NULL && fuzz_is_clean(stamp->by, false));
	memcpy(longer, data, size);
	longer[size] = 0;
	assert(!read_stamp(longer, size + 1, &again));
	assert(!read_stamp(data, size - 1, &again));
	free(longer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crypto_ts stamp;

	if (read_stamp(data, size, &stamp))
		check(data, size, &stamp);
	return 0;
}
