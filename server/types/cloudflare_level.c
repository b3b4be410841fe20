/* cloudflare_level.c - the words of security levels.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/cloudflare_level.h"

static const struct {
	const char *word;
	const char *text;
} levels[] = {
#define LEVEL(word, text) { word, text },
	CLOUDFLARE_LEVELS(LEVEL)
#undef LEVEL
};

const char *
cloudflare_level_text(const char *level)
{
	for (size_t i = 0; i < COUNT(levels); i++)
		if (strcmp(levels[i].word, level) == 0)
			return levels[i].text;
	return NULL;
}

bool
cloudflare_is_zone(const char *text)
{
	return strlen(text) == CLOUDFLARE_ZONE - 1 &&
	    strspn(text, "0123456789abcdef") == CLOUDFLARE_ZONE - 1;
}

void
cloudflare_answer_repeated(struct cloudflare_answer *answer)
{
	if (answer->verdict != CLOUDFLARE_DONE)
		answer->verdict = CLOUDFLARE_UNKNOWN;
}
