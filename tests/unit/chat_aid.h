/* chat_aid.h - a deployment in each state, and what its message says, for the tests of those texts.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_deployment.h"

#define NOW INT64_C(1767225600000)

/* "Make it blue" in staging, asked for by @ada a minute ago. */
struct deployment chat_sample(enum deploy_state state);

/* Where it is: another commit is live. */
extern const struct environment chat_there;

/* What its message is made of; valid as long as the deployment. */
struct chat_deployment chat_about(const struct deployment *deployment);

/* The message's text without marks, kept for `make chat-texts`; valid until the next call. */
const char *chat_plain(const struct chat_deployment *what);

/* Fails where the message does not have that part. */
void chat_says(const struct chat_deployment *what, const char *part);
