/* json_mend.h - JSON with a text that is no Unicode, made such that json_decode() takes it.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A forge and Telegram pass on what somebody pushed or wrote, and PostgreSQL keeps no such text:
 * U+FFFD stands for a NUL, as a byte or as \u0000, for each byte that is no UTF-8, and for a
 * surrogate without its other half.  What is sent to us by its author is refused instead.
 */
#pragma once

#include "lib/buf.h"
#include "lib/json.h"

/* Adds the text to out, whose room is as large and JSON_MEND_MORE; false: there was nothing to
 * replace, or far more than anybody sends. */
#define JSON_MEND_MORE 65536u
bool json_mend(struct buf *out, const void *bytes, size_t size) MUST_USE;

/* As json_decode(), which is tried first. */
struct json *json_decode_mended(const void *bytes, size_t size, struct err *err) MUST_USE;
