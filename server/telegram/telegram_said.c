/* telegram_said.c - what messages say, by what we have sent: no edit is sent that changes nothing.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_said.h"

/* TELEGRAM_SAID_MAX: it is not among them. */
static size_t
find(const struct telegram_said *said, int64_t message)
{
	size_t i = 0;

	while (i < TELEGRAM_SAID_MAX && said->at[i].message != message)
		i++;
	return i;
}

bool
telegram_said_is(
    const struct telegram_said *said, int64_t message, const uint8_t digest[CRYPTO_SHA256_SIZE])
{
	size_t i = message == 0 ? TELEGRAM_SAID_MAX : find(said, message);

	return i < TELEGRAM_SAID_MAX && memcmp(said->at[i].digest, digest, CRYPTO_SHA256_SIZE) == 0;
}

void
telegram_said_put(
    struct telegram_said *said, int64_t message, const uint8_t digest[CRYPTO_SHA256_SIZE])
{
	size_t i = find(said, message);

	if (message == 0)
		return;
	if (i == TELEGRAM_SAID_MAX && digest != NULL) {
		i = said->next;
		said->next = (i + 1) % TELEGRAM_SAID_MAX;
	}
	if (i == TELEGRAM_SAID_MAX)
		return;
	said->at[i].message = digest != NULL ? message : 0;
	if (digest != NULL)
		memcpy(said->at[i].digest, digest, CRYPTO_SHA256_SIZE);
}
