/* mem_trim.c - by glibc's malloc_trim() and MADV_DONTNEED.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/mem_trim.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

/* Whatever was read of a segment that is never written the kernel reads again from the page cache.
 * (Relocated text would be lost: the architectures that we build for have none.) */
static int
unmap_unwritten(struct dl_phdr_info *object, UNUSED size_t size, UNUSED void *ctx)
{
	uintptr_t page = (uintptr_t)getpagesize();

	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t from = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
		uintptr_t to = object->dlpi_addr + segment->p_vaddr + segment->p_memsz;

		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) == 0)
			(void)madvise((void *)from, to - from, MADV_DONTNEED); /* else it stays */
	}
	return 0;
}

void
mem_trim(void)
{
	(void)malloc_trim(0); /* says if any */
	(void)dl_iterate_phdr(unmap_unwritten, NULL);
}
