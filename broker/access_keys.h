/*  access_keys - the public keys that are in force, read from a directory: one YAML file a key.
 *
 *      name: orders-1            # the principal
 *      role: producer            # producer, subscriber, operator, admin
 *      public_key: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
 *      write: [orders_]          # prefixes of names; "*": everything
 *      read: [alert.]            # prefixes of topics
 *      not_before: 1767225600    # Unix seconds; optional, as is
 *      expires: 1798761600
 *
 *  Owns     its keys and their texts
 *  Bounds   KEYS_MAX files (*.yaml) of KEY_FILE_BYTES
 *  Thread   any: it never changes once it is loaded, and every thread may hold a share
 *  Refuses  one file at a time, with a line that names it: others may write it, it belongs to
 *           another user, it is no such map, its key stands in a file before it. A directory that
 *           cannot be trusted or read holds no key, so that nobody gets in.
 */
#ifndef BROKER_ACCESS_KEYS_H
#define BROKER_ACCESS_KEYS_H

#include "broker/access.h"
#include "proto/arena.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define KEYS_MAX 10000u
#define KEY_FILE_BYTES (64u << 10)

typedef struct {
    atomic_uint shares;
    arena_t arena;
    access_key_t *keys; /* in order of public_key */
    size_t count;
    double next_change_s; /* when a key begins or ends by itself; infinite: never */
    bool trusted;         /* the directory could be read, and nobody else may write it */
    bool complete;        /* false: the process had no descriptors left to read with */
} access_keys_t;

/*  Never NULL. What is wrong is a line on `complaints`. */
access_keys_t *access_keys_load(const char *path, double now_s, FILE *complaints);

/*  One more holder. */
access_keys_t *access_keys_share(access_keys_t *self);

/*  Give up a share; the last one frees it. */
void access_keys_destroy(access_keys_t **self);

/*  The key of that User-Id; NULL: none such is in force. */
const access_key_t *access_keys_find(const access_keys_t *self, const char *user_id);

/*  Does `new` lack or change what `old` grants to that key? */
bool access_keys_take_away(const access_keys_t *old, const access_keys_t *new, const char *user_id);
bool access_keys_equal(const access_keys_t *a, const access_keys_t *b);

/*  A secret key from its file (`secret_key: "…"`), which nobody but its owner may read. False after
 *  one line on `complaints`. */
bool access_secret_load(const char *path, char secret_key[KEY_TEXT_SIZE], FILE *complaints);

#endif
