/* secret.c - a secret that others prove themselves with: its two values, and notes of their use.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/secret.h"

#include "lib/crypto.h"
#include "lib/text.h"

static const struct {
	enum setting now, previous;
	const char *name;
} rotated[] = {
#define ROW(name) { SETTING_##name, SETTING_##name##_PREVIOUS, #name },
	SECRETS_ROTATED(ROW)
#undef ROW
};

struct secret
secret_get(const struct settings *s, enum setting setting)
{
	struct secret secret = { .application = "" };

	for (size_t i = 0; i < COUNT(rotated); i++) {
		const struct settings_value *values = s->inside->values;

		if (rotated[i].now != setting)
			continue;
		secret.values[0] = values[setting].text;
		secret.values[1] = values[rotated[i].previous].text;
		secret.application = values[setting].is_inherited ? "" : s->application;
		text_set(secret.name, rotated[i].name);
	}
	return secret;
}

int
secret_find(const struct secret *secret, const char *given)
{
	int found = -1;

	for (int i = 0; i < SECRET_VALUES; i++) {
		bool is_same = crypto_same_text(given, secret->values[i]);

		found = is_same && found < 0 ? i : found;
	}
	return found;
}

bool
secret_is_previous(enum setting setting, enum setting *ret)
{
	for (size_t i = 0; i < COUNT(rotated); i++)
		if (rotated[i].previous == setting) {
			*ret = rotated[i].now;
			return true;
		}
	return false;
}
