/* condition.c - when more approvals are needed, as a value: "forced=2; path db/migrate=2".  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/condition.h"

#include <stdio.h>

#include "lib/environment_id.h"
#include "lib/err.h"
#include "lib/text.h"
#include "lib/when.h"
#include "lib/zone.h"

#define BLANKS	   " \t"
#define NUMBER_MAX 32
#define WANTED \
	"expected forced, not-promoted, not-on ENVIRONMENT, path PATTERN, outside Mon-Fri 09:00-17:00"

static const struct {
	const char *word;
	const char *what;
} rows[CONDITION_KINDS] = {
#define C(kind, word, what) { word, what },
	CONDITION_ROWS(C)
#undef C
};

/* --- one --- */

static bool
read_days(const char **text, unsigned *ret)
{
	int first = when_weekday(text), last = first;

	if (first >= 0 && **text == '-') {
		++*text;
		last = when_weekday(text);
	}
	if (first < 0 || last < 0)
		return false;
	*ret = 1u << first;
	for (int day = first; day != last; day = (day + 1) % 7)
		*ret |= 1u << (day + 1) % 7;
	return true;
}

/* "Mon-Fri 09:00-17:00" */
static bool
read_hours(struct condition *ret)
{
	const char *text = ret->what;

	if (!read_days(&text, &ret->weekdays) || *text != ' ')
		return false;
	text += strspn(text, BLANKS);
	ret->from = when_clock(&text);
	if (ret->from < 0 || *text++ != '-')
		return false;
	ret->to = when_clock(&text);
	return ret->to > ret->from && *text == '\0';
}

static bool
is_pattern(const char *text)
{
	if (text[0] == '/' || text[0] == '!' || strchr(text, ',') != NULL)
		return false;
	for (const char *part = text; part != NULL; part = strchr(part, '/')) {
		part += *part == '/';
		if (strcspn(part, "/") == 2 && memcmp(part, "..", 2) == 0)
			return false;
	}
	return true;
}

static bool
is_what(struct condition *ret)
{
	struct environment_id id;

	switch (ret->kind) {
	case CONDITION_FORCED:
	case CONDITION_NOT_PROMOTED:
		return true; /* nothing stands there */
	case CONDITION_NOT_ON:
		return environment_id_parse(ret->what, &id);
	case CONDITION_PATH:
		return is_pattern(ret->what);
	case CONDITION_OUTSIDE:
		return read_hours(ret);
	case CONDITION_KINDS:
		break;
	}
	return false;
}

static bool
check_what(struct condition *ret, struct err *err)
{
	const char *word = rows[ret->kind].word, *what = rows[ret->kind].what;

	if (what[0] == '\0' && ret->what[0] != '\0')
		return err_set(err, ERR_INVALID, "nothing follows %s", word);
	if (what[0] != '\0' && ret->what[0] == '\0')
		return err_set(err, ERR_INVALID, "something must follow %s", word);
	return is_what(ret) ||
	    err_set(err, ERR_INVALID, "%s: \"%.60s\" is none: %s", word, ret->what, what);
}

/* Takes the blanks around it away. */
static char *
trim(char *text)
{
	size_t size;

	text += strspn(text, BLANKS);
	size = strlen(text);
	while (size > 0 && strchr(BLANKS, text[size - 1]) != NULL)
		text[--size] = '\0';
	return text;
}

static bool
read_condition(char *part, struct condition *ret, struct err *err)
{
	char *equals = strrchr(part, '='), *what;
	int64_t number;

	if (equals == NULL || !text_to_i64(trim(equals + 1), 1, NUMBER_MAX, &number, NULL))
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" does not end with = and a number of 1 to %d", part, NUMBER_MAX);
	*equals = '\0';
	part = trim(part);
	what = part + strcspn(part, BLANKS);
	if (*what != '\0')
		*what++ = '\0';
	*ret = (struct condition){ .kind = CONDITION_KINDS, .number = (int)number };
	for (size_t i = 0; i < CONDITION_KINDS; i++)
		if (strcmp(part, rows[i].word) == 0)
			ret->kind = (enum condition_kind)i;
	if (ret->kind == CONDITION_KINDS)
		return err_set(err, ERR_INVALID, "\"%.60s\": " WANTED, part);
	if (!text_copy(ret->what, sizeof(ret->what), trim(what)))
		return err_set(err, ERR_INVALID, "%s: more than %d bytes follow",
		    rows[ret->kind].word, CONDITION_WHAT - 1);
	return check_what(ret, err);
}

/* --- all --- */

bool
conditions_parse(const char *text, struct conditions *ret, struct err *err)
{
	char copy[CONDITIONS_TEXT + 1], *rest = copy, *part;
	struct conditions parsed = { 0 };

	if (!text_copy(copy, sizeof(copy), text))
		return err_set(err, ERR_INVALID, "is longer than %d bytes", CONDITIONS_TEXT);
	while ((part = strsep(&rest, ";")) != NULL) {
		if (parsed.n == CONDITIONS_MAX)
			return err_set(
			    err, ERR_INVALID, "has more than %d conditions", CONDITIONS_MAX);
		if (!read_condition(trim(part), &parsed.at[parsed.n++], err))
			return false;
	}
	*ret = parsed;
	return true;
}

bool
condition_is_outside(const struct condition *condition, const struct zone *zone, int64_t at)
{
	struct zone_time now = zone_local(zone, at);
	int minutes = now.hour * 60 + now.minute;

	return (condition->weekdays & 1u << now.weekday) == 0 || minutes < condition->from ||
	    minutes >= condition->to;
}

const char *
condition_text(const struct condition *condition, char out[CONDITION_WORDS])
{
	(void)snprintf(out, CONDITION_WORDS, "%s%s%s", rows[condition->kind].word,
	    condition->what[0] != '\0' ? " " : "", condition->what);
	return out;
}
