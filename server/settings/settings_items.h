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

/* Calls for two of different `of`, the lower one first, of which one stands for several
 * (lib/host_lines.h) and the other is one of these, or stands for one of them too. */
typedef void settings_items_call(
    void *ctx, const struct settings_item *first, const struct settings_item *later);
void settings_items_overlaps(
    const struct settings_items *items, settings_items_call *call, void *ctx);

void settings_items_done(struct settings_items *items);
