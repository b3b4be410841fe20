/* owner.c - what a user and a group are called here.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/owner.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>

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
