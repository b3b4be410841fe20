/* buf.c - grows by doubling, never past the cap.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/buf.h"

#include <stdio.h>

#include "lib/err.h"
#include "lib/mem.h"

#define FIRST_ROOM 256u

struct buf
buf_make(size_t cap)
{
	assert(cap < SIZE_MAX / 4);
	return (struct buf){ .cap = cap };
}

void
buf_init(struct buf *b, size_t cap)
{
	*b = buf_make(cap);
}

void
buf_done(struct buf *b)
{
	free(b->data);
	buf_init(b, b->cap);
}

void
buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->room);
	buf_done(b);
}

void
buf_clear(struct buf *b)
{
	b->size = 0;
	b->failed = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

static void
grow(struct buf *b, size_t room)
{
	b->data = mem_grow(b->data, room, 1);
	b->room = room;
}

void
buf_reserve(struct buf *b)
{
	if (b->room < b->cap + 1)
		grow(b, b->cap + 1);
	b->data[b->size] = '\0';
}

/* Room for size bytes more and the NUL. */
static bool
make_room(struct buf *b, size_t size)
{
	size_t room = b->room < FIRST_ROOM ? FIRST_ROOM : b->room;

	if (b->failed)
		return false;
	if (size > b->cap - b->size) {
		b->failed = true;
		return false;
	}
	if (b->size + size < b->room)
		return true;
	while (room <= b->size + size)
		room *= 2;
	if (room > b->cap + 1)
		room = b->cap + 1;
	grow(b, room);
	return true;
}

void
buf_add(struct buf *b, const void *data, size_t size)
{
	if (!make_room(b, size))
		return;
	if (size > 0)
		memcpy(b->data + b->size, data, size);
	b->size += size;
	b->data[b->size] = '\0';
}

void
buf_adds(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_addv(struct buf *b, const char *fmt, va_list args)
{
	va_list again;
	int size;

	va_copy(again, args);
	size = vsnprintf(NULL, 0, fmt, args);
	assert(size >= 0); /* only a bad format fails */
	if (make_room(b, (size_t)size)) {
		(void)vsnprintf(b->data + b->size, (size_t)size + 1, fmt, again);
		b->size += (size_t)size;
	}
	va_end(again);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_addv(b, fmt, args);
	va_end(args);
}

void
buf_cut(struct buf *b, size_t size)
{
	if (size >= b->size)
		return;
	b->size = size;
	b->data[size] = '\0';
}

void
buf_drop_front(struct buf *b, size_t n)
{
	if (b->data == NULL)
		return;
	if (n > b->size)
		n = b->size;
	b->size -= n;
	memmove(b->data, b->data + n, b->size + 1);
}

const char *
buf_text(const struct buf *b)
{
	return b->data == NULL ? "" : b->data;
}

bool
buf_failed(const struct buf *b)
{
	return b->failed;
}

void
buf_fail_like(struct buf *b, const struct buf *other)
{
	b->failed |= other->failed;
}

bool
buf_check(const struct buf *b, struct err *err)
{
	return !b->failed ||
	    err_set(err, ERR_LIMIT, "text grew over its limit of %zu bytes", b->cap);
}

char *
buf_take(struct buf *b)
{
	char *data;

	buf_add(b, "", 0); /* an empty buffer is a string too */
	if (b->failed) {
		buf_done(b);
		return NULL;
	}
	data = TAKE(b->data);
	buf_init(b, b->cap);
	return data;
}
