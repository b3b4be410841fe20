/* buf.h - a byte buffer that grows up to a cap and remembers its first failure.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Add without asking, ask once at the end: when the cap is reached further adds do nothing and
 * buf_failed() is true.  The content is NUL-terminated at all times (the NUL is not counted in size
 * or cap).
 */
#pragma once

#include <stdarg.h>

#include "lib/base.h"

struct buf {
	char *data; /* NULL until the first byte; use buf_text() for a string */
	size_t size;
	size_t room;
	size_t cap;
	bool failed;
};

/* An empty buffer that never holds more than cap bytes.  Allocates nothing. */
void buf_init(struct buf *b, size_t cap);

/* The same as a value, for a local that its scope frees:
 *	CLEANUP(buf_done) struct buf text = buf_make(4096); */
MUST_USE struct buf buf_make(size_t cap);

/* All the memory that the cap allows, now: for a process that may not run out of it later. */
void buf_reserve(struct buf *b);

/* Frees the content; the buffer is empty and unfailed, with the cap it had. */
void buf_done(struct buf *b);

/* As buf_done, after overwriting the content: for what held a secret. */
void buf_wipe(struct buf *b);

/* Forgets content and failure, keeps the memory. */
void buf_clear(struct buf *b);

void buf_add(struct buf *b, const void *data, size_t size);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_addv(struct buf *b, const char *fmt, va_list args) PRINTF(2, 0);

/* Shortens to size bytes (no effect when it is shorter). */
void buf_cut(struct buf *b, size_t size);

/* Removes the first n bytes (all, when there are fewer). */
void buf_drop_front(struct buf *b, size_t n);

/* The content as a string, "" when empty.  Borrowed until the next change. */
const char *buf_text(const struct buf *b);

bool buf_failed(const struct buf *b);

/* What is added to b was made in another one: has that failed, b has. */
void buf_fail_like(struct buf *b, const struct buf *other);

/* buf_failed() as an error: ERR_LIMIT with the cap.  True when not failed. */
MUST_USE bool buf_check(const struct buf *b, struct err *err);

/* Gives away the content, NUL-terminated, to be freed by the caller, and leaves b empty.
 * NULL when the buffer has failed: its content is freed. */
MUST_USE char *buf_take(struct buf *b);
