/* notify.c - NOTIFY_<NAME>_…: who else is notified of deployments, and of which words.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/notify.h"

#include "lib/column.h"
#include "lib/text.h"
#include "types/settings_member.h"

static const char *const kinds[] = { NOTIFY_KINDS(COLUMN_SECOND) };

const char *
notify_kind_text(enum notify_kind kind)
{
	assert((size_t)kind < COUNT(kinds));
	return kinds[kind];
}

const char *
notify_word_text(enum notify_word word)
{
	static const char *const words[NOTIFY_WORDS] = {
#define NOTIFY(name, word, ...) [NOTIFY_##name] = word,
#include "types/notify.def"
		[NOTIFY_UNSENT] = "unsent",
		[NOTIFY_TEST] = "test",
	};

	assert((size_t)word < COUNT(words));
	return words[word];
}

bool
notify_next(const struct settings *s, size_t *at, struct notify *ret)
{
	const struct settings_member *member;
	const struct settings *of;

	while ((member = settings_member_next(s, FAMILY_NOTIFY, at, &of)) != NULL) {
		const char *to = settings_own(member, NOTIFY_SETTING_TO)->text;
		size_t kind = 0;

		while (kind < COUNT(kinds) && (to == NULL || !text_same_ci(to, kinds[kind])))
			kind++;
		if (kind == COUNT(kinds))
			continue;
		*ret = (struct notify){
			.id = member->id,
			.kind = (enum notify_kind)kind,
			.url = settings_own(member, NOTIFY_SETTING_URL)->text,
			.secret = settings_own(member, NOTIFY_SETTING_SECRET)->text,
			.secret_previous =
			    settings_own(member, NOTIFY_SETTING_SECRET_PREVIOUS)->text,
			.room = settings_own(member, NOTIFY_SETTING_ROOM)->text,
			.address = settings_own(member, NOTIFY_SETTING_ADDRESS)->text,
			.from = settings_own(member, NOTIFY_SETTING_FROM)->text,
			.what = settings_own(member, NOTIFY_SETTING_WHAT)->text,
		};
		return true;
	}
	return false;
}

const char *
notify_place(const struct notify *to, char room[URL_PLACE])
{
	const char *at = strrchr(url_place(to->url, room), '@');

	return at == NULL ? room : at + 1;
}

bool
notify_find(const struct settings *s, const char *id, struct notify *ret)
{
	for (size_t at = 0; notify_next(s, &at, ret);)
		if (strcmp(ret->id, id) == 0)
			return true;
	return false;
}

/* --- what it is notified --- */

/* Is the part of a pattern that, or *? */
static bool
fits(const char *pattern, size_t size, const char *name)
{
	return (size == 1 && pattern[0] == '*') ||
	    (strlen(name) == size && strncmp(pattern, name, size) == 0);
}

static bool
fits_target(const char *pattern, size_t size, const char *environment)
{
	struct environment_id id;
	const char *slash = memchr(pattern, '/', size);
	size_t before = slash == NULL ? 0 : (size_t)(slash - pattern);

	if (!environment_id_parse(environment, &id))
		return false;
	if (slash == NULL)
		return fits(pattern, size, environment);
	return fits(pattern, before, id.application) && fits(slash + 1, size - before - 1, id.name);
}

bool
notify_covers(const char *what, const char *environment, enum notify_word word)
{
	while (*what != '\0') {
		size_t target = strcspn(what, ":"), all = strcspn(what, ";");
		const char *end = what + all, *next = what + target + 1;

		while (fits_target(what, target, environment) && next < end) {
			size_t size = strcspn(next, " ;");

			if (size > 0 && fits(next, size, notify_word_text(word)))
				return true;
			next += size + strspn(next + size, " ");
		}
		what = end + strspn(end, "; ");
	}
	return false;
}
