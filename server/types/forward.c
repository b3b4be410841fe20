/* forward.c - names of what gets the audit's entries.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/forward.h"

#include <stdio.h>

#include "types/settings.h"

static const char *const words[] = {
#define FORWARD(name, word) [FORWARD_##name] = word,
	FORWARDS(FORWARD)
#undef FORWARD
};

void
forward_place(const struct settings *settings, enum forward_to to, char out[FORWARD_PLACE])
{
	out[0] = '\0';
	switch (to) {
	case FORWARD_SYSLOG:
		if (settings->audit_syslog_server != NULL)
			(void)snprintf(
			    out, FORWARD_PLACE, "syslog %s", settings->audit_syslog_server);
		break;
	case FORWARD_JOURNAL:
		if (settings->audit_journal)
			(void)snprintf(out, FORWARD_PLACE, "journal");
		break;
	case FORWARD_COUNT:
		break;
	}
}

const char *
forward_word(enum forward_to to)
{
	return words[to];
}
