/* hook.c - hooks of the settings, and what their lines stand for.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/hook.h"

#include <stdio.h>

#include "lib/clean.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "types/settings_member.h"

#define DO "do."

static struct secret
secret_of_hook(const struct settings *s, const struct settings_member *member)
{
	struct secret secret = { .application = s->application };

	if (settings_own(member, HOOK_SETTING_SECRET)->text == NULL)
		return secret_get(s, SETTING_WEBHOOK_API_SECRET);
	secret.values[0] = settings_own(member, HOOK_SETTING_SECRET)->text;
	secret.values[1] = settings_own(member, HOOK_SETTING_SECRET_PREVIOUS)->text;
	(void)setting_name("HOOK_<NAME>_SECRET", member->name, secret.name);
	return secret;
}

bool
hook_next(const struct settings *s, size_t *at, struct hook *ret)
{
	const struct settings_member *member;
	const struct settings *of;

	while ((member = settings_member_next(s, FAMILY_HOOK, at, &of)) != NULL) {
		if (settings_own(member, HOOK_SETTING_STARTS)->text == NULL)
			continue;
		*ret = (struct hook){
			.id = member->id,
			.secret = secret_of_hook(of, member),
			.is_shared = settings_own(member, HOOK_SETTING_SECRET)->text == NULL,
			.starts = settings_own(member, HOOK_SETTING_STARTS)->text,
			.application = of->application,
		};
		return true;
	}
	return false;
}

bool
hook_find(const struct settings *s, const char *id, struct hook *ret)
{
	bool is_found = false;
	struct hook hook;

	for (size_t at = 0; hook_next(s, &at, &hook);)
		if (strcmp(hook.id, id) == 0) {
			*ret = hook;
			is_found = true;
		}
	return is_found;
}

/* --- lines --- */

/* "staging" of shop's own file is shop/staging. */
static void
read_target(const char *text, const char *application, struct hook_line *ret)
{
	if (strchr(text, '/') == NULL)
		(void)environment_id_text(application, text, ret->target);
	else
		text_set(ret->target, text);
}

void
hook_line_read(const char *starts, const char *application, struct hook_line *ret)
{
	size_t size = strcspn(starts, " ");
	const char *rest = starts + size + strspn(starts + size, " ");
	size_t key = strcspn(rest, "=");
	const char *colon;

	*ret = (struct hook_line){ 0 };
	text_setf(ret->grant, "%.*s", (int)size, starts); /* fits */
	colon = ret->grant + strcspn(ret->grant, ":");
	read_target(*colon == ':' ? colon + 1 : "", application, ret);
	if (text_starts(ret->grant, DO))
		text_setf(ret->action, "%.*s", (int)(colon - ret->grant) - (int)strlen(DO),
		    ret->grant + strlen(DO));
	if (rest[key] == '=') {
		text_setf(ret->key, "%.*s", (int)key, rest);
		text_set(ret->value, rest + key + 1);
	}
}

/* Does its word come from the body? */
static bool
needs_body(const struct hook_line *line)
{
	return line->value[0] == '$';
}

/* What stands at $.a.b; NULL: nothing. */
static const struct json *
find(const struct json *body, const char *path)
{
	char key[HOOK_VALUE_MAX + 1];

	for (path++; body != NULL && *path == '.';) {
		size_t size = strcspn(++path, ".");

		text_setf(key, "%.*s", (int)size, path); /* fits */
		body = json_get(body, key);
		path += size;
	}
	return body;
}

/* One word of printable text. */
static bool
read_word(const struct json *value, const char *path, char out[HOOK_VALUE_MAX + 1], struct err *err)
{
	const char *text = json_str(value);
	size_t size = text == NULL ? 0 : json_str_size(value);

	if (text == NULL)
		return err_set(err, ERR_INVALID, "%.100s: expected a string there%s", path,
		    value == NULL ? ", and nothing is" : "");
	if (size == 0 || size > HOOK_VALUE_MAX || strlen(text) != size)
		return err_set(
		    err, ERR_INVALID, "%.100s: expected 1 to %d bytes", path, HOOK_VALUE_MAX);
	/* Nothing is left out of it: it is one word, and shown as it is. */
	if (strcmp(clean_line(out, HOOK_VALUE_MAX + 1, text, size), text) != 0 ||
	    strchr(text, ' ') != NULL)
		return err_set(err, ERR_INVALID,
		    "%.100s: expected one word of printable text, without blanks", path);
	return true;
}

static bool
read_body(const struct hook_line *line, const char *body, size_t size, char out[HOOK_VALUE_MAX + 1],
    struct err *err)
{
	CLEANUP(json_freep) struct json *json = body == NULL ? NULL : json_decode(body, size, err);

	if (json == NULL || !json_holds_object(json))
		return err_set(err, ERR_INVALID, "expected a JSON object, as UTF-8, in the body");
	return read_word(find(json, line->value), line->value, out, err);
}

/* "release,$.version" are two words, each its own or the body's. */
static bool
read_value(const struct hook_line *line, const char *body, size_t size,
    char out[HOOK_VALUE_MAX + 1], struct err *err)
{
	struct hook_line part = *line;
	char word[HOOK_VALUE_MAX + 1];
	size_t used = 0, its;

	out[0] = '\0';
	for (const char *rest = line->value; *rest != '\0'; rest += its + (rest[its] == ',')) {
		its = strcspn(rest, ",");
		text_setf(part.value, "%.*s", (int)its, rest);
		text_set(word, part.value); /* of the same size */
		if (needs_body(&part) && !read_body(&part, body, size, word, err))
			return false;
		used += (size_t)snprintf(
		    out + used, HOOK_VALUE_MAX + 1 - used, "%s%s", used > 0 ? " " : "", word);
		if (used > HOOK_VALUE_MAX)
			return err_set(err, ERR_LIMIT, "%s: longer than an action's words may be",
			    line->value);
	}
	return true;
}

bool
hook_line_request(const struct hook_line *line, const char *body, size_t size, struct request *ret,
    struct err *err)
{
	char value[HOOK_VALUE_MAX + 1], words[LIMIT_REF];

	if (!read_value(line, body, size, value, err))
		return false;
	if (line->action[0] == '\0') {
		*ret = request_of("deploy", line->target);
		request_add(ret, line->key[0] != '\0' ? line->key : "ref", value);
		return true;
	}
	if (snprintf(words, sizeof(words), "%s %s%s%s", line->action, line->target,
		value[0] != '\0' ? " " : "", value) >= (int)sizeof(words))
		return err_set(
		    err, ERR_LIMIT, "%s: longer than an action's words may be", line->value);
	*ret = request_of("do", "");
	request_add(ret, REQUEST_TEXT, words);
	return true;
}

bool
hook_key_copy(const char *key, char out[HOOK_KEY_MAX + 1])
{
	out[0] = '\0';
	if (key == NULL)
		return true;
	for (const char *c = key; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return false;
	return key[0] != '\0' && text_copy(out, HOOK_KEY_MAX + 1, key);
}
