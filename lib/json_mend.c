/* json_mend.c - byte by byte; of JSON it knows what an escape is.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/json_mend.h"

#include "lib/text.h"

#define ESCAPE_SIZE 6 /* \uXXXX */

/* The unit of the escape that stands there; -1: none does. */
static long
unit_at(const char *at, size_t size)
{
	uint8_t unit[2];

	return size >= ESCAPE_SIZE && at[0] == '\\' && at[1] == 'u' &&
		text_unhex(unit, 2, at + 2, 4) ?
	    unit[0] << 8 | unit[1] :
	    -1;
}

/* Bytes of what begins there and stays; 0: it is replaced, *ret_gone bytes of it. */
static size_t
good_at(const char *at, size_t size, size_t *ret_gone)
{
	uint32_t code = 0;
	size_t n = text_decode(at, size, &code);
	long unit = unit_at(at, size), low;

	*ret_gone = 1;
	if (n == 0 || code == 0)
		return 0;
	if (code != '\\')
		return n;
	if (unit < 0)
		return size > 1 && (unsigned char)at[1] < 0x80 && at[1] != '\0' ? 2 : 1;
	*ret_gone = ESCAPE_SIZE;
	if (unit < 0xd800 || unit > 0xdfff)
		return unit == 0 ? 0 : ESCAPE_SIZE;
	low = unit_at(at + ESCAPE_SIZE, size - ESCAPE_SIZE);
	return unit < 0xdc00 && low >= 0xdc00 && low <= 0xdfff ? (size_t)2 * ESCAPE_SIZE : 0;
}

bool
json_mend(struct buf *out, const void *bytes, size_t size)
{
	const char *at = bytes;
	bool is_other = false;

	while (size > 0) {
		size_t gone, n = good_at(at, size, &gone);

		if (n > 0)
			buf_add(out, at, n);
		else
			buf_adds(out, "\xef\xbf\xbd");
		is_other = is_other || n == 0;
		n = n > 0 ? n : gone;
		at += n;
		size -= n;
	}
	return is_other && !buf_failed(out);
}

struct json *
json_decode_mended(const void *bytes, size_t size, struct err *err)
{
	CLEANUP(buf_done) struct buf mended = buf_make(size + JSON_MEND_MORE);
	struct json *root = json_decode(bytes, size, err);

	return root == NULL && size > 0 && json_mend(&mended, bytes, size) ?
	    json_decode(mended.data, mended.size, err) :
	    root;
}
