/* file_piece.c - some bytes of a file that somebody else writes.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/file_piece.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/file.h"

size_t
file_piece(int folder, const char *path, struct file_piece *piece)
{
	CLEANUP(file_closep)
	int file = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	off_t size = file == -1 ? 0 : lseek(file, 0, SEEK_END), most = (off_t)piece->room;
	off_t end = size > most ? size - most : 0;
	ssize_t n;

	piece->size = size < 0 ? 0 : size;
	n = size <= 0 ? 0 :
			pread(file, piece->out, piece->room, piece->from < 0 ? end : piece->from);
	return n < 0 ? 0 : (size_t)n;
}
