/* unpack.c - an archive as files in one folder, or the first reason why not.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runner/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/clean.h"
#include "lib/text.h"

#define NO_ROLLBACK ".deploybot/no-rollback" /* docs/deploy-scripts.md */
#define LFS_POINTER "version https://git-lfs.github.com/spec/v1\n"
#define FILTERS_MAX 2 /* gzip, and that of no filter at all */

struct work {
	const void *bytes;
	size_t size;
	int folder;
	struct unpack_tree *tree;
	struct unpack_result *result;
	struct unpack_refusal *refusal;
	int64_t now;	    /* seconds since 1970 */
	int64_t bytes_left; /* that files may still have */
	struct archive *archive;
	struct archive_entry *entry;	/* of the archive, borrowed */
	char path[UNPACK_PATH_MAX + 1]; /* of the entry; "": it is about the whole archive */
	/* The file that is written: up to `at` there is content, or a hole that reads as zeros. */
	int fd;
	int64_t at;
	struct sha256 sum;
	size_t head_size;
	char head[UNPACK_HEAD_MAX];
};

static const char zeros[65536];

static bool
no(struct work *work, enum unpack_why why, const char *text)
{
	return unpack_refuse(work->refusal, why, work->path[0] == '\0' ? NULL : work->path, text);
}

/* libarchive's own words; of what it does not know they are none for people. */
static bool
broken(struct work *work)
{
	const char *said = archive_error_string(work->archive);
	char text[160], shown[120];

	if (archive_format(work->archive) == 0)
		return no(work, UNPACK_TYPE,
		    "it is no .zip, .tar or .tar.gz: make one of its folder with tar -czf site.tar.gz -C FOLDER .");
	if (said == NULL)
		said = "it is broken";
	text_setf(text, "cannot be read: %s", clean_line(shown, sizeof(shown), said, strlen(said)));
	return no(work, UNPACK_BROKEN, text);
}

static bool
cannot_write(struct work *work)
{
	char text[120];

	text_setf(text, "cannot be written: %s", strerrordesc_np(errno));
	return no(work, UNPACK_NONE, text);
}

/* What it is its first bytes say, and nothing else is tried: a file that is two archives at once is
 * the same one for everybody.  A zip that is read as a stream shows a link as a plain file. */
static bool
begin(struct work *work)
{
	bool is_zip = work->size >= 2 && memcmp(work->bytes, "PK", 2) == 0;
	bool is_gzip = work->size >= 2 && memcmp(work->bytes, "\x1f\x8b", 2) == 0;
	const int64_t most = (int64_t)work->size * UNPACK_RATIO_MAX;

	work->path[0] = '\0';
	work->bytes_left = most < UNPACK_UNPACKED_MAX ? most : UNPACK_UNPACKED_MAX;
	work->archive = archive_read_new();
	if (work->archive == NULL)
		return no(work, UNPACK_BOMB, UNPACK_NO_MEMORY);
	if ((is_zip ? archive_read_support_format_zip_seekable(work->archive) :
		      archive_read_support_format_tar(work->archive)) != ARCHIVE_OK ||
	    (is_gzip && archive_read_support_filter_gzip(work->archive) != ARCHIVE_OK) ||
	    archive_read_open_memory(work->archive, work->bytes, work->size) != ARCHIVE_OK)
		return broken(work);
	return archive_filter_count(work->archive) <= FILTERS_MAX ||
	    no(work, UNPACK_TYPE, "it is compressed more than once");
}

/* Never beyond the folder, and over no link: not even one that somebody puts there now. */
static int
open_below(struct work *work, const char *path, int flags, mode_t mode)
{
	struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV };

	return (int)syscall(SYS_openat2, work->folder, path, &how, sizeof(how));
}

static bool
make_folder(struct work *work, const char *path)
{
	char above[UNPACK_PATH_MAX + 1] = ".";
	const char *slash = strrchr(path, '/');
	int fd, made;

	if (slash != NULL)
		text_setf(above, "%.*s", (int)(slash - path), path);
	fd = open_below(work, above, O_PATH | O_DIRECTORY, 0);
	if (fd == -1)
		return cannot_write(work);
	made = mkdirat(fd, slash == NULL ? path : slash + 1, 0755);
	(void)close(fd);
	return made == 0 || cannot_write(work);
}

/* ---- what a file holds ------------------------------------------------------------------- */

static bool
is_too_large(struct work *work, int64_t bytes)
{
	return bytes < 0 || bytes > work->bytes_left;
}

/* As it is read later: of a hole zeros, which are not written. */
static bool
take(struct work *work, const char *data, size_t size, bool is_hole)
{
	size_t room = sizeof(work->head) - work->head_size;

	if (is_too_large(work, (int64_t)size))
		return no(work, UNPACK_BOMB, UNPACK_TOO_LARGE);
	for (size_t done = 0; !is_hole && done < size;) {
		ssize_t n = pwrite(work->fd, data + done, size - done, work->at + (off_t)done);

		if (n == -1)
			return cannot_write(work);
		done += (size_t)n;
	}
	work->bytes_left -= (int64_t)size;
	work->at += (int64_t)size;
	sha256_add(&work->sum, data, size);
	memcpy(work->head + work->head_size, data, size < room ? size : room);
	work->head_size += size < room ? size : room;
	return true;
}

static bool
take_hole(struct work *work, int64_t end)
{
	if (end < work->at)
		return no(work, UNPACK_BROKEN, "has pieces in the wrong order");
	if (is_too_large(work, end - work->at))
		return no(work, UNPACK_BOMB, UNPACK_TOO_LARGE);
	while (work->at < end) {
		size_t left = (size_t)(end - work->at);

		if (!take(work, zeros, left < sizeof(zeros) ? left : sizeof(zeros), true))
			return false;
	}
	return true;
}

static bool
take_content(struct work *work)
{
	const int64_t size = archive_entry_size(work->entry);
	const void *data;
	size_t n;
	la_int64_t offset;
	int status;

	while ((status = archive_read_data_block(work->archive, &data, &n, &offset)) == ARCHIVE_OK)
		if (n > 0 && (!take_hole(work, offset) || !take(work, data, n, false)))
			return false;
	if (status != ARCHIVE_EOF)
		return broken(work);
	/* A hole at its end: its last byte is written, so that the file is as long as it says. */
	return work->at >= size || (take_hole(work, size - 1) && take(work, zeros, 1, false));
}

/* What git's answer says of a commit, this one says of an archive. */
static bool
look_at(struct work *work, const char *path)
{
	struct unpack_result *result = work->result;

	if (!unpack_name_check_content(path, work->head, work->head_size, work->refusal))
		return false;
	if (strcmp(path, NO_ROLLBACK) == 0) {
		const char *stop = memchr(work->head, '\n', work->head_size);

		result->has_barrier = true;
		(void)clean_line(result->barrier, sizeof(result->barrier), work->head,
		    stop != NULL ? (size_t)(stop - work->head) : work->head_size);
	}
	if (work->head_size >= sizeof(LFS_POINTER) - 1 &&
	    memcmp(work->head, LFS_POINTER, sizeof(LFS_POINTER) - 1) == 0 &&
	    result->pointers++ == 0)
		(void)clean_line(result->pointer, sizeof(result->pointer), path, strlen(path));
	return true;
}

/* A time that no other program stumbles over. */
static bool
set_time(const struct work *work)
{
	int64_t at = archive_entry_mtime(work->entry);
	const time_t clamped = at < 0 ? 0 : at > work->now ? work->now : at;

	return futimens(work->fd, (struct timespec[]){ { clamped, 0 }, { clamped, 0 } }) == 0;
}

static bool
write_file(struct work *work)
{
	struct unpack_node *node = unpack_tree_file(work->tree, work->path);
	bool is_good;

	if (node == NULL)
		return no(work, UNPACK_BROKEN, "is something else the second time it is read");
	node->is_executable = (archive_entry_perm(work->entry) & S_IXUSR) != 0;
	work->at = 0;
	work->head_size = 0;
	sha256_init(&work->sum);
	work->fd = open_below(work, work->path + work->tree->top, O_WRONLY | O_CREAT | O_EXCL,
	    node->is_executable ? 0755 : 0644);
	if (work->fd == -1)
		return cannot_write(work);
	is_good = take_content(work) && look_at(work, work->path + work->tree->top) &&
	    (set_time(work) || cannot_write(work));
	if (close(work->fd) != 0 && is_good)
		return cannot_write(work);
	sha256_end(&work->sum, node->sum);
	work->result->files++;
	work->result->bytes += work->at;
	return is_good;
}

/* ---- entry by entry ---------------------------------------------------------------------- */

static bool
check_entry(struct work *work)
{
	struct archive_entry *entry = work->entry;
	bool is_folder = archive_entry_filetype(entry) == AE_IFDIR;

	if (archive_entry_hardlink(entry) != NULL || archive_entry_symlink(entry) != NULL ||
	    (archive_entry_filetype(entry) != AE_IFREG && !is_folder))
		return no(
		    work, UNPACK_TYPE, "is a link or device: only files and folders are taken");
	if (archive_entry_is_encrypted(entry))
		return no(work, UNPACK_BROKEN, "is encrypted: pack it without a password");
	if (is_too_large(work, archive_entry_size(entry)))
		return no(work, UNPACK_BOMB, UNPACK_TOO_LARGE);
	work->bytes_left -= archive_entry_size(entry);
	if (work->path[0] == '\0')
		return is_folder || no(work, UNPACK_NAME, "a file in it has no name");
	return unpack_tree_add(work->tree, work->path, is_folder, work->refusal);
}

/* What a Mac adds for itself is no part of what was packed; it would hide a single top folder. */
static bool
is_of_a_mac(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;

	return text_starts(path, "__MACOSX/") || strcmp(path, "__MACOSX") == 0 ||
	    text_starts(name, "._") || strcmp(name, ".DS_Store") == 0;
}

static bool
write_entry(struct work *work)
{
	return archive_entry_filetype(work->entry) == AE_IFDIR || write_file(work);
}

static bool
for_each_entry(struct work *work, bool (*call)(struct work *work))
{
	bool is_good = begin(work);
	int status = ARCHIVE_OK;

	while (is_good) {
		status = archive_read_next_header(work->archive, &work->entry);
		if (status == ARCHIVE_EOF)
			break;
		is_good = status == ARCHIVE_OK ?
		    unpack_name_check(
			archive_entry_pathname(work->entry), work->path, work->refusal) &&
			(is_of_a_mac(work->path) || call(work)) :
		    broken(work);
	}
	if (work->archive != NULL)
		(void)archive_read_free(work->archive);
	work->path[0] = '\0';
	return is_good;
}

static bool
make_folders(struct work *work)
{
	const struct unpack_tree *tree = work->tree;

	for (size_t i = tree->top > 0 ? 1 : 0; i < tree->count; i++)
		if (tree->nodes[i].is_folder && !make_folder(work, tree->nodes[i].path + tree->top))
			return false;
	return true;
}

static bool
unpack_with(struct work *work)
{
	if (!for_each_entry(work, check_entry))
		return false;
	unpack_tree_strip(work->tree);
	if (work->tree->files == 0)
		return no(work, UNPACK_BROKEN, "there is no file in it");
	if (!make_folders(work) || !for_each_entry(work, write_entry))
		return false;
	if (work->result->files != work->tree->files)
		return no(work, UNPACK_BROKEN, "it is something else the second time it is read");
	unpack_tree_digest(work->tree, work->result->tree);
	return true;
}

bool
unpack(const void *archive, size_t size, int folder, struct unpack_result *ret,
    struct unpack_refusal *refusal)
{
	static struct work work; /* its head is large for a stack; there is one thread */
	bool is_good;

	*ret = (struct unpack_result){ .files = 0 };
	work = (struct work){ .bytes = archive, .size = size, .folder = folder };
	work.tree = unpack_tree_new();
	work.result = ret;
	work.refusal = refusal;
	work.now = time(NULL);
	is_good = work.tree != NULL ? unpack_with(&work) : no(&work, UNPACK_BOMB, UNPACK_NO_MEMORY);
	unpack_tree_free(work.tree);
	return is_good;
}
