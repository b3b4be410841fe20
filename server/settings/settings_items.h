/* settings_items.h - texts of members or environments, put into order to find those that two have.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* A resource, a branch, a URL, and which member or environment has it. */
struct settings_item {
	char *text;
	size_t of;
};

struct settings_items {
	size_t count;
	struct settings_item *at;
};

/* Copies the text. */
void settings_items_add(struct settings_items *items, const char *text, size_t of);

/* By their texts, those of one text by whose they are. */
void settings_items_sort(struct settings_items *items);

/* Of those that are in order: the first with that text; its place is returned, or count. */
size_t settings_items_find(const struct settings_items *items, const char *text);

void settings_items_done(struct settings_items *items);
