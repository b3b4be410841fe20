/* factor_secret.h - what is sealed of a second factor: who may open it, and what an app is shown.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/seal.h"
#include "lib/totp.h"

struct settings;

struct factor_secret {
	uint8_t totp[TOTP_SECRET];
	uint8_t recovery[32]; /* the key of recovery codes */
};

#define FACTOR_PLACE 40

/* What it is sealed for: the row of that person.  Returns out. */
const char *factor_secret_place(int64_t person, char out[FACTOR_PLACE]);

/* False: TOTP_KEY_FILE does not open it, *err says why.  Wipe *ret. */
bool factor_secret_open(const struct settings *settings, int64_t person, const char *sealed,
    struct factor_secret *ret, struct err *err) MUST_USE;

/* As an app reads it from a QR code.  Wipe out. */
void factor_secret_uri(const struct settings *settings, int64_t person,
    const struct factor_secret *secret, char out[TOTP_URI]);
