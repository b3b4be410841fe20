/* Goal: elements come with their paths and texts, and what a stranger's XML could do is refused.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/xml.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "unit.h"

static bool
on_start(void *ctx, const char *path, UNUSED struct err *err)
{
	buf_addf(ctx, "<%s", path);
	return true;
}

static bool
on_end(void *ctx, const char *path, const char *text, struct err *err)
{
	buf_addf(ctx, ">%s=%s", path, text);
	return strcmp(text, "stop") != 0 || err_set(err, ERR_DENIED, "stopped");
}

static const struct xml_reader reader = { .on_start = on_start, .on_end = on_end };

TEST(elements_come_with_their_paths_and_their_own_texts)
{
	static const char text[] =
	    "<?xml version=\"1.0\"?>\n<a xmlns=\"http://x/\">1<b c=\"d\">x&amp;<![CDATA[<y>]]>&#233;</b>2<b/></a>\n";
	struct err err;
	struct buf seen;

	buf_init(&seen, 4096);
	assert_true(xml_read(text, strlen(text), &reader, &seen, &err));
	assert_string_equal(buf_text(&seen), "<a<a/b>a/b=x&<y>\u00e9<a/b>a/b=>a=12");
	buf_done(&seen);
}

static void
refused(const char *text, size_t size, enum err_code code, const char *why)
{
	struct err err;
	struct buf seen;

	buf_init(&seen, 1 << 20);
	assert_false(xml_read(text, size, &reader, &seen, &err));
	if (err.code != code || strstr(err.text, why) == NULL)
		fail_msg("%d %s", err.code, err.text);
	buf_done(&seen);
}

TEST(what_is_no_sound_document_is_refused_with_its_line)
{
	static const char *const texts[] = { "", "x", "<a>", "<a></b>", "<a/><b/>", "<a>&none;</a>",
		"<a>\xff</a>", "<a>\x01</a>", "{}" };

	for (size_t i = 0; i < COUNT(texts); i++)
		refused(texts[i], strlen(texts[i]), ERR_INVALID, "not valid XML at line 1");
	refused("<a/>\0", 5, ERR_INVALID, "not valid XML");
}

/* A billion laughs, and files of ours. */
TEST(a_document_type_is_refused_whatever_it_declares)
{
	static const char *const texts[] = { "<!DOCTYPE a><a/>",
		"<!DOCTYPE a [<!ENTITY b \"cc\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>",
		"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>" };

	for (size_t i = 0; i < COUNT(texts); i++)
		refused(texts[i], strlen(texts[i]), ERR_INVALID, "document type");
}

TEST(depth_names_and_texts_have_their_limits)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	for (int i = 0; i <= XML_DEPTH_MAX; i++)
		buf_adds(&text, "<a>");
	refused(buf_text(&text), text.size, ERR_LIMIT, "elements in more than");
	buf_clear(&text);
	buf_adds(&text, "<a>");
	for (int i = 0; i <= XML_TEXT_MAX; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "</a>");
	refused(buf_text(&text), text.size, ERR_LIMIT, "");
	buf_clear(&text);
	buf_addc(&text, '<');
	for (int i = 0; i <= XML_PATH_MAX; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "/>");
	refused(buf_text(&text), text.size, ERR_LIMIT, "");
	buf_done(&text);
}

TEST(who_reads_may_stop_it_with_an_error_of_their_own)
{
	refused("<a><b>stop</b><c/></a>", 22, ERR_DENIED, "stopped");
}
