/* file_end.c - the last bytes of a file that somebody else writes.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/file_end.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/file.h"

size_t
file_end(int folder, const char *path, char *out, size_t room)
{
	CLEANUP(file_closep)
	int file = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	off_t size = file == -1 ? 0 : lseek(file, 0, SEEK_END), most = (off_t)room;
	ssize_t n = size <= 0 ? 0 : pread(file, out, room, size > most ? size - most : 0);

	return n < 0 ? 0 : (size_t)n;
}
