/* fuzz_unpack.c - any bytes as an archive: plain files and folders below one folder, or a reason.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <ftw.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clean.h"
#include "runner/unpack.h"
#include "tests/fuzz/fuzz.h"

static char folder[64];
static size_t files;
static int64_t bytes;

static void
remove_folder(void)
{
	(void)rmdir(folder);
}

static void
make_folder(void)
{
	const char *where = getenv("TMPDIR");

	assert(setlocale(LC_CTYPE, "C.UTF-8") != NULL);
	(void)umask(022);
	(void)snprintf(
	    folder, sizeof(folder), "%.40s/unpack-XXXXXX", where != NULL ? where : "/tmp");
	assert(mkdtemp(folder) != NULL);
	(void)atexit(remove_folder);
}

static int
look_at(UNUSED const char *path, const struct stat *st, UNUSED int type, struct FTW *at)
{
	mode_t mode = st->st_mode;

	if (at->level == 0)
		return 0;
	assert(mode == (S_IFREG | 0644) || mode == (S_IFREG | 0755) || mode == (S_IFDIR | 0755));
	assert(at->level <= UNPACK_DEPTH_MAX && st->st_mtime >= 0);
	files += S_ISREG(mode);
	bytes += S_ISREG(mode) ? st->st_size : 0;
	return 0;
}

static int
remove_below(const char *path, UNUSED const struct stat *st, UNUSED int type, struct FTW *at)
{
	return at->level == 0 ? 0 : remove(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unpack_refusal refusal = { .why = UNPACK_NONE };
	struct unpack_result result;
	bool is_taken;
	int fd;

	if (folder[0] == '\0')
		make_folder();
	fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert(fd != -1);
	is_taken = unpack(data, size, fd, &result, &refusal);
	(void)close(fd);
	files = 0;
	bytes = 0;
	assert(nftw(folder, look_at, 8, FTW_PHYS) == 0);
	assert(bytes <= (int64_t)size * UNPACK_RATIO_MAX);
	if (is_taken)
		assert(files == result.files && files > 0 && bytes == result.bytes);
	else
		assert(refusal.why != UNPACK_NONE && fuzz_is_clean(refusal.text, false));
	assert(nftw(folder, remove_below, 8, FTW_PHYS | FTW_DEPTH) == 0);
	return 0;
}
