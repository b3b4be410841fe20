/* thread.h - starts a thread with a stack of its own size.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <pthread.h>

#include "lib/base.h"

/* Of the stack only what is used takes memory.  The caller joins it.  0, or an errno: it was not
 * started. */
int thread_start(pthread_t *ret, size_t stack_bytes, void *(*run)(void *), void *ctx) MUST_USE;
