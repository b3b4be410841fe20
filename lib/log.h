/* log.h - one line on stderr for each thing worth knowing, without secrets.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * error: a person must act; warning: handled; info: a state changed; debug.  Each line is one
 * write(2) of at most LOG_LINE_MAX bytes, control characters escaped.
 *
 *	log_info("listening on %s", address);
 *	log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("deployment", id), LOG_TEXT("environment", e)),
 *	    "the run was lost");
 */
#pragma once

#include "lib/base.h"

struct redact;

#define LOG_LINE_MAX 8192

/* Before syslog.h takes the short names. */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_format {
	LOG_HUMAN, /* 2026-11-20T07:10:48.123Z info  sentence  key=value */
	LOG_LOGFMT /* time=… level=info msg="sentence" key=value */
};

struct log_field {
	const char *key;  /* NULL: left out */
	const char *text; /* NULL: the number */
	int64_t number;
};

#define LOG_TEXT(key, text) log_text_field((key), (text)) /* NULL text: the field is left out */
#define LOG_I64(key, number) ((struct log_field){ (key), NULL, (int64_t)(number) })
#define LOG_FIELDS(...) \
	(const struct log_field[]){ __VA_ARGS__ }, \
	    sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field)

struct log_field log_text_field(const char *key, const char *text);

/* Until it is called, info and above go to stderr for people.  Borrows redact (may be NULL: then
 * only known shapes are replaced) until log_init is called again.  Not while other threads log. */
void log_init(enum log_level level, enum log_format format, struct redact *redact);
void log_set_level(enum log_level level);
bool log_wants(enum log_level level);

/* "ERROR", "warning", … in either case. */
MUST_USE bool log_level_from(const char *text, enum log_level *ret);

/* Elsewhere than stderr (tests); -1: back to stderr. */
void log_to(int fd);

void log_line(enum log_level level, const struct log_field fields[], size_t count, const char *fmt,
    ...) PRINTF(4, 5);

#define log_error(...) log_line(LOG_LEVEL_ERROR, NULL, 0, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, NULL, 0, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, NULL, 0, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, NULL, 0, __VA_ARGS__)
