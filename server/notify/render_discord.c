/* render_discord.c - marked text as Discord shows it, in its body.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * https://docs.discord.com/developers/resources/message: allowed_mentions with an empty `parse`
 * rings nobody, whatever stands in the text; a letter that is markup gets a \ before it.
 */
#include "lib/json.h"
#include "notify/render.h"

static void
add_letter(struct buf *out, char c)
{
	if (strchr("*_~>|#[`\\<@-", c) != NULL)
		buf_addc(out, '\\');
	buf_addc(out, c);
}

void
render_discord(const char *marked, struct buf *out)
{
	static const struct render_as as = { .open = { "", "**", "", "", "*", "" },
		.close = { "", "**", "", "", "*", "" },
		.letter = add_letter,
		.most = RENDER_DISCORD_MAX };
	CLEANUP(buf_done) struct buf text = buf_make(out->cap);
	struct json_out json = json_out_begin(out, '{');

	render_text(marked, &as, &text);
	json_put_str(&json, "content", buf_text(&text));
	json_put_i64(
	    &json, "flags", 4); /* SUPPRESS_EMBEDS: nor what a link in a subject leads to */
	json_put_open(&json, "allowed_mentions", '{');
	json_put_open(&json, "parse", '[');
	json_out_end(&json);
	json_out_end(&json);
	json_out_end(&json);
	buf_fail_like(out, &text);
}
