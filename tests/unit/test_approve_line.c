/* Goal: one line of exactly these bytes is read; any other answers which part is wrong, and why.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "chat/approve_line.h"

#include "unit.h"

#define NONCE "0123456789abcdef"
#define LINE  "APPROVE: restart-web acme nonce=" NONCE " ts=1763712000"
#define REST  " acme nonce=" NONCE " ts=1763712000"

TEST(a_line_is_read)
{
	static const struct {
		const char *text;
		struct approve_line line;
	} cases[] = {
		{ LINE, { "restart-web", "acme", NONCE, 1763712000, "" } },
		{ LINE " otp=012345", { "restart-web", "acme", NONCE, 1763712000, "012345" } },
		{ "APPROVE: 0 1 nonce=ffffffffffffffff ts=1",
		    { "0", "1", "ffffffffffffffff", 1, "" } },
		{ "APPROVE: abcdefghijabcdefghijabcdefghija 0-bcdefghijabcdefghijabcdefghi-"
		  " nonce=" NONCE " ts=99999999999 otp=999999",
		    { "abcdefghijabcdefghijabcdefghija", "0-bcdefghijabcdefghijabcdefghi-", NONCE,
			99999999999, "999999" } },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct approve_line line = { 0 };
		struct approve_fault fault;
		char again[APPROVE_LINE_SIZE];

		if (!approve_line_parse(cases[i].text, strlen(cases[i].text), &line, &fault))
			fail_msg("%s: %d at %zu", cases[i].text, fault.defect, fault.at);
		assert_string_equal(line.action, cases[i].line.action);
		assert_string_equal(line.client, cases[i].line.client);
		assert_string_equal(line.nonce, cases[i].line.nonce);
		assert_int_equal(line.ts, cases[i].line.ts);
		assert_string_equal(line.otp, cases[i].line.otp);
		assert_string_equal(approve_line_print(&line, again), cases[i].text);
		assert_true(approve_line_is_meant(cases[i].text, strlen(cases[i].text)));
	}
}

#define BAD(part, defect, text) \
	{ \
		text, APPROVE_##part, APPROVE_IS_##defect \
	}
static const struct {
	const char *text;
	enum approve_part part;
	enum approve_defect defect;
} bad[] = {
	/* its start: case, blanks, colons, homoglyphs */
	BAD(START, WRONG, "approve: restart-web" REST),
	BAD(START, WRONG, "Approve: restart-web" REST),
	BAD(START, WRONG, "APPROVe: restart-web" REST),
	BAD(START, BLANK, "APPROVE : restart-web" REST),
	BAD(START, WRONG, "APPROVE:restart-web" REST),
	BAD(START, BLANK, " " LINE),
	BAD(START, BREAK, "\n" LINE),
	BAD(START, QUOTE, "\"" LINE "\""),
	BAD(START, QUOTE, "\xe2\x80\x9c" LINE "\xe2\x80\x9d"),
	BAD(START, QUOTE, "`" LINE "`"),
	BAD(START, NO_BREAK, "APPROVE:\xc2\xa0restart-web" REST),
	BAD(START, FOREIGN, "\xd0\x90PPROVE: restart-web" REST),     /* a Cyrillic A */
	BAD(START, FOREIGN, "APPROVE\xef\xbc\x9a restart-web" REST), /* a full-width colon */
	BAD(START, INVISIBLE, "\xef\xbb\xbf" LINE),		     /* a byte order mark */
	BAD(START, MISSING, ""),
	BAD(START, MISSING, "APPROVE:"),
	/* the action */
	BAD(ACTION, MISSING, "APPROVE: "),
	BAD(ACTION, BLANK, "APPROVE:  restart-web" REST),
	BAD(ACTION, UPPER, "APPROVE: Restart-web" REST),
	BAD(ACTION, WRONG, "APPROVE: -restart" REST),
	BAD(ACTION, LONG, "APPROVE: abcdefghijabcdefghijabcdefghijab" REST),
	BAD(ACTION, FOREIGN,
	    "APPROVE: \xd1\x80"
	    "estart-web" REST), /* a Cyrillic r */
	/* the client, and what stands where it begins */
	BAD(CLIENT, DASH, "APPROVE: restart\xe2\x80\x93web" REST), /* an en dash */
	BAD(CLIENT, DASH, "APPROVE: restart\xe2\x80\x94web" REST),
	BAD(CLIENT, DASH, "APPROVE: restart\xe2\x80\x91web" REST), /* a no-break hyphen */
	BAD(CLIENT, WRONG, "APPROVE: restart_web" REST),
	BAD(CLIENT, UPPER, "APPROVE: restart-Web" REST),
	BAD(CLIENT, MISSING, "APPROVE: restart-web"),
	BAD(CLIENT, MISSING, "APPROVE: restart-web "),
	BAD(CLIENT, BLANK, "APPROVE: restart-web  acme nonce=" NONCE " ts=1"),
	BAD(CLIENT, TAB, "APPROVE: restart-web\tacme nonce=" NONCE " ts=1"),
	BAD(CLIENT, UPPER, "APPROVE: restart-web Acme nonce=" NONCE " ts=1"),
	BAD(CLIENT, BREAK, "APPROVE: restart-web\nacme nonce=" NONCE " ts=1"),
	/* nonce */
	BAD(NONCE, WRONG, "APPROVE: restart-web acme/production nonce=" NONCE " ts=1"),
	BAD(NONCE, INVISIBLE, "APPROVE: restart-web acme\xe2\x80\x8b nonce=" NONCE " ts=1"),
	BAD(NONCE, WRONG, "APPROVE: restart-web acme ts=1 nonce=" NONCE),
	BAD(NONCE, UPPER, "APPROVE: restart-web acme NONCE=" NONCE " ts=1"),
	BAD(NONCE, UPPER, "APPROVE: restart-web acme nonce=0123456789abcdeF ts=1"),
	BAD(NONCE, SHORT, "APPROVE: restart-web acme nonce=0123456789abcde ts=1"),
	BAD(NONCE, LONG, "APPROVE: restart-web acme nonce=" NONCE "0 ts=1"),
	BAD(NONCE, WRONG, "APPROVE: restart-web acme nonce=0123456789abcdeg ts=1"),
	BAD(NONCE, BLANK, "APPROVE: restart-web acme nonce= " NONCE " ts=1"),
	BAD(NONCE, MISSING, "APPROVE: restart-web acme"),
	BAD(NONCE, MISSING, "APPROVE: restart-web acme nonce="),
	BAD(NONCE, QUOTE, "APPROVE: restart-web acme nonce=\"" NONCE "\" ts=1"),
	BAD(NONCE, BREAK, "APPROVE: restart-web acme nonce=01234567\r89abcdef ts=1"),
	BAD(NONCE, SHORT, "APPROVE: restart-web acme nonce=01234567"),
	/* ts */
	BAD(TS, MISSING, "APPROVE: restart-web acme nonce=" NONCE),
	BAD(TS, MISSING, "APPROVE: restart-web acme nonce=" NONCE " ts="),
	BAD(TS, BLANK, "APPROVE: restart-web acme nonce=" NONCE "  ts=1"),
	BAD(TS, ZERO, "APPROVE: restart-web acme nonce=" NONCE " ts=0"),
	BAD(TS, ZERO, "APPROVE: restart-web acme nonce=" NONCE " ts=01"),
	BAD(TS, WRONG, "APPROVE: restart-web acme nonce=" NONCE " ts=-1"),
	BAD(TS, WRONG, "APPROVE: restart-web acme nonce=" NONCE " ts=+1"),
	BAD(TS, LONG, "APPROVE: restart-web acme nonce=" NONCE " ts=123456789012"),
	BAD(TS, TRAILING, LINE ".0"),
	BAD(TS, TRAILING, LINE "Z"),
	BAD(TS, TRAILING, LINE " "),
	BAD(TS, TRAILING, LINE " please"),
	BAD(TS, BLANK, LINE "  otp=123456"),
	BAD(TS, BREAK, LINE "\n"),
	BAD(TS, BREAK, LINE "\r\n"),
	BAD(TS, BREAK, LINE "\n" LINE),
	BAD(TS, BREAK, LINE "\xe2\x80\xa8" LINE), /* U+2028 */
	BAD(TS, INVISIBLE, LINE "\xe2\x80\x8d"),
	BAD(TS, NO_BREAK, LINE "\xc2\xa0"),
	BAD(TS, FOREIGN, LINE "\xff"),
	BAD(TS, FOREIGN, "APPROVE: restart-web acme nonce=" NONCE " ts=\xd9\xa1"), /* an Arabic 1 */
	/* otp */
	BAD(OTP, MISSING, LINE " otp="),
	BAD(OTP, MISSING, LINE " o"),
	BAD(OTP, SHORT, LINE " otp=12345"),
	BAD(OTP, SHORT, LINE " otp=12345 "),
	BAD(OTP, LONG, LINE " otp=1234567"),
	BAD(OTP, BLANK, LINE " otp= 123456"),
	BAD(OTP, BLANK, LINE " otp =123456"),
	BAD(OTP, WRONG, LINE " otp=12345a"),
	/* its end */
	BAD(END, TRAILING, LINE " otp=123456 "),
	BAD(END, TRAILING, LINE " otp=123456."),
	BAD(END, TRAILING, LINE " otp=123456 otp=123456"),
	BAD(END, BREAK, LINE " otp=123456\n"),
	BAD(END, CONTROL, LINE " otp=123456\x01"),
};

TEST(a_wrong_line_says_which_part_is_wrong)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct approve_line line = { .ts = 7 };
		struct approve_fault fault;

		if (approve_line_parse(bad[i].text, strlen(bad[i].text), &line, &fault))
			fail_msg("\"%s\" was read", bad[i].text);
		if (fault.part != bad[i].part || fault.defect != bad[i].defect)
			fail_msg("\"%s\": %d %d at %zu", bad[i].text, fault.part, fault.defect,
			    fault.at);
		assert_int_equal(line.ts, 7);
	}
}

TEST(a_nul_byte_is_no_end)
{
	static const char text[] = LINE "\0otp";
	struct approve_fault fault;
	struct approve_line line;

	assert_false(approve_line_parse(text, sizeof(text) - 1, &line, &fault));
	assert_int_equal(fault.defect, APPROVE_IS_CONTROL);
	assert_int_equal(fault.at, strlen(LINE));
}

/* Any one byte taken out, put in, or changed, is another line or none: never the same. */
TEST(no_two_texts_are_the_same_line)
{
	static const char whole[] = LINE " otp=123456";
	char text[sizeof(whole) + 1], again[APPROVE_LINE_SIZE];
	const size_t size = sizeof(whole) - 1;
	struct approve_fault fault;
	struct approve_line line;

	for (size_t at = 0; at < size; at++) {
		for (int c = 0; c < 256; c++) {
			memcpy(text, whole, sizeof(whole));
			text[at] = (char)c;
			if (approve_line_parse(text, size, &line, &fault))
				assert_string_equal(approve_line_print(&line, again), text);
		}
		memcpy(text, whole, at);
		memcpy(text + at, whole + at + 1, size - at);
		if (approve_line_parse(text, size - 1, &line, &fault))
			assert_string_equal(approve_line_print(&line, again), text);
		memcpy(text, whole, at);
		text[at] = ' ';
		memcpy(text + at + 1, whole + at, size - at + 1);
		if (approve_line_parse(text, size + 1, &line, &fault))
			assert_string_equal(approve_line_print(&line, again), text);
	}
}

TEST(the_sentence_says_what_to_do)
{
	static const struct {
		struct approve_fault fault;
		const char *why;
	} cases[] = {
		{ { APPROVE_NONCE, APPROVE_IS_UPPER, 0 },
		    "nonce has an upper-case letter: a keyboard did that: copy the line" },
		{ { APPROVE_CLIENT, APPROVE_IS_DASH, 0 },
		    "the client has a typographic dash: a keyboard did that: copy the line" },
		{ { APPROVE_OTP, APPROVE_IS_SHORT, 0 },
		    "otp is too short: copy the line again, it was cut" },
	};
	char why[APPROVE_WHY_SIZE];

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(approve_line_why(&cases[i].fault, why), cases[i].why);
}

TEST(what_is_meant_as_one_is_known_from_talk)
{
	static const char *const meant[] = { "approve: x", "Approve:", "APPROVE : x",
		" \"APPROVE: x", "Approve\xef\xbc\x9a x", "\xd0\x90PPROVE: a b nonce=1 ts=2",
		"do it Nonce=12 TS=3" };
	static const char *const talk[] = { "", "approve", "I approve: go on", "approved: by me",
		"please approve this", "approve it", "the nonce of hits", "/approve 12" };

	for (size_t i = 0; i < COUNT(meant); i++)
		if (!approve_line_is_meant(meant[i], strlen(meant[i])))
			fail_msg("%s", meant[i]);
	for (size_t i = 0; i < COUNT(talk); i++)
		if (approve_line_is_meant(talk[i], strlen(talk[i])))
			fail_msg("%s", talk[i]);
}
