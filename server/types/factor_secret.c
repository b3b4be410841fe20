/* factor_secret.c - what is sealed of a second factor: who may open it, and what an app is shown.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/factor_secret.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/err.h"
#include "lib/text.h"
#include "types/settings.h"

_Static_assert(
    sizeof(struct factor_secret) == TOTP_SECRET + 32, "bytes that are sealed as they are");

const char *
factor_secret_place(int64_t person, char out[FACTOR_PLACE])
{
	(void)snprintf(out, FACTOR_PLACE, "factor/%" PRId64, person);
	return out;
}

bool
factor_secret_open(const struct settings *settings, int64_t person, const char *sealed,
    struct factor_secret *ret, struct err *err)
{
	char place[FACTOR_PLACE];

	if (settings->totp_keys == NULL)
		return err_set(err, ERR_MISSING, "TOTP_KEY_FILE is not set, or cannot be read");
	return seal_open(settings->totp_keys, factor_secret_place(person, place), sealed, ret,
	    sizeof(*ret), err);
}

void
factor_secret_uri(const struct settings *settings, int64_t person,
    const struct factor_secret *secret, char out[TOTP_URI])
{
	const char *name = settings_text(settings, SETTING_INSTALLATION_NAME);
	char account[32], issuer[96];

	text_setf(account, "telegram:%" PRId64, person);
	text_setf(issuer, "deploybot %s", name != NULL ? name : settings->host);
	totp_uri(secret->totp, issuer, account, out);
}
