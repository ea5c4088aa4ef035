/*  silence_book - which alerts are not to be told of, until when, and who said so?
 *
 *  A silence covers the alerts that all of its labels and matchers take; the policy and the
 * severity of an alert are labels here too. It ends at its time, when it is deleted, or, until
 * "resolved", when the last alert that it covers is over.
 *
 *  Owns     the silences
 *  Bounds   `silences` of them, SILENCE_MATCHERS_MAX matchers each
 *  Time     of the effects; an end is a wall time, looked at once a minute at least, because that
 *           clock may be set
 *  Thread   one
 *  Refuses  bad_value: nothing to match, no end or two, an end that has passed; limit
 */
#ifndef ENGINES_SILENCE_BOOK_H
#define ENGINES_SILENCE_BOOK_H

#include "engines/operations/effects.h"
#include "proto/command.h"
#include "proto/status.h"

typedef struct silence_book silence_book_t;

silence_book_t *silence_book_new(uint32_t silences, uint64_t seed, effects_t *effects);
void silence_book_destroy(silence_book_t **self);

/*  From the store, before the alerts. */
void silence_book_restore(silence_book_t *self, const silence_t *silence);
/*  The last number given out. */
void silence_book_number(silence_book_t *self, uint64_t last);
/*  Everything is restored: watch their ends. */
void silence_book_start(silence_book_t *self);

status_t silence_book_put(silence_book_t *self, const silence_put_t *put, const silence_t **silence,
                          schema_error_t *error);
/*  It is over; `by` and `why` for the audit. */
void silence_book_end(silence_book_t *self, uint64_t id, text_t by, text_t why);

/*  NULL: there is none. */
const silence_t *silence_book_find(const silence_book_t *self, uint64_t id);
bool silence_book_covers(const silence_book_t *self, uint64_t id, const alert_t *alert);
/*  The names of those that cover the alert, in order of number, into the arena. */
texts_t silence_book_covering(const silence_book_t *self, const alert_t *alert, arena_t *arena);

/*  One more alert, or one less, is covered by it: 0, or its number if that ends it. */
void silence_book_cover(silence_book_t *self, text_t name);
uint64_t silence_book_uncover(silence_book_t *self, text_t name);

/*  One whose end has come; 0: none. */
uint64_t silence_book_due(silence_book_t *self);
int64_t silence_book_next(const silence_book_t *self);

#endif
