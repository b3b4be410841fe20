/* queue_list.h - a list of queue_links that one thread owns: oldest first.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/queue.h"

/* All zero is an empty list.  The items belong to whoever owns the list. */
struct queue_list {
	struct queue_link *first;
	struct queue_link *last;
	size_t length;
};

static inline void
queue_list_add(struct queue_list *list, struct queue_link *item)
{
	item->next = NULL;
	if (list->last == NULL)
		list->first = item;
	else
		list->last->next = item;
	list->last = item;
	list->length++;
}

/* The oldest, taken out; NULL when there is none. */
static inline struct queue_link *
queue_list_take(struct queue_list *list)
{
	struct queue_link *item = list->first;

	if (item == NULL)
		return NULL;
	list->first = item->next;
	if (list->first == NULL)
		list->last = NULL;
	list->length--;
	item->next = NULL;
	return item;
}

/* All of it, oldest first, linked by next; the list is empty then. */
static inline struct queue_link *
queue_list_take_all(struct queue_list *list)
{
	struct queue_link *first = list->first;

	*list = (struct queue_list){ 0 };
	return first;
}

/* Moves all of `from` behind what is in `to`. */
static inline void
queue_list_append(struct queue_list *to, struct queue_list *from)
{
	if (from->first == NULL)
		return;
	if (to->last == NULL)
		to->first = from->first;
	else
		to->last->next = from->first;
	to->last = from->last;
	to->length += from->length;
	*from = (struct queue_list){ 0 };
}
