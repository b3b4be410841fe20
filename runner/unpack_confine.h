/* unpack_confine.h - leaves a process nothing but its descriptors, its memory and one folder.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/*
 * From here on, for good: 256 MB of memory, 30 s of processor time, files of 512 MB at most, no
 * new process, no descriptor above 15; nothing is opened for reading, and files and folders are
 * made below `folder` alone; any call but some thirty, or of another architecture, ends the process
 * (SIGSYS).  Fails where the kernel has one of these not: then nothing may be read.
 */
bool unpack_confine(int folder, struct err *err) MUST_USE;
