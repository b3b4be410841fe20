/* settings_check.h - may a text be the value of a setting of this type?  Side: pure. */
/* SPDX-License-Identifier: ISC */
#ifndef SETTINGS_CHECK_H
#define SETTINGS_CHECK_H

#include "lib/base.h"

struct err;

/* One for each type in runner/settings.def; from HOSTS on in settings_targets.c.  The sentence in
 * err says what was given and what was expected; for secrets only what was expected. */
/* clang-format off */
#define SETTINGS_TYPES(T) \
	T(TEXT) T(TOKEN) T(BOT_TOKEN) T(WEBHOOK_SECRET) T(BOOL) T(COUNT) T(SECONDS) \
	T(SECONDS_OR_0) T(SIZE) T(PORT) T(ID) T(IDS) T(URL) T(URLS) T(PATH) T(SOCKET) T(ADDRESS) \
	T(NAMES) T(BRANCH) T(REPOSITORY) T(REMOTE) T(PROXY) T(LEVEL) T(FORMAT) T(MODE) \
	T(HOSTS) T(PORT_PAIR) T(USER) T(HOST_PATH) T(COMMAND) T(SMOKE) T(IMAGE) T(REGISTRY) \
	T(ACCOUNT) T(PASSWORD) T(ENGINE) T(INSIDE) T(WORD) T(SERVICE) T(LABEL) T(LABELS) \
	T(SOURCE) T(STRATEGY)
/* clang-format on */

#define T(type) MUST_USE bool settings_check_##type(const char *text, struct err *err);
SETTINGS_TYPES(T)
#undef T

/* Takes the next part of a comma list, without the blanks around it, from *list, which moves on.
 * False at the end.  Parts longer than room are refused by the checks before. */
MUST_USE bool settings_check_next(const char **list, char *out, size_t room);

#define SETTINGS_CHECK_TEXT_MAX 1024 /* bytes of any value but a list */
#define SETTINGS_CHECK_LONG_MAX 4096 /* of hosts and passwords: the runner reads no more */
#define SETTINGS_CHECK_SECRET_MIN 16 /* shorter is refused */
#define SETTINGS_CHECK_SECRET_OK  32 /* shorter is warned of */

#endif
