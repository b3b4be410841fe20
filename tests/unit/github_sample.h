/* github_sample.h - a push as GitHub sends it, for tests.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>

struct buf;

#define GITHUB_SAMPLE_AFTER "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"

/* Appends a push of `ref` of about 7.7 KB; number makes each body its own. */
void github_sample_push(struct buf *out, const char *ref, unsigned number);
