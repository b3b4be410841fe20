/* chat_deployment_inside.h - what the texts of a deployment's message share, for these files alone.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_deployment.h"
#include "chat/chat_text.h"

/* Its commit (what was asked for, before git has answered) and that one's subject. */
void chat_deployment_commit(struct chat_text *text, const char *before,
    const struct deployment *deployment);

/* Nothing where it has none. */
void chat_deployment_image(struct chat_text *text, const char *before,
    const struct deployment *deployment);

/* A line: who wrote it, who asked for it, who confirmed it. */
void chat_deployment_requester(struct chat_text *text, const struct deployment *deployment);

/* What its release will not have.  Not of a rollback: its release is as it was. */
void chat_deployment_missing(struct chat_text *text, const struct deployment *deployment);

/* What changed meanwhile and is no reason to ask again. */
void chat_deployment_note(struct chat_text *text, const struct deployment *deployment);

/* That no freeze holds it, and why. */

/* AWAITING_CONFIRMATION. */
void chat_deployment_question(struct chat_text *text, const struct chat_deployment *about);
