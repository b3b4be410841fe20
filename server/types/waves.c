/* waves.c - in how many steps a release comes to its hosts, and how many of these may fail.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "types/waves.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/setting.h"

/* "10%" of 12 is 2 with `up`, else 1; "3" is 3 of whatever there are. */
static size_t
part_of(const char *text, size_t hosts, bool up)
{
	size_t number = strtoul(text, NULL, 10);

	return strchr(text, '%') != NULL ? (number * hosts + (up ? 99 : 0)) / 100 : number;
}

bool
waves_read(const char *text, size_t hosts, struct waves *ret, struct err *err)
{
	char part[SETTING_PART_MAX + 1] = "100%", before[SETTING_PART_MAX + 1] = "";
	size_t end = hosts, last = 0;

	*ret = (struct waves){ 0 };
	while (text != NULL && ret->n < WAVES_MAX && setting_next(&text, part, sizeof(part))) {
		end = part_of(part, hosts, true);
		if (end > hosts)
			return err_set(
			    err, ERR_CONFIG, "wave %.20s is more than its %zu hosts", part, hosts);
		if (end < last)
			return err_set(err, ERR_CONFIG,
			    "wave %.20s is less than %.20s before it, of %zu hosts: each has to reach more",
			    part, before, hosts);
		if (end > last)
			ret->ends[ret->n++] = end;
		last = end;
		memcpy(before, part, sizeof(before));
	}
	if (end < hosts)
		return err_set(
		    err, ERR_CONFIG, "its last wave is %.20s: write 100%% behind it", part);
	if (ret->n == 0)
		ret->ends[ret->n++] = hosts;
	return true;
}

void
waves_fit(const char *text, size_t hosts, struct waves *ret)
{
	char part[SETTING_PART_MAX + 1];
	size_t last = 0;

	*ret = (struct waves){ 0 };
	while (text != NULL && ret->n + 1 < WAVES_MAX && setting_next(&text, part, sizeof(part))) {
		size_t end = part_of(part, hosts, true);

		if (end > last && end < hosts)
			ret->ends[ret->n++] = last = end;
	}
	ret->ends[ret->n++] = hosts;
}

#define NAMED_MAX	3
#define NAMED_ALONE_MAX 10 /* of one wave */

static void
add_name(struct waves_shown *to, const char *name, size_t size)
{
	size_t used = strlen(to->first);

	if (size > 3 && memcmp(name + size - 3, ":22", 3) == 0) /* as everybody writes it */
		size -= 3;
	(void)snprintf(to->first + used, sizeof(to->first) - used, "%s%.*s", used > 0 ? ", " : "",
	    (int)size, name); /* cut is fine */
}

void
waves_show(const char *plan, struct waves_shown *ret)
{
	*ret = (struct waves_shown){ 0 };
	while (*plan != '\0' && ret->n < WAVES_MAX) {
		size_t size = strcspn(plan, " \n");

		if (ret->n == 0)
			add_name(ret, plan, size);
		ret->of[ret->n]++;
		plan += size;
		ret->n += *plan != ' ';
		plan += *plan != '\0';
	}
	if (ret->of[0] > (ret->n > 1 ? NAMED_MAX : NAMED_ALONE_MAX))
		ret->first[0] = '\0';
}

bool
waves_are_set(const char *text)
{
	return text != NULL && strchr(text, ',') != NULL;
}

size_t
waves_failures(const char *text, size_t hosts)
{
	return text != NULL ? part_of(text, hosts, false) : 0;
}

size_t
waves_hosts(const char *list)
{
	char part[SETTING_PART_MAX + 1];
	size_t n = 0;

	while (list != NULL && setting_next(&list, part, sizeof(part)))
		n++;
	return n;
}
