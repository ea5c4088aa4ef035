/*  store_tables - the tables of the store, version by version. A version is never changed once
 * released: a new one is appended, and opening an older store runs what it lacks, in one
 * transaction each.
 */
#ifndef BROKER_STORE_TABLES_H
#define BROKER_STORE_TABLES_H

#define STORE_APPLICATION_ID 0x746f6373 /* "tocs" */
#define STORE_VERSION 4

/*  Indexed by the version they lead from. */
extern const char *const store_migrations[STORE_VERSION];

#endif
