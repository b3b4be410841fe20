/* cli_audit_export_text.c - README.txt and verify.sh of an auditor's folder, out of audit_folder/.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/audit/cli_audit_export_inside.h"

#include "lib/embed.h"

EMBED(cli_audit_export_readme, "server/cli/audit/folder/README.txt");
EMBED(cli_audit_export_verify, "server/cli/audit/folder/verify.sh");
