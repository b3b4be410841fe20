/* seal.h - short secrets as text that only the key of a file opens, and only in their place.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * "v1:KEYID:HEX": AES-256-GCM, the nonce before it and the tag behind.  What it is sealed for (a
 * table and a row) is bound to it: in another row it opens no more.  A file holds one key or two;
 * the first seals, both open, so that a key can be changed.
 */
#pragma once

#include "lib/base.h"

#define SEAL_MAX      128 /* bytes of a secret */
#define SEAL_NONCE    12
#define SEAL_KEY_ID   9 /* 8 hex digits and the NUL */
#define SEAL_TEXT     (sizeof("v1::") + SEAL_KEY_ID + (SEAL_MAX + SEAL_NONCE + 16) * 2)
#define SEAL_FILE_MAX 512 /* bytes of a key file */
#define SEAL_KEYS_MAX 2

struct seal_key {
	char id[SEAL_KEY_ID];
	uint8_t key[32];
};

struct seal_keys {
	size_t count; /* 0: none, nothing is sealed and nothing opened */
	struct seal_key key[SEAL_KEYS_MAX];
};

/* Of a file: a line of 64 hex digits for each key, the newest first; blank lines and lines that
 * begin with # are passed over.  ERR_INVALID says what is wrong, and shows nothing of it. */
MUST_USE bool seal_read(const char *path, struct seal_keys *ret, struct err *err);

/* Seals it for this place ("factor/42") under the first key.  nonce: fresh at each call.
 * ERR_MISSING: there is no key; ERR_LIMIT: more than SEAL_MAX bytes.  out is untouched then.
 * Without memory for it the program aborts, as in seal_open(). */
MUST_USE bool
seal_close(const struct seal_keys *keys, const char *place, const uint8_t nonce[SEAL_NONCE],
    const void *data, size_t size, char out[SEAL_TEXT], struct err *err);

/* Opens exactly size bytes, at most SEAL_MAX: more is a bug of the caller (an assert).
 * ERR_MISSING: the key it was sealed with is not there; ERR_INVALID: it is no such text, or one of
 * another size; ERR_DENIED: it was changed, or sealed for another place.  After a failure nothing
 * of the secret is in out. */
MUST_USE bool seal_open(const struct seal_keys *keys, const char *place, const char *text,
    void *out, size_t size, struct err *err);

/* Was it sealed with another key than the first? */
bool seal_is_old(const struct seal_keys *keys, const char *text);

void seal_wipe(struct seal_keys *keys);
