/* playbook_folder.h - ANSIBLE_FOLDER as one mark, which an approval is bound to.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/fingerprint.h"

#define PLAYBOOK_FILES_MAX 4096		      /* files and folders in it */
#define PLAYBOOK_BYTES_MAX (16 * 1024 * 1024) /* of all of its files */
#define PLAYBOOK_DEPTH_MAX 16		      /* folders in folders */

/* Adds ANSIBLE_FOLDER/files=MARK to the list: of each file name, mode and bytes, of each folder
 * name and mode; without .git at its top.  Fails where it is larger than the limits, has a link in
 * it, or could be changed by anybody but root and us. */
bool playbook_folder_add(
    const char *folder, char list[FINGERPRINT_LIST_MAX], struct err *err) MUST_USE;
