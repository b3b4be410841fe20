/* redact_aid.h - what redaction makes of a text, whole and byte by byte.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>

struct redact;

#define BOT_TOKEN "123456789:AAExxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_-"

/* Fails the test where it is not that.  r NULL: no value is known. */
void redact_check(struct redact *r, const char *text, const char *want);
void redact_check_bytes(
    struct redact *r, const char *text, size_t size, const char *want, size_t want_size);
