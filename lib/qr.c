/* qr.c - libqrencode makes the modules; the blocks that show them are written here.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/qr.h"

#include <qrencode.h>

#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/err.h"

#define QUIET	  4   /* modules around the code that stay white */
#define WIDTH_MAX 177 /* of version 40 */

static QRcode *
make(const char *text, struct err *err)
{
	QRcode *code =
	    strlen(text) > QR_TEXT_MAX ? NULL : QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);

	return code != NULL ? code : ERR_NULL(err_set(err, ERR_LIMIT, "no QR code of it"));
}

/* It shows a secret. */
static void
drop(QRcode *code)
{
	crypto_wipe(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
}

static bool
is_black(const QRcode *code, int x, int y)
{
	x -= QUIET;
	y -= QUIET;
	return x >= 0 && y >= 0 && x < code->width && y < code->width &&
	    (code->data[y * code->width + x] & 1) != 0;
}

bool
qr_terminal(const char *text, struct buf *out, struct err *err)
{
	static const char *const half[] = { " ", "▄", "▀", "█" }; /* by upper, then lower */
	QRcode *code = make(text, err);

	if (code == NULL)
		return false;
	for (int y = 0; y < code->width + 2 * QUIET; y += 2) {
		buf_adds(out, "\033[30;107m");
		for (int x = 0; x < code->width + 2 * QUIET; x++)
			buf_adds(out, half[is_black(code, x, y) * 2 + is_black(code, x, y + 1)]);
		buf_adds(out, "\033[0m\n");
	}
	drop(code);
	return buf_check(out, err);
}

void
qr_rows(const char *text, qr_row_fn *each, void *ctx)
{
	char row[WIDTH_MAX + 1] = "";
	QRcode *code = make(text, NULL);

	if (code == NULL)
		return;
	for (int y = 0; y < code->width; y++) {
		for (int x = 0; x < code->width; x++)
			row[x] = is_black(code, x + QUIET, y + QUIET) ? '1' : '0';
		each(ctx, row);
	}
	crypto_wipe(row, sizeof(row));
	drop(code);
}
