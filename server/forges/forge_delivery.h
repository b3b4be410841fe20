/* forge_delivery.h - makes events of pushes of GitLab, Gitea or Bitbucket.  Checks no signature.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/event.h"

/* Of Bitbucket's changes in one push: more is refused, and found by polling. */
#define FORGE_CHANGES_MAX 128

/* True for what a delivery's id may be: 1 to `most` letters, digits, '_' and '-'. */
bool forge_delivery_id_is_good(const char *id, size_t most);

/* Beside its id, of one that is shared: a dot and so many digits of what it is about. */
#define FORGE_DELIVERY_REF 33
#define FORGE_SHARED_ID	   (LIMIT_DELIVERY - 1 - FORGE_DELIVERY_REF)

/*
 * The decoders of their rows (forge_row.h).  What an event is, is read from the body alone: no
 * header with a name is signed.  A branch that is gone has a commit of zeros (Bitbucket: null), and
 * only Bitbucket says of one that it was forced; git is asked anyway.
 */
bool forge_decode_gitlab(const struct delivery *told, const struct bytes *body,
    struct queue_list *ret, struct err *err);
bool forge_decode_gitea(const struct delivery *told, const struct bytes *body,
    struct queue_list *ret, struct err *err);
bool forge_decode_bitbucket(const struct delivery *told, const struct bytes *body,
    struct queue_list *ret, struct err *err);
