/*  store_pages - a checksum in every page of the database, so that no damage is read as if it were
 * data.
 *
 *  A VFS of SQLite's over the system's (sqlite.org/vfs.html; the idea is that of
 *  sqlite.org/cksumvfs.html). The last PAGES_RESERVED bytes of each page, which SQLite leaves
 * alone, hold XXH3 of the rest and of its place; a page that was never written is all zeros. Pages
 * in the log have SQLite's own checksums.
 *
 *  Refuses  a page that does not agree with its checksum: SQLITE_IOERR_DATA
 */
#ifndef BROKER_STORE_PAGES_H
#define BROKER_STORE_PAGES_H

#include <sqlite3.h>

#define PAGES_VFS "tocsin"
#define PAGES_RESERVED 8

/*  Make the VFS known; as often as one likes. */
void store_pages_register(void);

/*  What a code of SQLite's means, in words. */
const char *store_pages_words(int code);

/*  A database that is still empty leaves room for the checksums. */
void store_pages_reserve(sqlite3 *database);

#endif
