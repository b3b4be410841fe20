/* host_lines.h - hosts as lines of a text, and one spelling of each.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

#define HOST_TEXT      262  /* 253 characters, a port, what stands between, the NUL */
#define HOST_LINES_MAX 1000 /* hosts of one run */

/* HOST[:PORT] so written that two spellings of one are one text: capitals mean nothing, port 22 is
 * what ssh takes, an IPv6 address has its shortest form.  Returns out. */
const char *host_plain(const char *host, char out[HOST_TEXT]);

/* Does one of a comma list stand for several, as web-*? */
bool host_is_pattern(const char *list) MUST_USE;

/* Of one of a list, or a resource of it (settings_claims.h): is that this very one, or one that it
 * stands for?  And is there something that both stand for? */
bool host_matches(const char *pattern, const char *text) MUST_USE;
bool host_overlaps(const char *one, const char *other) MUST_USE;

/* Is it spelled so, of letters and digits that a host's name or address has? */
bool host_is_plain(const char *text) MUST_USE;

/* Takes a line out of [*at, end), without its newline.  False: there is none, it does not end, or
 * it is longer than any host. */
bool host_lines_next(const char **at, const char *end, char ret[HOST_TEXT]) MUST_USE;
