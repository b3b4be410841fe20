/* chat_cloudflare.c - outcome first: a lock screen shows forty characters.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_cloudflare.h"

#include "chat/chat_first.h"

static const char *
level_of(const char *level)
{
	const char *text = cloudflare_level_text(level);

	return text == NULL ? level : text;
}

static void
add_by(struct chat_text *text, const struct chat_cloudflare *is)
{
	chat_text_outside(text, "by ", is->by);
	chat_text_since(text, " at ", &is->clock, is->at, is->now);
}

void
chat_cloudflare_restored(struct chat_text *text, const struct chat_cloudflare *is)
{
	chat_first(text, FIRST_LEVEL_RESTORED, is->target);
	chat_text_add(
	    text, "\nIts security level is %s again; \"under attack\" was set ", level_of(is->old));
	add_by(text, is);
	chat_text_add(text, ".");
}

void
chat_cloudflare_left(struct chat_text *text, const struct chat_cloudflare *is, const char *level)
{
	chat_first(text, FIRST_LEVEL_LEFT, is->target);
	chat_text_add(text,
	    "\nSomebody else has set its security level to %s: it stays so. It was to be %s again after \"under attack\", set ",
	    level_of(level), level_of(is->old));
	add_by(text, is);
	chat_text_add(text, ".");
}

static void
add_trouble(struct chat_text *text, const struct chat_cloudflare *is)
{
	chat_text_add(text,
	    "\nVisitors may still see a challenge page: its security level was to be %s again",
	    level_of(is->old));
	chat_text_since(text, " at ", &is->clock, is->until, is->now);
	chat_text_outside(text, "; setting it failed: ", is->detail);
}

void
chat_cloudflare_failed(struct chat_text *text, const struct chat_cloudflare *is)
{
	chat_first(text, FIRST_LEVEL_NOT_RESET, is->target);
	add_trouble(text, is);
	chat_text_add(text, ". deploybot keeps trying; next message in an hour.");
}

void
chat_cloudflare_stuck(struct chat_text *text, const struct chat_cloudflare *is)
{
	chat_first(text, FIRST_LEVEL_STUCK, is->target);
	add_trouble(text, is);
	chat_text_add(text,
	    ", for a day now. Set it to %s at Cloudflare by hand, or fix CLOUDFLARE_API_TOKEN, then press a button: nothing is tried before.",
	    level_of(is->old));
}

void
chat_cloudflare_status(struct chat_text *text, const struct chat_cloudflare *is, bool is_failing)
{
	chat_text_add(text, "%s " MARK_BOLD "%s" MARK_BOLD ": %s", is_failing ? "⚠️" : "🛡",
	    is->target, is_failing ? "Cloudflare not restored" : "under attack at Cloudflare");
	chat_text_since(text, is_failing ? " since " : " until ", &is->clock, is->until, is->now);
	chat_text_outside(text, is_failing ? ": " : ", by ", is_failing ? is->detail : is->by);
}
