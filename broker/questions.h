/*  questions - the observability wing's commands: each is a question, none changes anything.
 *
 *  Owns     nothing
 *  Bounds   an answer ends at the limit asked for or at QUESTION_BYTES
 */
#ifndef BROKER_QUESTIONS_H
#define BROKER_QUESTIONS_H

#include "engines/observability/observability_stack.h"
#include "proto/arena.h"
#include "proto/instant.h"

#include <msgpack/sbuffer.h>

#define QUESTION_BYTES (4u << 20)

/*  Append the reply to one request (a complete, checked MessagePack value); the arena is reset. */
void questions_answer(const observability_stack_t *stack, const limits_t *limits, text_t request,
                      instant_t now, arena_t *arena, msgpack_sbuffer *reply);

#endif
