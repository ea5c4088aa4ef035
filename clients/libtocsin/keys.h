/*  keys - the CURVE keys of a connection: from the options, else from the environment, else none.
 *
 *  Owns     nothing beyond the struct; keys_forget wipes it
 *  Refuses  by errno: EINVAL what is no key, EACCES a secret that others may read, and what opening
 *           the file says
 *
 *  TOCSIN_KEY names the file that `tocsin keygen` wrote (secret_key and public_key, a line each);
 *  TOCSIN_SERVER_KEY is the broker's public key itself.
 */
#ifndef CLIENTS_LIBTOCSIN_KEYS_H
#define CLIENTS_LIBTOCSIN_KEYS_H

#include <stdbool.h>
#include <tocsin.h>

#define KEY_SIZE 41u /* 40 characters of Z85 and a NUL */

typedef struct {
    char public_key[KEY_SIZE], secret_key[KEY_SIZE], server_key[KEY_SIZE]; /* empty: no CURVE */
} keys_t;

bool keys_find(keys_t *self, const tocsin_keys_t *given);
void keys_forget(keys_t *self);

/*  Before the socket is connected. */
bool keys_apply(const keys_t *self, void *socket);

#endif
