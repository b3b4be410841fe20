/* witness.c - names of the audit's witness outside, and of objects there.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/witness.h"

#include <inttypes.h>
#include <stdio.h>

#include "types/settings.h"

void
witness_answer_repeated(struct witness_answer *answer)
{
	if (answer->verdict == WITNESS_REFUSED)
		answer->verdict = WITNESS_UNKNOWN;
}

void
witness_place(const struct settings *settings, char out[WITNESS_PLACE])
{
	out[0] = '\0';
	if (settings->audit_s3_bucket != NULL)
		(void)snprintf(out, WITNESS_PLACE, "s3 %s %s", settings->audit_s3_bucket,
		    settings->audit_s3_endpoint != NULL ? settings->audit_s3_endpoint :
							  settings->audit_s3_region);
}

void
witness_key(const char *host, int64_t first, int64_t last, const char *head, char out[WITNESS_KEY])
{
	size_t n;

	(void)snprintf(out, WITNESS_KEY, "deploybot-%.64s", host);
	for (n = 0; out[n] != '\0'; n++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-",
			out[n]) == NULL)
			out[n] = '-';
	(void)snprintf(
	    out + n, WITNESS_KEY - n, "/%" PRId64 "-%" PRId64 "-%s.jsonl", first, last, head);
}
