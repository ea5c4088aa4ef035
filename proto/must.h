/*  must - what ends the process: a bug of ours, or no memory left.
 *
 *  must (condition) is always compiled in, has no effects inside, and no input may reach it.
 *  memory_new and memory_grow never answer NULL: running out of memory ends the process here, in
 * one place, and a supervisor starts it again.
 */
#ifndef PROTO_MUST_H
#define PROTO_MUST_H

#include <stddef.h>

#define must(condition) ((condition) ? (void)0 : must_fail(#condition, __FILE__, __LINE__))

/*  Where nothing may come: says in words what came. */
#define must_not(words) must_fail(words, __FILE__, __LINE__)

_Noreturn void must_fail(const char *condition, const char *file, int line);

/*  Zeroed memory for `count` things of `size` bytes; release with free. */
void *memory_new(size_t count, size_t size);

/*  `old` made `count * size` bytes long; what is new in it is not zeroed. */
void *memory_grow(void *old, size_t count, size_t size);

/*  A copy of `size` bytes. */
void *memory_copy(const void *bytes, size_t size);

#endif
