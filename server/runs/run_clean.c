/* run_clean.c - makes a program's output plain text: no escapes, no tricks.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_clean.h"

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/text.h"

/* Where in an escape sequence we are (ECMA-48; what a terminal would swallow). */
enum clean_state {
	IN_TEXT,
	IN_ESCAPE,	  /* after ESC and any intermediate bytes */
	IN_CSI,		  /* until a final byte 0x40-0x7e */
	IN_STRING,	  /* OSC, DCS, SOS, PM, APC: until BEL or ST */
	IN_STRING_ESCAPE, /* after an ESC in such a string, which may begin ST */
};

#define BEL 0x07
#define BS  0x08
#define CAN 0x18
#define SUB 0x1a
#define ESC 0x1b
#define DEL 0x7f

static void take_byte(struct run_clean *clean, unsigned char byte, struct buf *out);

/* --- the line that is being made ---------------------------------------------------------- */

static void
line_flush(struct run_clean *clean, struct buf *out)
{
	buf_add(out, clean->line, clean->n_line);
	clean->n_line = 0;
}

static void
line_end(struct run_clean *clean, struct buf *out)
{
	line_flush(clean, out);
	buf_addc(out, '\n');
	clean->is_spilled = false;
	clean->is_restarted = false;
}

static void
line_add(struct run_clean *clean, const char *bytes, size_t n, struct buf *out)
{
	if (clean->is_restarted) {
		if (clean->is_spilled)
			line_end(clean, out);
		clean->n_line = 0;
		clean->is_restarted = false;
	}
	if (clean->n_line + n > sizeof(clean->line)) {
		line_flush(clean, out);
		clean->is_spilled = true;
	}
	memcpy(clean->line + clean->n_line, bytes, n);
	clean->n_line += n;
}

/* What a spinner does: the last character is about to be overwritten. */
static void
line_back(struct run_clean *clean)
{
	if (clean->is_restarted)
		return;
	while (clean->n_line > 0) {
		clean->n_line--;
		if (((unsigned char)clean->line[clean->n_line] & 0xc0) != 0x80)
			return;
	}
}

/* --- characters --------------------------------------------------------------------------- */

/* C1 in UTF-8: what a terminal takes for ESC and a letter. */
static void
take_c1(struct run_clean *clean, uint32_t code)
{
	clean->sequence = 0;
	if (code == 0x9b)
		clean->state = IN_CSI;
	else if (code == 0x90 || code == 0x98 || code >= 0x9d)
		clean->state = IN_STRING;
}

static void
take_character(struct run_clean *clean, uint32_t code, struct buf *out)
{
	if (code >= 0x80 && code <= 0x9f)
		take_c1(clean, code);
	else if (!clean_is_harmful(code))
		line_add(clean, clean->partial, clean->n_partial, out);
}

static size_t
utf8_length(unsigned char lead)
{
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* What was taken for the start of a character is none. */
static void
give_up_partial(struct run_clean *clean, struct buf *out)
{
	for (size_t i = clean->n_partial; i > 0; i--)
		line_add(clean, "?", 1, out);
	clean->n_partial = 0;
}

static void
take_multibyte(struct run_clean *clean, unsigned char byte, struct buf *out)
{
	uint32_t code;

	clean->partial[clean->n_partial++] = (char)byte;
	if (clean->n_partial < utf8_length((unsigned char)clean->partial[0]))
		return;
	if (text_decode(clean->partial, clean->n_partial, &code) == clean->n_partial) {
		take_character(clean, code, out);
		clean->n_partial = 0;
	} else {
		give_up_partial(clean, out);
	}
}

static void
take_control(struct run_clean *clean, unsigned char byte, struct buf *out)
{
	switch (byte) {
	case '\n':
		line_end(clean, out);
		break;
	case '\r':
		clean->is_restarted = true;
		break;
	case '\t':
		line_add(clean, " ", 1, out);
		break;
	case BS:
		line_back(clean);
		break;
	case ESC:
		clean->state = IN_ESCAPE;
		clean->sequence = 0;
		break;
	default:
		break;
	}
}

static void
take_text(struct run_clean *clean, unsigned char byte, struct buf *out)
{
	char plain = (char)byte;

	if (clean->n_partial > 0) {
		if ((byte & 0xc0) == 0x80) {
			take_multibyte(clean, byte, out);
			return;
		}
		give_up_partial(clean, out);
	}
	if (byte < 0x20 || byte == DEL)
		take_control(clean, byte, out);
	else if (byte < 0x80)
		line_add(clean, &plain, 1, out);
	else if (utf8_length(byte) > 0)
		take_multibyte(clean, byte, out);
	else
		line_add(clean, "?", 1, out);
}

/* --- escape sequences --------------------------------------------------------------------- */

/* The sequence is over, and this byte is no part of it. */
static void
leave_sequence(struct run_clean *clean, unsigned char byte, struct buf *out)
{
	clean->state = IN_TEXT;
	take_byte(clean, byte, out);
}

static void
take_escape(struct run_clean *clean, unsigned char byte, struct buf *out)
{
	if (byte >= 0x20 && byte <= 0x2f)
		return;
	if (byte == '[')
		clean->state = IN_CSI;
	else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
		clean->state = IN_STRING;
	else if (byte >= 0x30 && byte <= 0x7e)
		clean->state = IN_TEXT;
	else
		leave_sequence(clean, byte, out);
}

static void
take_csi(struct run_clean *clean, unsigned char byte, struct buf *out)
{
	if (byte >= 0x40 && byte <= 0x7e)
		clean->state = IN_TEXT;
	else if (byte < 0x20 || byte > 0x3f)
		leave_sequence(clean, byte, out);
}

static void
take_string(struct run_clean *clean, unsigned char byte, struct buf *out)
{
	if (byte == BEL || byte == CAN || byte == SUB)
		clean->state = IN_TEXT;
	else if (byte == ESC)
		clean->state = IN_STRING_ESCAPE;
	else if (byte == '\n')
		leave_sequence(clean, byte, out);
}

static void
take_string_escape(struct run_clean *clean, unsigned char byte, struct buf *out)
{
	if (byte == '\\') {
		clean->state = IN_TEXT;
		return;
	}
	clean->state = IN_ESCAPE;
	take_byte(clean, byte, out);
}

static void
take_byte(struct run_clean *clean, unsigned char byte, struct buf *out)
{
	if (clean->state != IN_TEXT && ++clean->sequence > RUN_CLEAN_SEQUENCE)
		clean->state = IN_TEXT;
	switch ((enum clean_state)clean->state) {
	case IN_TEXT:
		take_text(clean, byte, out);
		break;
	case IN_ESCAPE:
		take_escape(clean, byte, out);
		break;
	case IN_CSI:
		take_csi(clean, byte, out);
		break;
	case IN_STRING:
		take_string(clean, byte, out);
		break;
	case IN_STRING_ESCAPE:
		take_string_escape(clean, byte, out);
		break;
	}
}

/* --- for everybody ------------------------------------------------------------------------ */

void
run_clean_init(struct run_clean *clean)
{
	clean->state = IN_TEXT;
	clean->sequence = 0;
	clean->n_partial = 0;
	clean->is_restarted = false;
	clean->is_spilled = false;
	clean->n_line = 0;
}

void
run_clean_add(struct run_clean *clean, const char *data, size_t size, struct buf *out)
{
	for (size_t i = 0; i < size; i++)
		take_byte(clean, (unsigned char)data[i], out);
}

void
run_clean_end(struct run_clean *clean, struct buf *out)
{
	give_up_partial(clean, out);
	line_flush(clean, out);
	run_clean_init(clean);
}

void
run_wrap_add(struct run_wrap *wrap, const char *data, size_t size, struct buf *out)
{
	for (size_t i = 0; i < size; i++) {
		bool begins = ((unsigned char)data[i] & 0xc0) != 0x80;

		if (data[i] == '\n') {
			wrap->column = 0;
		} else {
			if (begins && wrap->column >= wrap->max) {
				buf_addc(out, '\n');
				wrap->column = 0;
			}
			wrap->column++;
		}
		buf_addc(out, data[i]);
	}
}
