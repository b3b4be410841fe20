/* judge_names.c - which variables compose puts into a compose file's text.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * compose takes them from whoever starts it: what is judged has to be what comes up, also where
 * somebody else starts it.  So a file takes what deploybot gives it each time, and what stands in
 * the host's .env, which is for that host to see.
 */
#include <stdio.h>

#include "judge/judge.h"
#include "judge/judge_inside.h"
#include "lib/err.h"
#include "lib/text.h"

#define NAME_MAX_BYTES 64

static bool
is_letter(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes of the name at `at`; 0: there is none. */
static size_t
name_size(const char *at)
{
	size_t n = 0;

	if (!is_letter(at[0]))
		return 0;
	while (is_letter(at[n]) || (at[n] >= '0' && at[n] <= '9'))
		n++;
	return n;
}

static bool
add_name(struct judge *judge, unsigned line, const char *name, struct err *err)
{
	static const char *const ours[] = { "DEPLOY_IMAGE", "DEPLOY_PORT" };
	char entry[NAME_MAX_BYTES + 8];

	if (text_index(name, ours, COUNT(ours)) < COUNT(ours))
		return true;
	if (text_starts(name, "COMPOSE_"))
		return err_set(err, ERR_DENIED,
		    "line %u: ${%s} is compose's own, and is another value each time: write the value itself",
		    line, name);
	(void)snprintf(entry, sizeof(entry), "\t$%s\n", name);
	if (strstr(buf_text(&judge->paths), entry) == NULL)
		buf_addf(&judge->paths, "line %u%s", line, entry);
	return buf_check(&judge->paths, err);
}

/* Both versions of compose take for a letter what a pattern without regard to case does, and that
 * is more than A to Z: behind a name stands what ends it in all of them. */
static bool
is_ended(const char *rest, bool is_braced)
{
	if (!is_braced)
		return (unsigned char)rest[0] < 0x80;
	if (rest[0] == ':')
		rest++;
	else if (rest[0] == '}')
		return true;
	return rest[0] != '\0' && strchr("-?+", rest[0]) != NULL;
}

bool
judge_variables(struct judge *judge, unsigned line, const char *text, struct err *err)
{
	for (const char *at = strchr(text, '$'); at != NULL; at = strchr(at, '$')) {
		char name[NAME_MAX_BYTES];
		bool is_braced = at[1] == '{';
		size_t n;

		at++;
		if (*at == '$') { /* stands for one */
			at++;
			continue;
		}
		at += is_braced;
		n = name_size(at);
		if (n == 0 || n >= sizeof(name) || !is_ended(at + n, is_braced))
			return err_set(err, ERR_DENIED,
			    "line %u: a $ that is no variable: write ${NAME}, with :- - :? ? :+ or + behind NAME, or $$ for a $",
			    line);
		memcpy(name, at, n);
		name[n] = '\0';
		if (!add_name(judge, line, name, err))
			return false;
		at += n;
	}
	return true;
}
