/* redact_slow.h - redaction with a look at each byte, which the filter's is compared with.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct buf;
struct slow_redact;

MUST_USE struct slow_redact *slow_redact_new(void);
void slow_redact_free(struct slow_redact *r);
MUST_USE bool slow_redact_add(struct slow_redact *r, const char *value, struct err *err);
void slow_redact_text(struct slow_redact *r, const char *text, size_t size, struct buf *out);
