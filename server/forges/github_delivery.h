/* github_delivery.h - makes an event of a signed delivery's body.  Checks no signature.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/event.h"

/*
 * What X-GitHub-Event says: a row of DELIVERY_KINDS, anything else is DELIVERY_OTHER.  False:
 * nobody here asks for that kind, and its body (JSON or a form) cannot be that of a push: it is
 * answered 202 without being read, and nothing is decided.  A look through 64 KB at most, for the
 * loop; what is longer is to be read.
 */
bool github_delivery_is_asked(
    const char *event, const struct bytes *body, enum delivery_kind *ret_kind);

/*
 * The decoder of its row (forge_row.h).  The event's name is not signed, the body is: a body that
 * does not look like what its name says is refused, so that a captured delivery cannot be played
 * again as something else.
 */
bool github_decode(const struct delivery *told, const struct bytes *body, struct queue_list *ret,
    struct err *err);
