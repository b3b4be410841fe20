/* loan_shelf.c - 64 places, each with a timer that wipes it, and one for what redaction knows.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/loan_shelf.h"

#include <stdlib.h>

#include "lib/array.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/redact.h"
#include "lib/redact_lent.h"
#include "lib/text.h"

struct place {
	bool is_taken;
	bool is_given; /* nobody else is given it */
	int64_t work;
	char token[VAULT_TOKEN_MAX + 1];
	char *value;		 /* in the place of a token; NULL: it is one */
	struct share_by by;	 /* whose value it is */
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

/* --- values --- */

/* Where there is no memory for a hash all have one number, and one share. */
static uint64_t
number_of(const char *text, size_t size)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	uint64_t number = 0;

	if (crypto_sha256(text, size, hash, NULL))
		memcpy(&number, hash, sizeof(number));
	return number;
}

/* The workflows of one application are a group, and so are those of the main file. */
static struct share_by
by_of(const char *who)
{
	const char *slash = strchr(who, '/');
	size_t application = slash != NULL ? (size_t)(slash - who) : strcspn(who, ":");

	return (struct share_by){
		.one = number_of(who, strlen(who)),
		.group = number_of(who, application),
	};
}

struct parts {
	char **list;
	size_t count;
};

static bool add_part(void *ctx, const char *text);

static bool
add_parts_of(struct parts *parts, const char *text)
{
	CLEANUP(json_freep) struct json *json = NULL;

	if (text[0] == '{' || text[0] == '[')
		json = json_decode(text, strlen(text), NULL);
	return json == NULL || json_each_text(json, add_part, parts);
}

/* A text in it may be JSON itself, as the key of a service account: each is shorter than what it is
 * in. */
static bool
add_part(void *ctx, const char *text)
{
	struct parts *parts = ctx;
	char **part;

	if (strlen(text) >= REDACT_VALUE_MIN) {
		part = array_add(&parts->list, &parts->count, sizeof(*part));
		*part = mem_text(text);
	}
	return add_parts_of(parts, text);
}

static void
drop_parts(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		crypto_wipe(parts->list[i], strlen(parts->list[i]));
		free(parts->list[i]);
	}
	free(parts->list);
}

static bool
learn(struct loan_shelf *shelf, const struct loan_value *value, const struct share_by *by,
    struct err *err)
{
	int64_t kept_ms = value->ttl_ms > LOAN_SHELF_MS ? value->ttl_ms : LOAN_SHELF_MS;
	struct parts parts = { 0 };
	bool ok;

	(void)add_parts_of(&parts, value->text); /* all of them */
	ok = redact_learn_until(shelf->redact,
	    &(struct redact_lesson){ .value = value->text,
		.parts = parts.list,
		.n_parts = parts.count,
		.until = loop_now_ms() + kept_ms,
		.by = *by },
	    err);
	drop_parts(&parts);
	forget(shelf);
	return ok;
}

/* Are there so many bytes for them, beside all that count for that share but those of `work`? */
static bool
fits(const struct loan_shelf *shelf, size_t bytes, const struct share_by *by, enum share share,
    int64_t work)
{
	for (size_t i = 0; i < LOAN_SHELF_PLACES; i++) {
		const struct place *place = &shelf->places[i];

		if (place->value != NULL && place->work != work &&
		    share_counts(share, &place->by, by))
			bytes += strlen(place->value);
	}
	return bytes <= LOAN_SHELF_VALUES / share;
}

/* Is there a place for a value of so many bytes?  work 0: of none that has one already. */
static bool
check(
    struct loan_shelf *shelf, int64_t work, size_t size, const struct share_by *by, struct err *err)
{
	if (shelf->redact == NULL)
		return err_set(err, ERR_INVALID, "no values are kept");
	if (!fits(shelf, size, by, SHARE_OF_ONE, work))
		return err_set(err, ERR_BUSY, "too much of the same one waits to be fetched");
	if (!fits(shelf, size, by, SHARE_OF_GROUP, work))
		return err_set(
		    err, ERR_BUSY, "too much of the same application waits to be fetched");
	return (fits(shelf, size, by, SHARE_OF_ALL, work) &&
		   (find(shelf, work) != NULL || find_free(shelf) != NULL)) ||
	    err_set(err, ERR_BUSY, "too much waits to be fetched");
}

bool
loan_shelf_put_value(struct loan_shelf *shelf, const struct loan_value *value, struct err *err)
{
	const struct share_by by = by_of(value->who);
	struct place *place = NULL;

	if (check(shelf, value->work, strlen(value->text), &by, err))
		place = begin(shelf, value->work);
	if (place == NULL)
		return false;
	if (!learn(shelf, value, &by, err)) {
		clear(place);
		return false;
	}
	place->value = mem_text(value->text);
	place->by = by;
	return true;
}

bool
loan_shelf_is_full(struct loan_shelf *shelf, const char *who)
{
	const struct share_by by = by_of(who);

	return !check(shelf, 0, REDACT_VALUE_MIN, &by, NULL) || redact_is_full(shelf->redact, &by);
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
