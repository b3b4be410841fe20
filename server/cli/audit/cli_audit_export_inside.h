/* cli_audit_export_inside.h - what cli_audit_export.c writes into the folder, as it is.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

/* The files of audit_folder/, the same for each folder; each ends with a NUL. */
extern const char cli_audit_export_readme[];
extern const char cli_audit_export_verify[];
