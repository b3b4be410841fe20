/* store_names.c - the environments that something happened to, until it is looked at.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store_names.h"

#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

static bool
make_room(struct store_names *names)
{
	size_t room = names->room == 0 ? 8 : 2 * names->room;
	void *more;

	if (names->n < names->room)
		return true;
	more = realloc(names->names, room * sizeof(*names->names));
	if (more == NULL)
		return false;
	names->names = more;
	names->room = room;
	return true;
}

void
store_names_add(struct store_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->names[i], name) == 0)
			return;
	if (make_room(names))
		(void)text_copy(names->names[names->n++], LIMIT_ENVIRONMENT, name);
	else
		names->is_all = true;
}

void
store_names_clear(struct store_names *names)
{
	names->is_all = false;
	names->n = 0;
}

void
store_names_done(struct store_names *names)
{
	free(names->names);
	*names = (struct store_names){ 0 };
}

bool
store_names_are_any(const struct store_names *names)
{
	return names->is_all || names->n > 0;
}
