/* record.c - slots of a sector each, written in their place.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/mem.h"

#define SLOT 512

/* `ID EPOCH CAPABILITY`, then an exit message, then NUL bytes. */
static bool
read_slot(char slot[SLOT], struct record *ret)
{
	struct protocol_message message;
	char *rest = memchr(slot, '\n', SLOT);
	int at = -1;

	*ret = (struct record){ .id = 0 };
	if (slot[0] == '\0')
		return true;
	slot[SLOT - 1] = '\0';
	if (rest == NULL ||
	    /* NOLINTNEXTLINE(cert-err34-c): of our own writing */
	    sscanf(slot, "%" SCNu64 " %" SCNu64 " %30[a-z0-9-]\n%n", &ret->id, &ret->epoch,
		ret->capability, &at) != 3 ||
	    at != rest - slot + 1)
		return false;
	if (protocol_decode(rest + 1, strlen(rest + 1), &message, NULL) &&
	    message.kind == PROTOCOL_EXIT)
		ret->end = message.record;
	else
		ret->end.gate = ret->end.lost = true;
	return true;
}

bool
records_put(
    const struct records *records, struct record *slot, const struct record *now, struct err *err)
{
	struct protocol_message message = { .kind = PROTOCOL_EXIT, .record = now->end };
	off_t at = (slot - records->all) * SLOT;
	char text[SLOT] = "";
	int head = snprintf(
	    text, SLOT, "%" PRIu64 " %" PRIu64 " %s\n", now->id, now->epoch, now->capability);
	size_t size = 0;

	if (!protocol_encode(&message, text + head, SLOT - 1 - (size_t)head, &size, err))
		return false;
	memset(text + head + size, 0, SLOT - (size_t)head - size);
	if (pwrite(records->fd, text, SLOT, at) != SLOT || fdatasync(records->fd) != 0)
		return err_errno(err, ERR_IO, errno, "writing the record of run %" PRIu64, now->id);
	*slot = *now;
	return true;
}

static bool
read_all(struct records *records, struct err *err)
{
	char slots[RECORDS_MAX][SLOT] = { "" };
	ssize_t n = pread(records->fd, slots, sizeof(slots), 0);

	/* Blocks that are written, not only reserved, before there is anything in them. */
	if (n == -1 ||
	    (n != (ssize_t)sizeof(slots) &&
		(!file_write_all(records->fd, slots, sizeof(slots), NULL) ||
		    fsync(records->fd) != 0)))
		return err_errno(err, ERR_IO, errno, "%d records, or room for them", RECORDS_MAX);
	for (size_t i = 0; i < RECORDS_MAX; i++)
		if (!read_slot(slots[i], &records->all[i]))
			return err_set(err, ERR_CONFIG,
			    "record %zu cannot be read: which runs were started is not known", i);
	return true;
}

bool
records_open(struct records *ret, const char *state, struct err *err)
{
	CLEANUP(freep) char *path = mem_textf("%s/records", state);

	ret->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (ret->fd == -1)
		return file_creation_failed(errno, path, err);
	return (read_all(ret, err) && file_flush_name(path, err)) || err_wrap(err, "%s", path);
}

struct record *
records_find(struct records *records, uint64_t id)
{
	for (size_t i = 0; i < RECORDS_MAX; i++)
		if (records->all[i].id == id)
			return &records->all[i];
	return NULL;
}

struct record *
records_slot(struct records *records)
{
	struct record *lowest = &records->all[0];

	for (size_t i = 1; i < RECORDS_MAX; i++)
		if (records->all[i].id < lowest->id)
			lowest = &records->all[i];
	return lowest;
}

uint64_t
records_lowest(const struct records *records)
{
	uint64_t lowest = 0;

	for (size_t i = 0; i < RECORDS_MAX; i++)
		if (records->all[i].id != 0 && (lowest == 0 || records->all[i].id < lowest))
			lowest = records->all[i].id;
	return lowest;
}

uint64_t
records_epoch(const struct records *records)
{
	uint64_t highest = 0;

	for (size_t i = 0; i < RECORDS_MAX; i++)
		if (records->all[i].epoch > highest)
			highest = records->all[i].epoch;
	return highest;
}
