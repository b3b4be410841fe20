/* github_delivery.h - makes an event of a signed delivery's body.  Checks no signature.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/event.h"

/* What X-GitHub-Event says: "push", "ping", anything else (NULL too) is DELIVERY_OTHER. */
enum delivery_kind github_delivery_kind(const char *event_name);

/* True for what X-GitHub-Delivery may be: 1 to LIMIT_DELIVERY - 1 letters, digits and '-'. */
bool github_delivery_id_is_good(const char *id);

/*
 * False: it is of a kind that nobody here asks for, and its body (JSON or a form) cannot be that of
 * a push: it is answered 202 without being read, and nothing is decided.  A look through 64 KB at
 * most, for the loop; what is longer is to be read.
 */
bool github_delivery_is_to_be_read(enum delivery_kind kind, const struct bytes *raw);

/*
 * The decoders of SOURCE_GITHUB_JSON and SOURCE_GITHUB_FORM (store/store.h says what a decoder
 * is).  raw is an EVENT_DELIVERY whose kind, id and digest are set.  One decoded EVENT_DELIVERY
 * is appended, or false: *ret_status is 400 and one EVENT_REJECTED says so.
 *
 * The event's name is not signed, the body is: a body that does not look like what its name
 * says is refused, so that a captured delivery cannot be played again as something else.
 */
bool github_decode_json(struct event *raw, struct queue_list *ret_events, int *ret_status,
    int64_t *ret_offset);
bool github_decode_form(struct event *raw, struct queue_list *ret_events, int *ret_status,
    int64_t *ret_offset);
