/* forge_row.h - what one forge does in another way than the others: a row for each.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A new forge is a row of DELIVERY_FORGES (types/delivery_forge.h), one here, and its decoder.
 * forge_webhook.c, the metrics and the tests walk the rows.
 */
#pragma once

#include "forges/forge_signature.h"
#include "types/event.h"
#include "types/settings.h"

#define FORGE_IDS_MAX 3

/* A header by which a delivery is known when it comes again; no name: there is none. */
struct forge_id {
	const char *name;
	bool of_unsigned_alone; /* what is signed has a signed id, in another header */
	bool is_shared;		/* several deliveries have it: ref and commit belong to it */
};

/*
 * Appends an EVENT_DELIVERY for each branch or tag that was pushed, or one for what is no push.
 * told: its kind as the event's name said it, forge, id, digest and how it is deduped.  False, with
 * *err: it is not what it says it is (ERR_IO: OpenSSL had no memory); what was appended is freed by
 * whoever asked.
 */
typedef bool forge_decoder(const struct delivery *told, const struct bytes *body,
    struct queue_list *ret, struct err *err);

struct forge_row {
	enum delivery_forge forge;
	const char *path;  /* of the main file's webhook */
	const char *paths; /* and '/': an application's name is behind; NULL: none has its own */
	size_t body_max;   /* nginx.conf says the same */
	bool takes_form;   /* payload=<urlencoded JSON> too */
	enum setting secret;
	enum forge_scheme scheme;
	const char *signature; /* the header that the scheme reads */
	const char *proof;     /* what the log calls it */
	const char *event;     /* the header of its name, which must be there; NULL: none */
	/* What that name says.  False: nobody asks for it, 202 without reading the body. */
	bool (*is_asked)(
	    const char *event, const struct bytes *body, enum delivery_kind *ret_kind);
	struct forge_id ids[FORGE_IDS_MAX]; /* the first that is there */
	bool by_id_alone;		    /* struct delivery */
	bool disables_on_errors; /* four answers in a row that are no 2xx: what is none is 202 */
	const char *incomplete;		    /* a 400's text: no body, id or name; NULL: none */
	forge_decoder *decode;
};

/* By enum delivery_forge, and behind them GitHub's App. */
#define FORGE_APP  DELIVERY_FORGE_COUNT
#define FORGE_ROWS (DELIVERY_FORGE_COUNT + 1)
extern const struct forge_row forge_rows[FORGE_ROWS];

/*
 * The decoders of SOURCE_DELIVERY and SOURCE_DELIVERY_FORM (store/store.h says what a decoder is):
 * that of the forge's row.  False: one EVENT_REJECTED says so and *ret_status is 400, or 202 of a
 * forge that disables_on_errors (503 and nothing when OpenSSL has no memory).
 */
bool forge_decode(struct event *raw, struct queue_list *ret_events, int *ret_status,
    int64_t *ret_offset);
bool forge_decode_form(struct event *raw, struct queue_list *ret_events, int *ret_status,
    int64_t *ret_offset);
