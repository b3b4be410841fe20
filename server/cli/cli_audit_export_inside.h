/* cli_audit_export_inside.h - what cli_audit_export.c writes into the folder, as it is.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

extern const char cli_audit_export_readme[];

/* Behind "#!/bin/bash" and `filtered=0` or `filtered=1`: an export with --app, --environment or
 * --deployment. */
extern const char *const cli_audit_export_verify[]; /* ends with NULL */
