/* hosts_file.c - a file with a host of an environment on each line, read and checked.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/hosts_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/owner.h"
#include "lib/setting.h"
#include "lib/text.h"

#define BLANKS " \t\r"

struct named {
	char plain[HOST_TEXT];
	char text[HOST_TEXT];
	size_t line;
};

struct reader {
	struct named *all;
	size_t count;
	struct buf list;
};

/* Of the file that was looked at: it may be another one by its name a moment later. */
static char *
read_bytes(const char *path, uid_t owner, size_t *ret_size, struct err *err)
{
	CLEANUP(file_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	char opened[32], *text;

	if (fd == -1 || fstat(fd, &status) == -1)
		return ERR_NULL(err_errno(err, ERR_CONFIG, errno, "%s", path));
	if (!S_ISREG(status.st_mode))
		return ERR_NULL(err_set(err, ERR_CONFIG, "%s is not a regular file", path));
	if (status.st_size > HOSTS_FILE_MAX)
		return ERR_NULL(err_set(err, ERR_CONFIG,
		    "%s has more than %d KB: it is a list of at most %d hosts", path,
		    HOSTS_FILE_MAX / 1024, HOST_LINES_MAX));
	/* Whoever may write there chooses where a release goes. */
	if (!owner_alone_writes(&status, owner, path, err))
		return NULL;
	(void)snprintf(opened, sizeof(opened), "/proc/self/fd/%d", fd);
	text = file_read(opened, HOSTS_FILE_MAX, ret_size, err);
	if (text == NULL)
		(void)err_wrap(err, "%s", path);
	return text;
}

static bool
take_line(struct reader *reader, char *line, size_t number, struct err *err)
{
	struct named *named = &reader->all[reader->count];
	size_t size;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, BLANKS);
	for (size = strlen(line); size > 0 && strchr(BLANKS, line[size - 1]) != NULL;)
		line[--size] = '\0';
	if (size == 0)
		return true;
	if (strchr(line, ',') != NULL)
		return err_set(err, ERR_CONFIG, "line %zu: a comma: write one host a line", number);
	if (size >= HOST_TEXT || !setting_check(SETTING_TYPE_HOSTS, line, false, NULL))
		return err_set(err, ERR_CONFIG,
		    "line %zu: no HOST or HOST:PORT, with […] around an IPv6 address: \"%.60s\"",
		    number, text_is_plain(line) ? line : "?");
	if (reader->count == HOST_LINES_MAX)
		return err_set(err, ERR_CONFIG,
		    "line %zu: more than %d hosts: make it two environments", number,
		    HOST_LINES_MAX);
	text_set(named->text, line);
	(void)host_plain(line, named->plain);
	named->line = number;
	reader->count++;
	buf_addf(&reader->list, "%s%s", reader->list.size > 0 ? "," : "", line);
	return true;
}

static int
by_host(const void *a, const void *b)
{
	const struct named *one = a, *other = b;
	int order = strcmp(one->plain, other->plain);

	return order != 0 ? order : one->line < other->line ? -1 : 1;
}

static bool
check_once(struct reader *reader, struct err *err)
{
	qsort(reader->all, reader->count, sizeof(*reader->all), by_host);
	for (size_t i = 1; i < reader->count; i++) {
		const struct named *one = &reader->all[i - 1], *other = &reader->all[i];

		if (strcmp(one->plain, other->plain) != 0)
			continue;
		if (strcmp(one->text, other->text) == 0)
			return err_set(err, ERR_CONFIG,
			    "%.80s is there twice, in lines %zu and %zu", one->text, one->line,
			    other->line);
		return err_set(err, ERR_CONFIG,
		    "%.80s (line %zu) and %.80s (line %zu) are one host: take one of them out",
		    one->text, one->line, other->text, other->line);
	}
	return true;
}

static bool
take_lines(struct reader *reader, char *text, struct err *err)
{
	for (size_t number = 1; text != NULL; number++) {
		char *end = strchr(text, '\n');

		if (end != NULL)
			*end++ = '\0';
		if (!take_line(reader, text, number, err))
			return false;
		text = end;
	}
	return true;
}

char *
hosts_file_read(const char *path, uid_t owner, struct err *err)
{
	CLEANUP(freep) struct named *all = mem_new(HOST_LINES_MAX + 1, sizeof(*all));
	struct reader reader = { .all = all, .list = buf_make(HOST_LINES_MAX * HOST_TEXT) };
	size_t size = 0;
	CLEANUP(freep) char *text = read_bytes(path, owner, &size, err);
	char *list = NULL;

	if (text == NULL)
		return NULL;
	if (strlen(text) != size)
		(void)err_set(err, ERR_CONFIG, "%s has a NUL byte", path);
	else if (!take_lines(&reader, text, err) || !check_once(&reader, err))
		(void)err_wrap(err, "%s", path);
	else if (reader.count == 0)
		(void)err_set(
		    err, ERR_CONFIG, "%s names no host: write one a line, HOST[:PORT]", path);
	else if (buf_check(&reader.list, err))
		list = buf_take(&reader.list);
	buf_done(&reader.list);
	return list;
}
