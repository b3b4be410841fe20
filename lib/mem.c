/* mem.c - malloc, or the end.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile uint32_t *to_mark;

_Noreturn void
mem_abort(void)
{
	static const char line[] = "out of memory: aborted\n";

	if (to_mark != NULL)
		*to_mark = 1;
	(void)!write(STDERR_FILENO, line, sizeof(line) - 1); /* there is nobody else to say it to */
	abort();
}

void
mem_mark(volatile uint32_t *mark)
{
	to_mark = mark;
}

static void *
there(void *memory)
{
	if (memory == NULL)
		mem_abort();
	return memory;
}

void *
mem_alloc(size_t size)
{
	return there(malloc(size > 0 ? size : 1)); /* of nothing malloc may make NULL */
}

void *
mem_new(size_t n, size_t size)
{
	return there(calloc(n > 0 ? n : 1, size));
}

void *
mem_grow(void *old, size_t n, size_t size)
{
	return there(reallocarray(old, n > 0 ? n : 1, size));
}

void *
mem_copy(const void *from, size_t size)
{
	return memcpy(mem_alloc(size), from, size);
}

char *
mem_text(const char *text)
{
	return text == NULL ? NULL : there(strdup(text));
}

char *
mem_textn(const char *text, size_t most)
{
	return text == NULL ? NULL : there(strndup(text, most));
}

char *
mem_textf(const char *fmt, ...)
{
	va_list args;
	char *text;
	int size;

	va_start(args, fmt);
	size = vasprintf(&text, fmt, args);
	va_end(args);
	return size < 0 ? there(NULL) : text;
}

void *
mem_resize(void *old, long size)
{
	if (size > 0)
		return there(realloc(old, (size_t)size));
	free(old);
	return NULL;
}
