/* journal.c - sd-journal by _SYSTEMD_INVOCATION_ID, copied line by line up to a limit.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/journal.h"

#include <stdio.h>
#include <systemd/sd-journal.h>

#include "lib/clock.h"
#include "lib/file.h"

#define QUIET_US 400000 /* journald says of new lines within 250 ms */
#define DRAIN_MS 10000

struct copy {
	const char *invocation;
	uint64_t since_us;
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

/* Has the line a field of that name; with that value, where it is not NULL? */
static bool
has(sd_journal *journal, const char *name, const char *value)
{
	size_t size, skip = strlen(name) + 1;
	const void *data;

	return sd_journal_get_data(journal, name, &data, &size) >= 0 &&
	    (value == NULL ||
		(size - skip == strlen(value) &&
		    memcmp((const char *)data + skip, value, size - skip) == 0));
}

static void
copy_line(sd_journal *journal, struct copy *copy)
{
	static const char cut[] =
	    "[deploybot-agent: more than 1 MB of output: the rest is in the journal]\n";
	const size_t skip = strlen("MESSAGE=");
	const void *data;
	uint64_t at_us;
	sd_id128_t boot;
	size_t size;

	if (sd_journal_get_monotonic_usec(journal, &at_us, &boot) < 0 || at_us < copy->since_us)
		return; /* seeking is not exact */
	if (has(journal, "_PID", "1")) {
		copy->has_end |= has(journal, "JOB_RESULT", NULL);
		return;
	}
	/* Where journald has looked at a process when it was gone, there is none. */
	if ((has(journal, "_SYSTEMD_INVOCATION_ID", NULL) &&
		!has(journal, "_SYSTEMD_INVOCATION_ID", copy->invocation)) ||
	    sd_journal_get_data(journal, "MESSAGE", &data, &size) < 0)
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

/* The lines of the unit, and what systemd says of it, since then. */
static int
open_journal(sd_journal **ret, const char *unit, const char *invocation, int64_t since_ms)
{
	char lines[128], about[64];
	sd_id128_t boot;
	int n = sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

	(void)snprintf(lines, sizeof(lines), "_SYSTEMD_UNIT=%s", unit);
	(void)snprintf(about, sizeof(about), "INVOCATION_ID=%s", invocation);
	if (n < 0 || (n = sd_journal_add_match(*ret, lines, 0)) < 0 ||
	    (n = sd_journal_add_disjunction(*ret)) < 0 ||
	    (n = sd_journal_add_match(*ret, "_PID=1", 0)) < 0 ||
	    (n = sd_journal_add_match(*ret, about, 0)) < 0 || (n = sd_id128_get_boot(&boot)) < 0)
		return n;
	return sd_journal_seek_monotonic_usec(*ret, boot, (uint64_t)since_ms * 1000);
}

bool
journal_copy(const char *unit, const char *invocation, int64_t since_ms, int fd, struct err *err)
{
	CLEANUP(sd_journal_closep) sd_journal *journal = NULL;
	int64_t until = clock_monotonic_ms() + DRAIN_MS;
	struct copy copy = {
		.invocation = invocation, .since_us = (uint64_t)since_ms * 1000, .fd = fd
	};
	int n = open_journal(&journal, unit, invocation, since_ms);
	bool is_quiet = false;

	while (n >= 0 && !copy.is_full && !(copy.has_end && is_quiet) &&
	    clock_monotonic_ms() < until) {
		is_quiet = sd_journal_wait(journal, QUIET_US) == SD_JOURNAL_NOP;
		while (
		    !copy.is_full && clock_monotonic_ms() < until && sd_journal_next(journal) > 0) {
			copy_line(journal, &copy);
			is_quiet = false;
		}
	}
	return n >= 0 || err_errno(err, ERR_IO, -n, "the journal");
}
