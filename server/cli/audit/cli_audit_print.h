/* cli_audit_print.h - an entry of the audit as a line of text, JSON or CSV.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdio.h>

#include "store/audit_field.h"

enum audit_format { AUDIT_TEXT, AUDIT_JSON, AUDIT_CSV, AUDIT_FORMAT_COUNT };

/* AUDIT_FORMAT_COUNT: there is none of that name. */
enum audit_format audit_format_of(const char *word);

/* The first line of a CSV file; nothing for the others. */
void audit_print_head(FILE *out, enum audit_format format);

void audit_print(FILE *out, enum audit_format format, const char *line, size_t size,
    const struct audit_fields *fields, const char *name);

/* All fields, one a line. */
void audit_print_whole(FILE *out, const struct audit_fields *fields, const char *name);
