/* settings_items.c - texts of members or environments, put into order to find those that two have.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_items.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/host_lines.h"
#include "lib/mem.h"

void
settings_items_add(struct settings_items *items, const char *text, size_t of)
{
	struct settings_item *added = array_add(&items->at, &items->count, sizeof(*added));

	*added = (struct settings_item){ mem_text(text), of };
}

static int
by_text(const void *a, const void *b)
{
	const struct settings_item *one = a, *other = b;
	int order = strcmp(one->text, other->text);

	if (order == 0)
		order = one->of < other->of ? -1 : 1;
	return order;
}

void
settings_items_sort(struct settings_items *items)
{
	if (items->count > 0)
		qsort(items->at, items->count, sizeof(*items->at), by_text);
}

size_t
settings_items_find(const struct settings_items *items, const char *text)
{
	size_t from = 0, to = items->count;

	while (from < to) {
		size_t at = from + (to - from) / 2;

		if (strcmp(items->at[at].text, text) < 0)
			from = at + 1;
		else
			to = at;
	}
	return from < items->count && strcmp(items->at[from].text, text) == 0 ? from : items->count;
}

void
settings_items_overlaps(const struct settings_items *items, settings_items_call *call, void *ctx)
{
	for (size_t i = 0; i < items->count; i++) {
		const struct settings_item *one = &items->at[i];

		if (!host_is_pattern(one->text))
			continue;
		for (size_t n = 0; n < items->count; n++) {
			const struct settings_item *other = &items->at[n];
			bool is_first = one->of < other->of;

			if (one->of != other->of && host_overlaps(one->text, other->text))
				call(ctx, is_first ? one : other, is_first ? other : one);
		}
	}
}

void
settings_items_done(struct settings_items *items)
{
	for (size_t i = 0; i < items->count; i++)
		free(items->at[i].text);
	free(items->at);
	*items = (struct settings_items){ 0 };
}
