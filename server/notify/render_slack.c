/* render_slack.c - marked text as Slack shows it, in its body.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * https://docs.slack.dev/messaging/formatting-message-text: with & < > escaped there is no mention
 * (<!channel>, <@U1>) and no link that says another address than its own.  * _ ~ and ` have no
 * escape: with mrkdwn false none of them is markup, and none is made here.
 */
#include "lib/json.h"
#include "notify/render.h"

void
render_slack(const char *marked, struct buf *out)
{
	static const struct render_as as = { .letter = render_entity, .most = RENDER_SLACK_MAX };
	CLEANUP(buf_done) struct buf text = buf_make(out->cap);
	struct json_out json = json_out_begin(out, '{');

	render_text(marked, &as, &text);
	json_put_str(&json, "text", buf_text(&text));
	json_put_bool(&json, "mrkdwn", false);
	json_put_bool(&json, "unfurl_links", false); /* nor what a link in a subject leads to */
	json_put_bool(&json, "unfurl_media", false);
	json_out_end(&json);
	buf_fail_like(out, &text);
}
