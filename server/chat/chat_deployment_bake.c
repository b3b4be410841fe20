/* chat_deployment_bake.c - what a release that bakes is measured by, and what was wrong before it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_bake.h"

#include <string.h>

/* "errors 0.2 % (before 0.2 %)" */
static void
add_value(struct chat_text *text, const struct bake_value *value)
{
	chat_text_add(
	    text, ", %s %s", value->name, value->value[0] != '\0' ? value->value : "not known yet");
	chat_text_add(text, " (before %s%s)", value->was[0] != '\0' ? value->was : "not known",
	    value->is_exempt	 ? ", which was wrong already: it does not count" :
		value->is_firing ? ", wrong once" :
				   "");
}

void
chat_deployment_bake(struct chat_text *text, const struct chat_bake *bake)
{
	if (bake->is.length_ms > 0)
		chat_text_add(text, ", %lld of %lld min",
		    (long long)((bake->is.length_ms - bake->is.left_ms) / 60000),
		    (long long)(bake->is.length_ms / 60000));
	for (size_t i = 0; i < bake->n; i++)
		add_value(text, &bake->values[i]);
}

void
chat_deployment_ways(struct chat_text *text, const char *before, const struct deployment *work)
{
	bool goes_back = deployment_can_roll_back(work);

	chat_text_add(text,
	    "%s" MARK_CODE "/resume %s" MARK_CODE " %s, " MARK_CODE "/%s %s" MARK_CODE " %s",
	    before, work->environment, work->waves > 0 ? "goes on" : "watches it further",
	    goes_back ? "rollback" : "cancel", work->environment,
	    goes_back ? "rolls it back" : "gives it up where it is");
}

void
chat_deployment_paused(struct chat_text *text, const struct deployment *work,
    const struct chat_paused *paused, const struct chat_clock *clock, int64_t at)
{
	if (paused == NULL)
		return;
	chat_deployment_wave(text, work, &paused->hosts);
	chat_text_outside(text, "\npaused: ", paused->bake.why);
	chat_text_since(text, ", since ", clock, paused->bake.counted_at, at);
	if (at != 0)
		chat_text_ago(text, ", ", paused->bake.counted_at, at);
	chat_deployment_ways(text, "\n", work);
}

static void
add_before(struct chat_text *text, const struct chat_bake *bake)
{
	const char *before = "\n⚠️ wrong before this release, so its bake does not count it: ";

	for (size_t i = 0; i < bake->n; i++) {
		const struct bake_value *value = &bake->values[i];

		if (!value->is_exempt)
			continue;
		chat_text_add(text, "%s%s %s %s", before, value->name,
		    value->was[0] != '\0' ? value->was : "?", value->limit);
		before = ", ";
	}
	if (bake->is.began_at == 0 && !bake->is.is_to_pause)
		chat_text_some(
		    text, "\n⚠️ how it is before this release is not known: ", bake->is.why);
}

void
chat_deployment_before(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->bake != NULL)
		add_before(text, about->bake);
}

bool
chat_deployment_measured(struct chat_text *text, const char *said, const struct chat_bake *bake)
{
	struct chat_text lines = CHAT_TEXT_EMPTY;
	const char *line;
	bool is_news;

	add_before(&lines, bake);
	line = buf_text(&lines.buf);
	is_news = line[0] != '\0' && strstr(said, line) == NULL;
	if (is_news)
		chat_text_add(text, "%s%s", said, line);
	buf_done(&lines.buf);
	return is_news;
}
