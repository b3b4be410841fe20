/* log.c - a line is made whole in memory and written at once.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/redact.h"
#include "lib/text.h"

#define MESSAGE_MAX 4096 /* bytes of the sentence or of one value, before escaping */
#define READ_MAX    (MESSAGE_MAX + REDACT_VALUE_MAX) /* of it are compared with secrets */

static const char *const level_names[] = { "error", "warning", "info", "debug" };

static atomic_int wanted = LOG_LEVEL_INFO;
static atomic_int target = STDERR_FILENO;
static enum log_format form = LOG_HUMAN;
static struct redact *secrets;

void
log_init(enum log_level level, enum log_format format, struct redact *redact)
{
	atomic_store(&wanted, (int)level);
	form = format;
	secrets = redact;
}

void
log_set_level(enum log_level level)
{
	atomic_store(&wanted, (int)level);
}

bool
log_wants(enum log_level level)
{
	return (int)level <= atomic_load(&wanted);
}

void
log_to(int fd)
{
	atomic_store(&target, fd < 0 ? STDERR_FILENO : fd);
}

bool
log_level_from(const char *text, enum log_level *ret)
{
	for (size_t i = 0; i < COUNT(level_names); i++)
		if (text_same_ci(text, level_names[i])) {
			*ret = (enum log_level)i;
			return true;
		}
	return false;
}

struct log_field
log_text_field(const char *key, const char *text)
{
	return (struct log_field){ text == NULL ? NULL : key, text, 0 };
}

/* C0, DEL and C1 drive terminals; U+2028, U+2029 and the bidirectional controls deceive eyes. */
static bool
is_unsafe(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x200E || code == 0x200F ||
	    (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

static void
add_escaped(struct buf *line, const char *text, size_t size, bool quoted)
{
	uint32_t code;
	size_t used;

	for (; size > 0; text += used, size -= used) {
		used = text_decode(text, size, &code);
		if (used == 0) {
			used = 1;
			buf_addf(line, "\\x%02x", (unsigned)(unsigned char)*text);
		} else if (code == '\n') {
			buf_adds(line, "\\n");
		} else if (quoted && (code == '"' || code == '\\')) {
			buf_addf(line, "\\%c", *text);
		} else if (is_unsafe(code)) {
			buf_addf(line, code < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)code);
		} else {
			buf_add(line, text, used);
		}
	}
}

/* Without secrets, then escaped, and cut then: a secret that the end cuts is known by all of it. */
static void
add_safe(struct buf *line, const char *text, bool quoted)
{
	CLEANUP(buf_done) struct buf clean = buf_make((size_t)READ_MAX * 2);
	size_t all = strlen(text), size = text_cut(text, all, READ_MAX);

	if (size < all)
		redact_head(secrets, text, size, &clean);
	else
		redact_text(secrets, text, size, &clean);
	buf_cut(&clean, text_cut(buf_text(&clean), clean.size, MESSAGE_MAX));
	if (quoted)
		buf_addc(line, '"');
	if (buf_failed(&clean))
		buf_adds(line, "(this text is too long)");
	else
		add_escaped(line, buf_text(&clean), clean.size, quoted);
	if (quoted)
		buf_addc(line, '"');
}

static void
add_field(struct buf *line, const struct log_field *field)
{
	if (field->key == NULL)
		return;
	buf_addf(line, " %s=", field->key);
	if (field->text == NULL)
		buf_addf(line, "%" PRId64, field->number);
	else
		add_safe(line, field->text,
		    field->text[0] == '\0' || strpbrk(field->text, " \"=\\\n\t") != NULL);
}

static void
add_head(struct buf *line, enum log_level level)
{
	char time_text[TEXT_TIME_SIZE];

	(void)text_time_ms(time_text, clock_wall_ms());
	if (form == LOG_LOGFMT)
		buf_addf(line, "time=%s level=%s msg=", time_text, level_names[level]);
	else
		buf_addf(line, "%s %-7s ", time_text, level_names[level]);
}

/* One write: lines of two threads never mix.  A failure of stderr cannot be reported. */
static void
emit(struct buf *line)
{
	if (line->size > LOG_LINE_MAX - 1)
		buf_cut(line, text_cut(line->data, line->size, LOG_LINE_MAX - 1));
	buf_addc(line, '\n');
	if (!buf_failed(line))
		(void)!write(atomic_load(&target), line->data, line->size);
}

void
log_line(enum log_level level, const struct log_field fields[], size_t count, const char *fmt, ...)
{
	char sentence[READ_MAX + 2]; /* so that what is longer is seen to be */
	CLEANUP(buf_done) struct buf line = buf_make((size_t)LOG_LINE_MAX * 16);
	va_list args;

	if (!log_wants(level))
		return;
	va_start(args, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, args); /* cut is fine */
	va_end(args);
	add_head(&line, level);
	add_safe(&line, sentence, form == LOG_LOGFMT);
	for (size_t i = 0; i < count; i++)
		add_field(&line, &fields[i]);
	emit(&line);
}
