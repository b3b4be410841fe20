/* file_piece.h - some bytes of a file that somebody else writes.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#include "lib/base.h"

struct file_piece {
	int64_t from; /* where they begin; -1: they are the last ones */
	char *out;
	size_t room;  /* so many at most */
	int64_t size; /* of the file, filled in; 0: there is none, it is empty, a link, no file */
};

/* Reads them from folder/path, whatever has become of it; returns how many there are. */
size_t file_piece(int folder, const char *path, struct file_piece *piece);
