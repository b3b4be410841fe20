/* epoch.c - a number in a file, written in its place: a full disk refuses no higher one.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/epoch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file.h"

#define NAME   "epoch"
#define DIGITS 20

static bool
read_at(int folder, const char *name, uint64_t *ret, struct err *err)
{
	char text[DIGITS + 2];
	ssize_t n = file_read_small(folder, name, text, sizeof(text));

	*ret = 0;
	if (n == 0 || (n == -1 && errno == ENOENT))
		return true; /* it was cut before it counted, or nobody has said one */
	/* NOLINTNEXTLINE(cert-err34-c): of our own writing, and of so many digits */
	if (n == DIGITS + 1 && sscanf(text, "%" SCNu64 "\n", ret) == 1)
		return true;
	return err_set(
	    err, ERR_CONFIG, "runs/" NAME " cannot be read: which server led last is not known");
}

bool
epoch_read(int root, uint64_t *ret, struct err *err)
{
	return read_at(root, NAME, ret, err);
}

bool
epoch_read_above(int folder, uint64_t *ret, struct err *err)
{
	return read_at(folder, "../" NAME, ret, err);
}

bool
epoch_write(int root, uint64_t epoch, struct err *err)
{
	char text[DIGITS + 2];
	CLEANUP(file_closep)
	int fd = openat(root, NAME, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	(void)snprintf(text, sizeof(text), "%0*" PRIu64 "\n", DIGITS, epoch);
	if (fd != -1 && file_write_all(fd, text, DIGITS + 1, NULL) && fsync(fd) == 0 &&
	    fsync(root) == 0)
		return true;
	return err_errno(err, ERR_IO, errno, "writing runs/" NAME);
}
