/* owner.c - what a user and a group are called here.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/owner.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>

#include "lib/err.h"

#define ENTRY_ROOM 4096 /* of all that the system says of one */

const char *
owner_user(uid_t user, const char *before, char out[OWNER_NAME])
{
	struct passwd entry, *found = NULL;
	char room[ENTRY_ROOM];

	if (getpwuid_r(user, &entry, room, sizeof(room), &found) == 0 && found != NULL)
		(void)snprintf(out, OWNER_NAME, "%.70s", found->pw_name);
	else
		(void)snprintf(out, OWNER_NAME, "%s%u", before, (unsigned)user);
	return out;
}

const char *
owner_group(gid_t group, const char *before, char out[OWNER_NAME])
{
	struct group entry, *found = NULL;
	char room[ENTRY_ROOM];

	if (getgrgid_r(group, &entry, room, sizeof(room), &found) == 0 && found != NULL)
		(void)snprintf(out, OWNER_NAME, "%.70s", found->gr_name);
	else
		(void)snprintf(out, OWNER_NAME, "%s%u", before, (unsigned)group);
	return out;
}

bool
owner_alone_writes(const struct stat *status, uid_t owner, const char *path, struct err *err)
{
	if (status->st_uid != 0 && status->st_uid != owner)
		return err_set(err, ERR_CONFIG,
		    "%s belongs to user %u: chown it to root or to the owner of the settings file",
		    path, (unsigned)status->st_uid);
	return (status->st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
	    err_set(err, ERR_CONFIG, "others may write %s (mode %04o): chmod go-w that", path,
		(unsigned)status->st_mode & 07777);
}
