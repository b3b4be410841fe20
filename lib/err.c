/* err.c - fills and extends struct err.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/column.h"

#undef err_set /* as an analyser has them */
#undef err_errno
#undef err_wrap

bool
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list args;

	if (err == NULL)
		return false;
	err->code = code;
	err->is_of_database = false;
	va_start(args, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, args); /* cut is fine */
	va_end(args);
	return false;
}

bool
err_errno(struct err *err, enum err_code code, int errno_value, const char *fmt, ...)
{
	char why[96];
	va_list args;
	size_t used;

	if (err == NULL)
		return false;
	if (errno_value == ENOSPC || errno_value == EDQUOT)
		code = ERR_FULL;
	err->code = code;
	err->is_of_database = false;
	va_start(args, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, args); /* cut is fine */
	va_end(args);
	used = strlen(err->text);
	(void)snprintf(err->text + used, sizeof(err->text) - used, ": %s",
	    strerror_r(errno_value, why, sizeof(why)));
	return false;
}

bool
err_wrap(struct err *err, const char *fmt, ...)
{
	char inner[sizeof(err->text)];
	va_list args;
	size_t used;

	if (err == NULL)
		return false;
	memcpy(inner, err->text, sizeof(inner));
	va_start(args, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, args); /* cut is fine */
	va_end(args);
	used = strlen(err->text);
	(void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner);
	return false;
}

int
err_exit_status(enum err_code code)
{
	static const int status[] = { ERR_CODES(COLUMN_SECOND) };

	assert((size_t)code < COUNT(status));
	return status[code];
}
