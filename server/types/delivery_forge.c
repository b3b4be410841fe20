/* delivery_forge.c - the forges that report pushes and whose jobs ask here, by their words.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/delivery_forge.h"

#include <stdio.h>

static const struct {
	const char *word;
	const char *name;
} forges[] = {
#define FORGE(name, word, called) [DELIVERY_##name] = { word, called },
	DELIVERY_FORGES(FORGE)
#undef FORGE
};

const char *
delivery_forge_word(enum delivery_forge forge)
{
	return forges[forge].word;
}

const char *
delivery_forge_name(enum delivery_forge forge)
{
	return forges[forge].name;
}

const char *
delivery_forge_person(const char *requester, char ret[DELIVERY_PERSON])
{
	size_t size = strcspn(requester, ":"), i = 0;
	const char *login = requester + size + (requester[size] == ':');

	while (i < COUNT(forges) &&
	    (strlen(forges[i].word) != size || strncmp(forges[i].word, requester, size) != 0))
		i++;
	if (i == COUNT(forges) || login[0] == '\0')
		return requester;
	(void)snprintf(
	    ret, DELIVERY_PERSON, "%.*s (%s)", (int)strcspn(login, "("), login, forges[i].name);
	return ret;
}

enum delivery_forge
delivery_forge_of(const char *word)
{
	for (size_t i = 0; i < COUNT(forges); i++)
		if (strcmp(forges[i].word, word) == 0)
			return (enum delivery_forge)i;
	return DELIVERY_GITHUB;
}
