/* audit_code.c - the table of codes, and its words.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/audit_code.h"

#include "lib/column.h"
#include "lib/text.h"

const struct audit_code_row audit_code_rows[AUDIT_CODE_COUNT] = {
#define CODE(name, code, action, severity, violation, need) \
	[AUDIT_CODE_##name] = { code, action, AUDIT_##severity, violation, need },
	AUDIT_CODES(CODE)
#undef CODE
};

static const char *const severities[] = { AUDIT_SEVERITIES(COLUMN_SECOND) };

enum audit_code
audit_code_of(const char *word)
{
	size_t i = 0;

	while (i < AUDIT_CODE_COUNT && strcmp(audit_code_rows[i].code, word) != 0)
		i++;
	return (enum audit_code)i;
}

const char *
audit_severity_word(enum audit_severity severity)
{
	return severities[severity];
}

enum audit_severity
audit_severity_of(const char *word)
{
	if (strcmp(word, "warning") == 0)
		return AUDIT_MEDIUM;
	if (strcmp(word, "alert") == 0)
		return AUDIT_HIGH;
	return (enum audit_severity)text_index(word, severities, COUNT(severities));
}
