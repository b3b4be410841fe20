/* telegram_split.h - finds values in JSON text without reading them.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * So that one update which cannot be read does not spoil the ninety-nine beside it, and still
 * tells its number.  What is found is only bounded, not checked: whoever uses it decodes it.
 */
#pragma once

#include "lib/base.h"

struct telegram_span {
	const char *at;		/* NULL: not there */
	size_t size;
};

/* The value of a key in the object that `text` is; the first of several.  At NULL: no object, no
 * such key, or brackets that do not close. */
struct telegram_span telegram_split_member(struct telegram_span text, const char *key);

/* The next element of the array that *rest is, or what is left of it; shortens *rest.  At NULL:
 * no further one; *ret_broken is set when that is because brackets or quotes do not close. */
struct telegram_span telegram_split_next(struct telegram_span *rest, bool *ret_broken);

/* An integer, and nothing else. */
bool telegram_split_number(struct telegram_span text, int64_t *ret);
