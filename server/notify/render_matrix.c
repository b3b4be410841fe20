/* render_matrix.c - marked text as Matrix shows it, in the content of its event.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/* https://spec.matrix.org/latest/client-server-api/#mroommessage-msgtypes: m.notice answers nobody,
 * and an empty m.mentions rings nobody. */
#include "lib/json.h"
#include "notify/render.h"

static void
add_letter(struct buf *out, char c)
{
	if (c == '"')
		buf_adds(out, "&quot;");
	else if (c == '\n')
		buf_adds(out, "<br>");
	else
		render_entity(out, c);
}

void
render_matrix(const char *marked, struct buf *out)
{
	static const struct render_as as = { .open = { "", "<b>", "<code>", "<pre>", "<i>",
						 "<blockquote>" },
		.close = { "", "</b>", "</code>", "</pre>", "</i>", "</blockquote>" },
		.letter = add_letter,
		.most = SIZE_MAX };
	CLEANUP(buf_done) struct buf plain = buf_make(out->cap);
	CLEANUP(buf_done) struct buf text = buf_make(out->cap);
	struct json_out json = json_out_begin(out, '{');

	render_plain(marked, &plain);
	render_text(marked, &as, &text);
	json_put_str(&json, "msgtype", "m.notice");
	json_put_str(&json, "body", buf_text(&plain));
	json_put_str(&json, "format", "org.matrix.custom.html");
	json_put_str(&json, "formatted_body", buf_text(&text));
	json_put_open(&json, "m.mentions", '{');
	json_out_end(&json);
	json_out_end(&json);
	buf_fail_like(out, &plain);
	buf_fail_like(out, &text);
}
