/* embed.h - a file as a text in the program, which ends with a NUL; of bytes NAME_end is their end.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

/* The assembler finds a file as the compiler finds headers: from the Makefile's folder, in which a
 * rule names it, too. */
#define EMBED(name, file) \
	__asm__(".global " #name); \
	EMBED_HERE(name, file)

/* The same for this file alone. */
#define EMBED_HERE(name, file) \
	__asm__(".pushsection .rodata\n" \
		".type " #name ", %object\n" #name ":\n" \
		".incbin \"" file "\"\n" \
		#name "_end:\n" \
		".byte 0\n" \
		".size " #name ", . - " #name "\n" \
		".popsection")
