/* backup.h - the file by which the server knows when the newest backup was complete.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

/* In STATE_DIRECTORY; its time of change is that of the backup, and it names the file. */
#define BACKUP_STAMP "backup.stamp"
