/* cli_audit_export_inside.h - what cli_audit_export.c writes into the folder, as it is.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

/* The same for each folder; each ends with NULL. */
extern const char *const cli_audit_export_readme[];
extern const char *const cli_audit_export_verify[];
