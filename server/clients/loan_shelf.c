/* loan_shelf.c - 64 places, each with a timer that wipes it, and one for what redaction knows.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/loan_shelf.h"

#include <stdlib.h>

#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/redact.h"
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
	struct redact *redact;
	struct loop_timer forget; /* runs while redaction knows a value */
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

/* What is due, and the next one when it is. */
static void
forget(struct loan_shelf *shelf)
{
	int64_t now = loop_now_ms(), next = redact_forget(shelf->redact, now);

	if (next > 0)
		loop_timer_start(shelf->loop, &shelf->forget, next - now, 0);
}

static void
on_forget(UNUSED struct loop_timer *timer, void *ctx)
{
	forget(ctx);
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
loan_shelf_new(struct loop *loop, struct redact *redact)
{
	struct loan_shelf *shelf = mem_new(1, sizeof(*shelf));

	shelf->loop = loop;
	shelf->redact = redact;
	loop_timer_init(&shelf->forget, on_forget, shelf);
	for (size_t i = 0; i < LOAN_SHELF_PLACES; i++)
		loop_timer_init(&shelf->places[i].timer, on_over, &shelf->places[i]);
	return shelf;
}

void
loan_shelf_free(struct loan_shelf *shelf)
{
	if (shelf == NULL)
		return;
	loop_timer_stop(&shelf->forget);
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

struct learning {
	struct redact *redact;
	int64_t until;
	struct err *err;
};

/* A text in it may be JSON itself, as the key of a service account: each is shorter than what it is
 * in. */
static bool
learn_part(void *ctx, const char *text)
{
	const struct learning *of = ctx;
	CLEANUP(json_freep) struct json *json = NULL;

	if (text[0] == '{' || text[0] == '[')
		json = json_decode(text, strlen(text), NULL);
	return redact_learn_until(of->redact, text, true, of->until, of->err) &&
	    (json == NULL || json_each_text(json, learn_part, ctx));
}

static bool
learn(struct loan_shelf *shelf, const char *value, int64_t ttl_ms, struct err *err)
{
	int64_t kept_ms = ttl_ms > LOAN_SHELF_MS ? ttl_ms : LOAN_SHELF_MS;
	struct learning of = {
		.redact = shelf->redact, .until = loop_now_ms() + kept_ms, .err = err
	};
	bool ok =
	    redact_learn_until(of.redact, value, false, of.until, err) && learn_part(&of, value);

	forget(shelf);
	return ok;
}

bool
loan_shelf_put_value(
    struct loan_shelf *shelf, int64_t work, const char *value, int64_t ttl_ms, struct err *err)
{
	size_t all = strlen(value);
	struct place *place;

	for (size_t i = 0; i < LOAN_SHELF_PLACES; i++)
		if (shelf->places[i].value != NULL && shelf->places[i].work != work)
			all += strlen(shelf->places[i].value);
	place = all > LOAN_SHELF_VALUES ? NULL : begin(shelf, work);
	if (place == NULL)
		return err_set(err, ERR_BUSY, "too much waits to be fetched");
	if (!learn(shelf, value, ttl_ms, err)) {
		clear(place);
		return false;
	}
	place->value = mem_text(value);
	return true;
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
