/* render.h - a message's marked text (types/message.h) as others than Telegram show it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * All of the text is from outside, but for its marks.  Nothing of it is markup there, and nobody is
 * mentioned.  Failures are out's.
 */
#pragma once

#include "lib/buf.h"

/* Letters there, bytes here: never more. */
#define RENDER_SLACK_MAX   3000 /* docs.slack.dev, section blocks */
#define RENDER_DISCORD_MAX 2000 /* of `content`: docs.discord.com, Create Message */

/* What each mark becomes, by its character ("": nothing), and what a letter does. */
struct render_as {
	const char *open[6], *close[6];
	void (*letter)(struct buf *out, char c); /* appends what shows it */
	size_t most;				 /* bytes of what is shown, "…" among them */
};

/* A letter where & < > are markup. */
void render_entity(struct buf *out, char c);

/* The text so; no mark stays open. */
void render_text(const char *marked, const struct render_as *as, struct buf *out);

/* The body of a call: JSON. */
void render_slack(const char *marked, struct buf *out);
void render_discord(const char *marked, struct buf *out);
void render_matrix(const char *marked, struct buf *out);

/* Without marks, and the first line of that, for a subject. */
void render_plain(const char *marked, struct buf *out);
void render_subject(const char *marked, struct buf *out);
