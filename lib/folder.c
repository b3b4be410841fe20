/* folder.c - a folder that is read, and closed with its scope.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/folder.h"

#include "lib/file.h"

DIR *
folder_take(int fd)
{
	DIR *folder = fd == -1 ? NULL : fdopendir(fd);

	if (folder == NULL)
		file_closep(&fd); /* nothing was read of it */
	return folder;
}

void
folder_closep(DIR **folder)
{
	if (*folder != NULL)
		(void)closedir(*folder); /* it was read alone */
}
