/* http_linger.h - lets a refused sender read the refusal before the close.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * Closing a socket with unread data resets the connection, and the answer on its way is lost
 * (RFC 9112, 9.6).  A refused body is therefore read into nothing, for a while.
 */
#pragma once

#include "lib/base.h"
#include "lib/loop.h"

struct http_linger;

struct http_linger *http_linger_new(struct loop *loop) MUST_USE;

/* NULL is fine.  Closes what lingers. */
void http_linger_free(struct http_linger *linger);

/* Keeps a copy of fd, whose owner is about to close it, reads it empty until its end, for 2 s
 * and 32 MB at most, and closes it.  Beyond 32 at a time nothing is kept. */
void http_linger_keep(struct http_linger *linger, int fd);
