/* loan_shelf.c - 64 places, each with a timer that wipes it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/loan_shelf.h"

#include <stdlib.h>

#include "lib/crypto.h"
#include "lib/mem.h"
#include "lib/text.h"

struct place {
	bool is_taken;
	bool is_given; /* nobody else is given it */
	int64_t work;
	char token[VAULT_TOKEN_MAX + 1];
	char *value;		 /* in the place of a token; NULL: it is one */
	struct loop_timer timer; /* runs while it is taken */
};

struct loan_shelf {
	struct loop *loop;
	struct place places[LOAN_SHELF_PLACES];
};

static void
clear(struct place *place)
{
	loop_timer_stop(&place->timer);
	crypto_wipe(place->token, sizeof(place->token));
	if (place->value != NULL)
		crypto_wipe(place->value, strlen(place->value));
	free(TAKE(place->value));
	place->is_taken = place->is_given = false;
	place->work = 0;
}

static void
on_over(UNUSED struct loop_timer *timer, void *ctx)
{
	clear(ctx);
}

static struct place *
find(struct loan_shelf *shelf, int64_t work)
{
	for (size_t i = 0; i < LOAN_SHELF_PLACES; i++)
		if (shelf->places[i].is_taken && shelf->places[i].work == work)
			return &shelf->places[i];
	return NULL;
}

static struct place *
find_free(struct loan_shelf *shelf)
{
	for (size_t i = 0; i < LOAN_SHELF_PLACES; i++)
		if (!shelf->places[i].is_taken)
			return &shelf->places[i];
	return NULL;
}

struct loan_shelf *
loan_shelf_new(struct loop *loop)
{
	struct loan_shelf *shelf = mem_new(1, sizeof(*shelf));

	shelf->loop = loop;
	for (size_t i = 0; i < LOAN_SHELF_PLACES; i++)
		loop_timer_init(&shelf->places[i].timer, on_over, &shelf->places[i]);
	return shelf;
}

void
loan_shelf_free(struct loan_shelf *shelf)
{
	if (shelf == NULL)
		return;
	for (size_t i = 0; i < LOAN_SHELF_PLACES; i++)
		clear(&shelf->places[i]);
	free(shelf);
}

/* An empty place for that work; NULL: all are taken. */
static struct place *
begin(struct loan_shelf *shelf, int64_t work)
{
	struct place *place = find(shelf, work);

	if (place == NULL)
		place = find_free(shelf);
	if (place == NULL)
		return NULL;
	clear(place); /* of one that is shorter nothing of the one before is left */
	place->is_taken = true;
	place->work = work;
	loop_timer_start(shelf->loop, &place->timer, LOAN_SHELF_MS, 0);
	return place;
}

bool
loan_shelf_put(struct loan_shelf *shelf, int64_t work, const char *token)
{
	struct place *place = strlen(token) > VAULT_TOKEN_MAX ? NULL : begin(shelf, work);

	return place != NULL && text_copy(place->token, sizeof(place->token), token); /* it fits */
}

bool
loan_shelf_put_value(struct loan_shelf *shelf, int64_t work, const char *value)
{
	size_t all = strlen(value);
	struct place *place;

	for (size_t i = 0; i < LOAN_SHELF_PLACES; i++)
		if (shelf->places[i].value != NULL && shelf->places[i].work != work)
			all += strlen(shelf->places[i].value);
	place = all > LOAN_SHELF_VALUES ? NULL : begin(shelf, work);
	if (place != NULL)
		place->value = mem_text(value);
	return place != NULL;
}

bool
loan_shelf_has(struct loan_shelf *shelf, int64_t work)
{
	const struct place *place = find(shelf, work);

	return place != NULL && !place->is_given;
}

bool
loan_shelf_look(struct loan_shelf *shelf, int64_t work, char ret[VAULT_TOKEN_MAX + 1])
{
	const struct place *place = find(shelf, work);

	return place != NULL && place->value == NULL &&
	    text_copy(ret, VAULT_TOKEN_MAX + 1, place->token);
}

bool
loan_shelf_take(struct loan_shelf *shelf, int64_t work, char ret[VAULT_TOKEN_MAX + 1])
{
	struct place *place = find(shelf, work);

	if (place == NULL || place->is_given || place->value != NULL)
		return false;
	place->is_given = true;
	return text_copy(ret, VAULT_TOKEN_MAX + 1, place->token); /* it fits */
}

char *
loan_shelf_take_value(struct loan_shelf *shelf, int64_t work)
{
	struct place *place = find(shelf, work);
	char *value = place != NULL ? TAKE(place->value) : NULL;

	if (value != NULL)
		clear(place);
	return value;
}

void
loan_shelf_drop(struct loan_shelf *shelf, int64_t work)
{
	struct place *place = find(shelf, work);

	if (place != NULL)
		clear(place);
}
