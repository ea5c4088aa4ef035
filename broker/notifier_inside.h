/*  notifier_inside - what the files of the notifier share. Private to it.
 *
 *    notifier          the loop, and its mails
 *    notifier_jobs     notifications on their way, from the decision to what became of it
 *    notifier_answers  what is answered about channels
 */
#ifndef BROKER_NOTIFIER_INSIDE_H
#define BROKER_NOTIFIER_INSIDE_H

#include "broker/notifier.h"
#include "broker/notifier_delivery.h"
#include "engines/operations/notification_dispatcher.h"

#include <msgpack/sbuffer.h>

typedef enum {
    JOB_TELL,  /* the dispatcher's */
    JOB_DRILL, /* channel.test: somebody waits for the outcome */
    JOB_LETTER /* a dead letter that is sent again */
} job_kind_t;

/*          next                 noted                  ended
 *    TELL ──────► is noted ──────────────► is sent ──────────► finished
 *    DRILL, LETTER ───────────────────────────▲
 */
typedef struct job {
    struct job *next;
    job_kind_t kind;
    char *channel;
    msgpack_sbuffer packed; /* the notification */
    uint64_t note;          /* of JOB_TELL: under this number it is noted; 0: it is */
    int64_t noted_ns;       /* when that was asked for */
    delivery_t *delivery;   /* NULL: not sent yet */
    int64_t begun_ns;
    zmsg_t *envelope; /* of JOB_DRILL: who asked; NULL: nobody, it is the end of one */
    text_t id;        /* and the id to echo, encoded; owned */
    uint64_t letter;  /* of JOB_LETTER */
} job_t;

/*  What is known of a channel beside its health. */
typedef struct {
    char *name;
    char words[256]; /* what came back last */
    long status;
    bool was_failing;
} memory_t;

typedef struct {
    notifier_t *given;
    zsock_t *reactor;
    notification_dispatcher_t *dispatcher;
    CURLM *multi;
    job_t *jobs;
    zmsg_t *note; /* effects that are still to be sent to the operations actor */
    uint64_t notes;
    memory_t *memories; /* one a channel, in the order of the configuration */
    size_t memory_count;
    instant_t now, sampled;
    arena_t arena;
    msgpack_sbuffer body, outcome;
    bool stopping, ended;
    int64_t stop_ns; /* stopping: what is under way then is left */
} notifier_state_t;

/* -- notifier_jobs -- */

/*  The dispatcher's sink: gathers in `note`. */
void notifier_note(void *context, const notice_effect_t *effect);
/*  Send what was gathered. Answers its number; 0: there was nothing. */
uint64_t notifier_send_note(notifier_state_t *self);

/*  Take up everything that is due. */
void notifier_begin_due(notifier_state_t *self);
void notifier_begin_drill(notifier_state_t *self, const channel_t *channel, text_t id,
                          zmsg_t **envelope);
void notifier_begin_letter(notifier_state_t *self, uint64_t letter, text_t packed);

/*  The operations actor has it on disk: send. */
void notifier_is_noted(notifier_state_t *self, uint64_t note);
/*  Whatever has ended is finished. */
void notifier_finish_ended(notifier_state_t *self);
/*  Forget everything that is under way. */
void notifier_drop_jobs(notifier_state_t *self);

/* -- notifier_answers -- */

void notifier_answer(notifier_state_t *self, zmsg_t **mail);
void notifier_answer_drill(notifier_state_t *self, job_t *job, const delivery_result_t *result);
void notifier_send_samples(notifier_state_t *self);

const channel_t *notifier_channel(const notifier_state_t *self, text_t name);
memory_t *notifier_memory(const notifier_state_t *self, text_t name);

#endif
