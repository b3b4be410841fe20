/* json_take.c - a member is taken, or is none: the first of those is kept.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/json_take.h"

#include "lib/json.h"
#include "lib/text.h"

bool
json_take_none(struct json_take *take, const char *key)
{
	if (!take->failed)
		(void)err_set(
		    take->err, take->code, "%s %s is missing, or is none", take->whose, key);
	take->failed = true;
	return false;
}

void
json_take_plain(
    struct json_take *take, const struct json *object, const char *key, char *out, size_t room)
{
	const char *text = json_text(object, key);

	out[0] = '\0';
	if (text[0] == '\0' || !text_is_plain(text) || !text_copy(out, room, text))
		(void)json_take_none(take, key);
}

void
json_take_number(struct json_take *take, const struct json *object, const char *key, int64_t *ret)
{
	*ret = json_get_i64_or(object, key, 0);
	if (*ret <= 0)
		(void)json_take_none(take, key);
}

void
json_take_commit(
    struct json_take *take, const struct json *object, const char *key, char *out, size_t most)
{
	json_take_plain(take, object, key, out, most + 1);
	if (!text_is_hex(out, 40, 40) && !text_is_hex(out, most, most))
		(void)json_take_none(take, key);
}
