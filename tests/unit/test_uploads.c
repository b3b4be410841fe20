/* Goal: what is uploaded is there whole under its digest, or not at all.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/uploads.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/folder.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "unit.h"

#define OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

struct aid {
	char state[64];
	struct uploads *uploads;
};

static int
set_up(void **state)
{
	struct aid *f = mem_new(1, sizeof(*f));

	text_set(f->state, "/tmp/deploybot-uploads-XXXXXX");
	assert_non_null(mkdtemp(f->state));
	f->uploads = uploads_new(f->state, NULL);
	assert_non_null(f->uploads);
	*state = f;
	return 0;
}

/* What is in the folder, a blank between, sorted no further: at most one is there. */
static const char *
list(const struct aid *f, char ret[256])
{
	CLEANUP(folder_closep) DIR *folder = NULL;
	const struct dirent *entry;
	char path[128];

	text_setf(path, "%s/uploads", f->state);
	folder = opendir(path);
	assert_non_null(folder);
	ret[0] = '\0';
	while ((entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			(void)snprintf(ret + strlen(ret), 256 - strlen(ret), "%s%s",
			    ret[0] != '\0' ? " " : "", entry->d_name);
	return ret;
}
#define LIST_OF(f) list(f, (char[256]){ "" })

static int
tear_down(void **state)
{
	struct aid *f = *state;
	CLEANUP(folder_closep) DIR *folder = NULL;
	const struct dirent *entry;
	char path[256];

	uploads_free(f->uploads);
	text_setf(path, "%s/uploads", f->state);
	folder = opendir(path);
	while (folder != NULL && (entry = readdir(folder)) != NULL)
		(void)unlinkat(dirfd(folder), entry->d_name, 0);
	(void)rmdir(path);
	(void)rmdir(f->state);
	free(f);
	return 0;
}

#define UPLOAD_TEST(name) TEST_OF(name, struct aid *f, set_up, tear_down)

static struct upload *
begin(struct aid *f, const char *text)
{
	struct upload *upload = upload_new(f->uploads, NULL);

	assert_non_null(upload);
	assert_true(upload_add(upload, text, strlen(text)));
	return upload;
}

/* Goal of each: what is there when, and under which name. */
UPLOAD_TEST(what_came_whole_has_the_name_of_its_digest)
{
	struct upload *upload = begin(f, "a");
	struct uploaded uploaded = { 0 };
	struct stat st;
	char path[256];

	assert_string_equal(LIST_OF(f), "1.part");
	assert_false(uploads_has(f->uploads, OF_ABC));
	assert_true(upload_add(upload, "bc", 2));
	assert_true(upload_end(upload, &uploaded, NULL));
	assert_string_equal(uploaded.digest, OF_ABC);
	assert_int_equal(uploaded.size, 3);
	assert_string_equal(LIST_OF(f), OF_ABC);
	assert_true(uploads_has(f->uploads, OF_ABC));
	upload_free(upload);
	assert_string_equal(LIST_OF(f), OF_ABC);
	text_setf(path, "%s/uploads/" OF_ABC, f->state);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07137, 0); /* the group reads, others do not */
}

UPLOAD_TEST(what_is_cut_is_removed)
{
	upload_free(begin(f, "ab"));
	assert_string_equal(LIST_OF(f), "");
}

UPLOAD_TEST(what_was_coming_when_the_program_ended_is_removed_at_the_start)
{
	struct upload *whole = begin(f, "abc");
	struct uploaded uploaded;
	char path[128];
	int fd;

	assert_true(upload_end(whole, &uploaded, NULL));
	upload_free(whole);
	text_setf(path, "%s/uploads/7.part", f->state);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	uploads_free(f->uploads);
	f->uploads = uploads_new(f->state, NULL);
	assert_non_null(f->uploads);
	assert_string_equal(LIST_OF(f), OF_ABC);
}

UPLOAD_TEST(the_same_twice_and_two_at_once_are_one_file)
{
	struct upload *one = begin(f, "abc"), *two = begin(f, "abc");
	struct uploaded uploaded;

	assert_true(upload_end(one, &uploaded, NULL));
	assert_true(upload_end(two, &uploaded, NULL));
	assert_string_equal(LIST_OF(f), OF_ABC);
	upload_free(one);
	upload_free(two);
}

/* What was decided of the first says nothing of the second. */
UPLOAD_TEST(what_came_after_the_decision_stays)
{
	struct upload *upload = begin(f, "abc");
	int64_t before = clock_wall_ms() - 1000;
	struct uploaded uploaded;

	assert_true(upload_end(upload, &uploaded, NULL));
	upload_free(upload);
	assert_true(uploads_remove(f->uploads, OF_ABC, before, NULL));
	assert_true(uploads_has(f->uploads, OF_ABC));
	assert_true(uploads_remove(f->uploads, OF_ABC, clock_wall_ms(), NULL));
	assert_false(uploads_has(f->uploads, OF_ABC));
	assert_true(uploads_remove(f->uploads, OF_ABC, clock_wall_ms(), NULL));
}

/* The same is sent twice at once: one is refused while the other is not decided on. */
UPLOAD_TEST(what_is_not_decided_on_stays)
{
	struct upload *upload = begin(f, "abc"), *other = begin(f, "abc");
	const int64_t later = clock_wall_ms() + 1000;
	struct uploaded uploaded;
	bool stays, goes;

	assert_true(upload_end(upload, &uploaded, NULL));
	assert_true(upload_end(other, &uploaded, NULL));
	stays = uploads_remove(f->uploads, OF_ABC, later, NULL) && uploads_has(f->uploads, OF_ABC);
	upload_free(other);
	goes = uploads_remove(f->uploads, OF_ABC, later, NULL) && !uploads_has(f->uploads, OF_ABC);
	upload_free(upload);
	assert_true(stays);
	assert_true(goes);
}

UPLOAD_TEST(so_many_come_at_once_and_no_more)
{
	struct upload *all[UPLOADS_AT_ONCE];
	struct uploaded uploaded;
	struct err err;

	for (size_t i = 0; i < COUNT(all); i++)
		all[i] = begin(f, "abc");
	assert_null(upload_new(f->uploads, &err));
	assert_int_equal(err.code, ERR_BUSY);
	assert_true(upload_end(all[0], &uploaded, NULL));
	upload_free(all[0]); /* it was decided on */
	upload_free(begin(f, "d"));
	for (size_t i = 1; i < COUNT(all); i++)
		upload_free(all[i]);
}

UPLOAD_TEST(more_than_20_MB_and_nothing_are_refused)
{
	static char piece[1 << 20];
	struct upload *upload = upload_new(f->uploads, NULL);
	struct uploaded uploaded;
	struct err err;

	assert_false(upload_end(upload, &uploaded, &err));
	assert_int_equal(err.code, ERR_INVALID);
	upload_free(upload);
	upload = upload_new(f->uploads, NULL);
	for (int i = 0; i < LIMIT_UPLOAD >> 20; i++)
		assert_true(upload_add(upload, piece, sizeof(piece)));
	assert_false(upload_add(upload, "a", 1));
	assert_false(upload_add(upload, "", 0)); /* it stays refused */
	assert_false(upload_end(upload, &uploaded, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	upload_free(upload);
	assert_string_equal(LIST_OF(f), "");
}

/* A file that may not grow is as a disk that is full: EFBIG for ENOSPC. */
UPLOAD_TEST(what_the_disk_does_not_take_is_dropped)
{
	struct rlimit limit, before;
	struct upload *upload = begin(f, "abc");
	struct uploaded uploaded;
	struct err err;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_false(upload_add(upload, "d", 1));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_false(upload_add(upload, "d", 1)); /* half of it is none */
	assert_false(upload_end(upload, &uploaded, &err));
	assert_int_equal(err.code, ERR_IO);
	upload_free(upload);
	assert_string_equal(LIST_OF(f), "");
}

UPLOAD_TEST(those_that_are_there_are_listed)
{
	struct upload *upload = begin(f, "abc"), *comes = begin(f, "x");
	char digests[2][LIMIT_DIGEST];
	struct uploaded uploaded;

	assert_true(upload_end(upload, &uploaded, NULL));
	assert_int_equal(uploads_list(f->uploads, digests, 2), 1);
	assert_string_equal(digests[0], OF_ABC);
	assert_int_equal(uploads_list(f->uploads, digests, 0), 0);
	upload_free(upload);
	upload_free(comes);
}
