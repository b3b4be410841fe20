/* telegram_said.h - what messages say, by what we have sent: no edit is sent that changes nothing.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/* All zero: nothing is known.  What is forgotten, as after a restart, costs an edit for nothing. */
#pragma once

#include "lib/crypto.h"

#define TELEGRAM_SAID_MAX 128 /* the least recently noted is forgotten beyond that */

struct telegram_said {
	size_t next; /* to be used, once all are */
	struct {
		int64_t message; /* our row; 0: free */
		uint8_t digest[CRYPTO_SHA256_SIZE];
	} at[TELEGRAM_SAID_MAX];
};

/* Does it say that already? */
bool telegram_said_is(const struct telegram_said *said, int64_t message,
    const uint8_t digest[CRYPTO_SHA256_SIZE]);

/* It says that now; NULL: what it says is not known. */
void telegram_said_put(
    struct telegram_said *said, int64_t message, const uint8_t digest[CRYPTO_SHA256_SIZE]);
