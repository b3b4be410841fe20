/* store_names.c - the environments or lanes that something happened to, until it is looked at.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store_names.h"

#include "lib/array.h"
#include "lib/text.h"

static_assert(LIMIT_ENVIRONMENT <= STORE_LANE, "an environment fits");

void
store_names_add(struct store_names *names, const char *name)
{
	char *added;

	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->names[i], name) == 0)
			return;
	added = array_add(&names->names, &names->n, sizeof(*names->names));
	(void)text_copy(added, sizeof(*names->names), name);
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
