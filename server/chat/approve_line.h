/* approve_line.h - "APPROVE: <action> <client> nonce=… ts=… [otp=…]", exact to the byte.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 *	APPROVE: restart-web acme nonce=0123456789abcdef ts=1763712000 otp=123456
 *
 * ASCII; one blank between its parts, in this order; nothing before it and nothing behind it.  What
 * is read prints back to the same bytes, so two lines that are not the same are never one approval.
 * Who sent it, and whether it still holds, is not known here.
 */
#pragma once

#include "lib/base.h"

#define APPROVE_WORD_SIZE  32 /* of an action or a client, with the NUL: [a-z0-9][a-z0-9-]{0,30} */
#define APPROVE_NONCE_SIZE 17 /* 16 of 0-9a-f */
#define APPROVE_OTP_SIZE 7
#define APPROVE_LINE_SIZE 128 /* more than the longest */
#define APPROVE_WHY_SIZE   256

struct approve_line {
	char action[APPROVE_WORD_SIZE];
	char client[APPROVE_WORD_SIZE];
	char nonce[APPROVE_NONCE_SIZE];
	int64_t ts;	       /* seconds since 1970 */
	char otp[APPROVE_OTP_SIZE]; /* "": none was given */
};

/* PART(name, as people read it) */
#define APPROVE_PARTS(PART) \
	PART(START,  "its start")	/* "APPROVE: " */ \
	PART(ACTION, "the action") \
	PART(CLIENT, "the client") \
	PART(NONCE,  "nonce") \
	PART(TS,     "ts") \
	PART(OTP,    "otp") \
	PART(END,    "its end")

enum approve_part {
#define PART(name, words) APPROVE_##name,
	APPROVE_PARTS(PART)
#undef PART
};

/* DEFECT(name, what stands there that may not, what helps) */
#define APPROVE_DEFECTS(DEFECT) \
	DEFECT(MISSING,    "is missing", "send the whole line in one message") \
	DEFECT(SHORT,      "is too short", "copy the line again, it was cut") \
	DEFECT(LONG,       "is too long", "copy the line again") \
	DEFECT(ZERO,       "begins with 0", "copy the line again") \
	DEFECT(UPPER,      "has an upper-case letter", "a keyboard did that: copy the line") \
	DEFECT(BLANK,      "has one space too many", "between two parts is one") \
	DEFECT(TAB,        "has a tab", "between two parts is one blank") \
	DEFECT(NO_BREAK,   "has a no-break or other odd space", "copy the line, do not type it") \
	DEFECT(INVISIBLE,  "has an invisible character", "copy it by the button") \
	DEFECT(BREAK,      "has a line break", "nothing else may be in the message") \
	DEFECT(DASH,       "has a typographic dash", "a keyboard did that: copy the line") \
	DEFECT(QUOTE,      "has a quotation mark", "send the line without quotes") \
	DEFECT(FOREIGN,    "has a letter or sign that only looks right", "copy the line") \
	DEFECT(CONTROL,    "has a control character", "copy the line, do not type it") \
	DEFECT(TRAILING,   "has something behind it", "nothing may follow the line") \
	DEFECT(WRONG,      "is not written as it must be", "copy the line, do not type it")

enum approve_defect {
#define DEFECT(name, what, help) APPROVE_IS_##name,
	APPROVE_DEFECTS(DEFECT)
#undef DEFECT
};

/* The first byte that is wrong, read from the left. */
struct approve_fault {
	enum approve_part part;
	enum approve_defect defect;
	size_t at;
};

/* Is it meant as such a line, right or wrong?  "approve: …" in any case and with any colon, or
 * something with a nonce and a ts in it.  Talk about approving is not. */
bool approve_line_is_meant(const char *text, size_t size);

/* False: *ret_fault says what is wrong, and *ret is as it was. */
MUST_USE bool approve_line_parse(
    const char *text, size_t size, struct approve_line *ret, struct approve_fault *ret_fault);

/* The line whose parts these are; returns out. */
const char *approve_line_print(const struct approve_line *line, char out[APPROVE_LINE_SIZE]);

/* "nonce has an upper-case letter: your keyboard changed it: copy the line, do not type it";
 * returns out.  Nothing of what was sent is in it. */
const char *approve_line_why(const struct approve_fault *fault, char out[APPROVE_WHY_SIZE]);
