/* ids_aid.h - what rows and their counters must say of each other, as SQL.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/store_ids.h"

#define IDS_AID_GIVEN(name, word, column, table) \
	" UNION ALL SELECT '" word "', MAX(" column ") FROM " table

/* A number that a row has and its counter has not given yet; 0: none has. */
#define IDS_AID_BEYOND \
	"SELECT COALESCE(MAX(n), 0) FROM (SELECT '' AS word, 0 AS n" STORE_IDS(IDS_AID_GIVEN) \
	") AS given LEFT JOIN counter ON name = word WHERE n > COALESCE(value, 0)"
