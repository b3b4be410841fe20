/* order_keys.h - the name of who executes here, and whose orders it takes.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 *	AGENT_NAME=acme			as its certificate has it; of a remote runner RUNNER_NAME
 *	ORDER_KEYS=64 hex digits	the server's public order key; two while one is rotated
 */
#pragma once

#include "lib/crypto_ed25519.h"

#define ORDER_KEYS_NAME 64
#define ORDER_KEYS_MAX	2

struct order_keys {
	char name[ORDER_KEYS_NAME];
	size_t count;
	uint8_t all[ORDER_KEYS_MAX][CRYPTO_ED25519_KEY];
};

/* name: the setting that has it.  Refused, as ERR_CONFIG: a file that others than root may write,
 * a name that is none, no key, more than two, one that is none, a setting that is none of these. */
bool order_keys_read(
    struct order_keys *ret, const char *name, const char *path, struct err *err) MUST_USE;
