/* effect_codec.h - an effect as the JSON of its row, and back.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * The body holds what the kind alone knows.  id, subject and due are columns; a message is read
 * from its own row when the effect is handed out, so only its number is kept.
 */
#pragma once

#include "lib/buf.h"
#include "lib/err.h"
#include "types/effect.h"

#define EFFECT_BODY_MAX	(1 << 20)	/* 256 health URLs of 1 KB are the largest */

/* Appends the body; buf_failed() tells a failure. */
void effect_codec_encode(const struct effect *effect, struct buf *out);

/* A new effect of that kind; NULL: *err says what the body lacks. */
struct effect *effect_codec_decode(enum effect_kind kind, const char *body, struct err *err)
    MUST_USE;

/* The name in a row back to its kind; EFFECT_KIND_COUNT when it is none. */
enum effect_kind effect_codec_kind(const char *name);
