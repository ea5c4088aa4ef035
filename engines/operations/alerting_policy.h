/*  alerting_policy - which policies are there, and may this one be put?
 *
 *  Owns     copies of the policies
 *  Bounds   `policies` of them
 *  Thread   one
 *  Refuses  bad_value: no condition, an unknown channel, inhibited_by in a circle; limit
 *
 *  A policy's plans are numbers that are given out once and kept with it, so that a result can
 * never be taken for one of another policy: `plan` is its condition's, the next number its resolve
 *  condition's.
 */
#ifndef ENGINES_ALERTING_POLICY_H
#define ENGINES_ALERTING_POLICY_H

#include "engines/kept.h"
#include "engines/operations/effects.h"
#include "engines/roster.h"
#include "proto/schema.h"
#include "proto/status.h"

#include <stdbool.h>

typedef struct active_alert active_alert_t;

typedef struct alerting_policy {
    kept_t kept;
    const policy_t *definition;
    active_alert_t *first, *last; /* its alerts; alert_ledger's */
    uint32_t rank; /* 0: nobody inhibits it; else one more than the highest of those who do */
    struct alerting_policy **inhibits; /* those who name it; for policy_book_inhibited */
    uint32_t inhibits_count, inhibitors_left;
    int64_t asked_ns; /* when its resolve condition was last asked again */
} alerting_policy_t;

typedef struct {
    alerting_policy_t *const *items;
    uint32_t count;
} policies_t;

typedef struct policy_book policy_book_t;

policy_book_t *policy_book_new(uint32_t policies, uint64_t seed, const effects_t *effects);
void policy_book_destroy(policy_book_t **self);

/*  The names that policies may tell; copied. */
void policy_book_set_channels(policy_book_t *self, texts_t channels);
texts_t policy_book_channels(const policy_book_t *self);

/*  What a policy is put beside: the book, and what the file is about to put with it. */
typedef struct {
    texts_t channels;
    const roster_t *file; /* policy_t by name; NULL: it is a command's */
    uint32_t more;        /* new ones among them */
} policy_context_t;

/*  Could this policy be put? */
status_t policy_book_check(const policy_book_t *self, const policy_t *policy,
                           const policy_context_t *context, schema_error_t *error);

/*  From the store: no effects. */
void policy_book_restore(policy_book_t *self, const policy_t *policy);
/*  Put or replace one that was checked, whose old alerts are over: saved and planned. */
alerting_policy_t *policy_book_put(policy_book_t *self, const policy_t *policy);
/*  The same policy is somebody else's from now on: saved if that is a change. */
const policy_t *policy_book_claim(policy_book_t *self, alerting_policy_t *policy, bool from_file);
/*  It cannot be evaluated, and why; TEXT_NONE: it can. True when that is news. */
bool policy_book_mark(policy_book_t *self, alerting_policy_t *policy, text_t error);
/*  Have it said again how its resolve condition stands; once at a moment. */
void policy_book_ask_again(policy_book_t *self, alerting_policy_t *policy);
void policy_book_delete(policy_book_t *self, alerting_policy_t *policy);
/*  Have every enabled policy evaluated. */
void policy_book_start(const policy_book_t *self);

alerting_policy_t *policy_book_find(const policy_book_t *self, text_t name);
/*  Whose plan is it? NULL: nobody's any more. */
alerting_policy_t *policy_book_of_plan(const policy_book_t *self, uint64_t plan);
/*  Bring up to date who inhibits whom, and every `rank`. */
void policy_book_refresh(policy_book_t *self);
/*  Those that name it in inhibited_by, in order of creation. */
policies_t policy_book_inhibited(policy_book_t *self, const alerting_policy_t *policy);
/*  In order of creation: NULL at the end. Start with *at = 0. */
alerting_policy_t *policy_book_next(const policy_book_t *self, uint64_t *at);

/*  Do they say the same, whoever owns them? */
bool policy_is_same(const policy_t *a, const policy_t *b);

#endif
