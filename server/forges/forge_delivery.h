/* forge_delivery.h - makes events of pushes of GitLab, Gitea or Bitbucket.  Checks no signature.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/event.h"

/* Of Bitbucket's changes in one push: more is refused, and found by polling. */
#define FORGE_CHANGES_MAX 128

/* True for what a delivery's id may be: 1 to `most` letters, digits, '_' and '-'. */
bool forge_delivery_id_is_good(const char *id, size_t most);

/* What the decoders take of a push.  An id of SHA-1 or SHA-256, in lower case as git writes it; all
 * zeros: deleted. */
MUST_USE bool forge_take_commit(const char *text, struct delivery *delivery);
/* Without refs/heads/.  One longer than git can store as a file is none of ours: left "", as a tag
 * is. */
MUST_USE bool forge_take_branch(const char *name, struct delivery *delivery);
/* What stands there must not reach a log or a chat as it is. */
void forge_take_login(const char *login, char out[LIMIT_PERSON]);

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
