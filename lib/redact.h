/* redact.h - replaces secrets in text by ***: known values and known shapes.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Known values are found as they are, URL-encoded and in base64 (at any of the three offsets).
 * Known shapes: those of redact_shape.c (tokens of Telegram, GitHub, GitLab, Vault, AWS and Slack,
 * JWTs, signing secrets and URLs of hooks), everything from "-----BEGIN … PRIVATE KEY-----" to its
 * END line, what stands behind `Authorization: Bearer`, `Basic` or `token`, and who is named in a
 * URL with a password, or with a name that is long enough for a token.
 */
#pragma once

#include "lib/base.h"

struct buf;
struct redact;

#define REDACT_MARK "***"
#define REDACT_VALUE_MIN 6 /* shorter values would blot out ordinary text: not added */
#define REDACT_VALUE_MAX 8192
#define REDACT_VALUES_MAX 256 /* unless redact_room() says more */

/* May be shared by threads: additions and use take a lock. */
MUST_USE struct redact *redact_new(void);
void redact_free(struct redact *r); /* takes NULL; wipes the values */
DEFINE_FREEP(struct redact, redact_free)

/* How many values it may remember from now on: those of today, and those that they replace. */
void redact_room(struct redact *r, size_t values);

/* Remembers a secret value; one that is known already takes no room, so that settings may be read
 * anew for ever.  A value of several lines is also found line by line.  One shorter than
 * REDACT_VALUE_MIN is left out and is no error. */
MUST_USE bool redact_add(struct redact *r, const char *value, struct err *err);

/* Appends text to out with secrets replaced.  r may be NULL: shapes only. */
void redact_text(struct redact *r, const char *text, size_t size, struct buf *out);
/* The same of the beginning of a text: what may begin a secret at its end is left out. */
void redact_head(struct redact *r, const char *text, size_t size, struct buf *out);

/* A stream: text comes in pieces, and a secret cut in two is found all the same.  What could be
 * the start of one is held back (bounded) until the next piece or the end. */
struct redact_stream;
/* has_all: all the memory that it may need, now. */
MUST_USE struct redact_stream *redact_stream_new(struct redact *r, bool has_all);
void redact_stream_free(struct redact_stream *s);

/* Appends to out what is certain.  Failures are out's. */
void redact_stream_add(struct redact_stream *s, const char *piece, size_t size, struct buf *out);

/* How much of a piece, from its first byte on, is neither replaced nor held back: the stream is
 * behind it, and nobody has to copy it.  What is left of the piece is to be added. */
size_t redact_stream_pass(struct redact_stream *s, const char *piece, size_t size);

/* Appends what was held back; the stream can begin anew. */
void redact_stream_end(struct redact_stream *s, struct buf *out);
