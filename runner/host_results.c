/* host_results.c - what a script says of the hosts of its run: kept, then acknowledged.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/host_results.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/host_lines.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runner/run_folder.h"
#include "runner/step_scan.h"

#define RESULTS_MODE 0640 /* and the umask: see run_folder.c */

enum { SAID_BEGAN = 1, SAID_OK = 2, SAID_FAILED = 4 };

struct host_of_run {
	char *name;
	unsigned int said; /* of these bits */
};

static int
by_name(const void *a, const void *b)
{
	const struct host_of_run *one = a, *other = b;

	return strcmp(one->name, other->name);
}

static bool
read_hosts(struct host_results *results, const struct protocol_message *order, struct err *err)
{
	const char *at = order->body, *end = at + order->body_len;
	char line[HOST_TEXT];

	results->all = mem_new(HOST_LINES_MAX, sizeof(*results->all));
	while (results->count < HOST_LINES_MAX && host_lines_next(&at, end, line))
		if (!text_starts(line, PROTOCOL_GROUP))
			results->all[results->count++].name = mem_text(line);
	qsort(results->all, results->count, sizeof(*results->all), by_name);
	for (size_t i = 1; i < results->count; i++)
		if (by_name(&results->all[i - 1], &results->all[i]) == 0)
			return err_set(err, ERR_INVALID, "the order has the host %s twice",
			    results->all[i].name);
	return true;
}

/* All memory is there from the start: each host says each word once. */
static void
reserve(struct host_results *results, size_t names)
{
	buf_init(
	    &results->lines, 3 * names + results->count * (STEP_SCAN_HOST_TEXT - HOST_TEXT + 16));
	buf_init(&results->names, names + 1);
	buf_init(&results->due, names + 1);
	buf_reserve(&results->lines);
	buf_reserve(&results->names);
	buf_reserve(&results->due);
}

bool
host_results_open(struct host_results *ret, int folder, const struct protocol_message *order,
    int *ret_script, struct err *err)
{
	int ends[2];

	*ret = (struct host_results){ .file = -1, .acks = -1 };
	*ret_script = 0;
	if (order->body_len == 0)
		return true;
	if (!read_hosts(ret, order, err))
		return false;
	reserve(ret, order->body_len);
	ret->file = openat(folder, RUN_FOLDER_RESULTS,
	    O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, RESULTS_MODE);
	if (ret->file == -1 ||
	    !file_write_all(ret->file, HOST_RESULTS_HEAD, strlen(HOST_RESULTS_HEAD), NULL) ||
	    fsync(ret->file) == -1 || fsync(folder) == -1)
		return err_errno(err, ERR_IO, errno, "creating " RUN_FOLDER_RESULTS);
	if (pipe2(ends, O_CLOEXEC) == -1)
		return err_errno(err, ERR_IO, errno, "pipe");
	ret->acks = ends[1];
	*ret_script = ends[0];
	return fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0 || err_errno(err, ERR_IO, errno, "pipe");
}

void
host_results_take(struct host_results *results, const char *text)
{
	const char *word = strchr(text, ' ');
	char name[HOST_TEXT];
	struct host_of_run *host;
	unsigned int bit;

	assert(word != NULL);
	text_setf(name, "%.*s", (int)(word - text), text);
	host = bsearch(&(struct host_of_run){ .name = name }, results->all, results->count,
	    sizeof(*results->all), by_name);
	bit = text_starts(word, " ok")	 ? SAID_OK :
	    text_starts(word, " failed") ? SAID_FAILED :
					   SAID_BEGAN;
	if (host == NULL || (host->said & bit) != 0)
		return;
	host->said |= bit;
	buf_addf(&results->lines, "%s\n", text);
	if (bit == SAID_BEGAN)
		buf_addf(&results->names, "%s\n", name);
}

/* Whose reader is gone needs none. */
static void
acknowledge(struct host_results *results)
{
	while (results->acks != -1 && results->due.size > 0) {
		ssize_t n = write(results->acks, results->due.data, results->due.size);

		if (n > 0)
			buf_drop_front(&results->due, (size_t)n);
		else if (errno == EAGAIN)
			return; /* it reads, and says more then */
		else if (errno != EINTR)
			file_closep(&results->acks);
	}
}

/* What was written of it before the disk was full stands there, and is not written again. */
static bool
write_lines(struct host_results *results)
{
	while (results->lines.size > 0) {
		ssize_t n = write(results->file, results->lines.data, results->lines.size);

		if (n == -1 && errno != EINTR)
			return false;
		if (n > 0)
			buf_drop_front(&results->lines, (size_t)n);
	}
	return fdatasync(results->file) == 0;
}

bool
host_results_flush(struct host_results *results)
{
	bool is_new = results->lines.size > 0;

	acknowledge(results);
	if (!is_new || !write_lines(results))
		return false;
	buf_add(&results->due, buf_text(&results->names), results->names.size);
	buf_clear(&results->names);
	acknowledge(results);
	return true;
}

bool
host_results_is_due(const struct host_results *results)
{
	return results->lines.size > 0;
}

void
host_results_done(struct host_results *results)
{
	for (size_t i = 0; i < results->count; i++)
		free(results->all[i].name);
	free(results->all);
	results->all = NULL;
	results->count = 0;
	buf_done(&results->lines);
	buf_done(&results->names);
	buf_done(&results->due);
	file_closep(&results->file);
	file_closep(&results->acks);
}
