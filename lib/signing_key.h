/* signing_key.h - a key of Standard Webhooks as a text: whsec_ and base64 of its bytes.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

#define SIGNING_KEY_MARK  "whsec_"
#define SIGNING_KEY_LEAST 24 /* bytes: standard-webhooks/standard-webhooks, spec/ */
#define SIGNING_KEY_MAX	  64

/* Does it begin as one? */
bool signing_key_is_meant(const char *text);

/* Its bytes, which the caller wipes.  False: it does not begin so, or what follows is not base64 of
 * SIGNING_KEY_LEAST to SIGNING_KEY_MAX bytes; ret is wiped then. */
MUST_USE bool
signing_key_read(const char *text, uint8_t ret[SIGNING_KEY_MAX], size_t *ret_size);
