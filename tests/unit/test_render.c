/* Goal: marked text is what each platform shows, and nothing from outside is markup or rings.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/err.h"
#include "lib/json.h"
#include "notify/render.h"
#include "types/message.h"

#include "unit.h"

typedef void render_fn(const char *marked, struct buf *out);

static char *
render(render_fn *fn, const char *marked, const char *member)
{
	CLEANUP(buf_done) struct buf out = buf_make(20000);
	CLEANUP(json_freep) struct json *json = NULL;
	struct err err;

	fn(marked, &out);
	assert_false(buf_failed(&out));
	if (member == NULL)
		return strdup(buf_text(&out));
	json = json_decode(buf_text(&out), out.size, &err);
	assert_non_null(json);
	return strdup(json_text(json, member));
}

#define SHOWS(fn, marked, member, wanted) \
	do { \
		char *shown = render(fn, marked, member); \
		assert_string_equal(shown, wanted); \
		free(shown); \
	} while (0)

#define MARKED MARK_BOLD "a" MARK_BOLD " " MARK_CODE "b" MARK_CODE " " MARK_ITALIC "c" MARK_ITALIC

TEST(marks_are_markup)
{
	SHOWS(render_plain, MARKED, NULL, "a b c");
	SHOWS(render_slack, MARKED, "text", "a b c");
	SHOWS(render_discord, MARKED, "content", "**a** b *c*");
	SHOWS(render_matrix, MARKED, "body", "a b c");
	SHOWS(render_matrix, MARKED, "formatted_body", "<b>a</b> <code>b</code> <i>c</i>");
}

TEST(a_mark_that_stays_open_is_closed)
{
	SHOWS(render_discord, MARK_BOLD "a", "content", "**a**");
	SHOWS(
	    render_matrix, MARK_BOLD "a" MARK_CODE "b", "formatted_body", "<b>a</b><code>b</code>");
	SHOWS(render_matrix, MARK_QUOTE "a", "formatted_body", "<blockquote>a</blockquote>");
}

TEST(what_comes_from_outside_is_text)
{
	SHOWS(render_slack, "<!channel> <@U1> <https://a|b> &amp;", "text",
	    "&lt;!channel&gt; &lt;@U1&gt; &lt;https://a|b&gt; &amp;amp;");
	SHOWS(render_discord, "@everyone *a* _b_ `c` ~d~ > # [x](y) |z| <@1>", "content",
	    "\\@everyone \\*a\\* \\_b\\_ \\`c\\` \\~d\\~ \\> \\# \\[x](y) \\|z\\| \\<\\@1\\>");
	SHOWS(render_matrix, "<b>\"&'\n", "formatted_body", "&lt;b&gt;&quot;&amp;'<br>");
	SHOWS(render_subject, MARK_BOLD "a" MARK_BOLD "\r\nBcc: x@y", NULL, "a");
	SHOWS(render_plain, "a\r\x1b[31m\x7f\xff b", NULL, "a[31m b");
}

/* Slack has no escape for them. */
TEST(slack_makes_nothing_of_asterisks)
{
	char *body = render(render_slack, "*a* _b_ ~c~ `d`", NULL);

	assert_non_null(strstr(body, "\"text\":\"*a* _b_ ~c~ `d`\""));
	assert_non_null(strstr(body, "\"mrkdwn\":false"));
	free(body);
}

TEST(discord_rings_nobody)
{
	char *body = render(render_discord, "@everyone", NULL);

	assert_non_null(strstr(body, "\"allowed_mentions\":{\"parse\":[]}"));
	free(body);
}

TEST(what_is_too_long_is_cut_between_letters)
{
	static const struct {
		render_fn *fn;
		const char *member;
		size_t most;
	} cases[] = { { render_slack, "text", RENDER_SLACK_MAX },
		{ render_discord, "content", RENDER_DISCORD_MAX } };
	static const char *const letters[] = { "&", "*", "\xf0\x9f\x9a\xa8", "a" };

	for (size_t c = 0; c < COUNT(cases); c++)
		for (size_t i = 0; i < COUNT(letters); i++) {
			CLEANUP(buf_done) struct buf text = buf_make(17000);
			char *shown;

			buf_adds(&text, MARK_BOLD);
			for (size_t n = 0; n < 4000; n++)
				buf_adds(&text, letters[i]);
			shown = render(cases[c].fn, buf_text(&text), cases[c].member);
			assert_in_range(strlen(shown), cases[c].most - 60, cases[c].most);
			assert_non_null(strstr(shown, "…"));
			free(shown);
		}
}
