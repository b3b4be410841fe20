/* journal.c - sd-journal by _SYSTEMD_INVOCATION_ID, copied line by line up to a limit.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/journal.h"

#include <stdio.h>
#include <systemd/sd-journal.h>

#include "lib/clock.h"
#include "lib/file.h"

#define QUIET_US 100000 /* without a line, behind what systemd says of the end */
#define DRAIN_MS 5000	/* where it says nothing of the end */

struct copy {
	int fd;
	size_t copied;
	bool is_full; /* of JOURNAL_MAX, or of the disk: the run goes on without its log */
	bool has_end; /* systemd's own line about the end of the job was read */
};

static void
add(struct copy *copy, const void *data, size_t size)
{
	copy->is_full |= !file_write_all(copy->fd, data, size, NULL);
	copy->copied += size;
}

static void
copy_line(sd_journal *journal, struct copy *copy)
{
	static const char cut[] =
	    "[deploybot-agent: more than 1 MB of output: the rest is in the journal]\n";
	const size_t skip = strlen("MESSAGE=");
	const void *data;
	size_t size;

	if (sd_journal_get_data(journal, "_PID", &data, &size) >= 0 && size == strlen("_PID=1") &&
	    memcmp(data, "_PID=1", size) == 0) {
		copy->has_end |= sd_journal_get_data(journal, "JOB_RESULT", &data, &size) >= 0;
		return;
	}
	if (sd_journal_get_data(journal, "MESSAGE", &data, &size) < 0)
		return;
	size -= skip;
	if (copy->copied + size + 1 + sizeof(cut) > JOURNAL_MAX) {
		add(copy, cut, sizeof(cut) - 1);
		copy->is_full = true;
		return;
	}
	add(copy, (const char *)data + skip, size);
	add(copy, "\n", 1);
}

/* The lines of the unit, and what systemd says of it. */
static int
match(sd_journal *journal, const char *invocation)
{
	char lines[64], about[64];
	int n;

	(void)snprintf(lines, sizeof(lines), "_SYSTEMD_INVOCATION_ID=%s", invocation);
	(void)snprintf(about, sizeof(about), "INVOCATION_ID=%s", invocation);
	if ((n = sd_journal_add_match(journal, lines, 0)) < 0 ||
	    (n = sd_journal_add_disjunction(journal)) < 0 ||
	    (n = sd_journal_add_match(journal, "_PID=1", 0)) < 0 ||
	    (n = sd_journal_add_match(journal, about, 0)) < 0)
		return n;
	return sd_journal_seek_head(journal);
}

bool
journal_copy(const char *invocation, int fd, struct err *err)
{
	CLEANUP(sd_journal_closep) sd_journal *journal = NULL;
	int64_t until = clock_monotonic_ms() + DRAIN_MS;
	struct copy copy = { .fd = fd };
	bool is_quiet = false;
	int n = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

	if (n < 0 || (n = match(journal, invocation)) < 0)
		return err_errno(err, ERR_IO, -n, "the journal");
	while (!copy.is_full && !(copy.has_end && is_quiet) && clock_monotonic_ms() < until) {
		while (!copy.is_full && sd_journal_next(journal) > 0)
			copy_line(journal, &copy);
		is_quiet = sd_journal_wait(journal, QUIET_US) == SD_JOURNAL_NOP;
	}
	return true;
}
