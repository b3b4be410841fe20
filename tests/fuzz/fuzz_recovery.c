/* fuzz_recovery.c - a recovery code is read as it was meant or not at all, and so are six digits.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/totp.h"
#include "tests/fuzz/fuzz.h"

/* By other hands: the 16 letters and digits of base32 in it, in capitals; "": there are not 16. */
static void
letters_of(const char *text, char out[17])
{
	size_t n = 0;

	for (; *text != '\0' && n < 17; text++) {
		char c = *text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text;

		if ((c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7')) {
			if (n == 16)
				break;
			out[n++] = c;
		}
	}
	out[*text == '\0' && n == 16 ? 16 : 0] = '\0';
}

static void
read_recovery(const char *text)
{
	uint8_t code[TOTP_RECOVERY], again[TOTP_RECOVERY];
	char shown[TOTP_RECOVERY_TEXT], letters[17], of_shown[17];

	if (!totp_recovery_parse(text, code))
		return;
	letters_of(text, letters);
	totp_recovery_text(code, shown);
	assert(strlen(shown) == TOTP_RECOVERY_TEXT - 1);
	letters_of(shown, of_shown);
	assert(letters[0] != '\0' && strcmp(letters, of_shown) == 0);
	assert(totp_recovery_parse(shown, again) && memcmp(code, again, sizeof(code)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	size_t digits = strspn(text, "0123456789");

	read_recovery(text);
	assert(totp_is_code(text) == (digits == TOTP_DIGITS && text[digits] == '\0'));
	free(text);
	return 0;
}
