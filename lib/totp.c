/* totp.c - liboath makes codes and base32; what is compared is compared here.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/totp.h"

#include <stdio.h>

#include <liboath/oath.h>

#include "lib/crypto.h"
#include "lib/mem.h"
#include "lib/mem_wiped.h"
#include "lib/text.h"

#define STEPS	       3  /* the one before, this one, the one behind */
#define NAME_MAX_BYTES 32 /* three characters each at most: all of it fits */

bool
totp_is_code(const char *text)
{
	return strlen(text) == TOTP_DIGITS && strspn(text, "0123456789") == TOTP_DIGITS;
}

/* A right code that could not be made would count as a wrong try. */
static void
code_of(const uint8_t secret[TOTP_SECRET], int64_t step, char out[TOTP_DIGITS + 1])
{
	if (oath_totp_generate((const char *)secret, TOTP_SECRET, (time_t)(step * TOTP_STEP_S),
		TOTP_STEP_S, 0, TOTP_DIGITS, out) != OATH_OK)
		mem_abort(); /* nothing else can be wrong */
}

int64_t
totp_match(const uint8_t secret[TOTP_SECRET], int64_t at_s, const char *code)
{
	const int64_t now = at_s / TOTP_STEP_S;
	char made[STEPS][TOTP_DIGITS + 1] = { 0 };
	int64_t match = -1;

	if (!totp_is_code(code) || at_s < TOTP_STEP_S)
		return -1;
	for (int i = 0; i < STEPS; i++)
		code_of(secret, now - 1 + i, made[i]);
	for (int i = 0; i < STEPS; i++) /* not to the first that fits */
		if (crypto_same(made[i], code, TOTP_DIGITS))
			match = now - 1 + i;
	crypto_wipe(made, sizeof(made));
	return match;
}

/* Base32 without the = behind it, which are cut off. */
static void
encode(const uint8_t *data, size_t size, char *out, size_t room)
{
	CLEANUP(freep) char *made = NULL;
	size_t n = 0;

	if (oath_base32_encode((const char *)data, size, &made, &n) != OATH_OK)
		mem_abort(); /* nothing else can be wrong */
	made[strcspn(made, "=")] = '\0';
	(void)text_copy(out, room, made);
	crypto_wipe(made, n);
}

void
totp_secret_text(const uint8_t secret[TOTP_SECRET], char out[TOTP_SECRET_TEXT])
{
	encode(secret, TOTP_SECRET, out, TOTP_SECRET_TEXT);
}

/* As a part of an address. */
static const char *
escape(const char *name, char out[NAME_MAX_BYTES * 3 + 1])
{
	size_t size = text_cut(name, strlen(name), NAME_MAX_BYTES), used = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)name[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;

		used += (size_t)snprintf(
		    out + used, NAME_MAX_BYTES * 3 + 1 - used, is_plain ? "%c" : "%%%02X", c);
	}
	out[used] = '\0';
	return out;
}

void
totp_uri(
    const uint8_t secret[TOTP_SECRET], const char *issuer, const char *account, char out[TOTP_URI])
{
	char of[NAME_MAX_BYTES * 3 + 1], who[NAME_MAX_BYTES * 3 + 1], text[TOTP_SECRET_TEXT];

	totp_secret_text(secret, text);
	(void)escape(issuer, of);

	(void)snprintf(out, TOTP_URI, "otpauth://totp/%s:%s?secret=%s&issuer=%s", of,
	    escape(account, who), text, of);
	crypto_wipe(text, sizeof(text));
}

void
totp_recovery_text(const uint8_t code[TOTP_RECOVERY], char out[TOTP_RECOVERY_TEXT])
{
	char text[17];

	encode(code, TOTP_RECOVERY, text, sizeof(text));
	(void)snprintf(
	    out, TOTP_RECOVERY_TEXT, "%.4s-%.4s-%.4s-%.4s", text, text + 4, text + 8, text + 12);
	crypto_wipe(text, sizeof(text));
}

/* Letters and digits of base32 in capitals; a phone's keyboard makes other dashes and blanks of
 * those that were copied.  False: something else is in it, or it has another length. */
static bool
strip(const char *text, char out[17])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	size_t size = strlen(text), used = 0, n;

	for (size_t at = 0; at < size; at += n) {
		uint32_t code;
		bool is_between;

		n = text_decode(text + at, size - at, &code);
		if (n == 0)
			return false;
		is_between = code == ' ' || code == '-' || code == 0xa0 || code == 0x2212 ||
		    (code >= 0x2010 && code <= 0x2015);
		if (is_between)
			continue;
		if (code >= 'a' && code <= 'z')
			code -= 'a' - 'A';
		if (code > 0x7f || code == 0 || strchr(alphabet, (int)code) == NULL || used == 16)
			return false;
		out[used++] = (char)code;
	}
	out[used] = '\0';
	return used == 16;
}

bool
totp_recovery_parse(const char *text, uint8_t ret[TOTP_RECOVERY])
{
	CLEANUP(mem_wiped_freep) char *decoded = NULL;
	char stripped[17];
	size_t n = 0;
	bool ok;

	if (!strip(text, stripped))
		return false;
	ok = oath_base32_decode(stripped, 16, &decoded, &n) == OATH_OK && n == TOTP_RECOVERY;
	if (ok)
		memcpy(ret, decoded, TOTP_RECOVERY);
	crypto_wipe(stripped, sizeof(stripped));
	return ok;
}
