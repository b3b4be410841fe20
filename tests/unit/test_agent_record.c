/* Goal: a record says what is true where the agent dies at any moment, and the last 64 are kept.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agent/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/err.h"
#include "unit.h"

static char folder[64], path[96];
static struct records records;
static bool read_fails;

ssize_t __real_pread(int fd, void *buf, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t at);

ssize_t
__wrap_pread(int fd, void *buf, size_t size, off_t at)
{
	errno = EIO;
	return read_fails ? -1 : __real_pread(fd, buf, size, at);
}

static int
set_up(UNUSED void **state)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/agent_record.XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/records", folder);
	assert_true(records_open(&records, folder, NULL));
	return 0;
}

static int
tear_down(UNUSED void **state)
{
	(void)close(records.fd);
	(void)unlink(path);
	return rmdir(folder);
}

static void
reopen(void)
{
	(void)close(records.fd);
	assert_true(records_open(&records, folder, NULL));
}

static struct record *
add(uint64_t id, uint64_t epoch)
{
	struct record *record = records_slot(&records);

	*record = (struct record){ .id = id, .epoch = epoch, .capability = "restart-web" };
	assert_true(records_put(&records, record, record, NULL));
	return record;
}

/* Writes bytes over the slot of the only record. */
static void
damage(size_t at, const char *bytes, size_t size)
{
	assert_int_equal(pwrite(records.fd, bytes, size, (off_t)at), size);
}

TEST_WITH(what_was_written_is_read_after_a_restart, set_up, tear_down)
{
	struct record *record = add(12, 3);

	reopen();
	record = records_find(&records, 12);
	assert_non_null(record);
	assert_string_equal(record->capability, "restart-web");
	assert_false(record->end.gate);
	record->end = (struct protocol_record){
		.gate = true, .timed_out = true, .status = 255, .ended_at = INT64_MAX
	};
	assert_true(records_put(&records, record, record, NULL));
	reopen();
	record = records_find(&records, 12);
	assert_true(record->end.gate && record->end.timed_out && !record->end.lost);
	assert_int_equal(record->end.status, 255);
	assert_true(record->end.ended_at == INT64_MAX && record->epoch == 3);
	assert_null(records_find(&records, 11));
}

TEST_WITH(the_lowest_makes_room_for_the_65th, set_up, tear_down)
{
	assert_true(records_lowest(&records) == 0);
	for (uint64_t id = 1; id <= RECORDS_MAX; id++) {
		(void)add(id + 100, id == 7 ? 9 : 2);
		assert_true(records_lowest(&records) == 101);
		assert_true(records_slot(&records)->id == (id == RECORDS_MAX ? 101 : 0));
	}
	assert_true(records_epoch(&records) == 9);
	(void)add(1000, 9);
	reopen();
	assert_null(records_find(&records, 101));
	assert_non_null(records_find(&records, 102));
	assert_non_null(records_find(&records, 1000));
	assert_true(records_lowest(&records) == 102);
}

TEST_WITH(a_record_of_which_only_the_id_can_be_read_is_lost, set_up, tear_down)
{
	(void)add(12, 0);
	damage(20, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	reopen();
	assert_true(records_find(&records, 12)->end.gate && records_find(&records, 12)->end.lost);
}

TEST_WITH(a_record_without_its_id_stops_the_start, set_up, tear_down)
{
	static const char *const heads[] = { "x2 0 restart-web\n", "12 0 Restart\n", "12 0\n",
		"12 0 restart-web and more\n" };
	struct err err = { .text = "" };

	for (size_t i = 0; i < COUNT(heads); i++) {
		damage(0, heads[i], strlen(heads[i]));
		(void)close(records.fd);
		assert_false(records_open(&records, folder, &err));
		assert_int_equal(err.code, ERR_CONFIG);
		assert_non_null(strstr(err.text, "record 0"));
	}
}

TEST_WITH(a_disk_that_cannot_be_read_loses_no_record, set_up, tear_down)
{
	struct err err = { .text = "" };

	(void)add(12, 3);
	(void)close(records.fd);
	read_fails = true;
	assert_false(records_open(&records, folder, &err));
	read_fails = false;
	assert_non_null(strstr(err.text, "Input/output error"));
	reopen();
	assert_non_null(records_find(&records, 12));
}

/* The agent died while it made them: nothing was written into them yet. */
TEST_WITH(a_file_that_is_too_short_gets_its_room, set_up, tear_down)
{
	assert_int_equal(ftruncate(records.fd, 700), 0);
	reopen();
	assert_int_equal(lseek(records.fd, 0, SEEK_END), RECORDS_MAX * 512);
}
