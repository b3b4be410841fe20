/* agent_settings.h - an agent's configuration: its name, and whose orders it takes.  Side: agent. */
/* SPDX-License-Identifier: ISC */
/*
 *	AGENT_NAME=acme			as its certificate has it
 *	ORDER_KEYS=64 hex digits	the server's public order key; two while one is rotated
 */
#pragma once

#include "lib/crypto_ed25519.h"

#define AGENT_NAME     64
#define AGENT_KEYS_MAX 2

struct agent_settings {
	char name[AGENT_NAME];
	size_t key_count;
	uint8_t keys[AGENT_KEYS_MAX][CRYPTO_ED25519_KEY];
};

/* Refused, as ERR_CONFIG: a file that others than root may write, a name that is none, no key, more
 * than two, one that is none, a setting that is not one of these. */
bool agent_settings_read(struct agent_settings *ret, const char *path, struct err *err) MUST_USE;
