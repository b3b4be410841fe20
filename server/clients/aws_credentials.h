/* aws_credentials.h - the keys that a container or a machine of AWS has by its role.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * The only part of the server that may ask a link-local address, and it may ask these alone
 * (types/outbound.h).  They are kept until they are about to expire, and never written anywhere.
 */
#pragma once

#include "clients/aws_credentials_answer.h"
#include "lib/loop.h"
#include "lib/sigv4.h"

struct aws_credentials;
struct aws_credentials_call;

/* credentials: valid during the call; NULL: there are none, and why. */
typedef void
aws_credentials_done_fn(void *ctx, const struct sigv4_credentials *credentials, const char *why);

/* NULL: curl has no memory, or source.full_uri is one that must not be asked: *err says why. */
struct aws_credentials *
aws_credentials_new(struct loop *loop, const struct aws_source *source, struct err *err) MUST_USE;
void aws_credentials_free(struct aws_credentials *self); /* takes NULL; no call is in progress */

/* on_done comes exactly once, from the loop and never in here, unless it is cancelled.  NULL: curl
 * has no memory, or another one is in progress. */
struct aws_credentials_call *aws_credentials_start(struct aws_credentials *self,
    aws_credentials_done_fn *on_done, void *ctx, struct err *err) MUST_USE;
void aws_credentials_cancel(struct aws_credentials_call *call); /* takes NULL */

/* They were refused: the next call asks for others. */
void aws_credentials_forget(struct aws_credentials *self);
