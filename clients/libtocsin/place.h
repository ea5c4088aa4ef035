/*  place - where a reader stands in one family: what it was given, what it missed, and what it can
 *  never have.
 *
 *  Numbers count 1, 2, 3 ... within a family, so what is missing shows: below a publication that
 *  came too early, or below the head that a heartbeat names.
 *
 *  Owns     nothing
 *  Time     monotonic seconds, handed in
 *  Thread   one
 */
#ifndef CLIENTS_LIBTOCSIN_PLACE_H
#define CLIENTS_LIBTOCSIN_PLACE_H

#include <stdbool.h>
#include <stdint.h>

/* A publication may be on the wire before it can be asked for: its commit is under way. It is asked
   for again after PLACE_RETRY_S, and counts as lost after PLACE_COMMIT_S. */
#define PLACE_RETRY_S 0.05
#define PLACE_COMMIT_S 2.0

typedef struct {
    bool wanted; /* by the caller */
    bool known;  /* where it stands: `given` means something */
    bool fixed;  /* it was told where to begin */
    uint64_t given;
    uint64_t head;   /* the newest that is known to have been published */
    uint64_t lost;   /* not yet told to the caller */
    double retry_at; /* what is missing is not asked for before; 0: at once */
    double vain_at;  /* since when it is asked for in vain; 0: it is not */
} place_t;

typedef enum {
    PLACE_NEXT,  /* to be given now */
    PLACE_EARLY, /* others come first */
    PLACE_OLD    /* it was given already */
} place_judgement_t;

/*  Stand behind this number, unless the caller has said where to begin. */
void place_begin(place_t *self, uint64_t seq);

/*  So much has been published. */
void place_see_head(place_t *self, uint64_t head);

place_judgement_t place_judge(const place_t *self, uint64_t seq);

/*  This one is given; what was missing before it, after a judgement of PLACE_EARLY, is lost. */
void place_give(place_t *self, uint64_t seq);

/*  Nothing up to this number can be had any more. */
void place_give_up(place_t *self, uint64_t seq);

/*  What is missing up to `end` could not be had yet: ask later, or give up if it has been too
 *  long. */
void place_ask_later(place_t *self, uint64_t end, double now);

/*  Is something missing that is wanted? */
bool place_has_hole(const place_t *self);

/*  How many were lost since the last time; from now on they count as told. */
uint64_t place_tell_lost(place_t *self);

/*  The broker has begun anew and published less than was given: begin with its first. */
void place_begin_anew(place_t *self, uint64_t head);

#endif
