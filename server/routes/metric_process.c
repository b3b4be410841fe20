/* metric_process.c - reads /proc/self each time.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/metric_process.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/folder.h"
#include "routes/metric.h"

#define STAT_CAP 4096

double
metric_process_boot_time(void)
{
	CLEANUP(freep) char *text = file_read("/proc/stat", 1u << 20, NULL, NULL);
	const char *line = text == NULL ? NULL : strstr(text, "\nbtime ");

	return line == NULL ? 0 : strtod(line + strlen("\nbtime "), NULL);
}

static void
add_plain(struct buf *out, const char *name, const char *type, const char *help, double value)
{
	metric_write_heading(out, name, help, type);
	buf_addf(out, "%s ", name);
	if (value == floor(value))
		buf_addf(out, "%.0f\n", value);
	else
		buf_addf(out, "%.3f\n", value);
}

static double
open_descriptors(void)
{
	CLEANUP(folder_closep) DIR *folder = opendir("/proc/self/fd");
	double count = -3; /* ".", ".." and the one we look with */

	if (folder == NULL)
		return NAN;
	while (readdir(folder) != NULL)
		count++;
	return count;
}

static void
add_from_stat(struct buf *out, double boot_time)
{
	unsigned long user, system, virtual_bytes;
	unsigned long long start;
	long resident_pages;
	double ticks = (double)sysconf(_SC_CLK_TCK);
	CLEANUP(freep) char *text = file_read("/proc/self/stat", STAT_CAP, NULL, NULL);
	/* The name, in brackets, may hold anything: begin behind its last bracket. */
	const char *rest = text == NULL ? NULL : strrchr(text, ')');

	if (rest != NULL &&
	    /* NOLINTNEXTLINE(cert-err34-c): the kernel's numbers fit */
	    sscanf(rest + 1,
		" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %llu %lu %ld",
		&user, &system, &start, &virtual_bytes, &resident_pages) == 5) {
		add_plain(out, "process_cpu_seconds_total", "counter",
		    "User and system CPU time spent in seconds.", (double)(user + system) / ticks);
		add_plain(out, "process_resident_memory_bytes", "gauge",
		    "Resident memory in bytes.",
		    (double)resident_pages * (double)sysconf(_SC_PAGESIZE));
		add_plain(out, "process_start_time_seconds", "gauge",
		    "Start of the process in seconds since 1970.",
		    boot_time + (double)start / ticks);
		add_plain(out, "process_virtual_memory_bytes", "gauge", "Virtual memory in bytes.",
		    (double)virtual_bytes);
	}
}

void
metric_process_write(struct buf *out, double boot_time)
{
	struct rlimit limit;
	double open_now = open_descriptors();

	add_from_stat(out, boot_time);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		add_plain(out, "process_max_fds", "gauge",
		    "Most file descriptors that may be open.", (double)limit.rlim_cur);
	if (!isnan(open_now))
		add_plain(out, "process_open_fds", "gauge", "Open file descriptors.", open_now);
}
