/*  slo_monitor_inside - what the files of the SLO monitor share. Private to it.
 *
 *    slo_monitor  definitions, requests, status and looks
 *    slo_memory   what of an SLO outlives the process
 */
#ifndef ENGINES_SLO_MONITOR_INSIDE_H
#define ENGINES_SLO_MONITOR_INSIDE_H

#include "engines/fraction.h"
#include "engines/observability/slo_monitor.h"
#include "engines/roster.h"
#include "engines/window.h"

/* The windows that every SLO counts over, besides its own two. */
enum { W_5M, W_30M, W_1H, W_2H, W_6H, W_24H, W_3D, W_OWN, W_PERIOD, W_COUNT };

#define SLO_PAIRS 4
#define SLO_PAIR_TEXT 64

typedef struct slo_entry {
    slo_t slo; /* texts and labels are copies; the name is the roster's */
    uint64_t serial;
    fraction_t allowed;      /* share of requests that may be bad */
    double rates[SLO_PAIRS]; /* of each pair; 0: left out */
    char left_out[SLO_PAIRS][SLO_PAIR_TEXT];
    text_t left_out_texts[SLO_PAIRS];
    size_t left_out_count;
    slo_status_t status;
    double since;
    window_counts_t pending; /* since the last roll; part of every running bucket */
    int64_t boundary;        /* when the first running bucket ends */
    window_t windows[W_COUNT];
    struct slo_entry *next_of_operation;
} slo_entry_t;

/* SLOs that ask for one operation, or for any. */
typedef struct {
    slo_entry_t *first, *last;
    text_t operation; /* of its first SLO */
} chain_t;

struct slo_monitor {
    roster_t slos;
    uint32_t limit;
    uint64_t seed;
    slo_sink_t sink;
    uint64_t last_serial;
    chain_t any;
    chain_t *chains; /* from 1: one an operation asked for */
    uint32_t chain_count;
    table_t by_operation;
    int64_t next;      /* no later than the next boundary that may change a status */
    uint8_t *labels;   /* room to put a request's labels in order */
    roster_t memories; /* of SLOs that have not been put again yet */
};

/*  Do both count the same requests in the same way? */
bool slo_same_definition(const slo_t *a, const slo_t *b);

/*  After a change of its windows. */
void slo_entry_find_boundary(slo_entry_t *entry);

/*  An SLO that was just put goes on from what is remembered of it, if anything is. */
void slo_memory_claim(slo_monitor_t *self, slo_entry_t *entry, instant_t now);

#endif
