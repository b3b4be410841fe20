/* cli_audit_export_text.c - README.txt and verify.sh of an auditor's folder, out of audit_folder/.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli_audit_export_inside.h"

/* The assembler finds a file as the compiler finds headers: from the Makefile's folder. */
#define EMBED(name, file) \
	__asm__(".pushsection .rodata\n" \
		".global " #name "\n" \
		".type " #name ", %object\n" #name ":\n" \
		".incbin \"server/cli/audit_folder/" file "\"\n" \
		".byte 0\n" \
		".size " #name ", . - " #name "\n" \
		".popsection")

EMBED(cli_audit_export_readme, "README.txt");
EMBED(cli_audit_export_verify, "verify.sh");
