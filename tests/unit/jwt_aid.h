/* jwt_aid.h - tokens of a key that is for tests alone.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/jwt.h"

#define JWT_AID_ISSUER	 "https://token.actions.githubusercontent.com"
#define JWT_AID_AUDIENCE "https://bot.example.org"
#define JWT_AID_AT	 1795700000000 /* when jwt_aid_token was issued; it lives five minutes */

extern const char jwt_aid_key[];     /* in PEM */
extern const char jwt_aid_modulus[]; /* in base64, of URLs; the exponent is AQAB */
extern const char jwt_aid_token[];   /* made by PyJWT 2.6.0, kid key-1 */

struct crypto_rsa *jwt_aid_public(void);

/* Of this header and these claims, whatever they are, signed; to be freed. */
char *jwt_aid_sign(const char *header, const char *claims);
