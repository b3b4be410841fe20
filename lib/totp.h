/* totp.h - codes of RFC 6238 and recovery codes: the wrapper of liboath.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

#define TOTP_SECRET	 20 /* bytes: what HMAC-SHA1 has */
#define TOTP_DIGITS	 6
#define TOTP_STEP_S	 30
#define TOTP_SECRET_TEXT 33 /* base32 and the NUL */
#define TOTP_URI	 512

#define TOTP_RECOVERY	   10 /* bytes: 80 bits */
#define TOTP_RECOVERY_TEXT 20 /* "ABCD-EFGH-IJKL-MNOP" and the NUL */

/* Six ASCII digits and nothing else? */
bool totp_is_code(const char *text);

/* The step (30 s since 1970) whose code this is: that of at_s, the one before, the one behind; -1:
 * none.  All three are made and compared in a time that depends on none of them.  Who accepts one
 * must refuse it, and those before it, from then on. */
int64_t totp_match(const uint8_t secret[TOTP_SECRET], int64_t at_s, const char *code);

/* The secret as people type it: 32 of A-Z 2-7. */
void totp_secret_text(const uint8_t secret[TOTP_SECRET], char out[TOTP_SECRET_TEXT]);

/* otpauth://totp/ISSUER:ACCOUNT?secret=…&issuer=ISSUER; both cut to 32 bytes. */
void totp_uri(
    const uint8_t secret[TOTP_SECRET], const char *issuer, const char *account, char out[TOTP_URI]);

/* A recovery code as it is shown; as it is typed: blanks and any dash between, either case.  False:
 * no memory, or it is none. */
void totp_recovery_text(const uint8_t code[TOTP_RECOVERY], char out[TOTP_RECOVERY_TEXT]);
MUST_USE bool totp_recovery_parse(const char *text, uint8_t ret[TOTP_RECOVERY]);
