/* hosts_file.h - a file with a host of an environment on each line, read and checked.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * HOST or HOST:PORT a line, […] around an IPv6 address; what stands behind # and lines of blanks
 * are left out.  1 to HOST_LINES_MAX hosts, each once, whatever its spelling.
 */
#pragma once

#include <sys/types.h>

#include "lib/base.h"
#include "lib/host_lines.h"

#define HOSTS_FILE_MAX (512 * 1024) /* bytes of the file */

/* Its hosts in their order, as they stand there, a comma between; to be freed by the caller.  NULL:
 * it cannot be read, has a line that is no host, or a host twice; or somebody beside root and
 * `owner` may write it. */
char *hosts_file_read(const char *path, uid_t owner, struct err *err) MUST_USE;
