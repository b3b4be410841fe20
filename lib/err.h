/* err.h - one error: a code for machines, a sentence for people.  Never allocates.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* Code, exit status of a program (sysexits.h). */
#define ERR_CODES(E) \
	E(NONE,     0) \
	E(INVALID, 64) \
	E(DENIED,  77) \
	E(MISSING, 66) \
	E(BUSY,    75) \
	E(LIMIT,   65) \
	E(TIMEOUT, 75) \
	E(IO,      74) \
	E(FULL,    74) \
	E(CONFIG,  78) \
	E(CHANGED, 75)

enum err_code {
#define E(name, status) ERR_##name,
	ERR_CODES(E)
#undef E
};

struct err {
	enum err_code code;
	bool is_of_database; /* db.h failed: its text may have SQL */
	char text[240];
};

/* Describe a failure; it is not of the database.  Returns false, so that `return err_set(...)` is
 * the whole failure path.  err may be NULL. */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF(3, 4);

/* As err_set, with ": " and the text of errno_value (errno(3)) behind.  Of ENOSPC and EDQUOT it
 * is ERR_FULL whatever `code` says. */
bool err_errno(struct err *err, enum err_code code, int errno_value, const char *fmt, ...)
    PRINTF(4, 5);

/* Put "what we were doing: " in front.  Returns false. */
bool err_wrap(struct err *err, const char *fmt, ...) PRINTF(2, 3);

#ifdef __clang_analyzer__ /* so that it knows what they return */
#define err_set(...)   ((err_set)(__VA_ARGS__), false)
#define err_errno(...) ((err_errno)(__VA_ARGS__), false)
#define err_wrap(...)  ((err_wrap)(__VA_ARGS__), false)
#endif

int err_exit_status(enum err_code code);

/* The whole failure path where a pointer or a descriptor is returned:
 *	return ERR_NULL(err_set(err, ERR_MISSING, "there is no %s", name)); */
#define ERR_NULL(failed)	((void)(failed), NULL)
#define ERR_FD(failed)		((void)(failed), -1)
